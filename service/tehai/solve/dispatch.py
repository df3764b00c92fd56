"""Which offer serves which hours: cheapest first, and hours of an allocation where they save most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.engine.instance import EngineInstance, IntArray
from tehai.engine.market_arrays import FloatArray


@dataclass(frozen=True)
class _Source:
    """One offer of a pool: its position in the problem, cost and limit by period, both (T,)."""

    index: int
    cost: FloatArray
    limit: FloatArray


def dispatch(instance: EngineInstance, units: IntArray, hours: FloatArray) -> FloatArray:
    """Serve placed ``hours`` (P, T) from each pool's offers; returns use by offer, (offers, T).

    Merit order is optimal in each period: every offer of a pool serves every workload alike. An allocation has hours of
    a whole fiscal year to give; as a pool has at most one, giving them where they save most is optimal too.
    """
    arrays = instance.arrays
    use = np.zeros((len(instance.problem.offers), hours.shape[1]))
    plain: list[list[_Source]] = [[] for _ in instance.problem.pools]
    limited: dict[int, tuple[int, _Source]] = {}
    for row, index in enumerate(instance.hourly_offers):
        pool = int(arrays["hourly_pool"][row])
        source = _Source(index, arrays["hourly_unit_cost"][row], arrays["hourly_limit_hours"][row])
        if np.isfinite(arrays["hourly_quota_hours"][row]).any():
            limited[pool] = (row, source)
        else:
            plain[pool].append(source)
    live = live_hours(instance, units)
    for row, index in enumerate(instance.committed_offers):
        plain[arrays["committed_pool"][row]].append(_Source(index, arrays["use_cost"][row], live[row]))
    for pool, sources in enumerate(plain):
        given = np.zeros(hours.shape[1])
        if pool in limited:
            row, source = limited[pool]
            given = _allocation_hours(instance, arrays["hourly_quota_hours"][row], source, sources, hours[pool])
            use[source.index] = given
        for t in np.flatnonzero(hours[pool] > given):
            _serve(use, sources, int(t), float(hours[pool, t] - given[t]), limited.get(pool))
    return use


def _serve(use: FloatArray, sources: list[_Source], t: int, left: float, limited: tuple[int, _Source] | None) -> None:
    """Serve hours of one period in merit order, ties in order of the offers."""
    for source in sorted(sources, key=lambda s: (s.cost[t], s.index)):
        taken = min(left, float(source.limit[t]))
        use[source.index, t] += taken
        left -= taken
    # What rounding leaves over (far below verification's tolerance) stays on the last offer that has any room.
    if left > 0.0:
        candidates = [s for s in sources if s.limit[t] > 0.0] or ([limited[1]] if limited else [])
        if candidates:
            use[max(candidates, key=lambda s: (s.cost[t], s.index)).index, t] += left


def _allocation_hours(
    instance: EngineInstance, quota_hours: FloatArray, allocation: _Source, others: list[_Source], hours: FloatArray
) -> FloatArray:
    """Return the hours that an allocation serves in each period, (T,): the dearest ones that it can replace.

    In each period it replaces the others from the dearest down, first of all what they cannot serve. Savings fall as it
    replaces more of a period, so taking steps by falling savings until the quota is used is optimal in each year.
    """
    given = np.zeros(len(hours))
    for year, quota in enumerate(quota_hours):
        steps: list[tuple[float, int, int, float]] = []
        for period in np.flatnonzero((instance.arrays["year_of_period"] == year) & (hours > 0.0)):
            steps += _savings(allocation, others, int(period), float(hours[period]))
        left = float(quota)
        for _, t, _, amount in sorted(steps):
            taken = min(amount, left)
            given[t] += taken
            left -= taken
    return given


def _savings(allocation: _Source, others: list[_Source], t: int, hours: float) -> list[tuple[float, int, int, float]]:
    """Return (negative saving per hour, period, position, hours) of what an allocation can replace in a period."""
    served: list[tuple[float, float]] = []
    left = hours
    for source in sorted(others, key=lambda s: (s.cost[t], s.index)):
        taken = min(left, float(source.limit[t]))
        served.append((float(source.cost[t]), taken))
        left -= taken
    room = float(allocation.limit[t])
    steps = []
    for position, (cost, amount) in enumerate([(np.inf, left), *reversed(served)]):
        taken = min(amount, room)
        saving = cost - float(allocation.cost[t])
        if taken > 0.0 and saving > 0.0:
            steps.append((-saving, t, position, taken))
            room -= taken
    return steps


def live_hours(instance: EngineInstance, units: IntArray) -> FloatArray:
    """Return accelerator-hours that orders offer, by committed offer and period, shape (committed offers, T)."""
    return _live(instance, units, "live_hours")


def live_accelerators(instance: EngineInstance, units: IntArray) -> FloatArray:
    """Return accelerators live by committed offer and period, shape (committed offers, T)."""
    return _live(instance, units, "live_accelerators")


def _live(instance: EngineInstance, units: IntArray, profile: str) -> FloatArray:
    arrays = instance.arrays
    live = np.zeros((len(instance.committed_offers), arrays["periods"]))
    for option in np.flatnonzero(units > 0):
        row = instance.offer_of_option[option]
        low, high = arrays["live_offset"][option], arrays["live_offset"][option + 1]
        first = arrays["option_first"][option]
        live[row, first : first + high - low] += units[option] * arrays[profile][low:high]
    return live
