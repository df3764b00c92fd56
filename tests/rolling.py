"""A small problem with every kind of order and workload state on the day of a roll, and its plan carried over."""

from __future__ import annotations

from dataclasses import replace

from tehai.domain.plan import Claim, Placement, Plan, Segment
from tehai.domain.problem import Problem
from tehai.domain.workload import Workload
from tehai.explain.reading import Reading
from tehai.roll.claims import claims_left
from tehai.roll.moment import Moment, Stage
from tehai.roll.workloads import remaining_segments
from tests.builders import (
    allocation,
    block_term,
    capacity_block,
    claim_made,
    make_calendar,
    make_capital_programme,
    make_current_plan,
    make_member,
    make_offer,
    make_pool,
    make_problem,
    make_programme,
    make_rules,
    make_site,
    make_workload,
    on_demand,
    pausing,
    purchase,
    reservation,
    route,
    term,
    yen,
)
from tests.explain.hand_made import block, bought, hand_plan, placement, reserved

PERIOD_COUNT = 60
# The roll: period 4, 2027-05-03.
ROLL_PERIOD = 4


def rolling_problem() -> Problem:
    """Return 60 weeks: pool "pool" with all that is committed to, pool "cloud" that grants are paid for."""
    offers = (
        make_offer(reservation([term(10, upfront=0.4)], blocks_max=2, lead=1), "reserved"),
        make_offer(capacity_block([block_term(14)], blocks_max=2, booking_min=1, booking_max=6), "block"),
        make_offer(
            purchase(
                yen(8_000_000),
                units_max=3,
                steps=((2, 0.3), (6, 1.0)),
                life=40,
                payments=((0, 0.25), (4, 0.25), (20, 0.5)),
                metered=True,
                owner="one",
            ),
            "bought",
        ),
        make_offer(allocation({2027: 20_000.0, 2028: 5_000.0}), "shared", "cloud"),
        make_offer(on_demand(), "demand", "cloud"),
        make_offer(on_demand(yen(700)), "dear"),
    )
    return make_problem(
        _workloads(),
        offers,
        [make_pool(), make_pool("cloud", "region")],
        [make_site(electricity_yen_per_kwh="20", carbon_kg_per_kwh=0.5), make_site("region", carbon_kg_per_kwh=0.25)],
        members=[make_member("one", budgets={2027: 90_000_000, 2028: 50_000_000}), make_member("two")],
        programmes=[
            make_programme(
                "use",
                pool_ids=["cloud"],
                project_cap_yen=2_000_000,
                budgets={2027: 3_000_000},
                lag_days=30,
                claims_made=[claim_made(7, 2026, "one", "p"), claim_made(9, 2026, "one")],
            ),
            make_capital_programme("buy", budgets={2027: 5_000_000}),
        ],
        rules=make_rules(
            budgets={2027: 60_000_000, 2028: 60_000_000},
            capital_ceilings={2027: 30_000_000, 2028: 9_000_000},
            carbon_price=10,
            carbon_limits={2027: 90_000.0},
            waiting_max=20,
        ),
        calendar=make_calendar(PERIOD_COUNT),
        routes=[route("region"), route("site", "region")],
        current_plan=make_current_plan(),
    )


def _workloads() -> list[Workload]:
    """Return one workload for each state."""
    end = PERIOD_COUNT
    return [
        make_workload("done", member_id="one", project_id="p", deadline=end),
        make_workload("runs", hours=8 * 168.0 * 6, member_id="one", project_id="p", deadline=end, late_yen=1_000),
        make_workload("pauses", hours=8 * 504.0, member_id="two", deadline=end, pausing=pausing(2, 12.0)),
        make_workload("next", member_id="two", deadline=end, after=["done"], late_yen=500),
        make_workload(
            "later", hours=16 * 336.0, gangs={16: 1.0}, deadline=end, member_id="one", after=["runs", "next"]
        ),
        make_workload("missed", deadline=3, member_id="one", not_run_yen=5_000),
        make_workload("dream", deadline=end, member_id="two", not_run_yen=100, after=["missed"]),
        make_workload("wish", deadline=end, member_id="two", not_run_yen=100),
    ]


def rolling_plan(problem: Problem) -> Plan:
    """Return a plan that has, on the day of the roll, something of every state."""
    placements = (
        placement(problem, "done", {0: 168.0}, {("use", 2027): 60_000}, "cloud"),
        placement(problem, "runs", {1: 1008.0}, {("use", 2027): 400_001}, "cloud"),
        placement(problem, "pauses", {1: 336.0, 6: 180.0}),
        placement(problem, "next", {6: 168.0}, {("use", 2027): 50_000}, "cloud"),
        placement(problem, "later", {10: 336.0}, accelerators=16),
    )
    return hand_plan(
        problem,
        placements,
        reservations=[reserved(problem, 1), reserved(problem, 4), reserved(problem, 11)],
        blocks=[block(problem, 5, 2), block(problem, 8, 6)],
        purchases=[bought(problem, 3, 1, (Claim("buy", 2027, 1_000_000),)), bought(problem, 5, 1)],
    )


def carried_over(problem: Problem, plan: Plan, rolled: Problem, period: int) -> Plan:
    """Return what is left of a plan as a plan of the rolled problem: placements and orders not yet booked."""
    moment = Moment(Reading(problem, plan), period)
    placements = tuple(
        _shifted(placed.placement, remaining_segments(moment, placed), claims_left(moment, placed), period)
        for placed in moment.reading.placed
        if moment.stage(placed) is not Stage.FINISHED
    )
    leads = {offer.id: getattr(offer.kind, "lead_time_periods", 0) for offer in problem.offers}
    terms = [order for order in plan.reservation_orders if order.start_period - leads[order.offer_id] >= period]
    blocks = [order for order in plan.capacity_block_orders if order.booking_period >= period]
    units = [order for order in plan.purchase_orders if order.order_period >= period]
    return hand_plan(
        rolled,
        placements,
        [replace(order, start_period=order.start_period - period) for order in terms],
        [
            replace(order, start_period=order.start_period - period, booking_period=order.booking_period - period)
            for order in blocks
        ],
        [replace(order, order_period=order.order_period - period) for order in units],
    )


def _shifted(found: Placement, left: tuple[Segment, ...], claims: tuple[Claim, ...], period: int) -> Placement:
    segments = tuple(replace(segment, start_period=segment.start_period - period) for segment in left)
    return replace(found, segments=segments, claims=claims)
