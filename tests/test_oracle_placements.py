"""The oracle against optima computed by hand: where and when workloads run, one rule at a time."""

from __future__ import annotations

from typing import Any

import pytest

from tehai.domain.problem import Problem
from tehai.domain.workload import Workload
from tests import builders as make
from tests.oracle import OracleStatus, optimum_yen, solve_oracle

WEEK = 8 * 168  # accelerator-hours of the default workload: eight accelerators for one week
ON_DEMAND_YEN = WEEK * 500
NOT_RUN_YEN = 100_000_000


def _optimum(**parts: Any) -> float | None:  # noqa: ANN401
    return optimum_yen(make.make_problem(**parts))


def _two_sites(workloads: list[Workload], **parts: Any) -> Problem:  # noqa: ANN401
    """Return a pool "pool" at 500 yen of operator "north" and a pool "far" at 300 of operator "south"."""
    sites = [
        make.make_site(operator_id="north", carbon_kg_per_kwh=0.1),
        make.make_site("abroad", "US", "US", operator_id="south", carbon_kg_per_kwh=0.5),
    ]
    pools = [make.make_pool(), make.make_pool("far", "abroad")]
    offers = [make.make_offer(make.on_demand()), make.make_offer(make.on_demand(make.yen(300)), "far", "far")]
    return make.make_problem(sites=sites, pools=pools, offers=offers, workloads=workloads, **parts)


def _jobs(count: int, **parts: Any) -> list[Workload]:  # noqa: ANN401
    return [make.make_workload(f"job-{number}", **parts) for number in range(count)]


def test_whole_nodes_are_occupied() -> None:
    """A gang of eight in nodes of six occupies twelve accelerators and pays for them; eleven are not enough."""
    pools = [make.make_pool(node=6)]
    assert _optimum(pools=pools) == pytest.approx(ON_DEMAND_YEN * 12 / 8)
    offers = [make.make_offer(make.on_demand(quota=11))]
    assert _optimum(pools=pools, offers=offers) == pytest.approx(NOT_RUN_YEN)


def test_concentration() -> None:
    """At most half of the work at the cheap operator; without work elsewhere none is allowed there."""
    rules = make.make_rules(concentration={("south", 2027): 0.5})
    assert optimum_yen(_two_sites(_jobs(2), rules=rules)) == pytest.approx(WEEK * 800)
    assert optimum_yen(_two_sites(_jobs(1), rules=rules)) == pytest.approx(ON_DEMAND_YEN)
    rules = make.make_rules(concentration={("south", 2028): 0.5})
    assert optimum_yen(_two_sites(_jobs(2), rules=rules)) == pytest.approx(2 * WEEK * 300)


def test_carbon_price() -> None:
    """At 600 yen per kg the cheap dirty site costs 300 + 300, the clean one 500 + 60."""
    rules = make.make_rules(carbon_price=600)
    assert optimum_yen(_two_sites(_jobs(1), rules=rules)) == pytest.approx(WEEK * 560)
    rules = make.make_rules(carbon_price=400)
    assert optimum_yen(_two_sites(_jobs(1), rules=rules)) == pytest.approx(WEEK * (300 + 200))


def test_carbon_limit() -> None:
    """Emissions of one workload at each site fit, two at the dirty one do not."""
    rules = make.make_rules(carbon_limits={2027: WEEK * 0.6})
    assert optimum_yen(_two_sites(_jobs(2), rules=rules)) == pytest.approx(WEEK * 800)
    rules = make.make_rules(carbon_limits={2027: WEEK * 0.6 - 0.001})
    assert optimum_yen(_two_sites(_jobs(2), rules=rules)) == pytest.approx(2 * ON_DEMAND_YEN)


def test_transfer_of_data() -> None:
    """Data at home is moved for 100 yen an hour, which leaves 100 of the 200 that the far site saves."""
    jobs = _jobs(1, data_site_id="site", data_terabytes=10.0)
    routes = [make.route("site", "abroad", make.yen(WEEK * 10))]
    assert optimum_yen(_two_sites(jobs, routes=routes)) == pytest.approx(WEEK * 400)
    dear = [make.route("site", "abroad", make.yen(WEEK * 30))]
    assert optimum_yen(_two_sites(jobs, routes=dear)) == pytest.approx(ON_DEMAND_YEN)


def test_no_route_no_placement() -> None:
    """Without a route from the site of the data a pool is not legal; at its own site data is there."""
    assert optimum_yen(_two_sites(_jobs(1, data_site_id="site", data_terabytes=1.0))) == pytest.approx(ON_DEMAND_YEN)
    assert optimum_yen(_two_sites(_jobs(1, data_site_id="abroad", data_terabytes=1.0))) == pytest.approx(WEEK * 300)


def test_porting() -> None:
    """Porting to the only accelerator is paid once, and counts in the budget."""
    job = make.make_workload(porting={"chip": 70_000, "other": 1})
    assert _optimum(workloads=[job]) == pytest.approx(ON_DEMAND_YEN + 70_000)
    rules = make.make_rules(budgets={2027: ON_DEMAND_YEN + 69_999})
    assert _optimum(workloads=[job], rules=rules) == pytest.approx(NOT_RUN_YEN)


def test_change_is_charged_for_another_place_gang_or_start() -> None:
    """The current plan is kept while leaving it costs more than it saves; what is not run has changed too."""
    for change_yen, yen in ((WEEK * 201, ON_DEMAND_YEN), (WEEK * 50, WEEK * 350)):
        plan = make.make_current_plan([make.current_placement()], change_yen)
        problem = _two_sites([make.make_workload()], current_plan=plan)
        assert optimum_yen(problem) == pytest.approx(yen)
    plan = make.make_current_plan([make.current_placement(start=1, change_yen=10_000)], 99)
    window = make.make_workload(deadline=1)
    assert _optimum(workloads=[window], current_plan=plan) == pytest.approx(ON_DEMAND_YEN + 10_000)
    cheap = make.make_workload(not_run_yen=1_000)
    assert _optimum(workloads=[cheap], current_plan=plan) == pytest.approx(1_000 + 10_000)


def test_locked_placement() -> None:
    """A locked workload runs where and when it was planned, although elsewhere or not at all is cheaper."""
    plan = make.make_current_plan([make.current_placement(start=2, locked=True)])
    job = make.make_workload(late_yen=1_000, not_run_yen=5)
    found = solve_oracle(_two_sites([job], current_plan=plan))
    assert found.optimum_yen == pytest.approx(ON_DEMAND_YEN + 2_000)
    assert [(p.pool_id, p.start) for p in found.placements] == [("pool", 2)]


def test_lock_that_cannot_be_kept_is_infeasible() -> None:
    """A lock into a pool that is gone proves infeasibility, and is left out of the relaxations."""
    plan = make.make_current_plan([make.current_placement(accelerators=32, locked=True)])
    found = solve_oracle(make.make_problem(current_plan=plan))
    assert (found.status, found.unplaceable, found.lp_bound_yen) == (OracleStatus.INFEASIBLE, ("job",), 0.0)


def test_precedence() -> None:
    """The second workload starts after the first has ended: a week and a half makes it two periods late."""
    jobs = [
        make.make_workload("first", hours=1.5 * WEEK),
        make.make_workload("second", after=["first"], late_yen=1_000),
    ]
    assert _optimum(workloads=jobs) == pytest.approx(2.5 * ON_DEMAND_YEN + 2_000)
    jobs = [
        make.make_workload("first", not_run_yen=ON_DEMAND_YEN - 5),
        make.make_workload("second", not_run_yen=ON_DEMAND_YEN + 10, after=["first"]),
    ]
    assert _optimum(workloads=jobs) == pytest.approx(2 * ON_DEMAND_YEN)
    jobs[1] = make.make_workload("second", not_run_yen=ON_DEMAND_YEN + 3, after=["first"])
    assert _optimum(workloads=jobs) == pytest.approx(2 * ON_DEMAND_YEN - 2)


def test_total_waiting() -> None:
    """Three workloads on one gang wait 0 + 1 + 2 periods; with a ceiling of two the third is not run."""
    offers = [make.make_offer(make.on_demand(quota=8))]
    for most, yen in ((3, 3 * ON_DEMAND_YEN), (2, 2 * ON_DEMAND_YEN + NOT_RUN_YEN)):
        rules = make.make_rules(waiting_max=most)
        assert _optimum(workloads=_jobs(3), offers=offers, rules=rules) == pytest.approx(yen)


def test_pausing() -> None:
    """Two weeks of work around a week without capacity need a pause, which costs the hours of resuming."""
    offers = [make.make_offer(make.on_demand(quota=8, steps={1: 0, 2: 8}))]
    job = make.make_workload(hours=2 * WEEK, deadline=3)
    assert _optimum(offers=offers, workloads=[job]) == pytest.approx(NOT_RUN_YEN)
    free = make.make_workload(hours=2 * WEEK, deadline=3, pausing=make.pausing())
    found = solve_oracle(make.make_problem(offers=offers, workloads=[free]))
    assert found.optimum_yen == pytest.approx(2 * ON_DEMAND_YEN)
    assert found.placements[0].touched == (0, 2)
    dear = make.make_workload(hours=1.5 * WEEK, deadline=3, pausing=make.pausing(overhead_hours=10.0))
    assert _optimum(offers=offers, workloads=[dear]) == pytest.approx(1.5 * ON_DEMAND_YEN + 8 * 10 * 500)


def test_number_of_pauses_is_limited() -> None:
    """Three weeks with two gaps need two pauses."""
    offers = [make.make_offer(make.on_demand(quota=8, steps={1: 0, 2: 8, 3: 0, 4: 8}))]
    calendar = make.make_calendar(5)
    for pauses, yen in ((1, NOT_RUN_YEN), (2, 3 * ON_DEMAND_YEN)):
        job = make.make_workload(hours=3 * WEEK, deadline=5, pausing=make.pausing(pauses))
        assert _optimum(offers=offers, workloads=[job], calendar=calendar) == pytest.approx(yen)


def test_prices_of_rows_in_units_of_the_certificate() -> None:
    """Where one row decides, its price is what one unit more of its limit saves."""
    both = solve_oracle(_two_sites(_jobs(2), rules=make.make_rules(concentration={("south", 2027): 0.5})))
    assert both.lp_priced_rows_yen == pytest.approx(WEEK * 800)
    assert both.prices.concentration == pytest.approx({("south", 2027): 200.0})
    carbon = solve_oracle(_two_sites(_jobs(2), rules=make.make_rules(carbon_limits={2027: WEEK * 0.6})))
    assert carbon.prices.carbon == pytest.approx({2027: 200 / 0.4})
    members = [make.make_member(budgets={2027: ON_DEMAND_YEN // 2})]
    member = solve_oracle(make.make_problem(members=members))
    assert member.prices.member_budget == pytest.approx({("member", 2027): NOT_RUN_YEN / ON_DEMAND_YEN - 1})
    offers = [make.make_offer(make.on_demand(quota=8))]
    waiting = solve_oracle(make.make_problem(workloads=_jobs(3), offers=offers, rules=make.make_rules(waiting_max=2)))
    assert waiting.prices.waiting == pytest.approx((NOT_RUN_YEN - ON_DEMAND_YEN) / 2)
    job = make.make_workload(hours=4 * WEEK)
    bought = [make.make_offer(make.purchase(make.yen(1_000_000), life=4))]
    rules = make.make_rules(capital_ceilings={2027: 500_000})
    ceiling = solve_oracle(make.make_problem(workloads=[job], offers=bought, rules=rules))
    assert ceiling.prices.capital_ceiling == pytest.approx({2027: NOT_RUN_YEN / 1_000_000 - 1})
