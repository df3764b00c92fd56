"""From arrays to a plan, in numbers worked out by hand; the second opinion reads every plan as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Offer
from tehai.domain.plan import BillComponent, Claim, Plan, Segment
from tehai.domain.problem import Problem
from tehai.domain.workload import SizeClass, Workload
from tehai.engine.instance import build_instance
from tests import builders as make
from tests.solve.plans import built, empty_plan, order, pause_code, place

# Four weeks of which the last two begin in fiscal year 2028; 10 % a year.
TURN = date(2028, 3, 20)
CALENDAR = make.make_calendar(first_date=TURN)
MARKET = make.make_market("100", TURN, discount_rate="0.1", spread="2")
WEEK = 1.1 ** (-7 / 365)
JOB_HOURS = 1344.0


def _problem(workloads: Sequence[Workload] = (), offers: Sequence[Offer] | None = None, **parts: Any) -> Problem:  # noqa: ANN401
    """Return a problem at the turn of the fiscal year."""
    jobs = workloads or [_job()]
    return make.make_problem(jobs, offers, calendar=CALENDAR, market=MARKET, **parts)


def _lines(plan: Plan) -> dict[tuple[BillComponent, str, int], int]:
    return {(line.component, line.subject_id, line.fiscal_year): line.amount_yen for line in plan.bill_lines}


def _cash(plan: Plan) -> list[int]:
    return [row.amount_yen for row in plan.cash]


def _job(**parts: Any) -> Workload:  # noqa: ANN401
    return make.make_workload(release=TURN, deadline=make.day(4, TURN), **parts)


def test_use_is_discounted_and_paid_in_its_year() -> None:
    """Dollars at the rate with its spread: the line is a present value, cash is nominal, the curve has no spread."""
    instance = build_instance(_problem([_job()], [make.make_offer(make.on_demand(make.dollars(5)))]))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=2)
    answer = built(instance, plan)
    paid = JOB_HOURS * 5 * 102
    assert _lines(answer) == {(BillComponent.ON_DEMAND, "offer", 2028): round(paid * WEEK**2)}
    assert _cash(answer) == [0, round(paid)]
    assert answer.forward_usd_jpy == pytest.approx((100.0,) * 4)


def test_a_reservation_paid_in_part() -> None:
    """A quarter when booked, in that year; the rest in the years of use, and after the horizon an obligation."""
    offer = make.make_offer(make.reservation([make.term(4, upfront=0.25)], lead=1))
    instance = build_instance(_problem([_job()], [offer]))
    plan = empty_plan(instance)
    order(instance, plan, term_index=0, period=2)
    place(instance, plan, 0, start=2)
    answer = built(instance, plan)
    week = JOB_HOURS * 300
    assert _lines(answer) == {
        (BillComponent.RESERVATION, "offer", 2027): round(WEEK * week * 2 / 4),
        (BillComponent.RESERVATION, "offer", 2028): round(0.75 * week * (WEEK**2 + WEEK**3)),
    }
    assert _cash(answer) == [round(week), round(1.5 * week)]
    assert answer.obligation_after_horizon_yen == round(1.5 * week)


def test_a_capacity_block_booked_ahead() -> None:
    """Ten days of which seven lie in the horizon: all is paid when booked, seven tenths count."""
    offer = make.make_offer(make.capacity_block([make.block_term(10, make.dollars(4))], booking_min=2, booking_max=3))
    rules = make.make_rules(budgets={2027: 10**9, 2028: 10**9})
    instance = build_instance(_problem([_job()], [offer], rules=rules))
    plan = empty_plan(instance)
    order(instance, plan, term_index=0, period=3, booking=1)
    place(instance, plan, 0, start=3)
    answer = built(instance, plan)
    fee = 8 * 240 * 4 * 102
    assert _lines(answer) == {(BillComponent.CAPACITY_BLOCK, "offer", 2027): round(WEEK * fee * 0.7)}
    assert _cash(answer) == [fee, 0]
    (booked,) = answer.capacity_block_orders
    assert (booked.start_period, booked.booking_period, booked.blocks) == (3, 1, 1)
    assert (booked.start_date, booked.booking_date) == (make.day(3, TURN), make.day(1, TURN))


def test_a_purchase_with_instalments_and_a_claim() -> None:
    """Present value less book value; instalments after the horizon are an obligation, the grant a receivable.

    Two units: one asks for 30,000 yen and claims 3,000, for a tenth of its life is within the horizon; it is for
    fiscal year 2028 and paid on 31 March 2029: after the horizon's last day, but in its last fiscal year.
    """
    kind = make.purchase(make.yen(100_000), life=20, payments=((0, 0.5), (9, 0.5)), owner="member")
    grant = make.make_capital_programme(rates={SizeClass.LARGE: 0.3})
    instance = build_instance(_problem([_job()], [make.make_offer(kind)], programmes=[grant]))
    plan = empty_plan(instance)
    order(instance, plan, period=2, programme=0, claim_yen=30_000.0)
    order(instance, plan, period=2)
    place(instance, plan, 0, start=2)
    answer = built(instance, plan)
    value = 50_000 * (WEEK**2 + WEEK**11) - WEEK**4 * 100_000 * (1 - 2 / 20)
    assert _lines(answer) == {
        (BillComponent.PURCHASE, "offer", 2028): round(2 * value),
        (BillComponent.GRANT, "capital-grant", 2028): -round(3_000 * 1.1 ** (-376 / 365)),
    }
    assert _cash(answer) == [0, 100_000 - 3_000]
    assert answer.obligation_after_horizon_yen == 100_000
    orders = [(item.units, item.claims) for item in answer.purchase_orders]
    assert orders == [(1, ()), (1, (Claim("capital-grant", 2028, 3_000),))]


def test_units_whose_claim_came_to_nothing_join_the_others() -> None:
    """One order without a claim, not two."""
    kind = make.purchase(make.yen(100_000), owner="member")
    grant = make.make_capital_programme(rates={SizeClass.LARGE: 0.3})
    instance = build_instance(make.make_problem(offers=[make.make_offer(kind)], programmes=[grant]))
    plan = empty_plan(instance)
    order(instance, plan, programme=0, claim_yen=0.4)
    order(instance, plan, units=2)
    place(instance, plan, 0, start=0)
    assert [(item.units, item.claims) for item in built(instance, plan).purchase_orders] == [(3, ())]


def test_claims_paid_after_the_horizon_are_receivable() -> None:
    """They count discounted to their payment, and are cash of no year."""
    grant = make.make_programme(lag_days=30)
    instance = build_instance(_problem([_job()], programmes=[grant]))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=3, claim_set=0)
    plan.claims[0, 0, 1] = 336_000.0
    answer = built(instance, plan)
    assert answer.placements[0].claims == (Claim("grant", 2028, 336_000),)
    assert answer.claims_receivable_after_horizon_yen == 336_000
    assert _lines(answer)[BillComponent.GRANT, "grant", 2028] == -round(336_000 * 1.1 ** (-406 / 365))
    assert _cash(answer) == [0, 672_000]


def test_pauses_make_segments() -> None:
    """Two weeks with a pause of one, and twelve hours of resuming in the last, partly used period."""
    workload = make.make_workload(hours=2688.0, pausing=make.pausing(1, 12.0))
    instance = build_instance(make.make_problem([workload]))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=0, pauses=pause_code((1, 1)))
    (placement,) = built(instance, plan).placements
    first, second = placement.segments
    assert first == Segment("pool", 8, 0, make.day(0), 168.0)
    assert (second.start_period, second.start_date) == (2, make.day(2))
    assert second.run_hours == pytest.approx(180.0)


def test_a_segment_names_the_accelerators_that_work() -> None:
    """Six work, whole nodes of eight are used and paid."""
    workload = make.make_workload(gangs={6: 1.0}, hours=6 * 168.0)
    instance = build_instance(make.make_problem([workload], pools=[make.make_pool(node=8)]))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=1)
    answer = built(instance, plan)
    assert answer.placements[0].segments[0].accelerators == 6
    assert answer.objective_yen == 8 * 168 * 500


def test_charges_of_a_placement() -> None:
    """Lateness, change, transfer in dollars, porting and carbon, each on its line; payments are discounted."""
    sites = [make.make_site("a", carbon_kg_per_kwh=0.5), make.make_site("b")]
    workload = _job(late_yen=70, data_site_id="b", data_terabytes=2.0, porting={"chip": 900})
    plan_now = make.make_current_plan([make.current_placement(start=make.day(1, TURN))], change_yen=11)
    problem = _problem(
        [workload],
        pools=[make.make_pool(site_id="a")],
        sites=sites,
        routes=[make.route("b", "a", make.dollars(50))],
        rules=make.make_rules(carbon_price=3),
        current_plan=plan_now,
    )
    instance = build_instance(problem)
    plan = empty_plan(instance)
    place(instance, plan, 0, start=2)
    answer = built(instance, plan)
    hours, counted = JOB_HOURS, WEEK**2
    assert _lines(answer) == {
        (BillComponent.ON_DEMAND, "offer", 2028): round(hours * 500 * counted),
        (BillComponent.LATENESS, "job", 2028): 140,
        (BillComponent.CHANGE, "job", 2028): 11,
        (BillComponent.TRANSFER, "job", 2028): round(2 * 50 * 102 * counted),
        (BillComponent.PORTING, "job", 2028): round(900 * counted),
        (BillComponent.CARBON, "a", 2028): round(hours * 0.5 * 3),
    }
    assert _cash(answer) == [0, round(hours * 500) + 10_200 + 900]


def test_what_is_not_run_is_charged_with_its_change() -> None:
    """In the fiscal year of its release; one that has to run and can run nowhere is charged nothing."""
    workloads = [_job(name="left", not_run_yen=50), _job(name="hopeless", not_run_yen=60, memory_gb=1e6)]
    placements = [make.current_placement("left"), make.current_placement("hopeless", locked=True)]
    plan_now = make.make_current_plan(placements, change_yen=11)
    instance = build_instance(_problem(workloads, current_plan=plan_now))
    answer = built(instance, empty_plan(instance))
    assert _lines(answer) == {(BillComponent.NOT_RUN, "left", 2027): 50, (BillComponent.CHANGE, "left", 2027): 11}
    assert answer.not_run_workload_ids == ("left", "hopeless")


def test_payments_for_existing_capacity_are_cash_alone() -> None:
    """They are in the cash of their year and in no line."""
    offer = make.make_offer(make.existing(payments={2027: 5, 2028: 7}))
    instance = build_instance(_problem([_job()], [offer]))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=0)
    answer = built(instance, plan)
    assert answer.bill_lines == ()
    assert answer.cash == (FiscalYearAmount(2027, 5), FiscalYearAmount(2028, 7))


def test_an_allocation_has_a_line_of_its_own() -> None:
    """Its use is charged under ALLOCATION."""
    offer = make.make_offer(make.allocation())
    instance = build_instance(make.make_problem(offers=[offer]))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=0)
    assert _lines(built(instance, plan)) == {(BillComponent.ALLOCATION, "offer", 2027): 134_400}
