"""Rules on the plan in force, E125x."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from tehai.domain.limits import LIMITS
from tehai.domain.problem import CurrentPlacement
from tehai.domain.workload import Workload
from tehai.validation.common import amount_out_of_range, periods_text, repeats, shown
from tehai.validation.legality import periods_touched, work_hours
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

_PLACEMENTS = "current_plan.placements"
_LOCK = "Correct the entry, set locked: false, or remove it"


def _entries(view: ProblemView) -> Iterator[tuple[str, CurrentPlacement, Workload]]:
    """Yield (path, entry, workload) of the entries whose workload is known."""
    for i, entry in enumerate(view.problem.current_plan.placements):
        workload = view.workloads.get(entry.workload_id)
        if workload is not None:
            yield f"{_PLACEMENTS}[{i}]", entry, workload


@rule("E1251", "a workload is placed twice in the current plan", "Keep the placement that holds.")
def check_e1251_placed_twice(view: ProblemView) -> Iterator[Found]:
    """A workload has one place."""
    ids = [entry.workload_id for entry in view.problem.current_plan.placements]
    for i in repeats(ids):
        yield Found(f"{_PLACEMENTS}[{i}].workload_id", f"{shown(ids[i])} is placed again")


@rule(
    "E1252",
    "the current plan gives a workload a gang that it cannot use",
    "Write one of its gang_options, or add the option to the workload.",
    reads=("workloads[].id", "workloads[].gang_options"),
)
def check_e1252_planned_gang_unknown(view: ProblemView) -> Iterator[Found]:
    """What is planned is an option of the workload."""
    for path, entry, workload in _entries(view):
        sizes = [option.accelerators for option in workload.gang_options]
        if entry.accelerators not in sizes:
            listed = ", ".join(f"{size:,}" for size in sizes) or "none"
            message = f"{entry.accelerators:,} is no option of {shown(workload.id)}; it has {listed}"
            yield Found(f"{path}.accelerators", message)


@rule(
    "E1253",
    "the start in a current plan is not the first day of a period",
    "Write the first day of a period of the horizon; calendar.first_date for what runs already.",
    reads=("calendar",),
)
def check_e1253_planned_start_no_period(view: ProblemView) -> Iterator[Found]:
    """What is planned begins with a period of the horizon."""
    calendar = view.calendar
    if calendar is None:
        return
    for i, entry in enumerate(view.problem.current_plan.placements):
        if start_period(view, entry) is None:
            last = calendar.date_of(calendar.period_count - 1)
            days = f"from {calendar.first_date} to {last}, every {calendar.period_hours:,} hours"
            yield Found(f"{_PLACEMENTS}[{i}].start_date", f"no period begins on {entry.start_date}; they begin {days}")


def start_period(view: ProblemView, entry: CurrentPlacement) -> int | None:
    """Return the first period that begins on the day of an entry's start, None where there is none."""
    calendar = view.calendar
    if calendar is None:
        return None
    start = calendar.first_period_from(entry.start_date)
    in_horizon = 0 <= start < calendar.period_count
    return start if in_horizon and calendar.date_of(start) == entry.start_date else None


@rule("E1254", "the charge for a change is out of range", "Give whole yen, 0 or more.")
def check_e1254_change_charge_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Changes are never paid for."""
    yield from amount_out_of_range(view.problem.current_plan.change_yen, "current_plan.change_yen")
    for i, entry in enumerate(view.problem.current_plan.placements):
        if entry.change_yen is not None:
            yield from amount_out_of_range(entry.change_yen, f"{_PLACEMENTS}[{i}].change_yen")


@rule(
    "E1255",
    "a workload is locked to a pool where it may not run",
    f"{_LOCK}; or correct the workload, the pool or the routes.",
    reads=("accelerators", "sites", "pools", "routes", "workloads"),
)
def check_e1255_locked_where_not_allowed(view: ProblemView) -> Iterator[Found]:
    """What must stay where it is may be there."""
    for path, entry, workload in _entries(view):
        reason = why_not_allowed(view, entry, workload)
        if entry.locked and reason:
            yield Found(f"{path}.pool_id", f"{shown(workload.id)} may not run in {shown(entry.pool_id)}: {reason}")


def why_not_allowed(view: ProblemView, entry: CurrentPlacement, workload: Workload) -> str:
    """Return the rule that forbids pool and gang of an entry at any time; empty where none does or one is unknown."""
    pool = view.pools.get(entry.pool_id)
    site = view.sites.get(pool.site_id) if pool else None
    accelerator = view.accelerators.get(pool.accelerator_id) if pool else None
    if pool is None or site is None or accelerator is None:
        return ""
    families = {throughput.software_family for throughput in accelerator.throughputs}
    moved = workload.data_site_id is not None and workload.data_terabytes > 0 and workload.data_site_id != site.id
    if workload.software_family not in families:
        return f"its accelerator does not run {shown(workload.software_family)}"
    if not workload.sovereignty.accepts(site.country_code, site.operator_country_code):
        return f"its sovereignty rule does not allow site {shown(site.id)}"
    if entry.accelerators > pool.gang_accelerators_max:
        return f"{entry.accelerators:,} accelerators are more than its gang_accelerators_max"
    if _is_count(entry.accelerators) and entry.accelerators * accelerator.memory_gb < workload.memory_gb:
        return f"{entry.accelerators:,} accelerators do not reach {workload.memory_gb:g} GB of memory"
    if moved and (workload.data_site_id, site.id) not in view.routes:
        return f"no route leads there from {shown(workload.data_site_id or '')}, where its data lies"
    return ""


def _is_count(accelerators: int) -> bool:
    return 1 <= accelerators <= LIMITS.accelerators_in_one_place


@rule(
    "E1256",
    "a workload is locked to a start outside its window",
    f"{_LOCK}; or widen release_date and deadline_date of the workload.",
    reads=("calendar", "accelerators", "pools", "workloads", "reference_sustained_flops"),
)
def check_e1256_locked_outside_window(view: ProblemView) -> Iterator[Found]:
    """What must stay as it is starts after its release and can end by its deadline."""
    for path, entry, workload in _entries(view):
        reason = why_outside_window(view, entry, workload)
        if entry.locked and reason:
            yield Found(f"{path}.start_date", f"{shown(workload.id)} cannot start on {entry.start_date}: {reason}")


def why_outside_window(view: ProblemView, entry: CurrentPlacement, workload: Workload) -> str:
    """Return how the start of an entry misses the workload's window; empty where it does not or cannot be told."""
    start, calendar = start_period(view, entry), view.calendar
    if calendar is None or start is None:
        return ""
    release = max(calendar.first_period_from(workload.release_date), 0)
    deadline = min(calendar.last_end_by(workload.deadline_date), calendar.period_count)
    if start < release:
        return f"it is released on {workload.release_date}"
    length = planned_periods(view, entry, workload)
    if length is not None and start + length > deadline:
        left = max(deadline - start, 0)
        return f"it runs for {periods_text(length)}, {left:,} are left to its deadline"
    return ""


def planned_periods(view: ProblemView, entry: CurrentPlacement, workload: Workload) -> float | None:
    """Return the periods that an entry touches without pauses; None where it cannot be told."""
    pool = view.pools.get(entry.pool_id)
    accelerator = view.accelerators.get(pool.accelerator_id) if pool else None
    efficiency = {o.accelerators: o.scaling_efficiency_fraction for o in workload.gang_options}.get(entry.accelerators)
    if accelerator is None or efficiency is None or not _is_count(entry.accelerators) or view.calendar is None:
        return None
    speeds = {t.software_family: t.normalised_throughput for t in accelerator.throughputs}
    speed = entry.accelerators * efficiency * speeds.get(workload.software_family, 0.0)
    if not (isfinite(speed) and speed > 0):
        return None
    hours = work_hours(view.problem, workload) / speed
    return float(periods_touched(hours, view.calendar.period_hours)) if isfinite(hours) and hours >= 0 else None


@rule(
    "E1257",
    "two workloads are locked against their order in time",
    f"{_LOCK}, for one of the two; or remove the precedence.",
    reads=("calendar", "accelerators", "pools", "workloads", "reference_sustained_flops", "current_plan"),
)
def check_e1257_locked_against_precedence(view: ProblemView) -> Iterator[Found]:
    """Of two workloads that must stay as they are the later one does not start before the other can have ended."""
    locked = {entry.workload_id: (path, entry, w) for path, entry, w in reversed(list(_entries(view))) if entry.locked}
    for path, entry, workload in locked.values():
        start = start_period(view, entry)
        for name in workload.after_workload_ids:
            if name not in locked or name == workload.id or start is None:
                continue
            _, before, first = locked[name]
            first_start, length = start_period(view, before), planned_periods(view, before, first)
            if first_start is not None and length is not None and start < first_start + length:
                message = (
                    f"{shown(workload.id)} would start on {entry.start_date}, "
                    f"before {shown(name)}, locked from {before.start_date} for {periods_text(length)}, has ended"
                )
                yield Found(f"{path}.start_date", message)
