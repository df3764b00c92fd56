"""Workloads that have no legal placement even alone, and what stops each; see docs/rules.md, "Placements"."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tehai.domain.problem import Problem
from tehai.domain.result import UnplaceableWorkload
from tehai.domain.workload import CountryRule, Workload
from tehai.validation.capacity import largest_capacities

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SECONDS_PER_HOUR = 3600
# Part of a period that counts as nothing, as in the rules.
PERIOD_TOLERANCE = 1e-9
ACCELERATOR_TOLERANCE = 1e-9


class _Pools:
    """What decides about placements, as arrays over the pools of a valid problem."""

    def __init__(self, problem: Problem) -> None:
        accelerators = {accelerator.id: accelerator for accelerator in problem.accelerators}
        sites = {site.id: site for site in problem.sites}
        self._accelerators = [accelerators[pool.accelerator_id] for pool in problem.pools]
        self._sites = [sites[pool.site_id] for pool in problem.pools]
        self.gang_max = np.array([pool.gang_accelerators_max for pool in problem.pools])
        self.memory_gb = np.array([accelerator.memory_gb for accelerator in self._accelerators])
        capacities = largest_capacities(problem)
        self._capacity = np.array([capacities[pool.id] for pool in problem.pools])
        self._throughputs: dict[str, Floats] = {}
        self._accepted: dict[CountryRule, Mask] = {}
        self._stretches: dict[tuple[int, int], npt.NDArray[np.int64]] = {}

    def throughput(self, family: str) -> Floats:
        """Return normalised throughput by pool, 0 where the family does not run."""
        if family not in self._throughputs:
            speeds = [{t.software_family: t.normalised_throughput for t in a.throughputs} for a in self._accelerators]
            self._throughputs[family] = np.array([speed.get(family, 0.0) for speed in speeds])
        return self._throughputs[family]

    def accepted(self, rule: CountryRule) -> Mask:
        """Return which pools a rule on countries accepts."""
        if rule not in self._accepted:
            self._accepted[rule] = np.array(
                [rule.accepts(site.country_code, site.operator_country_code) for site in self._sites]
            )
        return self._accepted[rule]

    def stretches(self, pool: int, gang: int) -> npt.NDArray[np.int64]:
        """Return for each period how many periods from it on the pool can have ``gang`` accelerators live."""
        key = (pool, gang)
        if key not in self._stretches:
            enough = self._capacity[pool] >= gang - ACCELERATOR_TOLERANCE
            periods = np.arange(len(enough))
            next_gap = np.where(enough, len(enough), periods)
            self._stretches[key] = np.minimum.accumulate(next_gap[::-1])[::-1] - periods
        return self._stretches[key]


def _periods_touched(work: float, gangs: Floats, efficiencies: Floats, throughput: Floats, hours: int) -> Floats:
    """Return L of the rules for each gang and pool; infinite where the family does not run."""
    with np.errstate(divide="ignore", over="ignore"):
        quotient = work / (gangs[:, None] * efficiencies[:, None] * throughput[None, :]) / hours
    whole = np.floor(quotient + PERIOD_TOLERANCE)
    with np.errstate(invalid="ignore"):
        rest = quotient - whole > PERIOD_TOLERANCE
    touched: Floats = np.maximum(whole + rest, 1)
    return touched


def _work(problem: Problem, workload: Workload) -> float:
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    return (workload.flops or 0.0) / (SECONDS_PER_HOUR * (problem.reference_sustained_flops or 1.0))


def _obstacle(problem: Problem, pools: _Pools, workload: Workload) -> str | None:
    """Return the first rule that leaves no placement, None where there is one."""
    gangs = np.array([option.accelerators for option in workload.gang_options], dtype=np.float64)
    throughput = pools.throughput(workload.software_family)
    family = workload.software_family
    left = np.broadcast_to(throughput > 0, (len(gangs), len(throughput)))
    if not left.any():
        return f"no pool's accelerator runs software family {family}"
    left = left & pools.accepted(workload.sovereignty)
    if not left.any():
        return f"no pool that runs {family} is in the countries that its sovereignty rule allows"
    left = left & (gangs[:, None] <= pools.gang_max)
    if not left.any():
        return "every gang option is larger than gang_accelerators_max of the pools that are left"
    left = left & (gangs[:, None] * pools.memory_gb >= workload.memory_gb)
    if not left.any():
        return f"no gang option reaches {workload.memory_gb:g} GB of memory in a pool that is left"
    return _obstacle_in_time(problem, pools, workload, left)


def _obstacle_in_time(problem: Problem, pools: _Pools, workload: Workload, left: Mask) -> str | None:
    calendar = problem.calendar
    release = max(calendar.first_period_from(workload.release_date), 0)
    deadline = min(calendar.last_end_by(workload.deadline_date), calendar.period_count)
    if deadline <= release:
        return "its window holds no period of the horizon"
    gangs = np.array([option.accelerators for option in workload.gang_options], dtype=np.float64)
    efficiencies = np.array([option.scaling_efficiency_fraction for option in workload.gang_options])
    throughput = pools.throughput(workload.software_family)
    touched = _periods_touched(_work(problem, workload), gangs, efficiencies, throughput, calendar.period_hours)
    shortest = float(touched[left].min())
    left = left & (touched <= deadline - release)
    if not left.any():
        return f"the fastest placement takes {shortest:,.0f} periods and its window has {deadline - release}"
    for option, pool in np.argwhere(left):
        length = int(touched[option, pool])
        stretches = pools.stretches(int(pool), int(gangs[option]))
        if stretches[release : deadline - length + 1].max() >= length:
            return None
    return "no pool can have as many accelerators live for as long as it would run"


def unplaceable_reason(problem: Problem, workload_id: str) -> str:
    """Return the rule that leaves a workload of a valid problem no placement; empty where it has one.

    Raises:
        KeyError: there is no such workload.
    """
    workloads = {workload.id: workload for workload in problem.workloads}
    return _obstacle(problem, _Pools(problem), workloads[workload_id]) or ""


def unplaceable(problem: Problem) -> tuple[UnplaceableWorkload, ...]:
    """Return the workloads of a valid problem that can run nowhere, in the order of the problem."""
    pools = _Pools(problem)
    found = []
    for workload in problem.workloads:
        reason = _obstacle(problem, pools, workload)
        if reason is not None:
            found.append(UnplaceableWorkload(workload.id, reason))
    return tuple(found)
