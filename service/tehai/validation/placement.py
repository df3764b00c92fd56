"""Workloads that have no legal placement even alone, and what stops each; see docs/rules.md, "Placements"."""

from __future__ import annotations

import numpy as np

from tehai.domain.problem import CurrentPlacement, Problem
from tehai.domain.result import UnplaceableWorkload
from tehai.domain.workload import Workload
from tehai.validation.legality import (
    Floats,
    Integers,
    Mask,
    Pools,
    fits_in_runs,
    locked_placements,
    periods_touched,
    run_hours,
    work_hours,
)


class _Search:
    """The search for a legal placement of each workload of a valid problem, alone."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._pools = Pools(problem)
        self._locked = locked_placements(problem)

    def obstacle(self, workload: Workload) -> str | None:
        """Return the first rule that leaves no placement, None where there is one."""
        left, reason = self._allowed(workload)
        return reason or self._obstacle_in_time(workload, left)

    def _allowed(self, workload: Workload) -> tuple[Mask, str]:
        """Return which gang options and pools are allowed at any time, and why none is."""
        pools, family = self._pools, workload.software_family
        gangs = np.array([option.accelerators for option in workload.gang_options], dtype=np.float64)[:, None]
        steps: list[tuple[Mask, str]] = [
            (pools.throughput(family) > 0, f"no pool's accelerator runs software family {family}"),
            (
                pools.accepted(workload.sovereignty),
                f"no pool that runs {family} is in the countries that its sovereignty rule allows",
            ),
            (
                gangs <= pools.gang_max,
                "every gang option is larger than gang_accelerators_max of the pools that are left",
            ),
            (
                gangs * pools.memory_gb >= workload.memory_gb,
                f"no gang option reaches {workload.memory_gb:g} GB of memory in a pool that is left",
            ),
        ]
        if workload.data_site_id is not None and workload.data_terabytes > 0:
            reached = pools.reached(workload.data_site_id)
            steps.append((reached, f"no route leads from {workload.data_site_id}, where its data lies, to a pool left"))
        locked = self._locked.get(workload.id)
        if locked is not None:
            only = (gangs == locked.accelerators) & (np.array(pools.ids) == locked.pool_id)
            steps.append((only, "the current plan locks it to a pool and gang that are not allowed"))
        left: Mask = np.ones((len(workload.gang_options), len(pools.ids)), dtype=np.bool_)
        for allowed, reason in steps:
            left = left & allowed
            if not left.any():
                return left, reason
        return left, ""

    def _obstacle_in_time(self, workload: Workload, left: Mask) -> str | None:
        calendar = self._problem.calendar
        release = max(calendar.first_period_from(workload.release_date), 0)
        deadline = min(calendar.last_end_by(workload.deadline_date), calendar.period_count)
        if deadline <= release:
            return "its window holds no period of the horizon"
        hours = run_hours(
            work_hours(self._problem, workload), workload, self._pools.throughput(workload.software_family)
        )
        touched = periods_touched(hours, calendar.period_hours)
        shortest = float(touched[left].min())
        left = left & (touched <= deadline - release)
        if not left.any():
            return f"the fastest placement takes {shortest:,.0f} periods and its window has {deadline - release}"
        locked = self._locked.get(workload.id)
        last_start = deadline
        if locked is not None:
            release = calendar.first_period_from(locked.start_date)
            last_start = release + 1
        for option, pool in np.argwhere(left):
            stretches = self._pools.stretches(int(pool), workload.gang_options[option].accelerators)
            length = int(touched[option, pool])
            starts = stretches[release : min(last_start, deadline - length + 1)]
            if starts.size and starts.max() >= length:
                return None
            if self._fits_with_pauses(workload, hours[option, pool], stretches, (release, deadline)):
                return None
        return self._no_capacity(workload, locked)

    def _fits_with_pauses(
        self, workload: Workload, hours: Floats | float, stretches: Integers, window: tuple[int, int]
    ) -> bool:
        """Return whether the workload fits with some pauses where it does not fit in one piece."""
        if workload.pausing is None:
            return False
        release, deadline = window
        locked = workload.id in self._locked
        if locked and stretches[release] == 0:
            return False
        pieces = _pieces(stretches, release, deadline)
        for pauses in range(1, workload.pausing.pauses_max + 1):
            longer = hours + pauses * workload.pausing.resume_overhead_hours
            length = int(periods_touched(longer, self._problem.calendar.period_hours))
            if fits_in_runs(pieces, pauses + 1, length, first_is_used=locked):
                return True
        return False

    def _no_capacity(self, workload: Workload, locked: CurrentPlacement | None) -> str:
        paused = ", even with its pauses" if workload.pausing is not None else ""
        if locked is None:
            return f"no pool can have as many accelerators live for as long as it would run{paused}"
        where = f"pool {locked.pool_id} with {locked.accelerators:,} accelerators from {locked.start_date} on"
        return (
            f"the current plan locks it to {where}, which cannot have as many live for as long as it would run{paused}"
        )


def _pieces(stretches: Integers, release: int, deadline: int) -> list[int]:
    """Return the lengths of the stretches of enough capacity within [release, deadline), in order of time."""
    pieces, t = [], release
    while t < deadline:
        length = min(int(stretches[t]), deadline - t)
        if length > 0:
            pieces.append(length)
        t += length + 1
    return pieces


def unplaceable_reason(problem: Problem, workload_id: str) -> str:
    """Return the rule that leaves a workload of a valid problem no placement; empty where it has one.

    Raises:
        KeyError: there is no such workload.
    """
    workloads = {workload.id: workload for workload in problem.workloads}
    return _Search(problem).obstacle(workloads[workload_id]) or ""


def unplaceable(problem: Problem) -> tuple[UnplaceableWorkload, ...]:
    """Return the workloads of a valid problem that can run nowhere, in the order of the problem."""
    search = _Search(problem)
    found = []
    for workload in problem.workloads:
        reason = search.obstacle(workload)
        if reason is not None:
            found.append(UnplaceableWorkload(workload.id, reason))
    return tuple(found)
