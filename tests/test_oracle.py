"""The oracle against optima computed by hand, one rule at a time, and against a search of everything."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tehai.domain.offer import Offer, ReservationTerm
from tehai.domain.problem import Problem
from tehai.domain.workload import CountryRule, Workload
from tests import builders as make
from tests.brute_force import brute_force_yen
from tests.linear_model import LinearModel
from tests.oracle import OracleStatus, Row, optimum_yen, solve_oracle
from tests.tiny_problems import tiny_problem

WEEK = 8 * 168  # accelerator-hours of the default workload: eight accelerators for one week
ON_DEMAND_YEN = WEEK * 500
NOT_RUN_YEN = 100_000_000
TINY_SEEDS = range(40)


def _optimum(problem: Problem) -> float | None:
    return optimum_yen(problem)


def _jobs(count: int, **parts: Any) -> list[Workload]:  # noqa: ANN401
    return [make.make_workload(f"job-{number}", **parts) for number in range(count)]


def test_on_demand_is_paid_by_the_hour() -> None:
    """One week on eight accelerators at 500 yen; the plan says where, and that nothing else is bought."""
    found = solve_oracle(make.make_problem())
    assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN)
    assert found.status is OracleStatus.OPTIMAL
    assert [(p.workload_id, p.pool_id, p.accelerators) for p in found.placements] == [("job", "pool", 8)]
    assert sum(found.use_hours["offer"]) == pytest.approx(WEEK)
    assert (found.not_run, found.orders) == ((), {})
    assert found.lp_bound_yen == pytest.approx(ON_DEMAND_YEN)


def test_dollars_are_paid_at_the_forward() -> None:
    """With the dollar at a forward discount the cheapest week is the last one."""
    market = make.make_market(dollar_rate="0.05")
    problem = make.make_problem(offers=[make.make_offer(make.on_demand(make.dollars(3)))], market=market)
    assert _optimum(problem) == pytest.approx(WEEK * 3 * 150 / (1 + 0.05 * 21 / 365))


def test_not_run_is_paid_when_it_is_cheaper() -> None:
    """A workload that is not worth its bill stays out; a mandatory one runs at any price."""
    cheap = make.make_workload(not_run_yen=ON_DEMAND_YEN - 1)
    assert solve_oracle(make.make_problem(workloads=[cheap])).not_run == ("job",)
    assert _optimum(make.make_problem(workloads=[cheap])) == pytest.approx(ON_DEMAND_YEN - 1)
    assert _optimum(make.make_problem(workloads=[make.make_workload(not_run_yen=None)])) == pytest.approx(ON_DEMAND_YEN)


def test_mandatory_without_a_column_is_infeasible() -> None:
    """It has no optimum; the relaxations leave it out."""
    jobs = [make.make_workload("stuck", family="jax", not_run_yen=None), make.make_workload("fine")]
    found = solve_oracle(make.make_problem(workloads=jobs))
    assert (found.status, found.optimum_yen, found.unplaceable) == (OracleStatus.INFEASIBLE, None, ("stuck",))
    assert found.lp_priced_rows_yen == pytest.approx(ON_DEMAND_YEN)


def test_mandatory_workloads_that_exclude_each_other_are_infeasible() -> None:
    """Each fits alone, both together do not."""
    jobs = _jobs(2, not_run_yen=None, deadline=1)
    found = solve_oracle(make.make_problem(workloads=jobs, offers=[make.make_offer(make.on_demand(quota=8))]))
    assert (found.status, found.optimum_yen, found.unplaceable) == (OracleStatus.INFEASIBLE, None, ())


def test_lateness() -> None:
    """Capacity that comes two weeks after release costs two periods of lateness."""
    offer = make.make_offer(make.on_demand(from_date=make.day(2)))
    problem = make.make_problem(workloads=[make.make_workload(late_yen=10_000)], offers=[offer])
    assert _optimum(problem) == pytest.approx(ON_DEMAND_YEN + 20_000)


def test_quota_is_shared() -> None:
    """Three workloads in a pool for two: the third waits; with one week only it is not run."""
    offers = [make.make_offer(make.on_demand(quota=16))]
    jobs = _jobs(3, late_yen=1_000)
    assert _optimum(make.make_problem(workloads=jobs, offers=offers)) == pytest.approx(3 * ON_DEMAND_YEN + 1_000)
    problem = make.make_problem(workloads=_jobs(3, deadline=1), offers=offers)
    assert _optimum(problem) == pytest.approx(2 * ON_DEMAND_YEN + NOT_RUN_YEN)
    assert optimum_yen(problem, without=[Row.QUOTA]) == pytest.approx(3 * ON_DEMAND_YEN)


def test_cheapest_offer_of_a_pool_is_used_first() -> None:
    """Four owned accelerators serve half the hours, the rest is rented."""
    offers = [make.make_offer(make.existing(4), "owned"), make.make_offer(make.on_demand(), "rented")]
    assert _optimum(make.make_problem(offers=offers)) == pytest.approx(ON_DEMAND_YEN / 2)


def test_gang_choice_and_scaling() -> None:
    """Within one week only the larger gang makes it, and pays for what scaling loses."""
    job = make.make_workload(hours=2 * WEEK, gangs={8: 1.0, 32: 0.8}, deadline=1)
    assert _optimum(make.make_problem(workloads=[job])) == pytest.approx(2 * ON_DEMAND_YEN / 0.8)


def _reserved(terms: list[ReservationTerm], blocks_max: int = 8, lead: int = 0) -> Offer:
    return make.make_offer(make.reservation(terms, blocks_max=blocks_max, lead=lead))


def test_prepaid_term_past_the_horizon() -> None:
    """A term of six weeks that begins in the last one counts a sixth of its fee, and all of it in the budget."""
    offer = _reserved([make.term(6, make.yen(200), prepaid=True)])
    assert _optimum(make.make_problem(offers=[offer])) == pytest.approx(WEEK * 200)
    fee = 6 * WEEK * 200
    enough, short = make.make_rules(budgets={2027: fee}), make.make_rules(budgets={2027: fee - 1})
    assert _optimum(make.make_problem(offers=[offer], rules=enough)) == pytest.approx(WEEK * 200)
    assert _optimum(make.make_problem(offers=[offer], rules=short)) == pytest.approx(NOT_RUN_YEN)


def test_cheapest_of_several_terms() -> None:
    """Two weeks of a short dear term beat four of a long cheap one once only two are needed."""
    offer = _reserved([make.term(1, make.yen(310)), make.term(4, make.yen(160))])
    two_weeks = make.make_workload(hours=2 * WEEK, deadline=2)
    found = solve_oracle(make.make_problem(workloads=[two_weeks], offers=[offer]))
    assert found.optimum_yen == pytest.approx(2 * WEEK * 310)
    assert found.orders == {("offer", 0, 0, 0, ""): 1, ("offer", 0, 1, 1, ""): 1}
    three_weeks = make.make_workload(hours=3 * WEEK, deadline=3)
    assert _optimum(make.make_problem(workloads=[three_weeks], offers=[offer])) == pytest.approx(4 * WEEK * 160)


def test_overlap_limit_counts_all_terms_together() -> None:
    """One block at most is live: of two workloads in the same week one is not run."""
    offer = _reserved([make.term(1), make.term(2)], blocks_max=1)
    # the pool's other offer makes gangs legal and costs more than not running
    dear = make.make_offer(make.on_demand(make.yen(10**6), quota=8), "dear")
    problem = make.make_problem(workloads=_jobs(2, deadline=1), offers=[offer, dear])
    assert _optimum(problem) == pytest.approx(WEEK * 300 + NOT_RUN_YEN)


def test_lead_time_delays_the_first_term() -> None:
    """No term begins before the lead time: two weeks late."""
    offer = _reserved([make.term(1)], lead=2)
    problem = make.make_problem(workloads=[make.make_workload(late_yen=5_000)], offers=[offer])
    assert _optimum(problem) == pytest.approx(WEEK * 300 + 10_000)


def test_gang_row_needs_live_accelerators() -> None:
    """Sixteen accelerators for half a week use one block's hours and still need two blocks."""
    job = make.make_workload(gangs={16: 1.0})
    problem = make.make_problem(workloads=[job], offers=[_reserved([make.term(1)])])
    assert _optimum(problem) == pytest.approx(2 * WEEK * 300)
    assert optimum_yen(problem, without=[Row.GANG]) == pytest.approx(WEEK * 300)


def test_gangs_share_a_period() -> None:
    """Two half weeks on the same sixteen accelerators: hours within a period are fluid."""
    jobs = _jobs(2, gangs={16: 1.0}, deadline=1)
    problem = make.make_problem(workloads=jobs, offers=[_reserved([make.term(1)])])
    assert _optimum(problem) == pytest.approx(2 * WEEK * 300)


def test_purchase_counts_its_life_within_the_horizon() -> None:
    """Ordered in week 0 and live from week 1: three of ten weeks of life count, less the residual that is trusted."""
    kind = make.purchase(make.yen(1_000_000), steps=[(1, 1.0)], life=10, residual=0.5, haircut=0.2)
    job = make.make_workload(hours=3 * WEEK)
    problem = make.make_problem(workloads=[job], offers=[make.make_offer(kind)])
    assert _optimum(problem) == pytest.approx(1_000_000 * (1 - 0.5 * 0.8) * 3 / 10)


def test_partial_delivery_needs_more_units() -> None:
    """Half of each unit of eight is there in the only week: a gang of eight needs two."""
    kind = make.purchase(make.yen(400_000), steps=[(0, 0.5), (1, 1.0)], life=4)
    problem = make.make_problem(workloads=[make.make_workload(deadline=1)], offers=[make.make_offer(kind)])
    assert _optimum(problem) == pytest.approx(2 * 400_000)


def test_life_ends_within_the_horizon() -> None:
    """A unit that lives one week serves one of two workloads in different weeks."""
    kind = make.purchase(make.yen(400_000), life=1)
    jobs = [make.make_workload("first", deadline=1), make.make_workload("second", release=1, deadline=2)]
    found = solve_oracle(make.make_problem(workloads=jobs, offers=[make.make_offer(kind)]))
    assert found.optimum_yen == pytest.approx(2 * 400_000)
    assert found.orders == {("offer", -1, 0, 0, ""): 1, ("offer", -1, 1, 1, ""): 1}


def test_units_limit_counts_all_orders() -> None:
    """With one unit over the whole horizon the second workload is not run."""
    dear = make.make_offer(make.on_demand(make.yen(10**6), quota=8), "dear")
    kind = make.make_offer(make.purchase(make.yen(400_000), units_max=1, life=1), "bought")
    jobs = [make.make_workload("first", deadline=1), make.make_workload("second", release=1, deadline=2)]
    assert _optimum(make.make_problem(workloads=jobs, offers=[kind, dear])) == pytest.approx(400_000 + NOT_RUN_YEN)


def test_metered_electricity_follows_use() -> None:
    """Owned accelerators cost 1 kW * 1.5 * 20 yen for each hour used."""
    site = make.make_site(power_usage_effectiveness=1.5, electricity_yen_per_kwh="20")
    for metered, yen in ((True, WEEK * 30), (False, 0)):
        problem = make.make_problem(offers=[make.make_offer(make.existing(metered=metered))], sites=[site])
        assert _optimum(problem) == pytest.approx(yen)


def test_power_limit_of_a_site() -> None:
    """12 kW carry one workload of 8 kW, not two, in two pools of the same site."""
    pools = [make.make_pool("pool-a"), make.make_pool("pool-b")]
    offers = [make.make_offer(make.on_demand(quota=8), p.id, p.id) for p in pools]
    jobs = _jobs(2, deadline=1)
    for limit, yen in ((16.0, 2 * ON_DEMAND_YEN), (12.0, ON_DEMAND_YEN + NOT_RUN_YEN)):
        site = make.make_site(power_limit_kw=limit)
        problem = make.make_problem(workloads=jobs, offers=offers, pools=pools, sites=[site])
        assert _optimum(problem) == pytest.approx(yen)


def _two_countries(**parts: Any) -> Problem:  # noqa: ANN401
    """Return two workloads, a domestic pool at 500 yen and a foreign one at 300."""
    sites = [make.make_site(), make.make_site("abroad", "US", "US")]
    pools = [make.make_pool(), make.make_pool("far", "abroad")]
    offers = [make.make_offer(make.on_demand()), make.make_offer(make.on_demand(make.yen(300)), "far", "far")]
    arguments: dict[str, Any] = {"workloads": _jobs(2), "sites": sites, "pools": pools, "offers": offers} | parts
    return make.make_problem(**arguments)


def test_sovereignty() -> None:
    """Data that may not leave Japan pays the domestic price."""
    jobs = [make.make_workload("free"), make.make_workload("kept", sovereignty=CountryRule(("JP",), ()))]
    assert _optimum(_two_countries()) == pytest.approx(2 * WEEK * 300)
    assert _optimum(_two_countries(workloads=jobs)) == pytest.approx(WEEK * 800)


def test_domestic_share_is_of_work() -> None:
    """Half of the work at home, although the foreign accelerator needs twice the hours for its half."""
    assert _optimum(_two_countries(rules=make.make_rules(shares={2027: 0.5}))) == pytest.approx(WEEK * 800)
    chips = [make.make_accelerator(), make.make_accelerator("slow", throughputs={"torch": 0.5})]
    pools = [make.make_pool(), make.make_pool("far", "abroad", "slow")]
    cheap = make.make_offer(make.on_demand(make.yen(100)), "far", "far")
    parts = {"pools": pools, "accelerators": chips, "offers": [make.make_offer(make.on_demand()), cheap]}
    shares = make.make_rules(shares={2027: 0.5})
    assert _optimum(_two_countries(**parts, rules=shares)) == pytest.approx(WEEK * (500 + 2 * 100))


def test_portfolio_budget_counts_claims_of_the_year() -> None:
    """Two bills do not fit the budget of one and a half, until a grant pays half of each."""
    budget = make.make_rules(budgets={2027: ON_DEMAND_YEN * 3 // 2})
    jobs = _jobs(2)
    alone = make.make_problem(workloads=jobs, rules=budget)
    assert _optimum(alone) == pytest.approx(ON_DEMAND_YEN + NOT_RUN_YEN)
    granted = make.make_problem(workloads=jobs, rules=budget, programmes=[make.make_programme()])
    assert _optimum(granted) == pytest.approx(ON_DEMAND_YEN)


def test_portfolio_budget_of_another_year_is_free() -> None:
    """A budget binds in its own fiscal year only: the workload waits for April."""
    calendar = make.make_calendar(4, date(2028, 3, 20))
    job = make.make_workload(release=date(2028, 3, 20), deadline=date(2028, 4, 17), late_yen=7)
    problem = make.make_problem(workloads=[job], calendar=calendar, rules=make.make_rules(budgets={2027: 0}))
    assert _optimum(problem) == pytest.approx(ON_DEMAND_YEN + 2 * 7)


def test_grant_and_its_caps() -> None:
    """Half of the reference bill, at most the project's cap, at most the programme's budget."""
    for cap, budgets, claim in (
        (None, {}, ON_DEMAND_YEN),
        (100_000, {}, 200_000),
        (None, {2027: 150_000}, 150_000),
        (100_000, {2027: 150_000}, 150_000),
        (None, {2028: 0}, ON_DEMAND_YEN),
    ):
        grant = make.make_programme(project_cap_yen=cap, budgets=budgets)
        problem = make.make_problem(workloads=_jobs(2), programmes=[grant])
        assert _optimum(problem) == pytest.approx(2 * ON_DEMAND_YEN - claim)


def test_project_of_several_workloads_shares_its_cap() -> None:
    """Two workloads of one project claim the cap once."""
    grant = make.make_programme(project_cap_yen=100_000)
    problem = make.make_problem(workloads=_jobs(2, project_id="both"), programmes=[grant])
    assert _optimum(problem) == pytest.approx(2 * ON_DEMAND_YEN - 100_000)


def test_a_column_claims_from_one_programme() -> None:
    """Two capped programmes are open; the larger claim wins, they do not add up."""
    grants = [make.make_programme("small", project_cap_yen=50_000), make.make_programme("big", project_cap_yen=90_000)]
    found = solve_oracle(make.make_problem(programmes=grants))
    assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN - 90_000)
    assert found.placements[0].claims_yen == pytest.approx({("big", 2027): 90_000})


def test_claim_caps_hold_column_by_column_in_the_relaxation() -> None:
    """Half of a column that could claim 300, capped at 200, brings 100 an hour; caps on sums would allow 150."""
    chips = [make.make_accelerator(power_kw=1.0), make.make_accelerator("cool-chip", power_kw=0.5)]
    pools = [make.make_pool(), make.make_pool("cool", accelerator_id="cool-chip")]
    offers = [
        make.make_offer(make.on_demand(make.yen(600), quota=8)),
        make.make_offer(make.on_demand(make.yen(500), quota=8), "cool", "cool"),
    ]
    problem = make.make_problem(
        workloads=[make.make_workload(deadline=1)],
        accelerators=chips,
        pools=pools,
        offers=offers,
        sites=[make.make_site(power_limit_kw=6.0)],  # three quarters of what the dear column needs
        programmes=[make.make_programme(pool_ids=["pool"], project_cap_yen=WEEK * 200)],
    )
    found = solve_oracle(problem)
    assert found.lp_priced_rows_yen == pytest.approx(WEEK * (600 + 500 - 200) / 2)
    assert found.optimum_yen == pytest.approx(WEEK * 500)


def test_relaxation_without_gang_rows_is_the_lower_one() -> None:
    """The priced relaxation pays for the hours of one block, the full one for the gang of two."""
    job = make.make_workload(gangs={16: 1.0}, deadline=1)
    found = solve_oracle(make.make_problem(workloads=[job], offers=[_reserved([make.term(1)])]))
    assert found.lp_priced_rows_yen == pytest.approx(WEEK * 300)
    assert found.lp_bound_yen == pytest.approx(2 * WEEK * 300)


@pytest.mark.parametrize("seed", TINY_SEEDS)
def test_brute_force_agrees(seed: int) -> None:
    """On tiny problems with every kind of offer and row a search of all plans finds the same optimum, or none."""
    problem = tiny_problem(seed)
    searched = brute_force_yen(problem)
    assert _optimum(problem) == (None if searched is None else pytest.approx(searched, rel=1e-9))


def test_tiny_problems_are_not_trivial() -> None:
    """The search space has plans of many kinds: some seeds order, some claim, some leave work out."""
    found = [solve_oracle(tiny_problem(seed)) for seed in TINY_SEEDS]
    assert sum(bool(result.orders) for result in found) >= 10
    assert sum(any(p.claim_set for p in result.placements) for result in found) >= 10
    assert sum(bool(result.not_run) for result in found) >= 5
    assert sum(len(p.touched) < p.touched[-1] + 1 - p.start for result in found for p in result.placements) >= 1
    assert sum(result.optimum_yen is None for result in found) <= 5


def test_linear_model_reports_infeasibility() -> None:
    """Rows that contradict each other have no solution; an empty row that cannot hold counts."""
    model = LinearModel()
    x = model.add_variable("x", upper=1.0)
    model.add_row("two", {x: 1.0}, lower=2.0)
    assert model.solve() is None
    model = LinearModel()
    model.add_variable("x", upper=1.0)
    model.add_row("nothing", {}, lower=1.0)
    assert model.solve() is None
