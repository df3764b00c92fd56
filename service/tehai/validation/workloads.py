"""Rules on members and workloads, E12xx. A workload that can run nowhere breaks none of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from tehai.domain.limits import LIMITS
from tehai.domain.workload import Workload
from tehai.validation.common import amount_out_of_range, bad_country_codes, count_out_of_range, repeats, shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

MEMORY_GB_MAX = 1e12
SECONDS_PER_HOUR = 3600
# Below this a gang stands still, and the length of a run is no number any more.
EFFICIENCY_MIN = 1e-6


@rule("E1201", "there is no workload", "List at least one.")
def check_e1201_no_workloads(view: ProblemView) -> Iterator[Found]:
    """There is something to run."""
    if not view.problem.workloads:
        yield Found("workloads", "the list is empty")


def _work_hours(workload: Workload, reference_flops: float | None) -> float | None:
    """Return the work in normalised accelerator-hours; None where it cannot be told."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    if workload.flops is None or reference_flops is None or not reference_flops > 0:
        return None
    return workload.flops / SECONDS_PER_HOUR / reference_flops


@rule("E1202", "the work of a workload is out of range", "Give work above 0; check its unit.")
def check_e1202_work_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A workload has some work, in one of two units, and less than the world can do."""
    limit = LIMITS.work_normalised_hours
    for i, workload in enumerate(view.problem.workloads):
        given, flops = workload.normalised_accelerator_hours, workload.flops
        if (given is None) == (flops is None):
            yield Found(f"workloads[{i}]", "exactly one of normalised_accelerator_hours and flops is needed")
            continue
        name = "flops" if given is None else "normalised_accelerator_hours"
        value = flops if given is None else given
        if value is None or not (isfinite(value) and value > 0):
            yield Found(f"workloads[{i}].{name}", f"{value} is not above 0")
            continue
        hours = _work_hours(workload, view.problem.reference_sustained_flops)
        if hours is not None and not 0 < hours <= limit:
            message = f"{hours:.6g} normalised accelerator-hours; above 0 and at most {limit:.6g} are allowed"
            yield Found(f"workloads[{i}].{name}", message, ("reference_sustained_flops",))


@rule(
    "E1203",
    "work is in flops and the speed of the reference accelerator is missing",
    "Give reference_sustained_flops, or the work in normalised_accelerator_hours.",
    reads=("reference_sustained_flops",),
)
def check_e1203_flops_without_reference(view: ProblemView) -> Iterator[Found]:
    """Flops become hours by the reference accelerator."""
    if view.problem.reference_sustained_flops is not None:
        return
    for i, workload in enumerate(view.problem.workloads):
        if workload.flops is not None:
            yield Found(f"workloads[{i}].flops", "reference_sustained_flops is missing")


@rule("E1204", "a deadline is not after the release", "Give a deadline_date after the release_date.")
def check_e1204_deadline_not_after_release(view: ProblemView) -> Iterator[Found]:
    """A window holds at least a day."""
    for i, workload in enumerate(view.problem.workloads):
        if workload.deadline_date <= workload.release_date:
            message = f"{workload.deadline_date} is not after {workload.release_date}"
            yield Found(f"workloads[{i}].deadline_date", message, (f"workloads[{i}].release_date",))


@rule("E1206", "a workload has no gang option", "List at least one number of accelerators it can use.")
def check_e1206_no_gang_options(view: ProblemView) -> Iterator[Found]:
    """A workload runs on some number of accelerators."""
    for i, workload in enumerate(view.problem.workloads):
        if not workload.gang_options:
            yield Found(f"workloads[{i}].gang_options", "the list is empty")


@rule("E1207", "the size of a gang is out of range", "Give a whole number of accelerators from 1 on.")
def check_e1207_gang_size_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A gang has accelerators."""
    for i, workload in enumerate(view.problem.workloads):
        for k, option in enumerate(workload.gang_options):
            path = f"workloads[{i}].gang_options[{k}].accelerators"
            yield from count_out_of_range(option.accelerators, path, "accelerators")


@rule("E1208", "a gang size is listed twice", "Keep one efficiency for each size.")
def check_e1208_gang_size_repeated(view: ProblemView) -> Iterator[Found]:
    """A size has one efficiency."""
    for i, workload in enumerate(view.problem.workloads):
        sizes = [option.accelerators for option in workload.gang_options]
        for k in repeats(sizes):
            yield Found(f"workloads[{i}].gang_options[{k}].accelerators", f"{sizes[k]} is listed again")


@rule("E1209", "a scaling efficiency is outside [0.000001, 1]", "Give the part of the joint speed that is kept.")
def check_e1209_efficiency_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A gang makes progress, and no more than its accelerators apart."""
    for i, workload in enumerate(view.problem.workloads):
        for k, option in enumerate(workload.gang_options):
            if not EFFICIENCY_MIN <= option.scaling_efficiency_fraction <= 1:
                path = f"workloads[{i}].gang_options[{k}].scaling_efficiency_fraction"
                yield Found(path, f"{option.scaling_efficiency_fraction} is not between {EFFICIENCY_MIN:f} and 1")


@rule("E1210", "the memory of a workload is out of range", "Give gigabytes for the whole gang, 0 or more.")
def check_e1210_memory_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Memory is not negative."""
    for i, workload in enumerate(view.problem.workloads):
        if not 0 <= workload.memory_gb <= MEMORY_GB_MAX:
            yield Found(f"workloads[{i}].memory_gb", f"{workload.memory_gb} GB is not between 0 and {MEMORY_GB_MAX:g}")


@rule("E1211", "the software family of a workload is missing", "Name the family; accelerators list those they run.")
def check_e1211_software_family_missing(view: ProblemView) -> Iterator[Found]:
    """A workload belongs to a family."""
    for i, workload in enumerate(view.problem.workloads):
        if not workload.software_family.strip():
            yield Found(f"workloads[{i}].software_family", "the name is missing")


@rule("E1212", "the charge for a late start is out of range", "Give whole yen per period, 0 or more.")
def check_e1212_late_start_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Lateness is never paid for."""
    for i, workload in enumerate(view.problem.workloads):
        path = f"workloads[{i}].late_start_yen_per_period"
        yield from amount_out_of_range(workload.late_start_yen_per_period, path)


@rule(
    "E1213", "the charge for not running is out of range", "Give whole yen, 0 or more; or make the workload mandatory."
)
def check_e1213_cost_not_run_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Not running is never paid for."""
    for i, workload in enumerate(view.problem.workloads):
        if workload.cost_not_run_yen is not None:
            yield from amount_out_of_range(workload.cost_not_run_yen, f"workloads[{i}].cost_not_run_yen")


@rule("E1214", "a tag is empty or given twice", "Keep each tag once.")
def check_e1214_tag_empty_or_repeated(view: ProblemView) -> Iterator[Found]:
    """Tags are names."""
    for i, workload in enumerate(view.problem.workloads):
        for k, tag in enumerate(workload.tags):
            if not tag.strip():
                yield Found(f"workloads[{i}].tags[{k}]", "the tag is empty")
        for k in repeats(workload.tags):
            yield Found(f"workloads[{i}].tags[{k}]", f"{shown(workload.tags[k])} is given again")


@rule("E1215", "a sovereignty rule names something that is no country code", "Write two capital letters of ISO 3166-1.")
def check_e1215_sovereignty_country_malformed(view: ProblemView) -> Iterator[Found]:
    """Rules on countries name countries."""
    for i, workload in enumerate(view.problem.workloads):
        path, countries = f"workloads[{i}].sovereignty", workload.sovereignty
        yield from bad_country_codes(countries.site_country_codes, f"{path}.site_country_codes")
        yield from bad_country_codes(countries.operator_country_codes, f"{path}.operator_country_codes")


@rule("E1216", "there is no member", "List the companies or bodies that the workloads belong to.")
def check_e1216_no_members(view: ProblemView) -> Iterator[Found]:
    """Every workload belongs to somebody."""
    if not view.problem.members:
        yield Found("members", "the list is empty")
