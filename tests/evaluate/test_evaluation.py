"""The bill of a plan under a change: nothing moves without one, and what moves moves by the rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tehai.domain.evaluation import ScenarioChange
from tehai.domain.market import USD
from tehai.domain.plan import BillComponent, BillLine, Plan
from tehai.domain.problem import Problem
from tehai.evaluate import evaluate_plan
from tehai.evaluate.evaluation import changed_plan
from tehai.evaluate.scenario import changed_problem
from tests.evaluate.plans import SHA256, all_offers, changes, no_programmes, simple, solved
from tests.verify.biller import billed
from tests.verify.greedy import greedy_plan

SEEDS = range(40)
SOLVED_SEEDS = range(3)
CHANGES = tuple(changes(simple(0)[0]))
SUPPLY = (
    BillComponent.ON_DEMAND,
    BillComponent.ALLOCATION,
    BillComponent.RESERVATION,
    BillComponent.CAPACITY_BLOCK,
    BillComponent.PURCHASE,
)

Key = tuple[BillComponent, str, int, str]


def by_key(lines: tuple[BillLine, ...]) -> dict[Key, int]:
    """Return the amounts of lines by what they are grouped by."""
    return {(item.component, item.subject_id, item.fiscal_year, item.currency_code): item.amount_yen for item in lines}


def assert_moved(before: dict[Key, int], after: dict[Key, int], key: Key, factor: float) -> None:
    """Assert that a line has moved by a factor, both figures rounded to the yen."""
    expected = factor * before.get(key, 0)
    assert abs(after.get(key, 0) - expected) <= 0.5 + 0.5 * factor + 1e-9 * abs(expected), key


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_change_it_is_the_bill_of_the_plan(seed: int) -> None:
    """Nothing moves: lines in their order, cash, objective; and no limit is broken."""
    problem, plan = simple(seed)
    evaluation = evaluate_plan(problem, SHA256, plan, ScenarioChange())
    assert evaluation.changed_bill_lines == evaluation.bill_lines == plan.bill_lines != ()
    assert evaluation.changed_cash == evaluation.cash == plan.cash != ()
    assert evaluation.changed_objective_yen == evaluation.objective_yen == plan.objective_yen
    assert evaluation.broken_limits == ()


@pytest.mark.parametrize("seed", SOLVED_SEEDS)
def test_without_a_change_it_is_the_bill_of_the_solver(seed: int) -> None:
    """The bill that the solver writes, by code of its own, is met to the yen, with claims and what comes later."""
    problem, plan = solved(seed)
    found = changed_plan(problem, plan.problem_sha256, plan, ScenarioChange())
    # Rates are doubles of either side's own; all that is billed at them is the same.
    assert found.forward_usd_jpy == pytest.approx(plan.forward_usd_jpy, rel=1e-12)
    assert replace(found, forward_usd_jpy=plan.forward_usd_jpy) == plan


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_bill_is_that_of_a_second_reading(seed: int, name: str) -> None:
    """The tests' own biller, which shares no code with the product, bills the changed problem alike."""
    problem, plan = simple(seed)
    change = changes(problem)[name]
    changed = changed_plan(problem, SHA256, plan, change)
    witness = billed(changed_problem(problem, change), changed)
    assert by_key(witness.bill_lines) == by_key(changed.bill_lines)
    assert witness.cash == changed.cash
    assert witness.obligation_after_horizon_yen == changed.obligation_after_horizon_yen
    assert witness.claims_receivable_after_horizon_yen == changed.claims_receivable_after_horizon_yen
    evaluation = evaluate_plan(problem, SHA256, plan, change)
    assert evaluation.changed_bill_lines == changed.bill_lines
    assert evaluation.changed_cash == changed.cash
    assert evaluation.changed_objective_yen == changed.objective_yen == sum(by_key(changed.bill_lines).values())


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("seed", range(8))
def test_decisions_stay(seed: int, name: str) -> None:
    """Placements, orders and use are held fixed; claims fall or stay."""
    problem, plan = simple(seed)
    changed = changed_plan(problem, SHA256, plan, changes(problem)[name])
    for before, after in zip(plan.placements, changed.placements, strict=True):
        assert replace(after, claims=before.claims) == before
        _assert_claims_fall(before.claims, after.claims)
    for ordered, still in zip(plan.purchase_orders, changed.purchase_orders, strict=True):
        assert replace(still, claims=ordered.claims) == ordered
        _assert_claims_fall(ordered.claims, still.claims)
    same = ("reservation_orders", "capacity_block_orders", "offer_uses", "not_run_workload_ids", "options")
    assert all(getattr(changed, field) == getattr(plan, field) for field in same)


def _assert_claims_fall(before: tuple[object, ...], after: tuple[object, ...]) -> None:
    planned = {(claim.programme_id, claim.fiscal_year): claim.amount_yen for claim in before}  # type: ignore[attr-defined]
    for claim in after:
        assert 0 < claim.amount_yen <= planned[claim.programme_id, claim.fiscal_year]  # type: ignore[attr-defined]


def without_spread(seed: int) -> tuple[Problem, Plan]:
    """Return a random problem in which a dollar costs its forward rate, and a plan of it."""
    problem = simple(seed)[0]
    problem = replace(problem, market=replace(problem.market, usd_conversion_spread_yen=Decimal(0)))
    return problem, greedy_plan(problem, SHA256)


@settings(deadline=None, max_examples=60)
@given(seed=st.sampled_from(range(12)), factor=st.floats(0.01, 100))
def test_the_dollar_moves_what_is_priced_in_dollars(seed: int, factor: float) -> None:
    """Without a spread every dollar line moves by the factor and no other but grants, which never rise."""
    problem, plan = without_spread(seed)
    evaluation = evaluate_plan(problem, SHA256, plan, ScenarioChange(usd_jpy_factor=factor))
    before, after = by_key(evaluation.bill_lines), by_key(evaluation.changed_bill_lines)
    for key in before.keys() | after.keys():
        component, _, _, currency = key
        if component is BillComponent.GRANT:
            assert before.get(key, 0) <= after.get(key, 0) <= 0
            assert factor < 1 or before.get(key) == after.get(key)
        else:
            assert_moved(before, after, key, factor if currency == USD else 1.0)


def test_the_dollar_has_something_to_move() -> None:
    """The problems of the test above have dollar lines, yen lines, and grants that fall with the dollar."""
    seen = set()
    for seed in range(12):
        problem, plan = without_spread(seed)
        evaluation = evaluate_plan(problem, SHA256, plan, ScenarioChange(usd_jpy_factor=0.1))
        before, after = by_key(evaluation.bill_lines), by_key(evaluation.changed_bill_lines)
        seen |= {(key[0] is BillComponent.GRANT, key[3], before[key] != after.get(key)) for key in before}
    assert {(False, USD, True), (False, "JPY", False), (True, "JPY", True)} <= seen


@pytest.mark.parametrize("seed", SEEDS)
def test_the_spread_does_not_move(seed: int) -> None:
    """What converting a dollar costs on top of its rate stays: a halved rate does not halve a bill with a spread."""
    problem, _ = simple(seed)
    market = changed_problem(problem, ScenarioChange(usd_jpy_factor=0.5)).market
    assert market == replace(problem.market, usd_jpy_spot=problem.market.usd_jpy_spot / 2)


@pytest.mark.parametrize("seed", range(12))
def test_offer_prices_move_their_lines_alone(seed: int) -> None:
    """Twice the price of one offer doubles its lines; electricity, charges and other offers stay; grants never rise."""
    problem, plan = simple(seed)
    for factor in all_offers(problem, 2.0).offer_price_factors:
        evaluation = evaluate_plan(problem, SHA256, plan, ScenarioChange(offer_price_factors=(factor,)))
        before, after = by_key(evaluation.bill_lines), by_key(evaluation.changed_bill_lines)
        for key in before.keys() | after.keys():
            own = key[0] in SUPPLY and key[1] == factor.offer_id
            if key[0] is BillComponent.GRANT:
                assert before[key] <= after.get(key, 0) <= 0
            else:
                assert_moved(before, after, key, 2.0 if own else 1.0)


@pytest.mark.parametrize("seed", range(12))
def test_electricity_moves_its_lines_alone(seed: int) -> None:
    """Thrice the tariffs trebles the lines of electricity; no other moves, for grants never rise with references."""
    problem, plan = simple(seed)
    evaluation = evaluate_plan(problem, SHA256, plan, ScenarioChange(electricity_factor=3.0))
    before, after = by_key(evaluation.bill_lines), by_key(evaluation.changed_bill_lines)
    for key in before.keys() | after.keys():
        assert_moved(before, after, key, 3.0 if key[0] is BillComponent.ELECTRICITY else 1.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_cancelled_programmes_pay_nothing(seed: int) -> None:
    """Without its programmes a plan costs exactly its grants more, and nothing is receivable."""
    problem, plan = simple(seed)
    changed = changed_plan(problem, SHA256, plan, no_programmes(problem))
    rest = tuple(line for line in plan.bill_lines if line.component is not BillComponent.GRANT)
    assert changed.bill_lines == rest
    assert changed.claims_receivable_after_horizon_yen == 0
    assert not any(placement.claims for placement in changed.placements)
    assert not any(order.claims for order in changed.purchase_orders)
