"""The oracle's figures for prices over time, orders, references and claims against figures computed by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tehai.domain.offer import Offer
from tehai.domain.problem import Problem
from tehai.domain.programme import SizeClassRate
from tehai.domain.workload import SizeClass
from tests import builders as make
from tests.oracle_columns import hours_in_periods, touched_periods
from tests.oracle_numbers import Numbers
from tests.oracle_offers import Supply

BLOCK_WEEK_HOURS = 8 * 168
LATE_MARCH = date(2028, 3, 20)


def _numbers(**parts: Any) -> Numbers:  # noqa: ANN401
    return Numbers(make.make_problem(**parts))


def _supply(offer: Offer, problem: Problem | None = None) -> Supply:
    return Numbers(problem or make.make_problem(offers=[offer])).supplies[0]


def test_prices_with_steps_and_spread() -> None:
    """The last step on or before the day counts, paid at the rate of another period; the spread is on every dollar."""
    market = make.make_market("150", dollar_rate="0.05", spread="0.5")
    numbers = _numbers(market=market)
    price = make.dollars(2, {1: 3, 3: 4})
    assert numbers.yen(price, 0) == pytest.approx(2 * 150.5)
    assert numbers.yen(price, 2) == pytest.approx(3 * (150 / (1 + 0.05 * 14 / 365) + 0.5))
    assert numbers.yen(price, 3, make.day(1)) == pytest.approx(3 * (150 / (1 + 0.05 * 21 / 365) + 0.5))
    assert numbers.yen(make.yen(7, {date(2027, 4, 13): 9}), 1) == 7  # the step is a day after the period begins


def test_discount_factors() -> None:
    """Compounded from the first day on, at another rate where one is given, and above 1 before it."""
    numbers = _numbers(market=make.make_market(discount_rate="0.1"))
    assert numbers.discount(date(2028, 4, 4)) == pytest.approx(1 / 1.1)
    assert numbers.discount(date(2026, 4, 5)) == pytest.approx(1.1)
    assert numbers.discount_in(2) == pytest.approx(1.1 ** (-14 / 365))


def test_capacity_block_orders() -> None:
    """Ten days are a full week and three days; at the end of the horizon three sevenths are lost."""
    market = make.make_market(discount_rate="0.1")
    kind = make.capacity_block([make.block_term(10, make.yen(400, {1: 300}))], booking_min=1, booking_max=2)
    offer = make.make_offer(kind)
    supply = _supply(offer, make.make_problem(offers=[offer], market=market))
    assert [(o.period, o.booked) for o in supply.orders] == [(1, 0), (2, 0), (2, 1), (3, 1), (3, 2)]
    first, last = supply.orders[0], supply.orders[-1]
    assert first.hours == pytest.approx((0, BLOCK_WEEK_HOURS, BLOCK_WEEK_HOURS * 3 / 7, 0))
    assert first.capacity == (0.0, 8.0, 8.0, 0.0)
    assert first.cash_by_year == pytest.approx({2027: 8 * 240 * 400})
    assert first.cost_yen == pytest.approx(8 * 240 * 400)
    assert last.cost_yen == pytest.approx(8 * 168 * 300 * 1.1 ** (-14 / 365))
    assert last.cash_by_year == pytest.approx({2027: 8 * 240 * 300})
    assert supply.reference_yen[1:] == (400, 300, 300)
    assert supply.largest_capacity == (0.0, 64.0, 64.0, 64.0)


def test_partial_term() -> None:
    """A quarter at the rate of the booking, the rest at the rate of each period, both at the price of the booking."""
    market = make.make_market(dollar_rate="0.05", spot_date=LATE_MARCH)
    calendar = make.make_calendar(3, LATE_MARCH)
    offer = make.make_offer(make.reservation([make.term(4, make.dollars(2, {LATE_MARCH: 3}), upfront=0.25)], lead=1))
    supply = _supply(offer, make.make_problem(offers=[offer], market=market, calendar=calendar))
    rates = [150 / (1 + 0.05 * 7 * t / 365) for t in range(3)]
    hour = BLOCK_WEEK_HOURS * 3
    order = supply.orders[0]
    assert (order.period, order.booked) == (1, 0)
    assert order.cash_by_year == pytest.approx(
        {2027: hour * (rates[0] + 0.75 * rates[1]), 2028: hour * 0.75 * rates[2]}
    )
    assert order.cost_yen == pytest.approx(hour * (rates[0] * 2 / 4 + 0.75 * (rates[1] + rates[2])))
    assert supply.reference_yen[1] == pytest.approx(3 * (0.25 * rates[0] + 0.75 * rates[1]))


def test_instalments_of_a_purchase() -> None:
    """At the price of the order and the rate of the payment; those after the horizon are cost and no cash."""
    market = make.make_market(dollar_rate="0.05", spot_date=LATE_MARCH, discount_rate="0.1")
    calendar = make.make_calendar(3, LATE_MARCH)
    kind = make.purchase(
        make.dollars(1000, {date(2028, 3, 27): 1}), life=6, residual=0.5, payments=[(0, 0.2), (2, 0.3), (9, 0.5)]
    )
    offer = make.make_offer(kind)
    order = _supply(offer, make.make_problem(offers=[offer], market=market, calendar=calendar)).orders[0]

    def rate(weeks: int) -> float:
        return 150 / (1 + 0.05 * 7 * weeks / 365)

    def worth(weeks: int) -> float:
        return float(1.1 ** (-7 * weeks / 365))

    assert order.cash_by_year == pytest.approx({2027: 200 * rate(0), 2028: 300 * rate(2)})
    assert order.capital_by_year == order.cash_by_year
    paid = 200 * rate(0) + 300 * rate(2) * worth(2) + 500 * rate(9) * worth(9)
    assert order.cost_yen == pytest.approx(paid - worth(3) * 1000 * rate(0) * (1 - 0.5 * 3 / 6))


def test_existing_capacity_and_its_reference() -> None:
    """Steps change the accelerators; the reference price counts for grants and bills, not in the cost of use."""
    site = make.make_site(electricity_yen_per_kwh="20", electricity_steps={2: 30})
    kind = make.existing(8, metered=True, steps={1: 0, 3: 16}, payments={2027: 5, 2040: 7}, reference=make.yen(100))
    numbers = _numbers(offers=[make.make_offer(kind)], sites=[site])
    supply = numbers.supplies[0]
    assert supply.fixed_capacity == (8, 0, 0, 16)
    assert supply.use_yen == (20.0, 20.0, 30.0, 30.0)
    assert supply.payments == ((2027, 5),)
    assert numbers.grant_reference_yen["pool"] == (120.0, 0.0, 0.0, 130.0)
    assert numbers.charge_reference_yen["pool"] == (120.0, 0.0, 0.0, 130.0)


def test_charge_reference() -> None:
    """The lowest on-demand price where one is live, else the dearest offer that can serve, else nothing."""
    offers = [
        make.make_offer(make.on_demand(make.yen(500), until_date=make.day(2)), "dear"),
        make.make_offer(make.on_demand(make.yen(450), until_date=make.day(1)), "cheap"),
        make.make_offer(make.allocation(price=make.yen(90), until_date=make.day(3)), "granted"),
        make.make_offer(make.existing(8, until_date=make.day(3)), "owned"),
    ]
    numbers = _numbers(offers=offers)
    assert numbers.charge_reference_yen["pool"] == (450.0, 500.0, 90.0, 0.0)
    assert numbers.grant_reference_yen["pool"] == (0.0, 0.0, 0.0, 0.0)
    pools = [make.make_pool(charge_reference=make.dollars(1), grant_reference=make.yen(70))]
    numbers = _numbers(offers=offers[:3], pools=pools)
    assert numbers.charge_reference_yen["pool"] == (150.0, 150.0, 150.0, 150.0)
    assert numbers.grant_reference_yen["pool"] == (70.0, 70.0, 70.0, 0.0)


def test_touched_periods() -> None:
    """Every choice of three periods out of five in one, two and three runs with a gap between two runs."""
    assert list(touched_periods(0, 5, 3, 0)) == [(0, 1, 2), (1, 2, 3), (2, 3, 4)]
    two = {(0, 2, 3), (0, 3, 4), (1, 3, 4), (0, 1, 3), (0, 1, 4), (1, 2, 4)}
    assert set(touched_periods(0, 5, 3, 1)) == two
    assert list(touched_periods(0, 5, 3, 2)) == [(0, 2, 4)]
    assert list(touched_periods(0, 5, 1, 1)) == []
    assert sum(1 for _ in touched_periods(0, 5, 3, 1)) == len(two)


def test_hours_of_whole_nodes() -> None:
    """Idle accelerators of a node are occupied in the last period too."""
    assert hours_in_periods(252.0, 12, 168) == (12 * 168, 12 * 84)


def test_columns_of_a_paused_run_keep_what_they_owe() -> None:
    """The list bill has the hours of each year and, in the year of the start, transfer and porting."""
    job = make.make_workload(
        hours=1.5 * BLOCK_WEEK_HOURS,
        release=LATE_MARCH,
        deadline=date(2028, 4, 10),
        data_site_id="abroad",
        data_terabytes=10.0,
        porting={"chip": 7},
        pausing=make.pausing(1, 42.0),
    )
    sites = [make.make_site(carbon_kg_per_kwh=0.5), make.make_site("abroad", "US", "US")]
    calendar = make.make_calendar(3, LATE_MARCH)
    numbers = _numbers(workloads=[job], sites=sites, calendar=calendar, routes=[make.route("abroad")])
    paused = next(c for c in numbers.columns if c.touched == (0, 2))
    assert paused.hours == pytest.approx((BLOCK_WEEK_HOURS, BLOCK_WEEK_HOURS * 0.75))
    assert paused.moving_yen == 10_007
    assert paused.list_bill_by_year == pytest.approx(
        {2027: BLOCK_WEEK_HOURS * 500 + 10_007, 2028: BLOCK_WEEK_HOURS * 0.75 * 500}
    )
    assert paused.work_by_year == pytest.approx(
        {2027: 1.5 * BLOCK_WEEK_HOURS / 1.75, 2028: 1.5 * BLOCK_WEEK_HOURS * 0.75 / 1.75}
    )
    assert paused.carbon_kg_by_year == pytest.approx({2027: BLOCK_WEEK_HOURS / 2, 2028: BLOCK_WEEK_HOURS * 0.375})


def test_data_without_terabytes_needs_no_route() -> None:
    """Nothing to move is moved for nothing."""
    job = make.make_workload(data_site_id="abroad", data_terabytes=0.0)
    sites = [make.make_site(), make.make_site("abroad", "US", "US")]
    assert {c.moving_yen for c in _numbers(workloads=[job], sites=sites).columns} == {0.0}


def test_claim_sets() -> None:
    """None, each alone, and those of which each two name the other."""
    names = {"a": ("b", "c"), "b": ("a", "c"), "c": ("a",)}
    grants = _numbers(programmes=[make.make_programme(name, stackable=others) for name, others in names.items()]).grants
    assert grants.claim_sets(["a", "b", "c"]) == [(), ("a",), ("b",), ("c",), ("a", "b"), ("a", "c")]


def test_rates_and_what_is_left() -> None:
    """The largest rate that holds; claims made are taken off each limit they belong to, down to nothing."""
    rates = [SizeClassRate(SizeClass.LARGE, 0.2), SizeClassRate(SizeClass.LARGE, 0.4, "venture")]
    grant = make.make_programme(
        rates=rates,
        project_cap_yen=100,
        member_cap_yen=90,
        budgets={2027: 80},
        lag_days=1,
        claims_made=[
            make.claim_made(30, 2027, project_id="alpha"),
            make.claim_made(60, 2026, project_id="alpha"),
            make.claim_made(70, 2027, member_id="other"),
        ],
    )
    members = [make.make_member(), make.make_member("other", flags=("venture",))]
    grants = _numbers(programmes=[grant], members=members).grants
    assert [grants.rate(grant, member) for member in members] == [0.2, 0.4]
    assert grants.rate(grant, make.make_member("small", SizeClass.SME)) == 0.0
    assert grants.project_cap_left(grant, "alpha") == 10
    assert grants.project_cap_left(grant, "beta") == 100
    assert [grants.member_cap_left(grant, m, 2027) for m in ("member", "other")] == [60, 20]
    assert (grants.budget_left(grant, 2027), grants.budget_left(grant, 2028)) == (0, None)
    assert grants.payment_day(grant, 2027) == date(2028, 4, 1)
    assert grants.payment_year(grant, 2027) is None
