"""Notes on precedences and the plan in force: what windows or rules make impossible in a valid problem."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from tehai.domain.problem import Problem
from tehai.domain.workload import Workload
from tehai.validation.common import periods_text
from tehai.validation.current_plan import start_period, why_not_allowed, why_outside_window
from tehai.validation.legality import Pools, locked_placements, periods_touched, run_hours, work_hours
from tehai.validation.precedence import in_order
from tehai.validation.view import ProblemView, by_id


@dataclass(frozen=True, slots=True)
class _Window:
    """Periods in which a workload may run, and the fewest that it takes."""

    release: int
    deadline: int
    shortest: int
    locked: bool


def precedences_never_kept(problem: Problem, nowhere: Container[str]) -> Iterator[str]:
    """Yield precedences that windows alone make impossible, with the windows of whatever comes before.

    ``nowhere``: the ids of workloads that can run nowhere; what comes after one of them can run nowhere either.
    """
    before = {w.id: w.after_workload_ids for w in problem.workloads}
    if not any(before.values()):
        return
    workloads, windows = by_id(problem.workloads), _windows(problem)
    ends: dict[str, int | None] = {}
    for name in in_order(before):
        window = windows[name]
        lost = next((other for other in before[name] if ends[other] is None), "")
        latest = max(((end, other) for other in before[name] if (end := ends[other]) is not None), default=(0, ""))
        start = max(window.release, latest[0])
        too_late = latest[0] > window.release and start + window.shortest > window.deadline
        ends[name] = None if lost or too_late or name in nowhere else start + window.shortest
        if name in nowhere:
            continue
        never = f"workloads/{name} can never run after workloads/"
        if lost:
            yield f"{never}{lost}, which {'can run nowhere' if lost in nowhere else 'can never run itself'}"
        elif too_late:
            day = problem.calendar.date_of(latest[0])
            limit = _limit(workloads[name], window)
            yield f"{never}{latest[1]}, which ends on {day} at the earliest: too late for {limit}"


def _limit(workload: Workload, window: _Window) -> str:
    if window.locked:
        return "the start that the current plan locks"
    return f"{periods_text(window.shortest)} of running to its deadline, {workload.deadline_date}"


def _windows(problem: Problem) -> dict[str, _Window]:
    """Return windows by workload id; a locked workload has no other start, and may end later where it pauses."""
    pools, calendar, locked = Pools(problem), problem.calendar, locked_placements(problem)
    found = {}
    for workload in problem.workloads:
        throughput = pools.throughput(workload.software_family)
        touched = periods_touched(run_hours(work_hours(problem, workload), workload, throughput), calendar.period_hours)
        touched[:, throughput <= 0] = calendar.period_count
        release = max(calendar.first_period_from(workload.release_date), 0)
        deadline = min(calendar.last_end_by(workload.deadline_date), calendar.period_count)
        shortest = int(min(touched.min(), calendar.period_count))
        entry = locked.get(workload.id)
        if entry is not None:
            release = calendar.first_period_from(entry.start_date)
            option = [o.accelerators for o in workload.gang_options].index(entry.accelerators)
            shortest = int(min(touched[option, pools.ids.index(entry.pool_id)], calendar.period_count))
            deadline = release + shortest
        found[workload.id] = _Window(release, deadline, shortest, entry is not None)
    return found


def placements_given_up(problem: Problem) -> Iterator[str]:
    """Yield placements of the current plan that are not locked and cannot stay: their change is charged for sure."""
    view = ProblemView(problem)
    workloads = by_id(problem.workloads)
    for entry in problem.current_plan.placements:
        if entry.locked or start_period(view, entry) is None:
            continue
        workload = workloads[entry.workload_id]
        reason = why_not_allowed(view, entry, workload) or why_outside_window(view, entry, workload)
        if reason:
            yield f"workloads/{workload.id} cannot stay in pool {entry.pool_id} as in the current plan: {reason}"
