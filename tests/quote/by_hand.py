"""A quote found by looking at every column, one by one: the witness of the Rust one. From docs/rules.md alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tehai.domain.certificate import Certificate
from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.workload import Workload
from tests.verify.naive_bound import _NaiveBound
from tests.verify.naive_columns import NaiveColumn


@dataclass(frozen=True, slots=True)
class HandQuote:
    """One column with its price in parts, yen before rounding; ``claims`` by programme and fiscal year."""

    column: NaiveColumn
    capacity: float
    rules: float
    moving: float
    lateness: float
    grants: float
    list_bill: float

    @property
    def price(self) -> float:
        """Sum of the parts."""
        return self.capacity + self.rules + self.moving + self.lateness + self.grants


class ByHand(_NaiveBound):
    """Prices columns without pauses, without the current plan and without precedence."""

    def __init__(self, problem: Problem, certificate: Certificate) -> None:
        super().__init__(replace(problem, current_plan=CurrentPlan()), replace(certificate, precedence_prices=()))

    def best_by_pool(self, workload: Workload) -> dict[str, HandQuote]:
        """Return the cheapest column of each pool that has one."""
        best: dict[str, HandQuote] = {}
        for column in self.naive.columns(workload):
            if column.pauses == 0:
                found = self.quoted(column)
                known = best.get(column.pool.id)
                if known is None or found.price < known.price:
                    best[column.pool.id] = found
        return best

    def quoted(self, column: NaiveColumn) -> HandQuote:
        """Return a column with its price in parts."""
        naive, prices, s = self.naive, self.prices, column.start
        workload, pool = column.workload, column.pool
        once = (naive.transfer(workload, pool, s) or 0.0) + naive.porting(workload, pool)
        capacity = sum(hours * prices.pi[pool.id, t] for t, hours in column.hours.items())
        moving = once * (naive.discount(s) + prices.beta[naive.year(s)])
        lateness = float(workload.late_start_yen_per_period * (s - naive.release(workload)))
        worths = [sum(self._worth(r, column) for r in chosen) for chosen in naive.claim_sets()]
        listed = sum(hours * naive.charge_reference(pool, t) for t, hours in column.hours.items())
        return HandQuote(
            column=column,
            capacity=capacity,
            rules=self._price(column) - capacity - moving - lateness,
            moving=moving,
            lateness=lateness,
            grants=-max(worths, default=0.0),
            list_bill=listed + once,
        )

    def better_not_run(self, workload: Workload) -> bool:
        """Return whether not running costs less than the best column."""
        best = min((found.price for found in self.best_by_pool(workload).values()), default=-math.inf)
        return workload.cost_not_run_yen is not None and workload.cost_not_run_yen < best
