"""Small models through the door to OR-Tools: values, duals, limits and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tehai.master.linear_model import INFINITY, MasterError, ModelArrays, SolveLimits, Solver, solve_model


def _diet() -> ModelArrays:
    """Minimise 3 x + 2 y where x + y >= 4, x <= 3, y <= 3; best at x = 1, y = 3."""
    model = ModelArrays()
    variables = model.add_variables(np.array([3.0, 2.0]), 3.0, integer=False)
    rows = model.add_rows(1, 4.0, INFINITY)
    model.add_entries(rows, variables, np.ones(2))
    return model


@pytest.mark.parametrize("solver", [Solver.HIGHS, Solver.GLOP])
def test_values_and_duals_of_a_linear_model(solver: Solver) -> None:
    """Optimum and row dual (a unit more costs 3), whichever simplex is asked."""
    answer = solve_model(_diet().to_proto(), solver, SolveLimits())
    assert answer is not None
    assert answer.values == pytest.approx([1.0, 3.0])
    assert answer.objective == pytest.approx(9.0)
    assert answer.duals == pytest.approx([3.0])
    assert answer.proven


def test_entries_of_one_cell_are_summed_and_zeros_left_out() -> None:
    """Coefficients given twice add up; those that cancel leave no entry."""
    model = _diet()
    row, first, second = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64)
    model.add_entries(row, first, np.array([1.0]))
    model.add_entries(row, second, np.array([-1.0]))
    matrix = model.to_proto().linear_constraint_matrix
    assert (list(matrix.row_ids), list(matrix.column_ids), list(matrix.coefficients)) == ([0], [0], [2.0])


@pytest.mark.parametrize("solver", [Solver.HIGHS, Solver.SCIP])
def test_an_integer_model_is_solved_to_whole_numbers(solver: Solver) -> None:
    """Whole knapsack: the fraction of the linear model is not taken, and there are no duals."""
    model = ModelArrays()
    variables = model.add_variables(np.array([-5.0, -4.0, -3.0]), 1.0, integer=True)
    rows = model.add_rows(1, -INFINITY, 5.0)
    model.add_entries(rows, variables, np.array([4.0, 3.0, 2.0]))
    answer = solve_model(model.to_proto(), solver, SolveLimits())
    assert answer is not None
    assert answer.values == pytest.approx([0.0, 1.0, 1.0])
    assert answer.duals is None
    assert answer.proven


def test_an_infeasible_model_is_an_error() -> None:
    """The text names the reason."""
    model = _diet()
    model.add_entries(model.add_rows(1, 9.0, INFINITY), np.arange(2), np.ones(2))
    with pytest.raises(MasterError, match="INFEASIBLE"):
        solve_model(model.to_proto(), Solver.HIGHS, SolveLimits())


@pytest.mark.parametrize("limits", [SolveLimits(time_seconds=0.0), SolveLimits(work=1), SolveLimits(time_seconds=5.0)])
def test_limits_are_taken(limits: SolveLimits) -> None:
    """A limit of any kind gives an answer or none, never an error; zero seconds do not mean no limit."""
    answer = solve_model(_diet().to_proto(), Solver.HIGHS, limits)
    assert answer is None or answer.objective == pytest.approx(9.0)
