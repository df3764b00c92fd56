"""Rules on what it takes to run a workload elsewhere or later: data, porting and pauses, E122x."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.validation.common import amount_out_of_range, repeats, shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

# A billion terabytes is more than the world's machines hold.
TERABYTES_MAX = 1e9
OVERHEAD_HOURS_MAX = float(LIMITS.period_hours)


@rule(
    "E1221",
    "the site of a workload's data and its terabytes do not go together",
    "Give both data_site_id and data_terabytes above 0, or neither.",
)
def check_e1221_data_without_site_or_size(view: ProblemView) -> Iterator[Found]:
    """Data lies somewhere and has a size."""
    for i, workload in enumerate(view.problem.workloads):
        path = f"workloads[{i}].data_terabytes"
        if workload.data_site_id is not None and workload.data_terabytes == 0:
            yield Found(path, f"data lies at {shown(workload.data_site_id)} and has no size")
        elif workload.data_site_id is None and workload.data_terabytes != 0:
            message = f"{workload.data_terabytes:g} terabytes lie nowhere: data_site_id is missing"
            yield Found(path, message, (f"workloads[{i}].data_site_id",))


@rule("E1222", "the size of a workload's data is out of range", "Give terabytes, 0 or more.")
def check_e1222_data_size_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Data has a size that can be stored."""
    for i, workload in enumerate(view.problem.workloads):
        if not 0 <= workload.data_terabytes <= TERABYTES_MAX:
            message = f"{workload.data_terabytes} terabytes is not between 0 and {TERABYTES_MAX:g}"
            yield Found(f"workloads[{i}].data_terabytes", message)


@rule("E1223", "an accelerator is listed twice in the porting of a workload", "Keep one of the two.")
def check_e1223_porting_accelerator_repeated(view: ProblemView) -> Iterator[Found]:
    """Porting to an accelerator has one cost."""
    for i, workload in enumerate(view.problem.workloads):
        ids = [porting.accelerator_id for porting in workload.porting]
        for k in repeats(ids):
            yield Found(f"workloads[{i}].porting[{k}].accelerator_id", f"{shown(ids[k])} is listed again")


@rule("E1224", "the cost of porting a workload is out of range", "Give whole yen, 0 or more.")
def check_e1224_porting_cost_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Porting is never paid for."""
    for i, workload in enumerate(view.problem.workloads):
        for k, porting in enumerate(workload.porting):
            yield from amount_out_of_range(porting.amount_yen, f"workloads[{i}].porting[{k}].amount_yen")


@rule(
    "E1225",
    "the number of pauses of a workload is out of range",
    f"Give 1 to {LIMITS.pauses}; leave pausing out where the workload runs in one piece.",
)
def check_e1225_pauses_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A workload that can pause does so a few times."""
    for i, workload in enumerate(view.problem.workloads):
        if workload.pausing is not None and not 1 <= workload.pausing.pauses_max <= LIMITS.pauses:
            message = f"{workload.pausing.pauses_max:,} pauses is not between 1 and {LIMITS.pauses}"
            yield Found(f"workloads[{i}].pausing.pauses_max", message)


@rule(
    "E1226",
    "the hours that a pause costs are out of range",
    f"Give the hours that the gang runs longer for each pause, 0 to {LIMITS.period_hours:,}.",
)
def check_e1226_resume_overhead_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A pause saves no work."""
    for i, workload in enumerate(view.problem.workloads):
        if workload.pausing is not None and not 0 <= workload.pausing.resume_overhead_hours <= OVERHEAD_HOURS_MAX:
            message = f"{workload.pausing.resume_overhead_hours} hours is not between 0 and {LIMITS.period_hours:,}"
            yield Found(f"workloads[{i}].pausing.resume_overhead_hours", message)
