"""A mixed-integer linear model as arrays, handed to MathOpt as protos (expression objects cost 40 times more)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
    sparse_containers_pb2,
)
from ortools.math_opt.core.python import solver as core_solver

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
INFINITY = float("inf")
# A limit of zero would mean none.
SECONDS_MIN = 0.01


class MasterError(RuntimeError):
    """The solver did not answer as a linear or integer solver should; the text names its reason."""


class Solver(Enum):
    """Solvers of OR-Tools: HiGHS does the work, the others are its witnesses in tests."""

    HIGHS = parameters_pb2.SOLVER_TYPE_HIGHS
    GLOP = parameters_pb2.SOLVER_TYPE_GLOP
    SCIP = parameters_pb2.SOLVER_TYPE_GSCIP


@dataclass
class ModelArrays:
    """Variables and rows collected in blocks; every ``add`` returns the indices of what it added."""

    lower: list[FloatArray] = field(default_factory=list)
    upper: list[FloatArray] = field(default_factory=list)
    cost: list[FloatArray] = field(default_factory=list)
    integer: list[NDArray[np.bool_]] = field(default_factory=list)
    row_lower: list[FloatArray] = field(default_factory=list)
    row_upper: list[FloatArray] = field(default_factory=list)
    entries: list[tuple[IntArray, IntArray, FloatArray]] = field(default_factory=list)
    variable_count: int = 0
    row_count: int = 0

    def add_variables(
        self, cost: FloatArray, upper: FloatArray | float, *, integer: bool, lower: FloatArray | float = 0.0
    ) -> IntArray:
        """Add variables with ``cost`` and bounds."""
        count = len(cost)
        self.cost.append(np.asarray(cost, dtype=np.float64))
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        self.integer.append(np.full(count, integer))
        self.variable_count += count
        return np.arange(self.variable_count - count, self.variable_count)

    def add_rows(self, count: int, lower: FloatArray | float, upper: FloatArray | float) -> IntArray:
        """Add empty rows with bounds."""
        self.row_lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self.row_upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        self.row_count += count
        return np.arange(self.row_count - count, self.row_count)

    def add_entries(self, rows: IntArray, variables: IntArray, values: FloatArray) -> None:
        """Add coefficients; those of one cell are summed."""
        rows, variables, values = np.broadcast_arrays(rows, variables, values)
        self.entries.append((rows.ravel(), variables.ravel(), values.ravel().astype(np.float64)))

    def to_proto(self) -> model_pb2.ModelProto:
        """Return the model as MathOpt reads it."""
        model = model_pb2.ModelProto()
        variables = model.variables
        variables.ids.extend(range(self.variable_count))
        variables.lower_bounds.extend(np.concatenate(self.lower))
        variables.upper_bounds.extend(np.concatenate(self.upper))
        variables.integers.extend(np.concatenate(self.integer).tolist())
        cost = np.concatenate(self.cost)
        nonzero = np.flatnonzero(cost)
        model.objective.linear_coefficients.ids.extend(nonzero)
        model.objective.linear_coefficients.values.extend(cost[nonzero])
        model.linear_constraints.ids.extend(range(self.row_count))
        model.linear_constraints.lower_bounds.extend(np.concatenate([*self.row_lower, np.zeros(0)]))
        model.linear_constraints.upper_bounds.extend(np.concatenate([*self.row_upper, np.zeros(0)]))
        model.linear_constraint_matrix.CopyFrom(self._matrix())
        return model

    def _matrix(self) -> sparse_containers_pb2.SparseDoubleMatrixProto:
        rows = np.concatenate([e[0] for e in self.entries])
        variables = np.concatenate([e[1] for e in self.entries])
        values = np.concatenate([e[2] for e in self.entries])
        cell = rows * self.variable_count + variables
        cell, inverse = np.unique(cell, return_inverse=True)
        summed = np.bincount(inverse, weights=values, minlength=len(cell))
        kept = summed != 0.0
        matrix = sparse_containers_pb2.SparseDoubleMatrixProto()
        matrix.row_ids.extend(cell[kept] // self.variable_count)
        matrix.column_ids.extend(cell[kept] % self.variable_count)
        matrix.coefficients.extend(summed[kept])
        return matrix


@dataclass(frozen=True)
class SolveLimits:
    """Limits of one call: wall clock or, for the same answer every time, work.

    Work is branch-and-bound nodes.
    """

    time_seconds: float | None = None
    work: float | None = None
    relative_gap: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class ModelAnswer:
    """Values of the best solution; duals only from linear models."""

    values: FloatArray
    objective: float
    duals: FloatArray | None
    proven: bool


def solve_model(model: model_pb2.ModelProto, solver: Solver, limits: SolveLimits) -> ModelAnswer | None:
    """Solve; None where the limit came before any solution.

    Raises:
        MasterError: the model is infeasible or the solver failed.
    """
    parameters = _parameters(solver, limits)
    model_parameters = model_parameters_pb2.ModelSolveParametersProto()
    initializer = parameters_pb2.SolverInitializerProto()
    registration = callback_pb2.CallbackRegistrationProto()
    try:
        result = core_solver.solve(
            model, solver.value, initializer, parameters, model_parameters, None, registration, None, None
        )
    except Exception as error:
        # MathOpt raises a pybind status type that does not derive from a public class.
        raise MasterError(f"{solver.name} failed: {error}") from error
    return _answer(model, result)


def _parameters(solver: Solver, limits: SolveLimits) -> parameters_pb2.SolveParametersProto:
    parameters = parameters_pb2.SolveParametersProto(random_seed=limits.seed)
    if limits.relative_gap:
        parameters.relative_gap_tolerance = limits.relative_gap
    if limits.time_seconds is not None:
        parameters.time_limit.FromTimedelta(timedelta(seconds=max(limits.time_seconds, SECONDS_MIN)))
    if solver is Solver.HIGHS:
        parameters.highs.int_options["threads"] = 1
        parameters.highs.string_options["parallel"] = "off"
        if limits.work is not None:
            parameters.node_limit = max(1, int(limits.work))
    elif solver is Solver.SCIP:
        parameters.threads = 1
        if limits.work is not None:
            parameters.node_limit = max(1, int(limits.work))
    return parameters


def _answer(model: model_pb2.ModelProto, result: result_pb2.SolveResultProto) -> ModelAnswer | None:
    reason = result.termination.reason
    if reason in (
        result_pb2.TERMINATION_REASON_INFEASIBLE,
        result_pb2.TERMINATION_REASON_INFEASIBLE_OR_UNBOUNDED,
        result_pb2.TERMINATION_REASON_UNBOUNDED,
    ):
        raise MasterError(result_pb2.TerminationReasonProto.Name(reason))
    with_primal = [s for s in result.solutions if s.HasField("primal_solution")]
    if not with_primal:
        return None
    best = with_primal[0]
    count = len(model.variables.ids)
    duals = None
    if best.HasField("dual_solution"):
        duals = _dense(best.dual_solution.dual_values, len(model.linear_constraints.ids))
    return ModelAnswer(
        values=_dense(best.primal_solution.variable_values, count),
        objective=best.primal_solution.objective_value,
        duals=duals,
        proven=reason == result_pb2.TERMINATION_REASON_OPTIMAL,
    )


def _dense(sparse: sparse_containers_pb2.SparseDoubleVectorProto, count: int) -> FloatArray:
    dense = np.zeros(count)
    dense[np.asarray(sparse.ids, dtype=np.int64)] = np.asarray(sparse.values)
    return dense
