"""What makes a column legal, over all pools at once; see docs/rules.md, "Placements"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tehai.domain.problem import CurrentPlacement, Problem
from tehai.domain.workload import CountryRule, Workload
from tehai.validation.capacity import largest_capacities

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SECONDS_PER_HOUR = 3600
# Part of a period that counts as nothing, as in the rules.
PERIOD_TOLERANCE = 1e-9
ACCELERATOR_TOLERANCE = 1e-9


class Pools:
    """What decides about placements, as arrays over the pools of a valid problem."""

    def __init__(self, problem: Problem) -> None:
        accelerators = {accelerator.id: accelerator for accelerator in problem.accelerators}
        sites = {site.id: site for site in problem.sites}
        self.ids = [pool.id for pool in problem.pools]
        self._accelerators = [accelerators[pool.accelerator_id] for pool in problem.pools]
        self._sites = [sites[pool.site_id] for pool in problem.pools]
        self.gang_max = np.array([pool.gang_accelerators_max for pool in problem.pools])
        self.node = np.array([pool.node_accelerators for pool in problem.pools])
        self.memory_gb = np.array([accelerator.memory_gb for accelerator in self._accelerators])
        capacities = largest_capacities(problem)
        self._capacity = np.array([capacities[pool.id] for pool in problem.pools])
        self._routes = {(route.from_site_id, route.to_site_id) for route in problem.routes}
        self._throughputs: dict[str, Floats] = {}
        self._accepted: dict[CountryRule, Mask] = {}
        self._reached: dict[str, Mask] = {}
        self._stretches: dict[tuple[int, int], Integers] = {}

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

    def reached(self, site_id: str) -> Mask:
        """Return which pools data of a site can be moved to; its own site's it need not be."""
        if site_id not in self._reached:
            self._reached[site_id] = np.array(
                [site.id == site_id or (site_id, site.id) in self._routes for site in self._sites]
            )
        return self._reached[site_id]

    def occupied(self, pool: int, gang: int) -> int:
        """Return the accelerators that a gang occupies: whole nodes."""
        node = int(self.node[pool])
        return -(-gang // node) * node

    def stretches(self, pool: int, gang: int) -> Integers:
        """Return for each period how many periods from it on the pool can have a gang's accelerators live."""
        key = (pool, self.occupied(pool, gang))
        if key not in self._stretches:
            enough = self._capacity[pool] >= key[1] - ACCELERATOR_TOLERANCE
            periods = np.arange(len(enough))
            next_gap = np.where(enough, len(enough), periods)
            self._stretches[key] = np.minimum.accumulate(next_gap[::-1])[::-1] - periods
        return self._stretches[key]


def locked_placements(problem: Problem) -> dict[str, CurrentPlacement]:
    """Return the placements that must stay as they are, by workload id."""
    return {entry.workload_id: entry for entry in problem.current_plan.placements if entry.locked}


def work_hours(problem: Problem, workload: Workload) -> float:
    """Return the work of a workload of a valid problem in normalised accelerator-hours."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    return (workload.flops or 0.0) / (SECONDS_PER_HOUR * (problem.reference_sustained_flops or 1.0))


def run_hours(work: float, workload: Workload, throughput: Floats) -> Floats:
    """Return the hours without pauses by gang option and pool; infinite where the family does not run."""
    gangs = np.array([option.accelerators for option in workload.gang_options], dtype=np.float64)
    efficiencies = np.array([option.scaling_efficiency_fraction for option in workload.gang_options])
    with np.errstate(divide="ignore", over="ignore"):
        hours: Floats = work / (gangs[:, None] * efficiencies[:, None] * throughput[None, :])
    return hours


def periods_touched(hours: Floats | float, period_hours: int) -> Floats:
    """Return L of the rules for hours of running: periods that a placement touches, at least one."""
    quotient = np.asarray(hours, dtype=np.float64) / period_hours
    whole = np.floor(quotient + PERIOD_TOLERANCE)
    with np.errstate(invalid="ignore"):
        rest = quotient - whole > PERIOD_TOLERANCE
    touched: Floats = np.maximum(whole + rest, 1)
    return touched


def fits_in_runs(stretches: Sequence[int], runs: int, length: int, *, first_is_used: bool) -> bool:
    """Return whether ``length`` periods in exactly ``runs`` runs fit into separate stretches of free periods.

    Between two runs at least one period stays untouched. ``first_is_used``: a run begins with the first stretch.
    Every run is at least one period long, and each of them can be as short, so the longest filling decides.
    """
    fixed = list(stretches[:1]) if first_is_used else []
    others = sorted(stretches[len(fixed) :], reverse=True)
    chosen = [*fixed, *others[: runs - len(fixed)]]
    cuts = runs - len(chosen)
    if not chosen or runs > sum((stretch + 1) // 2 for stretch in chosen):
        return False
    # Each run beyond one for a stretch leaves a period of it untouched.
    return runs <= length <= sum(chosen) - cuts
