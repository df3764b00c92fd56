"""A small linear model that is filled row by row and solved by OR-Tools (MathOpt): the oracle's only tool."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

FEASIBILITY_TOLERANCE = 1e-7
# The smallest tolerance every solver accepts.
TIGHT_FEASIBILITY_TOLERANCE = 1e-9
SOLVE_SECONDS_MAX = 600.0


class SolverFailedError(RuntimeError):
    """Raised when a solver neither proves an optimum nor infeasibility."""


@dataclass(frozen=True, slots=True)
class Solution:
    """Proven optimum: objective, a value for each variable and, for linear programs, a dual for each row."""

    objective: float
    values: tuple[float, ...]
    duals: tuple[float, ...]


@dataclass(slots=True)
class LinearModel:
    """Minimise costs over variables with bounds, subject to rows with bounds; variables and rows have keys."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    variables: dict[Hashable, int] = field(default_factory=dict)
    rows: dict[Hashable, int] = field(default_factory=dict)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)

    def add_variable(
        self, key: Hashable, upper: float = math.inf, cost: float = 0.0, integer: bool = False, lower: float = 0.0
    ) -> int:
        """Add a variable and return its position; keys are unique."""
        assert key not in self.variables, key
        self.variables[key] = len(self.cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.cost.append(cost)
        self.integer.append(integer)
        return len(self.cost) - 1

    def add_row(
        self,
        key: Hashable,
        terms: Mapping[int, float],
        lower: float = -math.inf,
        upper: float = math.inf,
    ) -> None:
        """Add ``lower <= sum of coefficient * variable <= upper``; keys are unique, empty rows are left out."""
        assert key not in self.rows, key
        kept = {column: value for column, value in terms.items() if value != 0.0}
        if not kept and lower <= 0.0 <= upper:
            return
        row = len(self.row_lower)
        self.rows[key] = row
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.entries.extend((row, column, kept[column]) for column in sorted(kept))

    def relaxed(self) -> LinearModel:
        """Return the same model with every variable continuous."""
        return self._with_bounds(self.lower, self.upper)

    def with_integers_fixed(self, values: tuple[float, ...]) -> LinearModel:
        """Return the linear program that remains once every integer variable has its (rounded) value."""
        lower, upper = list(self.lower), list(self.upper)
        for column, whole in enumerate(self.integer):
            if whole:
                lower[column] = upper[column] = float(round(values[column]))
        return self._with_bounds(lower, upper)

    def _with_bounds(self, lower: list[float], upper: list[float]) -> LinearModel:
        return LinearModel(
            lower=lower,
            upper=upper,
            cost=self.cost,
            integer=[False] * len(self.integer),
            variables=self.variables,
            rows=self.rows,
            row_lower=self.row_lower,
            row_upper=self.row_upper,
            entries=self.entries,
        )

    def to_proto(self) -> model_pb2.ModelProto:
        """Return the model as OR-Tools reads it."""
        proto = model_pb2.ModelProto()
        columns = range(len(self.cost))
        proto.variables.ids.extend(columns)
        proto.variables.lower_bounds.extend(self.lower)
        proto.variables.upper_bounds.extend(self.upper)
        proto.variables.integers.extend(self.integer)
        costed = [column for column in columns if self.cost[column] != 0.0]
        proto.objective.linear_coefficients.ids.extend(costed)
        proto.objective.linear_coefficients.values.extend(self.cost[column] for column in costed)
        proto.linear_constraints.ids.extend(range(len(self.row_lower)))
        proto.linear_constraints.lower_bounds.extend(self.row_lower)
        proto.linear_constraints.upper_bounds.extend(self.row_upper)
        matrix = proto.linear_constraint_matrix
        matrix.row_ids.extend(entry[0] for entry in self.entries)
        matrix.column_ids.extend(entry[1] for entry in self.entries)
        matrix.coefficients.extend(entry[2] for entry in self.entries)
        return proto

    def solve(
        self,
        solver: mathopt.SolverType | None = None,
        tolerance: float = FEASIBILITY_TOLERANCE,
        seconds_max: float = SOLVE_SECONDS_MAX,
    ) -> Solution | None:
        """Return a proven optimum, or None where no solution exists.

        Linear programs go to GLOP (exact vertices, duals), integer ones to HiGHS without any gap.

        Raises:
            SolverFailedError: a limit was reached or the solver gave up.
        """
        whole = any(self.integer)
        kind = solver or (mathopt.SolverType.HIGHS if whole else mathopt.SolverType.GLOP)
        model = mathopt.Model.from_model_proto(self.to_proto())
        result = mathopt.solve(model, kind, params=_parameters(kind, tolerance, seconds_max))
        reason = result.termination.reason
        if reason in (mathopt.TerminationReason.INFEASIBLE, mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED):
            return None  # costs and boxes are bounded below, so "or unbounded" cannot be
        if reason != mathopt.TerminationReason.OPTIMAL:
            raise SolverFailedError(f"{kind.name}: {result.termination}")
        values = tuple(result.variable_values(list(model.variables())))
        duals = () if whole else tuple(result.dual_values(list(model.linear_constraints())))
        return Solution(result.objective_value(), values, duals)


def _parameters(kind: mathopt.SolverType, tolerance: float, seconds_max: float) -> mathopt.SolveParameters:
    params = mathopt.SolveParameters(time_limit=timedelta(seconds=seconds_max))
    if kind == mathopt.SolverType.HIGHS:
        params.highs.int_options["threads"] = 1
        for name in ("mip_feasibility_tolerance", "primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            params.highs.double_options[name] = tolerance
        params.highs.double_options["mip_rel_gap"] = 0.0
        params.highs.double_options["mip_abs_gap"] = 0.0
    elif kind == mathopt.SolverType.GSCIP:
        params.threads = 1
        params.gscip.real_params["numerics/feastol"] = tolerance
        params.gscip.real_params["numerics/dualfeastol"] = tolerance
        params.gscip.real_params["limits/gap"] = 0.0
        params.gscip.real_params["limits/absgap"] = 0.0
    else:
        params.threads = 1
    return params
