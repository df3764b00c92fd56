"""Hours of segments and accelerators of orders, period by period, as one counts them by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tehai.domain.offer import OfferKind
from tehai.domain.plan import Segment
from tehai.explain.claims import payment_year
from tehai.explain.live import block_hours, hours_offered, live_accelerators
from tehai.explain.reading import occupied_accelerators, segment_end, segment_hours, work_of
from tests.builders import (
    allocation,
    block_term,
    capacity_block,
    day,
    existing,
    make_offer,
    make_problem,
    make_programme,
    make_workload,
    on_demand,
    purchase,
    reservation,
    term,
)
from tests.explain.hand_made import block, bought, hand_plan, reserved


def test_hours_of_a_segment_are_full_periods_and_a_rest() -> None:
    """A run of two and a half periods from period 1 on has full hours twice and half of them in the third."""
    segment = Segment("p", 8, 1, date(2027, 4, 12), 420.0)
    assert segment_hours(segment, 1, 168, 5).tolist() == [0, 8 * 168, 8 * 168, 8 * 84, 0]
    assert segment_end(segment, 168) == 4
    whole = replace(segment, run_hours=336.0)
    assert segment_hours(whole, 1, 168, 5).tolist() == [0, 8 * 168, 8 * 168, 0, 0]
    assert segment_end(whole, 168) == 3
    short = replace(segment, run_hours=1e-8)
    assert segment_end(short, 168) == 2


def test_gangs_occupy_whole_nodes() -> None:
    """Nine accelerators in nodes of eight are sixteen."""
    assert [occupied_accelerators(n, 8) for n in (1, 8, 9)] == [8, 8, 16]
    assert segment_hours(Segment("p", 9, 0, day(0), 10.0), 8, 168, 2).tolist() == [160, 0]


def test_work_in_operations_is_by_the_reference() -> None:
    """7,200 operations at one a second are two hours."""
    problem = make_problem(reference_sustained_flops=1.0)
    assert work_of(problem, make_workload(hours=None, flops=7_200.0)) == 2.0


@pytest.mark.parametrize(
    ("kind", "live"),
    [
        (on_demand(quota=10, from_date=day(1), steps={2: 20}), [0, 10, 20, 20]),
        (existing(4, until_date=day(3), steps={1: 6}), [4, 6, 6, 0]),
        (allocation(accelerators=3, steps={3: 5}), [3, 3, 3, 5]),
        (reservation([term(2)]), [0, 16, 16, 0]),
        (purchase(steps=((1, 0.25), (2, 1.0)), life=2), [0, 0, 4, 16]),
        (capacity_block([block_term(10)], booking_max=1), [0, 16, 16, 0]),
    ],
)
def test_what_is_live_follows_orders_and_steps(kind: OfferKind, live: list[float]) -> None:
    """Two blocks or units ordered for, or in, period 1: K of every kind of offer."""
    problem = make_problem(offers=[make_offer(kind, "x")])
    orders = {
        "reservations": [reserved(problem, 1, 2, offer_id="x")] if type(kind).__name__ == "Reservation" else [],
        "blocks": [block(problem, 1, 0, 2, offer_id="x")] if type(kind).__name__ == "CapacityBlock" else [],
        "purchases": [bought(problem, 1, 2, offer_id="x")] if type(kind).__name__ == "Purchase" else [],
    }
    plan = hand_plan(problem, [], **orders)  # type: ignore[arg-type]
    assert live_accelerators(problem.offers[0], problem, plan).tolist() == live


def test_a_block_offers_less_in_its_last_period() -> None:
    """Ten days are a week and three days."""
    assert block_hours(10, 168).tolist() == [168, 72]
    assert block_hours(7, 168).tolist() == [168]
    assert block_hours(1, 168).tolist() == [24]
    problem = make_problem(offers=[make_offer(capacity_block([block_term(10)], booking_max=1), "block")])
    plan = hand_plan(problem, [], blocks=[block(problem, 1, 0)])
    assert hours_offered(problem.offers[0], problem, plan).tolist() == [0, 8 * 168, 8 * 72, 0]


@pytest.mark.parametrize(("lag", "year"), [(0, 2027), (1, 2028), (365, 2028), (366, 2029)])
def test_claims_are_paid_after_their_lag(lag: int, year: int) -> None:
    """Without a lag a claim of fiscal year 2027 is paid on 31 March 2028, within it; 365 days later ends the next."""
    assert payment_year(make_programme(lag_days=lag), 2027) == year
