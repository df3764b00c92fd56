"""The best claims of columns without pauses."""

from __future__ import annotations

import numpy as np

from tehai.verify.bound_demand import Demand, Grant, PoolPrices
from tehai.verify.bound_paths import Rows, along
from tehai.verify.timeline import FloatArray


def best_claims(
    demand: Demand, paid: PoolPrices, rows: Rows, low: int, high: int, period_hours: int
) -> tuple[FloatArray, FloatArray]:
    """Return the worth of the best claim set of each column, 0 of none, and the size of the amounts.

    Shapes (workloads, starts low to high) and (workloads,).
    """
    earned, size = np.zeros((len(rows.workloads), high - low)), np.zeros(len(rows.workloads))
    worths = [_worth(demand, grant, rows, low, high, period_hours) for grant in paid.grants]
    for chosen in paid.claim_sets:
        known = [found for found in (worths[i] for i in chosen) if found is not None]
        if known:
            np.maximum(earned, sum(worth for worth, _ in known), out=earned)
            np.maximum(size, sum(amount for _, amount in known), out=size)
    return earned, size


def _worth(
    demand: Demand, grant: Grant, rows: Rows, low: int, high: int, period_hours: int
) -> tuple[FloatArray, FloatArray] | None:
    """Return the worth of one programme's best claims and its size, None where no workload may claim from it.

    Fills the years by descending value until what is left of the project's cap.
    """
    rate = demand.rate[grant.programme][rows.workloads]
    value = np.maximum(0.0, demand.claim_value[grant.programme][rows.workloads][:, grant.years])
    open_to = np.flatnonzero((rate > 0.0) & value.any(axis=1))
    if len(open_to) == 0:
        return None
    some, rate, value = rows.some(open_to), rate[open_to], value[open_to]
    cap = demand.cap_left[grant.programme][some.workloads]
    claims = np.array([along(cost, some, low, high, period_hours) for cost in grant.cost])
    # a prefix difference may come out a rounding error below zero
    np.maximum(claims * rate[:, np.newaxis], 0.0, out=claims)
    order = np.argsort(-value, axis=1, kind="stable")
    left: FloatArray = np.repeat(cap[:, np.newaxis], high - low, axis=1)
    earned = np.zeros((len(open_to), high - low))
    row = np.arange(len(open_to))
    for rank in range(len(grant.years)):
        year = order[:, rank]
        claim = np.minimum(claims[year, row], left)
        left -= claim
        earned += value[row, year][:, np.newaxis] * claim
    worth, size = np.zeros((len(rows.workloads), high - low)), np.zeros(len(rows.workloads))
    worth[open_to] = earned
    sizes = np.array([cost.size for cost in grant.cost])
    size[open_to] = (value * sizes).sum(axis=1) * rate * rows.occupied * period_hours
    return worth, size
