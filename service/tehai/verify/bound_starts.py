"""What a column pays for its start and earns by its end, whatever lies between."""

from __future__ import annotations

import numpy as np

from tehai.verify.bound_demand import Demand, PoolPrices
from tehai.verify.bound_paths import Rows
from tehai.verify.timeline import FloatArray, IntArray


def start_costs(demand: Demand, paid: PoolPrices, rows: Rows, low: int, high: int) -> tuple[FloatArray, FloatArray]:
    """Return lateness, waiting, change, transfer, porting and precedence of each start, (workloads, low to high).

    With it the size of the amounts, (workloads,). A start that the current plan's lock forbids costs inf.
    """
    w = rows.workloads
    starts = np.arange(low, high)
    late = demand.late_yen[w]
    cost: FloatArray = late[:, np.newaxis] * (starts - demand.release[w][:, np.newaxis])
    size: FloatArray = late * len(paid.paid) + demand.change_yen[w]
    if paid.once:
        once = paid.terabytes[w][:, np.newaxis] * paid.route_yen[paid.route_row[w], low:high]
        once += paid.porting_yen[w][:, np.newaxis]
        counts = paid.paid[low:high] + demand.charge_price[w][:, paid.year_of_period[low:high]]
        cost += once * counts
        size += (once * counts).max(axis=1)
    cost += _changes(demand, paid, rows, low, high)
    if len(demand.starting) > 1:
        row = demand.before[w]
        cost += demand.starting[row, low:high]
        size += demand.starting[row, 0]
    return cost, size


def end_costs(demand: Demand, rows: Rows, ends: IntArray) -> tuple[FloatArray | float, FloatArray]:
    """Return what each end (the period after the last one, same shape) earns for precedence, and its size."""
    if len(demand.ending) <= 1:
        return 0.0, np.zeros(len(rows.workloads))
    row = demand.after[rows.workloads]
    last = demand.ending.shape[1] - 1
    return demand.ending[row[:, np.newaxis], np.minimum(ends, last)], demand.ending[row, 0]


def _changes(demand: Demand, paid: PoolPrices, rows: Rows, low: int, high: int) -> FloatArray:
    """Return the charge for a change of the current plan by start, inf where the plan locks another."""
    w = rows.workloads
    charge = np.where(demand.locked[w], np.inf, demand.change_yen[w])
    changes: FloatArray = np.repeat(charge[:, np.newaxis], high - low, axis=1)
    same = (demand.current_pool[w] == paid.pool) & (demand.current_gang[w] == rows.accelerators)
    same &= (demand.current_start[w] >= low) & (demand.current_start[w] < high)
    kept = np.flatnonzero(same)
    changes[kept, demand.current_start[w[kept]] - low] = 0.0
    return changes
