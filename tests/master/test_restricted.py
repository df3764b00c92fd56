"""The restricted master against pricing, the oracle and the second opinion."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tehai.domain.plan import SolveOptions, StopReason
from tehai.engine.instance import EngineInstance, build_instance
from tehai.engine.market_arrays import FloatArray
from tehai.engine.search import Search, empty_plan
from tehai.master.linear_model import SolveLimits, Solver
from tehai.master.restricted import ColumnSet, MasterSolution, RestrictedMaster, columns_of_plan
from tehai.solve.plan_builder import build_plan
from tehai.verify import check_plan
from tests.master.columns import every_column, seeds_without_pauses
from tests.oracle import solve_oracle
from tests.random_problems import random_problem

LINEAR_SEEDS = range(20)
INTEGER_SEEDS = seeds_without_pauses(7)
ROUNDS_MAX = 200


def _linear(instance: EngineInstance, columns: ColumnSet) -> MasterSolution:
    solved = RestrictedMaster(instance, columns, integer=False).solve(Solver.HIGHS, SolveLimits())
    assert solved is not None
    assert solved.prices is not None
    return solved


def _converged(instance: EngineInstance) -> tuple[MasterSolution, FloatArray]:
    """Generate columns until no price is better; returns the last master and the bounds on the way."""
    _, _, _, met = instance.native.ascend(np.zeros(0), 50, 0.1, 1e-2, 25)
    columns = ColumnSet.from_dict(met)
    bounds = []
    for _ in range(ROUNDS_MAX):
        solved = _linear(instance, columns)
        assert solved.prices is not None
        bound, _, cheapest, _ = instance.native.evaluate(solved.prices)
        bounds.append(bound)
        # weak duality holds in every round, for prices from anywhere
        assert max(bounds) <= solved.objective_yen + 1e-7 * abs(solved.objective_yen)
        wider = columns.union(ColumnSet.from_dict(cheapest))
        if len(wider) == len(columns):
            return solved, np.array(bounds)
        columns = wider
    pytest.fail("column generation did not end")


@pytest.mark.parametrize("seed", LINEAR_SEEDS)
def test_the_linear_master_is_the_bound_at_its_own_duals(seed: int) -> None:
    """After convergence LP value, bound at the LP's prices and the oracle's best provable bound are one number."""
    problem = random_problem(seed)
    solved, bounds = _converged(build_instance(problem))
    assert bounds[-1] == pytest.approx(solved.objective_yen, rel=1e-7)
    assert solved.objective_yen == pytest.approx(solve_oracle(problem).lp_priced_rows_yen, rel=1e-6)


def test_the_linear_master_prices_every_family() -> None:
    """Among the problems above every family of rows has a price, so that none of them is compared empty."""
    priced: dict[str, int] = {}
    for seed in LINEAR_SEEDS:
        instance = build_instance(random_problem(seed))
        solved, _ = _converged(instance)
        assert solved.prices is not None
        layout = instance.native.price_layout()
        for family, after in pairwise(layout):
            found = (solved.prices[layout[family] : layout[after]] > 0.0).sum()
            priced[family] = priced.get(family, 0) + int(found)
    assert all(priced.values()), priced


@pytest.mark.parametrize("seed", INTEGER_SEEDS)
def test_the_integer_master_over_every_column_is_the_optimum(seed: int) -> None:
    """With all columns the integer master finds the oracle's optimum, and a plan that the second opinion accepts."""
    problem = random_problem(seed)
    instance = build_instance(problem)
    solved = RestrictedMaster(instance, every_column(instance), integer=True).solve(Solver.HIGHS, SolveLimits())
    assert solved is not None
    assert solved.plan is not None
    assert solved.proven
    assert solved.objective_yen == pytest.approx(solve_oracle(problem).optimum_yen, rel=1e-6)
    plan = build_plan(instance, solved.plan, "", "0", SolveOptions(), StopReason.OPTIMAL)
    checked = check_plan(problem, "", plan)
    assert checked.valid, checked.violations
    assert plan.objective_yen == pytest.approx(solved.objective_yen, rel=1e-6)


def test_the_restricted_master_keeps_the_plan_it_is_given() -> None:
    """Over the columns of a plan alone the integer master is no dearer than that plan."""
    instance = build_instance(random_problem(5))
    _, prices, _, _ = instance.native.ascend(np.zeros(0), 200, 0.1, 1e-3, 100)
    search = Search(instance, prices, empty_plan(instance), 1, 1)
    search.construct()
    plan, objective = search.best_plan(), search.best_objective
    assert plan is not None
    assert objective is not None
    columns = columns_of_plan(plan)
    assert len(columns) == int((plan.mode >= 0).sum()) > 0
    solved = RestrictedMaster(instance, columns, integer=True).solve(Solver.HIGHS, SolveLimits())
    assert solved is not None
    assert solved.objective_yen <= objective * (1 + 1e-6)


@pytest.mark.parametrize(("solver", "integer"), [(Solver.GLOP, False), (Solver.SCIP, True)])
def test_another_solver_agrees(solver: Solver, integer: bool) -> None:
    """GLOP finds the linear optimum of HiGHS, SCIP its integer optimum."""
    instance = build_instance(random_problem(6))
    master = RestrictedMaster(instance, every_column(instance), integer=integer)
    one, other = (master.solve(name, SolveLimits()) for name in (Solver.HIGHS, solver))
    assert one is not None
    assert other is not None
    assert one.objective_yen == pytest.approx(other.objective_yen, rel=1e-7)


def test_column_sets_have_no_repeats() -> None:
    """A union keeps each column once, and "not run" is no column."""
    instance = build_instance(random_problem(2))
    _, _, cheapest, _ = instance.native.evaluate(np.zeros(instance.native.price_layout()["count"]))
    columns = ColumnSet.from_dict(cheapest)
    assert len(columns.union(columns)) == len(columns)
    assert (columns.mode >= 0).all()
    every = every_column(instance)
    assert len(every.union(columns)) == len(every) > len(columns)
