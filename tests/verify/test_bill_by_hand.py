"""Bills of small plans against figures worked out by hand from docs/rules.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import OfferKind
from tehai.domain.plan import (
    BillComponent,
    CapacityBlockOrder,
    Claim,
    OfferUse,
    Placement,
    Plan,
    PurchaseOrder,
    ReservationOrder,
    Segment,
    SolveOptions,
    StopReason,
)
from tehai.domain.problem import Problem
from tehai.verify.bill import Bill, compute_bill
from tehai.verify.case import build_case
from tests import builders as make

HOURS = 8 * 168
FIVE_PERCENT = make.make_market("100", discount_rate="0.05", dollar_rate="0", spread="2")


def bill_of(problem: Problem, **parts: object) -> Bill:
    """Return the bill of a plan with these parts."""
    empty = Plan(1, "", "test", SolveOptions(), StopReason.OPTIMAL, (), (), (), (), (), (), (), (), 0, 0)
    plan = Plan(**{**{name: getattr(empty, name) for name in Plan.__dataclass_fields__}, **parts})
    return compute_bill(build_case(problem, "", plan))


def lines(bill: Bill) -> dict[tuple[BillComponent, int], float]:
    """Return the lines that are not zero by component and fiscal year."""
    return {(key[0], key[2]): float(amount) for key, amount in bill.lines.items() if amount != 0}


def with_offer(kind: OfferKind, **others: object) -> Problem:
    """Return the default problem with this offer only, discounted at 5 % and with dollars at 102 yen."""
    return make.make_problem(offers=[make.make_offer(kind)], market=FIVE_PERCENT, **others)  # type: ignore[arg-type]


def test_use_is_paid_with_spread_and_discounted() -> None:
    """Hours at 3 dollars cost 306 yen; two weeks later they count 14 / 365 of a year less, and cash does not."""
    problem = with_offer(make.on_demand(make.dollars(3, {2: 4})))
    bill = bill_of(problem, offer_uses=(OfferUse("offer", (10.0, 0.0, 10.0, 0.0)),))
    assert lines(bill) == {(BillComponent.ON_DEMAND, 2027): pytest.approx(3060 + 4080 * 1.05 ** (-14 / 365))}
    assert bill.cash == {2027: 7140}


def test_partly_prepaid_term() -> None:
    """Three of five periods lie in the horizon: 40 % booked a period before, the rest each period."""
    problem = with_offer(make.reservation([make.term(5, make.yen(100, {1: 90}), upfront=0.5)], lead=1))
    bill = bill_of(problem, reservation_orders=(ReservationOrder("offer", 0, 1, make.day(1), 1),))
    fee = HOURS * 100 * 0.5
    periodic = sum(fee * 1.05 ** (-7 * t / 365) for t in (1, 2, 3))
    assert lines(bill) == {(BillComponent.RESERVATION, 2027): pytest.approx(3 * fee + periodic)}
    assert bill.cash == {2027: 5 * fee + 3 * fee}
    assert bill.obligation == 2 * fee


def test_capacity_block_over_the_end() -> None:
    """Ten days from the last week on, booked a week ahead: 168 of 240 hours count, all are paid."""
    kind = make.capacity_block([make.block_term(10, make.dollars("2.5"))], booking_min=1, booking_max=2)
    order = CapacityBlockOrder("offer", 0, 3, make.day(3), 2, make.day(2), 1)
    bill = bill_of(with_offer(kind), capacity_block_orders=(order,))
    fee = 8 * 240 * 255
    expected = fee * 168 / 240 * 1.05 ** (-14 / 365)
    assert lines(bill) == {(BillComponent.CAPACITY_BLOCK, 2027): pytest.approx(expected)}
    assert bill.cash == {2027: fee}


@pytest.mark.parametrize(("owner", "annual"), [("", 0.05), ("member", 0.1)])
def test_purchase_by_instalments(owner: str, annual: float) -> None:
    """Half at once, half after the horizon, less the book value of the 97 periods of life that are left."""
    kind = make.purchase(make.yen(1_000), steps=((1, 1.0),), residual=0.2, payments=((0, 0.5), (6, 0.5)), owner=owner)
    problem = with_offer(kind, members=[make.make_member(cost_of_capital="0.1")])
    bill = bill_of(problem, purchase_orders=(PurchaseOrder("offer", 0, make.day(0), 2),))
    book = 2_000 * (1 - 0.8 * 3 / 100)
    expected = 1_000 + 1_000 * (1 + annual) ** (-42 / 365) - book * (1 + annual) ** (-28 / 365)
    assert lines(bill) == {(BillComponent.PURCHASE, 2027): pytest.approx(expected)}
    assert bill.cash == bill.capital == {2027: 1_000}
    assert bill.obligation == 1_000


@pytest.mark.parametrize(("lag", "receivable"), [(0, 0), (1, 700)])
def test_claims_are_paid_after_their_year(lag: int, receivable: int) -> None:
    """A claim is worth less by the time to 31 March and its lag; paid in the next year it is no cash of the horizon."""
    problem = make.make_problem(market=FIVE_PERCENT, programmes=[make.make_programme(lag_days=lag)])
    segment = Segment("pool", 8, 0, make.day(0), 168.0)
    bill = bill_of(problem, placements=(Placement("job", (segment,), (Claim("grant", 2027, 700),)),))
    days = (date(2028, 3, 31) - date(2027, 4, 5)).days + lag
    assert lines(bill) == {(BillComponent.GRANT, 2027): pytest.approx(-700 * 1.05 ** (-days / 365))}
    assert bill.receivable == receivable
    assert bill.cash == {2027: receivable - 700}


def _moving(starts: Sequence[int]) -> Problem:
    workload = make.make_workload(data_site_id="far", data_terabytes=3.0, porting={"chip": 50})
    placements = [make.current_placement(start=start) for start in starts]
    return make.make_problem(
        [workload],
        sites=[make.make_site(carbon_kg_per_kwh=0.5), make.make_site("far")],
        pools=[make.make_pool(node=16)],
        routes=[make.route("far", "site", make.dollars(10))],
        rules=make.make_rules(carbon_price="2"),
        market=FIVE_PERCENT,
        current_plan=make.make_current_plan(placements, 9),
    )


@pytest.mark.parametrize(("starts", "change"), [([], 0), ([1], 0), ([0], 9)])
def test_start_of_a_workload(starts: Sequence[int], change: int) -> None:
    """Three terabytes at 1,020 yen and porting are discounted, change and carbon are not; idle nodes emit too."""
    segment = Segment("pool", 8, 1, make.day(1), 168.0)
    bill = bill_of(_moving(starts), placements=(Placement("job", (segment,), ()),))
    week = 1.05 ** (-7 / 365)
    expected = {
        (BillComponent.TRANSFER, 2027): pytest.approx(3_060 * week),
        (BillComponent.PORTING, 2027): pytest.approx(50 * week),
        (BillComponent.CARBON, 2027): 16 * 168 * 0.5 * 2,
    }
    assert lines(bill) == expected | ({(BillComponent.CHANGE, 2027): change} if change else {})
    assert bill.cash == {2027: 3_110}


def test_workload_that_is_not_run_is_changed() -> None:
    """A workload of the current plan that is not run pays for both."""
    bill = bill_of(_moving([0]), not_run_workload_ids=("job",))
    assert lines(bill) == {(BillComponent.NOT_RUN, 2027): 100_000_000, (BillComponent.CHANGE, 2027): 9}


def test_sunk_payments_are_cash_only() -> None:
    """What existing capacity still costs is cash of its year and no line."""
    bill = bill_of(with_offer(make.existing(payments={2027: 77})))
    assert lines(bill) == {}
    assert bill.cash == {2027: 77}


def test_discount_is_exact() -> None:
    """A year at 5 % divides by 1.05 to 50 digits."""
    calendar = make.make_calendar(2, period_hours=8_760)
    problem = make.make_problem(calendar=calendar, market=make.make_market(discount_rate="0.05"))
    bill = bill_of(problem, offer_uses=(OfferUse("offer", (0.0, 21.0)),))
    amount = bill.lines[BillComponent.ON_DEMAND, "offer", 2028, "JPY"]
    assert abs(Fraction(amount) - 10_000) < Fraction(1, 10**50)
    assert FiscalYearAmount(2028, 10_500) == FiscalYearAmount(2028, int(bill.cash[2028]))
