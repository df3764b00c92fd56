"""The oracle's numbers against figures computed by hand from docs/rules.md."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tehai.domain.offer import Offer
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.workload import CountryRule, SizeClass, Workload
from tests import builders as make
from tests.oracle_columns import Column
from tests.oracle_numbers import Numbers
from tests.oracle_offers import Supply

BLOCK_WEEK_HOURS = 8 * 168


def _columns(workload: Workload, **parts: Any) -> tuple[Column, ...]:  # noqa: ANN401
    return Numbers(make.make_problem(workloads=[workload], **parts)).columns


def _starts(workload: Workload) -> list[int]:
    return [column.start for column in _columns(workload)]


def _supply(offer: Offer, problem: Problem | None = None) -> Supply:
    base = problem or make.make_problem(offers=[offer])
    return Numbers(base).supplies[0]


def test_dates_and_fiscal_years() -> None:
    """A period's first day is rounded down to a whole day; the fiscal year changes on 1 April."""
    calendar = make.make_calendar(4, date(2028, 3, 24), 84)
    numbers = Numbers(make.make_problem(calendar=calendar))
    assert [numbers.first_day(t) for t in range(4)] == [date(2028, 3, d) for d in (24, 27, 31)] + [date(2028, 4, 3)]
    assert [numbers.fiscal_year(t) for t in range(4)] == [2027, 2027, 2027, 2028]
    assert numbers.fiscal_years == (2027, 2028)


def test_window_holds_whole_periods_only() -> None:
    """A release on a Tuesday waits for the next week, a deadline on a Sunday gives the last week away."""
    tuesday, sunday = date(2027, 4, 6), date(2027, 5, 2)
    assert _starts(make.make_workload()) == [0, 1, 2, 3]
    assert _starts(make.make_workload(release=tuesday, deadline=sunday)) == [1, 2]
    assert _starts(make.make_workload(release=date(2026, 1, 1), deadline=date(2030, 1, 1))) == [0, 1, 2, 3]


def test_hours_of_a_column() -> None:
    """A run of a week and a half fills the first period and half of the second; a whole run leaves no rest."""
    half = _columns(make.make_workload(hours=1.5 * BLOCK_WEEK_HOURS))
    assert half[0].hours == pytest.approx((BLOCK_WEEK_HOURS, BLOCK_WEEK_HOURS / 2))
    assert [column.start for column in half] == [0, 1, 2]
    assert _columns(make.make_workload(hours=2 * BLOCK_WEEK_HOURS))[0].hours == (BLOCK_WEEK_HOURS, BLOCK_WEEK_HOURS)
    assert _columns(make.make_workload(hours=1e-9))[0].hours == pytest.approx((1e-9,))


def test_speed_scaling_and_flops() -> None:
    """Run time is work over gang, throughput and efficiency; flops are divided by 3600 seconds of the reference."""
    chip = make.make_accelerator(throughputs={"torch": 2.0})
    job = make.make_workload(hours=1000.0, gangs={8: 1.0, 16: 0.5})
    hours = {column.accelerators: column.hours for column in _columns(job, accelerators=[chip])}
    assert hours == {8: pytest.approx((8 * 62.5,)), 16: pytest.approx((16 * 62.5,))}
    job = make.make_workload(flops=3600 * 1e15 * 500)
    assert sum(_columns(job, reference_sustained_flops=1e15)[0].hours) == pytest.approx(500.0)


def test_work_is_split_over_fiscal_years_by_hours() -> None:
    """Two thirds of the hours before 1 April carry two thirds of the work, whatever the gang loses in scaling."""
    calendar = make.make_calendar(3, date(2028, 3, 20))
    job = make.make_workload(
        hours=1.5 * BLOCK_WEEK_HOURS * 0.5, gangs={8: 0.5}, release=date(2028, 3, 20), deadline=date(2028, 4, 10)
    )
    columns = _columns(job, calendar=calendar)
    assert columns[1].work_by_year == pytest.approx({2027: BLOCK_WEEK_HOURS / 2, 2028: BLOCK_WEEK_HOURS / 4})


@pytest.mark.parametrize(
    "workload",
    [
        make.make_workload(gangs={128: 1.0}),
        make.make_workload(memory_gb=8 * 80.0 + 1),
        make.make_workload(family="jax"),
        make.make_workload(sovereignty=CountryRule(("US",), ())),
        make.make_workload(sovereignty=CountryRule((), ("US",))),
        make.make_workload(hours=5 * BLOCK_WEEK_HOURS),
    ],
    ids=["gang over capacity", "memory", "family", "site country", "operator country", "window"],
)
def test_illegal_columns(workload: Workload) -> None:
    """Each rule of legality on its own leaves no column."""
    assert not _columns(workload)


def test_gang_limit_of_a_pool() -> None:
    """A gang above the pool's largest is illegal although the capacity would do."""
    assert not _columns(make.make_workload(), pools=[make.make_pool(gang_accelerators_max=4)])


def test_largest_capacity_decides_by_period() -> None:
    """A column needs capacity in every period it touches; capacities of a pool's offers add up."""
    early = make.make_offer(make.on_demand(quota=4, until_date=make.day(2)), "early")
    always = make.make_offer(make.existing(4), "always")
    assert [c.start for c in _columns(make.make_workload(), offers=[early, always])] == [0, 1]


def test_forward_rate() -> None:
    """F = spot * (1 + 1 % * tau) / (1 + 4 % * tau), with tau from the spot date, also after the horizon."""
    market = make.make_market("150", date(2027, 3, 31), "0.01", "0.04")
    numbers = Numbers(make.make_problem(market=market))
    tau = (5 + 10 * 7) / 365
    assert numbers.exchange_rate(10) == pytest.approx(150 * (1 + 0.01 * tau) / (1 + 0.04 * tau), rel=1e-14)
    assert numbers.yen(make.dollars("2.5"), 10) == pytest.approx(2.5 * numbers.exchange_rate(10))
    assert numbers.yen(make.yen("2.5"), 10) == 2.5


def test_prepaid_reservation() -> None:
    """The fee of the whole term falls in the booking period; the objective counts the share before the horizon."""
    market = make.make_market(dollar_rate="0.05")
    terms = [make.term(3, make.dollars(2), prepaid=True)]
    offer = make.make_offer(make.reservation(terms, block=8, blocks_max=2, lead=1))
    supply = _supply(offer, make.make_problem(offers=[offer], market=market))
    assert [order.period for order in supply.orders] == [1, 2, 3]
    rate = 150 / (1 + 0.05 * 7 / 365)
    fee = 8 * 168 * 3 * 2 * rate
    second = supply.orders[1]
    assert second.cash_by_year == pytest.approx({2027: fee})
    assert second.cost_yen == pytest.approx(fee * 2 / 3)
    assert list(second.capacity) == [0, 0, 8, 8]
    assert list(supply.largest_capacity) == [0, 16, 16, 16]
    # period 3 can be bought at the booking rates of periods 0, 1 and 2; the last is the lowest
    assert supply.reference_yen[3] == pytest.approx(2 * 150 / (1 + 0.05 * 14 / 365))


def test_periodic_reservation() -> None:
    """Each period before the horizon is paid at its own rate, in its own fiscal year."""
    market = make.make_market(dollar_rate="0.05", spot_date=date(2028, 3, 20))
    calendar = make.make_calendar(3, date(2028, 3, 20))
    offer = make.make_offer(make.reservation([make.term(4, make.dollars(2))]))
    supply = _supply(offer, make.make_problem(offers=[offer], market=market, calendar=calendar))
    rates = [150 / (1 + 0.05 * 7 * t / 365) for t in range(3)]
    assert supply.orders[1].cash_by_year == pytest.approx({2027: 1344 * 2 * rates[1], 2028: 1344 * 2 * rates[2]})
    assert supply.orders[1].cost_yen == pytest.approx(1344 * 2 * (rates[1] + rates[2]))
    assert supply.reference_yen == pytest.approx([2 * rate for rate in rates])


def test_reservation_window_limits_starts() -> None:
    """Terms begin in periods of the window only, and cover periods after it."""
    offer = make.make_offer(make.reservation([make.term(2)], from_date=make.day(1), until_date=make.day(2)))
    supply = _supply(offer)
    assert [order.period for order in supply.orders] == [1]
    assert supply.largest_capacity == (0, 64, 64, 0)


def test_purchase() -> None:
    """Half arrives after one period, all after three; life runs from the first delivery; a residual is kept."""
    kind = make.purchase(
        make.yen(1_000_000), unit=8, units_max=3, steps=[(1, 0.5), (3, 1.0)], life=3, residual=0.4, haircut=0.25
    )
    calendar = make.make_calendar(6)
    problem = make.make_problem(offers=[make.make_offer(kind)], calendar=calendar)
    supply = _supply(problem.offers[0], problem)
    assert [order.period for order in supply.orders] == [0, 1, 2, 3, 4]
    assert list(supply.orders[0].capacity) == [0, 4, 4, 8, 0, 0]
    assert supply.orders[0].cost_yen == pytest.approx(1_000_000 * (1 - 0.4 * 0.75))
    assert supply.orders[4].cost_yen == pytest.approx(1_000_000 * 0.7 / 3)
    assert supply.orders[4].cash_by_year == {2027: 1_000_000}
    assert list(supply.largest_capacity) == [0, 12, 12, 24, 24, 24]
    assert supply.reference_yen[1] == pytest.approx(700_000 / (8 * 168 * 2.0))


def test_electricity_and_references() -> None:
    """A metered accelerator-hour costs power times PUE times the price; the reference is the pool's lowest price."""
    site = make.make_site(power_usage_effectiveness=1.25, electricity_yen_per_kwh="20")
    chip = make.make_accelerator(power_kw=2.0)
    owned = make.make_offer(make.existing(8, from_date=make.day(1), until_date=make.day(3), metered=True), "owned")
    rented = make.make_offer(make.on_demand(until_date=make.day(2)), "rented")
    problem = make.make_problem(offers=[owned, rented], sites=[site], accelerators=[chip])
    numbers = Numbers(problem)
    assert numbers.supplies[0].use_cost_yen[0] == pytest.approx(50.0)
    assert numbers.grant_reference_yen["pool"] == pytest.approx((500.0, 50.0, 50.0, 0.0))


def test_claims_of_a_column() -> None:
    """Only hours within the window count, at the rate of the member's size class."""
    members = [make.make_member("small", SizeClass.SME)]
    grant = make.make_programme(rates={SizeClass.SME: 0.5}, from_date=make.day(1), until_date=make.day(2))
    job = make.make_workload(hours=2 * BLOCK_WEEK_HOURS, member_id="small")
    columns = _columns(job, members=members, programmes=[grant])
    claims = {c.start: c.claim_max for c in columns if c.claim_set}
    assert claims == {0: {("grant", 2027): 0.5 * 1344 * 500}, 1: {("grant", 2027): 0.5 * 1344 * 500}}


@pytest.mark.parametrize(
    "grant",
    [
        make.make_programme(rates={SizeClass.SME: 0.5}),
        make.make_programme(pool_ids=["elsewhere"]),
        make.make_programme(countries=CountryRule(("US",), ())),
        make.make_programme(tags=["robotics"]),
        make.make_programme(until_date=date(2027, 4, 1)),
    ],
    ids=["size class", "pool", "country", "tag", "window"],
)
def test_programme_that_is_not_open(grant: Programme) -> None:
    """Each condition on its own closes the programme."""
    assert all(not column.claim_set for column in _columns(make.make_workload(), programmes=[grant]))
