"""What a solve knows so far: prices with their bound, and the best plan."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.engine.search import PlanArrays
from tehai.master.restricted import ColumnSet

# Relative difference under which bound and plan count as equal.
EQUAL = 1e-9


@dataclass
class State:
    """Best prices, best plan and the columns met on the way; amounts in yen."""

    instance: EngineInstance
    prices: FloatArray
    bound: float
    columns: ColumnSet
    plan: PlanArrays | None = None
    objective: float = float("inf")
    proven_best: bool = False
    # Objective with which the last integer master began: over the same columns it would only repeat itself.
    polished_yen: float = float("nan")
    # Commitments of the linear optimum: mean of the ascent's orders, or the linear master's.
    fractional_units: FloatArray = field(default_factory=lambda: np.zeros(0))

    def offer_bound(self, bound: float, prices: FloatArray) -> None:
        """Keep a better bound."""
        if bound > self.bound:
            self.bound, self.prices = bound, prices

    def offer_plan(self, objective: float | None, plan: PlanArrays | None) -> bool:
        """Keep a better plan; return whether it was one."""
        if objective is None or plan is None or objective >= self.objective - 1e-6:
            return False
        self.objective, self.plan = objective, plan
        return True

    @property
    def misses_mandatory(self) -> bool:
        """Whether the best plan leaves out a mandatory workload that could be placed."""
        if self.plan is None:
            return True
        mandatory = np.isinf(self.instance.arrays["not_run_yen"])
        return bool((mandatory & (self.plan.mode < 0)).any())

    @property
    def bill(self) -> float:
        """Objective less lateness, not-run and change charges."""
        if self.plan is None:
            return float("inf")
        arrays, modes = self.instance.arrays, self.instance.modes
        missed = self.plan.mode < 0
        late = np.where(missed, 0, self.plan.start - arrays["release"]) * arrays["late_yen"]
        # What is charged for a missed workload includes its change.
        charges = arrays["not_run_yen"][missed]
        placed = np.flatnonzero(~missed)
        stays = modes["is_current"][self.plan.mode[placed]] & (self.plan.start == arrays["current_start"])[placed]
        change = float(arrays["change_yen"][placed][~stays].sum())
        return self.objective - float(late.sum()) - float(charges[np.isfinite(charges)].sum()) - change

    def gap_reached(self, gap_fraction: float) -> bool:
        """Whether both gaps are at or under ``gap_fraction``."""
        if self.plan is None or self.misses_mandatory:
            return False
        difference = self.objective - self.bound
        if difference <= EQUAL * abs(self.objective):
            return True
        return self.bill > 0.0 and difference <= gap_fraction * min(self.bill, self.objective)
