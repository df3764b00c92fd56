"""The example is no toy: every kind of offer is used, limits are reached, and every feature matters."""

from __future__ import annotations

import pytest

from tehai.catalog import demo_problem
from tehai.domain.offer import Allocation, CapacityBlock, Existing, OnDemand, Purchase, Reservation
from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult
from tehai.pipeline import solve_problem
from tests.end_to_end.example import (
    claims_by_programme,
    domestic_pool_ids,
    feature_drops,
    full_periods,
    used_offers,
)

LIGHT = SolveOptions(work_limit=16, seed=1, threads=2, gap_fraction=0.0)
# Enough rounds for a gap of about 0.8 %.
THOROUGH = SolveOptions(work_limit=60, seed=1, threads=2, gap_fraction=0.0)
FULL_FRACTION, FULL_PERIODS, FULL_POOLS = 0.95, 8, 3
FEATURES = tuple(name for name, _ in feature_drops(demo_problem("small")))


@pytest.fixture(scope="module")
def problem() -> Problem:
    """The packaged example."""
    return demo_problem("team-japan")


@pytest.fixture(scope="module")
def result(problem: Problem) -> SolveResult:
    """A solve with little work, the same every time."""
    return solve_problem(problem, LIGHT)


@pytest.fixture(scope="module")
def thorough(problem: Problem) -> SolveResult:
    """A solve with about the work of the demo."""
    return solve_problem(problem, THOROUGH)


def test_size(problem: Problem) -> None:
    """The portfolio has the members, workloads, pools and weeks that were asked for."""
    assert 28 <= len(problem.members) <= 34
    assert len(problem.workloads) >= 120
    assert len(problem.pools) >= 25
    assert (problem.calendar.period_count, problem.calendar.period_hours) == (104, 168)
    assert problem.calendar.first_date.isoformat() == "2027-04-05"


def test_answer_is_verified_with_a_small_gap(result: SolveResult) -> None:
    """Even a short solve ends verified with both gaps under 2 %; benches/RESULTS.md has the gap of a full one."""
    assert result.verified
    assert result.gap is not None
    assert result.gap <= 0.02
    assert result.gap_on_bill is not None
    assert result.gap_on_bill <= 0.02


def test_every_kind_of_offer_is_used(problem: Problem, result: SolveResult) -> None:
    """Every kind of offer runs workloads, at home and abroad."""
    used = used_offers(problem, result.plan)
    kinds = {OnDemand, Reservation, Purchase, Existing, Allocation, CapacityBlock}
    assert {type(offer.kind) for offer in used} == kinds
    home = domestic_pool_ids(problem)
    assert any(offer.pool_id in home for offer in used)
    assert any(offer.pool_id not in home for offer in used)


def test_three_pools_are_full_for_eight_weeks(problem: Problem, result: SolveResult) -> None:
    """At least three pools run at 95 % or more of what is live, for eight weeks or more."""
    full = full_periods(problem, result.plan, FULL_FRACTION)
    assert sum(1 for periods in full.values() if periods >= FULL_PERIODS) >= FULL_POOLS, full


def test_a_programme_budget_is_exhausted(problem: Problem, result: SolveResult) -> None:
    """One programme has less left in a year than a yen for each claim: claims are rounded down one by one."""
    claimed = claims_by_programme(result.plan)
    left = [
        row.amount_yen - claimed[programme.id, row.fiscal_year]
        for programme in problem.programmes
        for row in programme.budgets
    ]
    assert left
    assert min(left) <= len(result.plan.placements)


def test_share_row_is_active(result: SolveResult) -> None:
    """The certificate prices a domestic share: a smaller minimum would cost less."""
    assert any(row.value > 0.0 for row in result.certificate.domestic_share_prices)


def test_some_workloads_are_not_run(problem: Problem, result: SolveResult) -> None:
    """Between 1 and 5 % of the workloads are not worth running."""
    assert 0.01 <= result.workloads_not_run / len(problem.workloads) <= 0.05


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_moves_the_objective_beyond_the_gap(
    problem: Problem, thorough: SolveResult, feature: str
) -> None:
    """Without the feature the plan's objective differs by more than what the bound leaves open."""
    without = dict(feature_drops(problem))[feature]
    changed = solve_problem(without, THOROUGH)
    moved = abs(changed.objective_yen - thorough.objective_yen)
    assert moved > thorough.objective_gap_yen, (feature, moved / thorough.objective_yen, thorough.gap)
