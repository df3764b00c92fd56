"""Limits that only the change breaks, by the codes of the second opinion."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tehai.domain.evaluation import OfferPriceFactor, ScenarioChange
from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.domain.violation import InvalidProblemError
from tehai.evaluate import evaluate_plan
from tehai.verify import check_plan
from tests.explain.hand_made import SHA256
from tests.rolling import rolling_plan, rolling_problem


def hand_made() -> tuple[Problem, Plan]:
    """Return a problem with every kind of limit in yen, and a valid plan of it."""
    problem = rolling_problem()
    plan = rolling_plan(problem)
    assert check_plan(problem, SHA256, plan).valid
    return problem, plan


def offer(offer_id: str, factor: float) -> ScenarioChange:
    """Return the change of one offer's prices."""
    return ScenarioChange(offer_price_factors=(OfferPriceFactor(offer_id, factor),))


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (ScenarioChange(), set()),
        (offer("bought", 4.0), {"V2305", "V2308"}),
        (offer("demand", 99.0), {"V2307"}),
        (offer("reserved", 99.0), {"V2305"}),
    ],
    ids=["nothing", "dear units", "dear list prices", "dear terms"],
)
def test_limits_in_yen(change: ScenarioChange, codes: set[str]) -> None:
    """Portfolio budgets, member budgets and capital ceilings are re-checked; each is named with its figures."""
    problem, plan = hand_made()
    broken = evaluate_plan(problem, SHA256, plan, change).broken_limits
    assert {limit.code for limit in broken} == codes
    assert all(limit.path in ("cash", "placements", "purchase_orders") for limit in broken)
    assert all("fiscal year 202" in limit.message and "expected at most" in limit.message for limit in broken)


def test_a_limit_is_broken_where_cash_passes_it() -> None:
    """A budget equal to the changed cash is kept, one of two yen less is broken (one yen is the tolerance)."""
    problem, plan = hand_made()
    change = offer("reserved", 1.5)
    cash = {item.fiscal_year: item.amount_yen for item in evaluate_plan(problem, SHA256, plan, change).changed_cash}
    year = min(cash)
    for less, codes in ((0, set()), (2, {"V2305"})):
        budget = FiscalYearAmount(year, cash[year] - less)
        rules = replace(problem.rules, portfolio_budgets=(budget,))
        found = evaluate_plan(replace(problem, rules=rules), SHA256, plan, change).broken_limits
        assert {limit.code for limit in found} == codes


def test_a_programme_that_pays_nothing_breaks_the_budget_it_held_up() -> None:
    """Cash of the year in which the claims would be paid rises by them and passes its budget."""
    problem, plan = hand_made()
    cash = {item.fiscal_year: item.amount_yen for item in plan.cash}
    rules = replace(problem.rules, portfolio_budgets=(FiscalYearAmount(2028, cash[2028]),))
    change = ScenarioChange(cancelled_programme_ids=("use",))
    evaluation = evaluate_plan(replace(problem, rules=rules), SHA256, plan, change)
    assert [limit.code for limit in evaluation.broken_limits] == ["V2305"]
    assert f"found {cash[2028] + 510_001} yen" in evaluation.broken_limits[0].message


@pytest.mark.parametrize("fault", ["sha", "objective", "late"])
def test_a_plan_that_is_not_valid_is_refused(fault: str) -> None:
    """Another problem's plan says only that; any other fault is named with the path it has under "plan"."""
    problem, plan = hand_made()
    wrong = {
        "sha": replace(plan, problem_sha256="2" * 64, objective_yen=1),
        "objective": replace(plan, objective_yen=plan.objective_yen + 1),
        "late": replace(plan, reservation_orders=(replace(plan.reservation_orders[0], start_date=date(2027, 1, 1)),)),
    }[fault]
    with pytest.raises(InvalidProblemError) as caught:
        evaluate_plan(problem, SHA256, wrong, ScenarioChange())
    found = {(violation.code, violation.path) for violation in caught.value.violations}
    expected = {
        "sha": ("V2002", "plan.problem_sha256"),
        "objective": ("V2505", "plan.objective_yen"),
        "late": ("V2207", "plan.reservation_orders[0].start_date"),
    }[fault]
    assert expected in found
    assert fault == "late" or len(found) == 1
