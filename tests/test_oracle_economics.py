"""The oracle against optima computed by hand: prices over time, offers, members and grants, one rule at a time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tehai.domain.problem import Problem
from tehai.domain.programme import SizeClassRate
from tehai.domain.workload import SizeClass
from tests import builders as make
from tests.oracle import OracleResult, optimum_yen, solve_oracle

WEEK = 8 * 168  # accelerator-hours of the default workload: eight accelerators for one week
ON_DEMAND_YEN = WEEK * 500
NOT_RUN_YEN = 100_000_000
LATE_MARCH = date(2028, 3, 20)  # weeks 0 and 1 begin in fiscal year 2027, weeks 2 and 3 in 2028


def _optimum(**parts: Any) -> float | None:  # noqa: ANN401
    return optimum_yen(make.make_problem(**parts))


def _one(kind: Any, **parts: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"offers": [make.make_offer(kind)], **parts}


def _late_march(**parts: Any) -> Problem:  # noqa: ANN401
    """Return a problem of four weeks around 1 April 2028 with one workload unless others are given."""
    arguments: dict[str, Any] = {
        "calendar": make.make_calendar(4, LATE_MARCH),
        "workloads": [make.make_workload(release=LATE_MARCH, deadline=LATE_MARCH + timedelta(days=28))],
    }
    return make.make_problem(**(arguments | parts))


def _year(days: int, rate: float) -> float:
    return float((1 + rate) ** (-days / 365))


# Prices over time


def test_price_steps() -> None:
    """The cheapest week is the one after the step; what is late there costs less than the price falls."""
    kind = make.on_demand(make.yen(500, {2: 400, 3: 450}))
    assert _optimum(**_one(kind)) == pytest.approx(WEEK * 400)
    job = make.make_workload(late_yen=60 * WEEK)
    assert _optimum(**_one(kind, workloads=[job])) == pytest.approx(ON_DEMAND_YEN)


def test_reservation_takes_the_price_of_its_booking() -> None:
    """With one period of lead a term that begins at the step still has the price of the week before."""
    job = make.make_workload(release=2)
    kind = make.reservation([make.term(1, make.yen(300, {2: 200}))], lead=1)
    assert _optimum(**_one(kind, workloads=[job])) == pytest.approx(WEEK * 200)  # begins in week 3
    job = make.make_workload(release=2, deadline=3)
    assert _optimum(**_one(kind, workloads=[job])) == pytest.approx(WEEK * 300)


def test_quota_steps() -> None:
    """Eight accelerators from the second week on: one period late."""
    kind = make.on_demand(quota=4, steps={1: 8})
    job = make.make_workload(late_yen=1_000)
    assert _optimum(**_one(kind, workloads=[job])) == pytest.approx(ON_DEMAND_YEN + 1_000)


def test_electricity_steps() -> None:
    """Owned accelerators run before the tariff rises from 20 to 30 yen."""
    site = make.make_site(electricity_yen_per_kwh="20", electricity_steps={1: 30})
    kind = make.existing(metered=True)
    assert _optimum(**_one(kind, sites=[site])) == pytest.approx(WEEK * 20)
    assert _optimum(**_one(kind, sites=[site], workloads=[make.make_workload(release=1)])) == pytest.approx(WEEK * 30)


def test_conversion_spread_falls_on_every_dollar() -> None:
    """Three dollars at 150 yen and a spread of 2."""
    market = make.make_market(spread="2")
    assert _optimum(**_one(make.on_demand(make.dollars(3)), market=market)) == pytest.approx(WEEK * 3 * 152)


def test_discounting() -> None:
    """Payment in the last week is worth three weeks of interest less; a charge for lateness is not discounted."""
    market = make.make_market(discount_rate="0.1")
    assert _optimum(market=market) == pytest.approx(ON_DEMAND_YEN * _year(21, 0.1))
    job = make.make_workload(late_yen=100_000)
    assert _optimum(market=market, workloads=[job]) == pytest.approx(ON_DEMAND_YEN)


def test_cost_of_capital_is_that_of_the_owner() -> None:
    """An owner at 50 % pays half in two weeks; the book value at the end is discounted at 50 % too."""
    members = [make.make_member(cost_of_capital="0.5")]
    kind = make.purchase(make.yen(1_000_000), life=8, payments=[(0, 0.5), (2, 0.5)], owner="member")
    job = make.make_workload(deadline=1)
    expected = 500_000 + 500_000 * _year(14, 0.5) - 1_000_000 * (1 - 4 / 8) * _year(28, 0.5)
    found = _optimum(**_one(kind, members=members, workloads=[job], market=make.make_market(discount_rate="0.1")))
    assert found == pytest.approx(expected)


# Offers


def test_allocation_and_its_quota() -> None:
    """Hours of the quota at 100 yen, the rest at 500; the quota of another fiscal year does not help."""
    offers = [make.make_offer(make.allocation({2027: 1000.0}), "granted"), make.make_offer(make.on_demand(), "rented")]
    assert _optimum(offers=offers) == pytest.approx(1000 * 100 + (WEEK - 1000) * 500)
    offers[0] = make.make_offer(make.allocation({2028: 1000.0}), "granted")
    assert _optimum(offers=offers) == pytest.approx(ON_DEMAND_YEN)


def test_capacity_block_is_paid_when_it_is_booked() -> None:
    """A block of ten days fills a week and three sevenths; in the last week only its first seven days count."""
    kind = make.capacity_block([make.block_term(10)])
    job = make.make_workload(hours=WEEK * 10 / 7, deadline=2)
    found = solve_oracle(make.make_problem(**_one(kind, workloads=[job])))
    assert found.optimum_yen == pytest.approx(8 * 24 * 10 * 400)
    assert found.orders == {("offer", 0, 0, 0, ""): 1}
    assert _optimum(**_one(kind)) == pytest.approx(WEEK * 400)


def test_booking_window() -> None:
    """Booked one or two weeks ahead: not in week 0, and at the price of the cheapest of the two bookings."""
    kind = make.capacity_block([make.block_term(7, make.yen(400, {1: 390}))], booking_min=1, booking_max=2)
    job = make.make_workload(late_yen=1_000, deadline=2)
    assert _optimum(**_one(kind, workloads=[job])) == pytest.approx(WEEK * 400 + 1_000)
    job = make.make_workload(release=3)
    found = solve_oracle(make.make_problem(**_one(kind, workloads=[job])))
    assert found.optimum_yen == pytest.approx(WEEK * 390)
    assert [key[2:4] in ((3, 1), (3, 2)) for key in found.orders] == [True]


def test_partial_upfront() -> None:
    """A quarter of a term of six weeks counts four sixths, the rest is paid in four of them; the budget sees both."""
    kind = make.reservation([make.term(6, make.yen(200), upfront=0.25)])
    job = make.make_workload(hours=4 * WEEK)
    cash = 0.25 * 6 * WEEK * 200 + 0.75 * 4 * WEEK * 200
    for budget, yen in ((cash, 4 * WEEK * 200), (cash - 1, NOT_RUN_YEN)):
        rules = make.make_rules(budgets={2027: round(budget)})
        assert _optimum(**_one(kind, workloads=[job], rules=rules)) == pytest.approx(yen)


def test_instalments_after_the_horizon_are_no_cash() -> None:
    """Half is paid after the four weeks: budget and ceiling see the other half, the objective the life inside."""
    kind = make.purchase(make.yen(1_000_000), life=8, payments=[(1, 0.5), (5, 0.5)])
    job = make.make_workload(deadline=1)
    for rules in (make.make_rules(budgets={2027: 500_000}), make.make_rules(capital_ceilings={2027: 500_000})):
        assert _optimum(**_one(kind, workloads=[job], rules=rules)) == pytest.approx(500_000)
    for rules in (make.make_rules(budgets={2027: 499_999}), make.make_rules(capital_ceilings={2027: 499_999})):
        assert _optimum(**_one(kind, workloads=[job], rules=rules)) == pytest.approx(NOT_RUN_YEN)


def test_payments_for_existing_capacity_are_sunk() -> None:
    """They leave the objective alone and take up the budget of their year."""
    offers = [
        make.make_offer(make.existing(4, payments={2027: 1_000_000}), "owned"),
        make.make_offer(make.on_demand(), "rented"),
    ]
    for budget, yen in ((1_000_000 + ON_DEMAND_YEN // 2, ON_DEMAND_YEN / 2), (1_000_000, NOT_RUN_YEN)):
        assert _optimum(offers=offers, rules=make.make_rules(budgets={2027: budget})) == pytest.approx(yen)


def test_capital_ceiling_is_not_loosened_by_grants() -> None:
    """A grant of half the price does not help under a ceiling just below it."""
    kind = make.purchase(make.yen(1_000_000), life=4, owner="member", units_max=1, until_date=make.day(1))
    parts = _one(kind, programmes=[make.make_capital_programme()])
    assert _optimum(**parts) == pytest.approx(500_000)
    assert _optimum(**parts, rules=make.make_rules(capital_ceilings={2027: 999_999})) == pytest.approx(NOT_RUN_YEN)


# Grants


def _granted(grants: list[Any], **parts: Any) -> OracleResult:  # noqa: ANN401
    return solve_oracle(make.make_problem(programmes=grants, **parts))


def test_capital_grant_needs_an_owner_and_keeps_its_limits() -> None:
    """Half of the price for an owner, up to member cap and budget less what is claimed already; nothing for nobody."""
    for owner, limits, claim in (
        ("member", {}, 500_000),
        ("", {}, 0),
        ("member", {"member_cap_yen": 200_000}, 200_000),
        ("member", {"budgets": {2027: 300_000}}, 300_000),
        ("member", {"budgets": {2027: 300_000}, "claims_made": [make.claim_made(250_000)]}, 50_000),
        ("member", {"until_date": make.FIRST_DATE}, 0),
    ):
        kind = make.purchase(make.yen(1_000_000), life=4, owner=owner, units_max=1, until_date=make.day(1))
        grant = make.make_capital_programme(**limits)
        job = make.make_workload(deadline=1)
        found = _optimum(**_one(kind, programmes=[grant], workloads=[job]))
        assert found == pytest.approx(1_000_000 - claim), (owner, limits)


def test_payment_lag() -> None:
    """A claim of fiscal year 2027 is paid on 31 March 2028 and 30 days later counts for 2028 and a month less."""
    on_demand = {"offers": [make.make_offer(make.on_demand(until_date=date(2028, 4, 1)))]}
    market = make.make_market(spot_date=LATE_MARCH, discount_rate="0.1")
    for lag, budget, days in ((0, 2027, 11), (30, 2028, 41)):
        grant = make.make_programme(lag_days=lag)
        half = ON_DEMAND_YEN // 2
        problem = _late_march(programmes=[grant], market=market, **on_demand)
        # in the second week, so that its payment is discounted by seven days
        assert optimum_yen(problem) == pytest.approx(ON_DEMAND_YEN * _year(7, 0.1) - half * _year(days, 0.1))
        rules = make.make_rules(budgets={2027: half, budget: 0 if budget == 2028 else half})
        problem = _late_march(programmes=[grant], market=market, rules=rules, **on_demand)
        paid_in_time = budget == 2027
        assert (optimum_yen(problem) == pytest.approx(NOT_RUN_YEN)) is not paid_in_time


def test_claims_after_the_horizon_are_income_of_no_year() -> None:
    """A claim that is paid after the last fiscal year lowers the objective, and no budget."""
    grant = make.make_programme(lag_days=30)
    rules = make.make_rules(budgets={2027: ON_DEMAND_YEN})
    assert _granted([grant], rules=rules).optimum_yen == pytest.approx(ON_DEMAND_YEN / 2)
    rules = make.make_rules(budgets={2027: ON_DEMAND_YEN - 1})
    assert _granted([grant], rules=rules).optimum_yen == pytest.approx(NOT_RUN_YEN)


def test_claims_made_use_up_caps() -> None:
    """What a project has claimed in any year is off its cap, what a member has claimed off that year's."""
    half = ON_DEMAND_YEN // 2
    job = make.make_workload(project_id="alpha")
    for limits, made, claim in (
        ({"project_cap_yen": half}, make.claim_made(100_000, 2026, project_id="alpha"), half - 100_000),
        ({"project_cap_yen": half}, make.claim_made(100_000, 2027), half),
        ({"member_cap_yen": half}, make.claim_made(100_000, 2027), half - 100_000),
        ({"member_cap_yen": half}, make.claim_made(100_000, 2026), half),
        ({"budgets": {2027: half}}, make.claim_made(2 * half, 2027), 0),
    ):
        grant = make.make_programme(claims_made=[made], **limits)
        assert _granted([grant], workloads=[job]).optimum_yen == pytest.approx(ON_DEMAND_YEN - claim)


def test_member_cap_counts_all_workloads_of_a_member() -> None:
    """Two members may claim 100,000 each in the year, whoever has more workloads."""
    members = [make.make_member("one"), make.make_member("two")]
    jobs = [make.make_workload(f"job-{n}", member_id="one" if n < 2 else "two") for n in range(3)]
    found = _granted([make.make_programme(member_cap_yen=100_000)], members=members, workloads=jobs)
    assert found.optimum_yen == pytest.approx(3 * ON_DEMAND_YEN - 200_000)


def test_rate_that_depends_on_a_flag() -> None:
    """The largest rate that holds counts; one with a flag holds for members that carry it."""
    rates = [SizeClassRate(SizeClass.LARGE, 0.25), SizeClassRate(SizeClass.LARGE, 0.75, "venture")]
    for flags, rate in (((), 0.25), (("venture",), 0.75), (("other",), 0.25)):
        found = _granted([make.make_programme(rates=rates)], members=[make.make_member(flags=flags)])
        assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN * (1 - rate))


def test_stacking_needs_both_to_name_each_other() -> None:
    """Two capped programmes add up for one workload where each names the other."""
    for names_of_big, claim in ((("small",), 140_000), ((), 90_000)):
        grants = [
            make.make_programme("small", project_cap_yen=50_000, stackable=("big",)),
            make.make_programme("big", project_cap_yen=90_000, stackable=names_of_big),
        ]
        found = _granted(grants)
        assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN - claim)
        assert sum(found.placements[0].claims_yen.values()) == pytest.approx(claim)


def test_exclusivity_is_by_project() -> None:
    """Of two programmes for different tags a project uses one; two projects use both."""
    for group, projects, claim in (
        ("", ("alpha", "alpha"), 50_000 + 90_000),
        ("group", ("alpha", "alpha"), 90_000),
        ("group", ("alpha", "beta"), 50_000 + 90_000),
    ):
        grants = [
            make.make_programme("small", tags=["a"], project_cap_yen=50_000, group=group),
            make.make_programme("big", tags=["b"], project_cap_yen=90_000, group=group),
        ]
        jobs = [
            make.make_workload("first", tags=["a"], project_id=projects[0]),
            make.make_workload("second", tags=["b"], project_id=projects[1]),
        ]
        found = _granted(grants, workloads=jobs)
        assert found.optimum_yen == pytest.approx(2 * ON_DEMAND_YEN - claim)
        assert found.lp_priced_rows_yen == pytest.approx(2 * ON_DEMAND_YEN - 140_000)


def test_exclusivity_of_orders_is_by_owner() -> None:
    """Orders of one owner use one programme of the group over all offers; two owners use both."""
    pools = [make.make_pool("left"), make.make_pool("right")]
    grants = [
        make.make_capital_programme("for-left", pool_ids=["left"], budgets={2027: 50_000}, group="group"),
        make.make_capital_programme("for-right", pool_ids=["right"], budgets={2027: 90_000}, group="group"),
    ]
    for owners, claim in ((("one", "one"), 90_000), (("one", "two"), 140_000)):
        offers = [
            make.make_offer(make.purchase(make.yen(1_000_000), units_max=1, life=4, owner=owner), pool.id, pool.id)
            for owner, pool in zip(owners, pools, strict=True)
        ]
        jobs = [make.make_workload(f"job-{n}", hours=4 * WEEK, member_id="one") for n in range(2)]
        members = [make.make_member("one"), make.make_member("two")]
        found = _granted(grants, pools=pools, offers=offers, workloads=jobs, members=members)
        assert found.optimum_yen == pytest.approx(2_000_000 - claim)


def test_grant_reference_limits_what_a_grant_counts() -> None:
    """An override counts where it is lower than the cheapest offer, and not where it is higher."""
    for override, counted in ((None, 500), (200, 200), (900, 500)):
        pool = make.make_pool(grant_reference=None if override is None else make.yen(override))
        found = _granted([make.make_programme()], pools=[pool])
        assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN - WEEK * counted / 2)


# Members


def test_member_budget_counts_list_bills_less_claims() -> None:
    """The on-demand price is charged although owned accelerators are used; a grant on the cheaper price helps."""
    offers = [make.make_offer(make.on_demand(), "rented"), make.make_offer(make.existing(64), "owned")]
    for budget, yen in ((ON_DEMAND_YEN, 0), (ON_DEMAND_YEN - 1, NOT_RUN_YEN)):
        members = [make.make_member(budgets={2027: budget})]
        assert _optimum(offers=offers, members=members) == pytest.approx(yen)
    members = [make.make_member(budgets={2027: ON_DEMAND_YEN // 2})]
    found = _granted([make.make_programme()], members=members)
    assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN / 2)


def test_charge_reference_replaces_the_list_price() -> None:
    """With a charge reference of 100 yen a fifth of the budget is enough."""
    members = [make.make_member(budgets={2027: WEEK * 100})]
    assert _optimum(members=members) == pytest.approx(NOT_RUN_YEN)
    pools = [make.make_pool(charge_reference=make.yen(100))]
    assert _optimum(members=members, pools=pools) == pytest.approx(ON_DEMAND_YEN)
