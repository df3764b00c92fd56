"""Claims under a change are cut to exactly what rate and reference allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tehai.domain.evaluation import OfferPriceFactor, ScenarioChange
from tehai.domain.plan import BillComponent, Claim, Plan
from tehai.domain.problem import Problem
from tehai.domain.violation import UnverifiedAnswerError
from tehai.evaluate import evaluate_plan
from tehai.evaluate.evaluation import changed_plan
from tehai.evaluate.scenario import changed_problem
from tehai.verify import check_plan
from tests.evaluate.plans import SHA256, all_offers, changes, simple
from tests.explain.hand_made import SHA256 as HAND_SHA256
from tests.rolling import rolling_plan, rolling_problem

SEEDS = range(20)
CLAIM_CODES = ("V2406", "V2423")


def one_yen_more(before: Plan, after: Plan) -> Iterator[tuple[str, Plan]]:
    """Yield, for each claim that was cut and is not gone, the code it must break and the plan with one yen more."""
    for i, (was, now) in enumerate(zip(before.placements, after.placements, strict=True)):
        for k, claim in enumerate(now.claims):
            if claim not in was.claims:
                placements = list(after.placements)
                placements[i] = replace(now, claims=_with_one_more(now.claims, k))
                yield "V2406", replace(after, placements=tuple(placements))
    for i, (ordered, left) in enumerate(zip(before.purchase_orders, after.purchase_orders, strict=True)):
        for k, claim in enumerate(left.claims):
            if claim not in ordered.claims:
                orders = list(after.purchase_orders)
                orders[i] = replace(left, claims=_with_one_more(left.claims, k))
                yield "V2423", replace(after, purchase_orders=tuple(orders))


def _with_one_more(claims: tuple[Claim, ...], position: int) -> tuple[Claim, ...]:
    more = list(claims)
    more[position] = replace(more[position], amount_yen=more[position].amount_yen + 1)
    return tuple(more)


def codes(problem: Problem, change: ScenarioChange, plan: Plan) -> set[str]:
    """Return what the second opinion finds in a plan of the changed problem."""
    return {v.code for v in check_plan(changed_problem(problem, change), plan.problem_sha256, plan).violations}


@pytest.mark.parametrize(("name", "least"), [("weak dollar", 2), ("cheap offers", 5)])
def test_a_cut_claim_is_the_largest(name: str, least: int) -> None:
    """Each claim that is cut is legal, and one yen more of it is not."""
    cut = 0
    for seed in SEEDS:
        problem, plan = simple(seed)
        change = changes(problem)[name]
        changed = changed_plan(problem, SHA256, plan, change)
        assert not codes(problem, change, changed) & set(CLAIM_CODES)
        for code, more in one_yen_more(plan, changed):
            assert code in codes(problem, change, more), (seed, code)
            cut += 1
    assert cut >= least


def test_claims_for_units_are_cut_too() -> None:
    """Some random plan has a claim for units that falls with the price."""
    found = set()
    for seed in SEEDS:
        problem, plan = simple(seed)
        changed = changed_plan(problem, SHA256, plan, all_offers(problem, 0.5))
        found |= {code for code, _ in one_yen_more(plan, changed)}
    assert found == set(CLAIM_CODES)


def test_by_hand() -> None:
    """A claim under its limit stays until the limit falls below it, then it is the limit.

    The claim for one unit is 1,000,000 yen; the limit is half of 8,000,000 yen.
    """
    problem, plan = rolling_problem(), rolling_plan(rolling_problem())
    order = plan.purchase_orders[0]
    assert order.claims == (Claim("buy", 2027, 1_000_000),)
    for factor, left in ((1.0, 1_000_000), (0.25, 1_000_000), (0.2, 800_000), (0.01, 40_000)):
        change = ScenarioChange(offer_price_factors=(OfferPriceFactor("bought", factor),))
        changed = changed_plan(problem, HAND_SHA256, plan, change)
        assert changed.purchase_orders[0].claims == (Claim("buy", 2027, left),), factor
        grants = {
            line.subject_id: line.amount_yen for line in changed.bill_lines if line.component is BillComponent.GRANT
        }
        assert grants["use"] == -510_001
        assert grants["buy"] == -left


def test_nothing_left_is_no_claim() -> None:
    """A claim of which less than a yen is left is dropped, as a claim of a cancelled programme is."""
    problem, plan = rolling_problem(), rolling_plan(rolling_problem())
    offers = tuple(OfferPriceFactor(offer_id, 0.01) for offer_id in ("demand", "shared"))
    change = ScenarioChange(offer_price_factors=offers, cancelled_programme_ids=("buy",))
    changed = changed_plan(problem, HAND_SHA256, plan, change)
    assert all(claim.amount_yen > 0 for placement in changed.placements for claim in placement.claims)
    assert not any(order.claims for order in changed.purchase_orders)
    assert any(placement.claims for placement in changed.placements)


def test_claims_that_are_not_cut_are_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a claim left above its limit, the check of the changed plan would refuse the evaluation."""
    problem, plan = rolling_problem(), rolling_plan(rolling_problem())
    change = ScenarioChange(offer_price_factors=(OfferPriceFactor("bought", 0.01),))
    evaluate_plan(problem, HAND_SHA256, plan, change)
    monkeypatch.setattr("tehai.evaluate.evaluation.with_claims_left", lambda case, _: case.plan)
    with pytest.raises(UnverifiedAnswerError) as caught:
        evaluate_plan(problem, HAND_SHA256, plan, change)
    assert {violation.code for violation in caught.value.violations} == {"V2423"}
