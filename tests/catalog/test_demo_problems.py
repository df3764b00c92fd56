"""The packaged portfolios are valid, the same every time, and as large and varied as they claim."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tehai.catalog import DEMO_PROBLEM_NAMES, CatalogError, demo_problem, load_catalog
from tehai.catalog.portfolio import problem_of
from tehai.catalog.reader import parse_document
from tehai.catalog.supply import periods_of_lead, periods_of_term
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
)
from tehai.domain.workload import SizeClass
from tehai.validation import validate

TEAM = demo_problem("team-japan")


@pytest.mark.parametrize("name", DEMO_PROBLEM_NAMES)
def test_demo_problem_is_valid_and_always_the_same(name: str) -> None:
    """A demo problem breaks no rule of validation, and two calls give equal problems."""
    problem = demo_problem(name)
    assert validate(problem) == ()
    assert demo_problem(name) == problem


def test_unknown_demo_problem_is_refused() -> None:
    """Another name is an error that lists the names."""
    with pytest.raises(KeyError, match="team-japan"):
        demo_problem("moon-base")


def test_team_japan_has_the_promised_size() -> None:
    """About 30 members, at least 120 workloads and 25 pools, 104 weeks from Monday 2027-04-05, two fiscal years."""
    assert 28 <= len(TEAM.members) <= 34
    assert len(TEAM.workloads) >= 120
    assert len(TEAM.pools) >= 25
    assert (TEAM.calendar.first_date, TEAM.calendar.period_hours, TEAM.calendar.period_count) == (
        date(2027, 4, 5),
        168,
        104,
    )
    assert TEAM.calendar.first_date.weekday() == 0
    assert TEAM.calendar.fiscal_years() == (2027, 2028)
    assert {member.size_class for member in TEAM.members} == set(SizeClass)


def test_team_japan_uses_every_feature_of_the_model() -> None:
    """All kinds of offer, currencies and payment timings, several terms, limits, rules, grants, mandatory work."""
    kinds = [offer.kind for offer in TEAM.offers]
    assert {type(kind) for kind in kinds} == {OnDemand, Reservation, Purchase, Existing, Allocation, CapacityBlock}
    terms = [term for kind in kinds if isinstance(kind, Reservation) for term in kind.terms]
    assert len({term.term_periods for term in terms}) >= 4
    assert max(term.term_periods for term in terms) > TEAM.calendar.period_count
    paid = {(term.payment_timing, term.price_per_accelerator_hour.currency_code) for term in terms}
    assert paid >= {(PaymentTiming.PREPAID, "USD"), (PaymentTiming.PERIODIC, "JPY")}
    assert sum(site.power_limit_kw is not None for site in TEAM.sites) >= 2
    assert len(TEAM.rules.minimum_domestic_shares) == len(TEAM.rules.portfolio_budgets) == 2
    assert len(TEAM.programmes) == 2
    assert sum(workload.mandatory for workload in TEAM.workloads) >= 2
    sovereign = [w for w in TEAM.workloads if w.sovereignty.site_country_codes == ("JP",)]
    assert any(w.sovereignty.operator_country_codes == ("JP",) for w in sovereign)
    assert any(w.sovereignty.operator_country_codes == () for w in sovereign)
    assert {w.flops is None for w in TEAM.workloads} == {True, False}
    assert any(w.after_workload_ids for w in TEAM.workloads)
    assert any(w.pausing is not None for w in TEAM.workloads)
    assert TEAM.rules.concentration_limits
    assert TEAM.market.discount_rate > 0
    assert TEAM.market.usd_conversion_spread_yen > 0
    assert any(pool.node_accelerators > 1 for pool in TEAM.pools)


def test_domestic_2nm_capacity_begins_in_fiscal_year_2028() -> None:
    """No 2 nm accelerator is there before April 2028, whatever is ordered."""
    pools = {pool.id for pool in TEAM.pools if pool.accelerator_id == "domestic-2nm"}
    offers = [offer for offer in TEAM.offers if offer.pool_id in pools]
    assert {type(offer.kind) for offer in offers} == {OnDemand, Reservation, Purchase}
    first = TEAM.calendar.first_period_from(date(2028, 4, 1))
    for offer in offers:
        assert offer.kind.from_date is not None
        begin = TEAM.calendar.first_period_from(offer.kind.from_date)
        if isinstance(offer.kind, Purchase):
            begin += offer.kind.delivery_steps[0].periods_after_order
        assert begin >= first, offer.id


def test_no_workload_dominates_the_portfolio() -> None:
    """The largest workload is under 2.5 % of all work: the plan is not one decision."""
    flops_per_hour = 3600 * (TEAM.reference_sustained_flops or 0)
    hours = [w.normalised_accelerator_hours or (w.flops or 0) / flops_per_hour for w in TEAM.workloads]
    assert max(hours) < 0.025 * sum(hours)


def test_days_become_periods() -> None:
    """Terms go to the nearest period, halves up; lead times round up; an hour-long calendar counts days in full."""
    assert periods_of_term(Decimal(364), 168) == 52
    assert periods_of_term(Decimal("3.5"), 168) == 1
    assert periods_of_term(Decimal("10.5"), 168) == 2
    assert periods_of_term(Decimal(1), 168) == 1
    assert periods_of_lead(Decimal(14), 168) == 2
    assert periods_of_lead(Decimal(15), 168) == 3
    assert periods_of_lead(Decimal(15), 24) == 15


def test_portfolio_that_names_unknown_things_is_refused() -> None:
    """A portfolio cannot limit an offer that its pools do not hold."""
    text = """
display_name: Broken
calendar: {first_date: 2027-04-05, period_hours: 168, period_count: 4}
pools: [sakura-h100]
limits: {lambda-h100-hour: 8}
power_limits_kw: {}
programme_budgets: {}
programmes: []
rules: {minimum_domestic_shares: {}, portfolio_budgets_yen: {}}
values: {reference_yen_per_hour: 480, spread: ["1"], late_fraction: 0}
members: []
campaigns: []
"""
    with pytest.raises(CatalogError, match="lambda-h100-hour"):
        problem_of(load_catalog(), parse_document(text, "broken.yaml"))
