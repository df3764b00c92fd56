"""The restricted master: chosen columns, every row of docs/rules.md, commitments as integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.engine.search import PlanArrays, empty_plan
from tehai.master.claim_part import ClaimPart
from tehai.master.columns import ColumnSet, columns_of_plan, expand_columns
from tehai.master.context import YEN, MasterContext
from tehai.master.linear_model import FloatArray, ModelAnswer, SolveLimits, Solver, solve_model
from tehai.master.rule_rows import add_rule_rows
from tehai.master.supply_part import SupplyPart

__all__ = ["ColumnSet", "MasterSolution", "RestrictedMaster", "columns_of_plan"]


@dataclass(frozen=True)
class MasterSolution:
    """An answer of the master: units by order option, objective, and prices (linear) or a plan (integer)."""

    units: FloatArray
    objective_yen: float
    prices: FloatArray | None
    plan: PlanArrays | None
    proven: bool


class RestrictedMaster:
    """Builds and solves the model over one set of columns and all order options."""

    def __init__(self, instance: EngineInstance, columns: ColumnSet, *, integer: bool) -> None:
        """Lay out variables and rows."""
        self.instance = instance
        self.columns = columns
        rows = expand_columns(instance, columns.as_dict())
        self.context = MasterContext(instance, columns, rows, integer)
        self._add_columns()
        self.supply = SupplyPart(self.context)
        self.claims = ClaimPart(self.context, self.supply)
        add_rule_rows(self.context, self.supply, self.claims)

    def _add_columns(self) -> None:
        """Each workload has one column or is skipped."""
        arrays, context, model = self.instance.arrays, self.context, self.context.model
        charges = arrays["not_run_yen"]
        charges = np.where(np.isfinite(charges), charges, self.instance.mandatory_yen)
        context.x = model.add_variables(context.rows.fixed_yen * YEN, 1.0, integer=context.integer)
        skip = model.add_variables(charges * YEN, 1.0, integer=context.integer)
        rows = model.add_rows(arrays["workloads"], 1.0, 1.0)
        model.add_entries(rows[self.columns.workload], context.x, np.ones(len(context.x)))
        model.add_entries(rows, skip, np.ones(len(rows)))

    def solve(self, solver: Solver, limits: SolveLimits) -> MasterSolution | None:
        """Solve; None where the limit came before any solution."""
        answer = solve_model(self.context.model.to_proto(), solver, limits)
        return None if answer is None else self._solution(answer)

    def _solution(self, answer: ModelAnswer) -> MasterSolution:
        return MasterSolution(
            units=answer.values[self.supply.units],
            objective_yen=answer.objective / YEN,
            prices=None if answer.duals is None else self.context.prices(answer.duals),
            plan=self._plan(answer) if self.context.integer else None,
            proven=answer.proven,
        )

    def _plan(self, answer: ModelAnswer) -> PlanArrays:
        plan, columns = empty_plan(self.instance), self.columns
        chosen = np.flatnonzero(answer.values[self.context.x] > 0.5)
        where = columns.workload[chosen]
        plan.mode[where] = columns.mode[chosen]
        plan.start[where] = columns.start[chosen]
        plan.pauses[where] = columns.pauses[chosen]
        plan.units[:] = np.round(answer.values[self.supply.units]).astype(np.int64)
        self.claims.read_claims(answer.values, plan, chosen)
        return plan
