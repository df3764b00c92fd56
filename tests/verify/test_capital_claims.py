"""What an order may claim against what the objective charges for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tehai.domain.plan import BillComponent, Claim, Plan, PurchaseOrder, SolveOptions, StopReason
from tehai.domain.problem import Problem
from tehai.domain.workload import SizeClass
from tehai.verify import bound_parts
from tehai.verify.bill import compute_bill
from tehai.verify.capital_claims import check_v2423_claim_above_price
from tehai.verify.case import Case, build_case
from tests import builders as make
from tests.verify.prices import no_prices

UNITS = 3


def _problem(life: int) -> Problem:
    """Return a problem whose grant pays all of the price of units that are delivered one period after the order."""
    kind = make.purchase(make.yen(1_000_003), steps=((1, 1.0),), life=life, owner="member")
    programmes = [make.make_capital_programme(rates={SizeClass.LARGE: 1.0})]
    return make.make_problem(offers=[make.make_offer(kind)], programmes=programmes)


def _case(problem: Problem, period: int, claim_yen: int) -> Case:
    """Return the case of a plan with one order and its claim."""
    claims = (Claim("capital-grant", problem.calendar.fiscal_year(period), claim_yen),)
    order = PurchaseOrder("offer", period, problem.calendar.date_of(period), UNITS, claims)
    plan = Plan(1, "", "test", SolveOptions(), StopReason.OPTIMAL, (), (), (), (order,), (), (), (), (), 0, 0)
    return build_case(problem, "", plan)


def _charged(problem: Problem, period: int) -> Decimal:
    """Return what the objective charges for the units."""
    bill = compute_bill(_case(problem, period, 0))
    return sum((yen for key, yen in bill.lines.items() if key[0] is BillComponent.PURCHASE), Decimal(0))


@pytest.mark.parametrize("life", [1, 2, 3, 7, 100])
def test_no_order_earns_more_than_it_is_charged(life: int) -> None:
    """A claim of what the objective charges passes and one of a yen more does not, in every period of an order."""
    problem = _problem(life)
    for period, inside in ((0, 3), (1, 2), (2, 1)):
        charged = _charged(problem, period)
        assert float(charged) == pytest.approx(UNITS * 1_000_003 * min(life, inside) / life)
        assert list(check_v2423_claim_above_price(_case(problem, period, int(charged)))) == []
        (found,) = check_v2423_claim_above_price(_case(problem, period, int(charged) + 1))
        assert found.path == "purchase_orders[0].claims[0].amount_yen"


@pytest.mark.parametrize("life", [1, 3, 100])
def test_an_offer_is_worth_nothing_for_its_grant_alone(life: int) -> None:
    """Where capacity has no price the bound expects no gain from orders, whatever a grant pays of their price."""
    parts = bound_parts(_problem(life), no_prices())
    assert parts.supply_terms == {"offer": pytest.approx(0.0, abs=1e-6)}
