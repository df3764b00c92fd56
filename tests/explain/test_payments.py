"""Payments period by period are the cash that the second opinion finds, which is written independently of them."""

from __future__ import annotations

from collections import Counter

import pytest

from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.explain.claims import claims_of_plan, payment_year
from tehai.explain.payments import payments
from tehai.explain.reading import Reading
from tests.builders import (
    dollars,
    existing,
    make_calendar,
    make_market,
    make_offer,
    make_pool,
    make_problem,
    make_site,
    make_workload,
    on_demand,
    purchase,
    reservation,
    route,
    term,
)
from tests.explain.hand_made import bought, hand_plan, placement, reserved
from tests.rolling import rolling_plan, rolling_problem


def in_dollars() -> tuple[Problem, Plan]:
    """Return a plan in which everything is priced in dollars that get dearer, with steps, transfer and porting."""
    offers = (
        make_offer(reservation([term(3, dollars(2, {1: 3}), upfront=0.5)], lead=1), "reserved"),
        make_offer(
            purchase(dollars(9_000, {2: 8_000}), payments=((0, 0.5), (2, 0.3), (90, 0.2)), metered=True), "bought"
        ),
        make_offer(existing(8, metered=True, payments={2027: 777}), "own"),
        make_offer(on_demand(dollars(4)), "demand", "far"),
    )
    problem = make_problem(
        [
            make_workload("a", hours=8 * 400.0, deadline=10, data_site_id="abroad", data_terabytes=3.0),
            make_workload("b", deadline=10, porting={"chip": 12_345}),
        ],
        offers,
        [make_pool(), make_pool("far", "abroad")],
        [make_site(electricity_yen_per_kwh="20", electricity_steps={3: 25}), make_site("abroad", "US", "US")],
        calendar=make_calendar(10),
        market=make_market(yen_rate="0.05", spread="1.5"),
        routes=[route("abroad", price=dollars(100, {4: 90}))],
    )
    placements = [placement(problem, "a", {4: 400.0}), placement(problem, "b", {1: 168.0}, pool_id="far")]
    return problem, hand_plan(problem, placements, [reserved(problem, 8)], purchases=[bought(problem, 3)])


@pytest.mark.parametrize("case", ["all kinds", "dollars"])
def test_payments_are_the_cash(case: str) -> None:
    """By fiscal year, payments and sunk payments less claims paid are the cash; later ones are the obligation."""
    problem = rolling_problem()
    plan = rolling_plan(problem)
    if case == "dollars":
        problem, plan = in_dollars()
    reading, calendar = Reading(problem, plan), problem.calendar
    cash: Counter[int] = Counter()
    later = 0.0
    for item in payments(reading):
        if item.period < calendar.period_count:
            cash[calendar.fiscal_year(item.period)] += item.amount_yen  # type: ignore[assignment]
        else:
            later += item.amount_yen
    for claim in claims_of_plan(reading):
        cash[payment_year(reading.programmes[claim.programme_id], claim.fiscal_year)] -= claim.amount_yen
    for offer in problem.offers:
        for sunk in getattr(offer.kind, "payments", ()):
            cash[sunk.fiscal_year] += sunk.amount_yen
    for amount in plan.cash:
        assert cash[amount.fiscal_year] == pytest.approx(amount.amount_yen, abs=1)
    assert later == pytest.approx(plan.obligation_after_horizon_yen, abs=1)
    assert any(amount.amount_yen for amount in plan.cash)
