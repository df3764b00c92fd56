"""The demand side of the bound: every workload's cheapest legal column at given prices.

Works on matrices of (workloads, starts), one for each pool and number of accelerators.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.verify.bound_claims import best_claims
from tehai.verify.bound_demand import Demand, Gang, PoolPrices, make_demand, make_gangs, make_pool_prices
from tehai.verify.bound_paths import Rows, along, count_along
from tehai.verify.bound_pauses import price_paused
from tehai.verify.bound_starts import end_costs, start_costs
from tehai.verify.columns import gang_is_too_large, split_run
from tehai.verify.prices import Prices
from tehai.verify.reference import Reference, accepts, throughput_of
from tehai.verify.timeline import BoolArray, FloatArray

# workloads times starts in one matrix: stays in the cache of one core
CELLS_PER_MATRIX = 1 << 16


@dataclass(frozen=True, slots=True)
class Cheapest:
    """For each workload: price of its cheapest legal column (inf: none), and the size of the amounts behind it."""

    price: FloatArray
    size: FloatArray


def cheapest_columns(reference: Reference, prices: Prices) -> Cheapest:
    """Return every workload's cheapest legal column at projected ``prices``."""
    count = len(reference.problem.workloads)
    best = Cheapest(np.full(count, np.inf), np.zeros(count))
    demand, families, rules = make_demand(reference, prices)
    gangs = make_gangs(reference)
    step = max(1, CELLS_PER_MATRIX // reference.period_count)
    for p, pool in enumerate(reference.problem.pools):
        accelerator, site = reference.accelerator_of_pool[p], reference.site(p)
        throughput = np.array([throughput_of(accelerator, family) for family in families])[demand.family]
        accepted = np.array([accepts(rule, site) for rule in rules])[demand.rule]
        paid = make_pool_prices(reference, prices, demand, p)
        able = accepted & (throughput > 0.0) & ~paid.no_route
        for gang in gangs:
            if gang.accelerators > pool.gang_accelerators_max:
                continue
            occupied = reference.occupied(p, gang.accelerators)
            fits = able & (gang.accelerators * accelerator.memory_gb >= demand.memory_gb)
            blocked = gang_is_too_large(occupied, reference.gang_max[p])
            for pauses in range(int(demand.pauses_max.max(initial=0)) + 1):
                rows = _rows(reference, demand, gang, occupied, throughput, fits, pauses)
                for at in range(0, len(rows.workloads), step):
                    part = rows.some(slice(at, at + step))
                    if pauses == 0:
                        price, size = _price_rows(demand, paid, part, blocked, reference.period_hours)
                    else:
                        price, size = price_paused(reference, demand, paid, part, blocked, pauses)
                    np.minimum.at(best.price, part.workloads, price)
                    np.maximum.at(best.size, part.workloads, size)
    return best


def _rows(
    reference: Reference,
    demand: Demand,
    gang: Gang,
    occupied: int,
    throughput: FloatArray,
    fits: BoolArray,
    pauses: int,
) -> Rows:
    """Return the runs, with their pauses, of a gang's workloads that fit the pool and their own window."""
    keep = fits[gang.workloads] & (demand.pauses_max[gang.workloads] >= pauses)
    workloads, efficiency = gang.workloads[keep], gang.efficiency[keep]
    run = demand.work[workloads] / (gang.accelerators * throughput[workloads] * efficiency)
    run = run + pauses * demand.resume_hours[workloads]
    full, rest = split_run(run, reference.period_hours)
    length = full + (rest > 0.0)
    keep = (demand.release[workloads] + length + pauses <= demand.deadline[workloads]) & (length > pauses)
    return Rows(workloads, gang.accelerators, occupied, full, rest, length).some(keep)


def _price_rows(
    demand: Demand, paid: PoolPrices, rows: Rows, blocked: BoolArray, period_hours: int
) -> tuple[FloatArray, FloatArray]:
    """Return the price of each row's cheapest start, inf without one, and the size of the amounts behind it."""
    w = rows.workloads
    last = demand.deadline[w] - rows.length
    low, high = int(demand.release[w].min()), int(last.max()) + 1
    starts = np.arange(low, high)
    cost, size = start_costs(demand, paid, rows, low, high)
    cost += along(paid.hour, rows, low, high, period_hours)
    whole = rows.occupied * period_hours
    size += whole * paid.hour.size
    if paid.work.size > 0.0:
        density = demand.work[w] / (rows.occupied * (rows.full * period_hours + rows.rest))
        cost += density[:, np.newaxis] * along(paid.work, rows, low, high, period_hours)
        size += density * whole * paid.work.size
    for year, charge in paid.charge:
        price = demand.charge_price[w, year]
        cost += price[:, np.newaxis] * along(charge, rows, low, high, period_hours)
        size += price * whole * charge.size
    earned, earned_size = end_costs(demand, rows, starts + rows.length[:, np.newaxis])
    cost -= earned
    claimed, claimed_size = best_claims(demand, paid, rows, low, high, period_hours)
    cost -= claimed
    illegal = (starts < demand.release[w][:, np.newaxis]) | (starts > last[:, np.newaxis])
    if blocked.any():
        illegal |= count_along(blocked, rows.length, low, high) > 0
    cost[illegal] = np.inf
    return cost.min(axis=1), size + earned_size + claimed_size
