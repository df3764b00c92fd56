"""What must not change, or only to one side, when a problem changes: for the optimum and for the product's bound."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tests.oracle import optimum_yen
from tests.properties.relations import (
    LOOSENED,
    permuted,
    scaled,
    with_new_offer,
    with_new_pool,
    with_split_on_demand,
    without_references,
)
from tests.random_problems import random_problem

SEEDS = range(5)
BOUND_PROBLEMS = 6
FACTOR = 3
# both optima are proven to a billionth
TOLERANCE = 1e-8
# a bound is the best one but for the last tenth of a per cent, on both sides of a comparison
BOUND_TOLERANCE = 2e-3
OPTIONS = SolveOptions(work_limit=100, seed=1, threads=1, gap_fraction=0.0)

Value = Callable[[Problem], float]


def _optimum(problem: Problem) -> float:
    best = optimum_yen(problem)
    assert best is not None, f"{problem.display_name} has no plan: the generator promises one"
    return best


@cache
def _bound(problem: Problem) -> float:
    from tehai.pipeline import solve_problem

    return solve_problem(problem, OPTIONS).lower_bound_yen


def _assert_same(value: Value, problem: Problem, changed: Problem, tolerance: float, factor: float = 1.0) -> None:
    assert changed != problem
    assert value(changed) == pytest.approx(value(problem) * factor, rel=tolerance)


def _assert_not_above(value: Value, problem: Problem, changed: Problem, tolerance: float) -> None:
    assert changed != problem
    before = value(problem)
    assert value(changed) <= before + tolerance * abs(before)


@pytest.mark.parametrize("seed", SEEDS)
def test_order_does_not_matter(seed: int) -> None:
    """Workloads, pools, offers and programmes in another order have the same optimum."""
    problem = random_problem(seed)
    _assert_same(_optimum, problem, permuted(problem), TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
def test_money_scales(seed: int) -> None:
    """With all amounts three times as large the optimum is three times as large."""
    problem = random_problem(seed)
    _assert_same(_optimum, problem, scaled(problem, FACTOR), TOLERANCE, FACTOR)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_offers_never_cost_more(seed: int) -> None:
    """A new pool never raises the optimum; nor does a new offer in a pool whose reference prices nobody uses."""
    problem = random_problem(seed)
    _assert_not_above(_optimum, problem, with_new_pool(problem), TOLERANCE)
    plain = without_references(problem)
    _assert_not_above(_optimum, plain, with_new_offer(plain), TOLERANCE)


@pytest.mark.parametrize("name", LOOSENED)
def test_looser_limits_never_cost_more(name: str) -> None:
    """Each kind of limit, loosened in the problems that have it, never raises the optimum; and some have it."""
    loosen = LOOSENED[name]
    touched = [p for p in map(random_problem, range(40)) if loosen(p) != p][: len(SEEDS)]
    assert len(touched) >= 3
    for problem in touched:
        _assert_not_above(_optimum, problem, loosen(problem), TOLERANCE)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_offer_in_two_halves_is_the_same_offer(seed: int) -> None:
    """Two on-demand offers with half the quota each have the optimum of the whole one."""
    problem = random_problem(seed)
    if with_split_on_demand(problem) == problem:
        pytest.skip("no on-demand offer")
    _assert_same(_optimum, problem, with_split_on_demand(problem), TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("index", range(BOUND_PROBLEMS))
@pytest.mark.timeout(900)
def test_the_bound_keeps_the_same_relations(index: int) -> None:
    """The product's bound after much work: same in another order and in halves, three times, never above."""
    problem = [p for p in map(random_problem, range(5 * BOUND_PROBLEMS)) if with_split_on_demand(p) != p][index]
    _assert_same(_bound, problem, permuted(problem), BOUND_TOLERANCE)
    _assert_same(_bound, problem, scaled(problem, FACTOR), BOUND_TOLERANCE, FACTOR)
    _assert_same(_bound, problem, with_split_on_demand(problem), BOUND_TOLERANCE)
    _assert_not_above(_bound, problem, with_new_pool(problem), BOUND_TOLERANCE)
    plain = without_references(problem)
    _assert_not_above(_bound, plain, with_new_offer(plain), BOUND_TOLERANCE)
    for loosen in LOOSENED.values():
        if loosen(problem) != problem:
            _assert_not_above(_bound, problem, loosen(problem), BOUND_TOLERANCE)
