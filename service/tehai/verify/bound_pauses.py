"""The cheapest columns with a given number of pauses, by a walk over (period, full periods done, pauses taken).

Claims under a cap are dualised, docs/rules.md, "Pauses in the bound": for every claim set the largest value over the
multipliers of the caps, and of all claim sets the least.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from tehai.verify.bound_demand import Demand, Grant, PoolPrices
from tehai.verify.bound_paths import Path, Rows
from tehai.verify.bound_starts import end_costs, start_costs
from tehai.verify.reference import Reference
from tehai.verify.timeline import BoolArray, FloatArray, IntArray


class _Walk:
    """The rows of one pool and gang with as many pauses, longest first, and what every period costs them."""

    def __init__(
        self, reference: Reference, demand: Demand, paid: PoolPrices, rows: Rows, blocked: BoolArray, pauses: int
    ) -> None:
        self.demand, self.paid, self.rows, self.pauses = demand, paid, rows, pauses
        w = rows.workloads
        self.period_hours = reference.period_hours
        self.low, self.high = int(demand.release[w].min()), int(demand.deadline[w].max())
        periods = np.arange(self.low, self.high)
        self.year = paid.year_of_period[self.low : self.high]
        self.start, size = start_costs(demand, paid, rows, self.low, self.high)
        ends = np.broadcast_to(periods + 1, self.start.shape)
        earned, earned_size = end_costs(demand, rows, ends)
        self.end: FloatArray = np.zeros(self.start.shape) - earned
        last = np.where(rows.rest > 0.0, rows.rest, float(self.period_hours))
        self.last_hours: FloatArray = rows.occupied * last
        self.whole_hours = rows.occupied * ((rows.length - 1) * self.period_hours + last)
        hour, hour_size = self._hour_prices()
        closed = (periods < demand.release[w][:, np.newaxis]) | (periods >= demand.deadline[w][:, np.newaxis])
        hour[closed | blocked[self.low : self.high]] = np.inf
        self.hour = hour
        # each of up to ``length`` additions rounds an amount of at most this size
        self.size = (size + earned_size + rows.occupied * self.period_hours * hour_size) * np.maximum(
            1.0, rows.length / 32
        )

    def _hour_prices(self) -> tuple[FloatArray, FloatArray]:
        """Return yen per accelerator-hour before claims, (workloads, periods), and the sum of the sizes."""
        w, paid = self.rows.workloads, self.paid
        density = self.demand.work[w] / self.whole_hours
        hour: FloatArray = density[:, np.newaxis] * self._part(paid.work) + self._part(paid.hour)
        size = density * paid.work.size + paid.hour.size
        for year, charge in paid.charge:
            price = self.demand.charge_price[w, year]
            hour += price[:, np.newaxis] * self._part(charge)
            size = size + price * charge.size
        return hour, size

    def _part(self, path: Path) -> FloatArray:
        """Return the values of a path in the periods of the walk."""
        return path.values[self.low : self.high]

    def cheapest(self, credit: FloatArray | float) -> FloatArray:
        """Return the price of each row's cheapest column with exactly so many pauses, less ``credit`` per hour."""
        hour = self.hour - credit
        full = self.rows.occupied * self.period_hours * hour
        last = self.last_hours[:, np.newaxis] * hour + self.end
        found = np.full(len(hour), np.inf)
        # reached[k]: cost by (workload, last period touched) with k pauses taken
        reached = [self.start + full] + [np.full(hour.shape, np.inf) for _ in range(self.pauses)]
        for done in range(2, int(self.rows.length.max()) + 1):
            active = int(np.searchsorted(-self.rows.length, -done, side="right"))
            go_on = [_next(cost[:active]) for cost in reached]
            for k in range(1, self.pauses + 1):
                np.minimum(go_on[k], _after_a_pause(reached[k - 1][:active]), out=go_on[k])
            ending = slice(int(np.searchsorted(-self.rows.length, -done, side="left")), active)
            if ending.start < ending.stop:
                found[ending] = (go_on[self.pauses][ending] + last[ending]).min(axis=1)
            reached = [cost + full[:active] for cost in go_on]
        return found

    def claimed(self, chosen: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        """Return the price of each row's cheapest column less the best claims of a claim set, and its size."""
        grants = [self.paid.grants[i] for i in chosen]
        best = np.full(len(self.hour), -np.inf)
        size = sum((self._claim_size(grant) for grant in grants), np.zeros(len(self.hour)))
        for multipliers in product(*(self._multipliers(grant) for grant in grants)):
            credit, taken = np.zeros(self.hour.shape), np.zeros(len(self.hour))
            for grant, multiplier in zip(grants, multipliers, strict=True):
                credit += self._credit(grant, multiplier)
                cap = self.demand.cap_left[grant.programme][self.rows.workloads]
                taken += np.where(multiplier > 0.0, multiplier * np.where(np.isinf(cap), 0.0, cap), 0.0)
                size = np.maximum(size, taken)
            np.maximum(best, self.cheapest(credit) - taken, out=best)
        return best, size * np.maximum(1.0, self.rows.length / 32)

    def _credit(self, grant: Grant, multiplier: FloatArray) -> FloatArray:
        """Return what claims earn per accelerator-hour at a multiplier of the cap, (workloads, periods)."""
        rate = self.demand.rate[grant.programme][self.rows.workloads]
        credit = np.zeros(self.hour.shape)
        for year, cost in zip(grant.years.tolist(), grant.cost, strict=True):
            value = self.demand.claim_value[grant.programme, self.rows.workloads, year]
            worth = rate * np.maximum(0.0, value - multiplier)
            credit += worth[:, np.newaxis] * self._part(cost)
        return credit

    def _claim_size(self, grant: Grant) -> FloatArray:
        """Return the size of a programme's claims."""
        rate = self.demand.rate[grant.programme][self.rows.workloads]
        value = np.maximum(0.0, self.demand.claim_value[grant.programme][self.rows.workloads][:, grant.years])
        sizes = np.array([cost.size for cost in grant.cost])
        found: FloatArray = (value * sizes).sum(axis=1) * rate * self.rows.occupied * self.period_hours
        return found

    def _multipliers(self, grant: Grant) -> list[FloatArray]:
        """Return the multipliers to try for the cap of each row: 0 and, where it can bind, every positive value."""
        w = self.rows.workloads
        most = self.demand.rate[grant.programme][w] * self.whole_hours * max(cost.values.max() for cost in grant.cost)
        binding = most > self.demand.cap_left[grant.programme][w]
        tried = [np.zeros(len(w))]
        for year in range(self.demand.claim_value.shape[2]):
            value = self.demand.claim_value[grant.programme, w, year]
            multiplier = np.where(binding, np.maximum(0.0, value), 0.0)
            if not any(np.array_equal(multiplier, other) for other in tried):
                tried.append(multiplier)
        return tried


def price_paused(
    reference: Reference, demand: Demand, paid: PoolPrices, rows: Rows, blocked: BoolArray, pauses: int
) -> tuple[FloatArray, FloatArray]:
    """Return the price of each row's cheapest column with ``pauses`` pauses, inf without one, and the size behind it.

    With capped claims the price is a lower bound, as tight as the rules want it.
    """
    longest_first: IntArray = np.argsort(-rows.length, kind="stable")
    walk = _Walk(reference, demand, paid, rows.some(longest_first), blocked, pauses)
    sizes = [walk.size]
    if paid.claim_sets:
        priced = [walk.claimed(chosen) for chosen in paid.claim_sets]
        best = np.min([price for price, _ in priced], axis=0)
        sizes.append(np.max([size for _, size in priced], axis=0))
    else:
        best = walk.cheapest(0.0)
    price, size = np.zeros(len(best)), np.zeros(len(best))
    price[longest_first], size[longest_first] = best, sum(sizes)
    return price, size


def _next(cost: FloatArray) -> FloatArray:
    """Return the cost of having touched the period before each period."""
    moved = np.full(cost.shape, np.inf)
    moved[:, 1:] = cost[:, :-1]
    return moved


def _after_a_pause(cost: FloatArray) -> FloatArray:
    """Return the least cost of having touched some period, but not the one before each period, last."""
    moved = np.full(cost.shape, np.inf)
    np.minimum.accumulate(cost[:, :-2], axis=1, out=moved[:, 2:])
    return moved
