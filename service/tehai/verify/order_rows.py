"""Checks of the rows over starts and ends: total waiting and precedence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tehai.domain.violation import Violation
from tehai.verify.case import Case, Placed
from tehai.verify.faults import violation


def check_v2310_waiting(case: Case) -> Iterator[Violation]:
    """All placed workloads together wait no more periods than allowed."""
    most = case.problem.rules.total_waiting_periods_max
    if most is None:
        return
    waited = sum(max(0, item.start - int(case.reference.release[item.workload])) for item in case.placed)
    if waited > most:
        yield violation("V2310", "placements", f"expected at most {most}, found {waited} periods")


def check_v2311_precedence(case: Case) -> Iterator[Violation]:
    """A workload runs only where those before it do, and starts after they have ended."""
    placed: dict[int, Placed] = {item.workload: item for item in case.placed}
    for item in case.placed:
        for before_id in case.problem.workloads[item.workload].after_workload_ids:
            before = placed.get(case.reference.workload_index[before_id])
            path = f"placements[{item.position}].segments[0].start_period"
            if before is None:
                yield violation("V2311", path, f'workload "{before_id}" expected to run before, found it is not placed')
            elif item.start < before.end:
                message = f'expected period {before.end} or later, after "{before_id}", found {item.start}'
                yield violation("V2311", path, message)


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2310_waiting,
    check_v2311_precedence,
)
