"""Every view of the bill sums to the objective, and small cases have the parts one gets by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tehai.domain.plan import Claim, Plan
from tehai.domain.problem import Problem
from tehai.explain.claims import claim_uses
from tehai.explain.reading import Reading
from tehai.explain.sides import UNASSIGNED, by_component, by_currency, by_fiscal_year, by_member, by_site
from tests.builders import (
    claim_made,
    dollars,
    make_capital_programme,
    make_member,
    make_offer,
    make_pool,
    make_problem,
    make_programme,
    make_rules,
    make_site,
    make_workload,
    on_demand,
    purchase,
    reservation,
    term,
    yen,
)
from tests.explain.hand_made import bought, hand_plan, placement, reserved


def two_members() -> Problem:
    """Return two sites; in "pool" there is capacity in every form, in "far" only on demand in dollars."""
    sites = (make_site(), make_site("abroad", "US", "US"))
    pools = (make_pool(), make_pool("far", "abroad"))
    offers = (
        make_offer(reservation([term(2)], blocks_max=2), "reserved"),
        make_offer(purchase(yen(5_000_000), owner="one"), "bought"),
        make_offer(on_demand(), "demand"),
        make_offer(on_demand(dollars(2)), "away", "far"),
    )
    workloads = (
        make_workload("a", member_id="one", project_id="p"),
        make_workload("b", member_id="two", hours=2688.0, late_yen=70_001),
        make_workload("c", member_id="two"),
        make_workload("d", member_id="three", not_run_yen=999),
    )
    programmes = (
        make_programme(
            "use", project_cap_yen=900_000, budgets={2027: 5_000_000}, claims_made=[claim_made(5, member_id="one")]
        ),
        make_capital_programme("buy"),
    )
    members = tuple(make_member(name) for name in ("one", "two", "three"))
    return make_problem(workloads, offers, pools, sites, members=members, programmes=programmes)


def plan_of(problem: Problem) -> Plan:
    """Return a plan in which "a" and "b" share "pool" and "c" is away."""
    placements = (
        placement(problem, "a", {0: 168.0}, {("use", 2027): 200_000}),
        placement(problem, "b", {1: 336.0}, {("use", 2027): 100_000}),
        placement(problem, "c", {0: 168.0}, pool_id="far"),
    )
    orders = [bought(problem, 0, 1, (Claim("buy", 2027, 1_000_000),))]
    return hand_plan(problem, placements, [reserved(problem, 0, 2)], purchases=orders)


def test_every_view_sums_to_the_objective() -> None:
    """Component, member, site, currency and fiscal year are views of one sum."""
    problem = two_members()
    plan = plan_of(problem)
    reading = Reading(problem, plan)
    assert plan.objective_yen != 0
    for view in (by_component, by_member, by_site, by_currency, by_fiscal_year):
        assert sum(item.amount_yen for item in view(reading)) == plan.objective_yen, view.__name__


def test_members_bear_what_they_use() -> None:
    """The reservation is split by hours in the pool, 1 to 2; the claim of the order goes to its owner.

    Reserved: 16 x 168 x 300 x 2 = 1,612,800, a third of it for 1,344 of 4,032 hours. The purchase is used up by
    5,000,000 x 4 / 100. On demand away: 8 x 168 x 2 x 150. Late: one period.
    """
    problem = two_members()
    found = {item.name: item.amount_yen for item in by_member(Reading(problem, plan_of(problem)))}
    reserved_yen, bought_yen = 1_612_800, 200_000
    one = round((reserved_yen + bought_yen) / 3) - 200_000 - 1_000_000
    two = reserved_yen + bought_yen - round((reserved_yen + bought_yen) / 3) + 70_001 - 100_000 + 8 * 168 * 300
    assert found["three"] == 999
    assert found["one"] == pytest.approx(one, abs=2)
    assert found["two"] == pytest.approx(two, abs=2)
    assert UNASSIGNED not in found


def test_what_nobody_uses_is_unassigned() -> None:
    """A commitment in a pool where nothing runs is nobody's; its site is known all the same."""
    problem = two_members()
    plan = hand_plan(problem, [placement(problem, "c", {0: 168.0}, pool_id="far")], [reserved(problem, 0, 1)])
    reading = Reading(problem, plan)
    members = {item.name: item.amount_yen for item in by_member(reading)}
    sites = {item.name: item.amount_yen for item in by_site(reading)}
    assert members[UNASSIGNED] == 806_400
    assert sites["site"] == 806_400
    assert sites["abroad"] == 8 * 168 * 300
    assert sites[UNASSIGNED] == sum(line.amount_yen for line in plan.bill_lines if line.component.value == "not_run")


def test_carbon_goes_to_those_who_emit_it() -> None:
    """The charge at a site is split by kg there."""
    problem = make_problem(
        [make_workload("a", member_id="one"), make_workload("b", member_id="two", hours=4032.0)],
        sites=[make_site(carbon_kg_per_kwh=0.5)],
        members=[make_member("one"), make_member("two")],
        rules=make_rules(carbon_price=10),
    )
    plan = hand_plan(problem, [placement(problem, "a", {0: 168.0}), placement(problem, "b", {0: 504.0})])
    found = {item.name: item.amount_yen for item in by_member(Reading(problem, plan))}
    assert found == {"one": 1344 * 505, "two": 4032 * 505}


def test_claims_are_held_against_caps_and_budgets() -> None:
    """Budgets are always listed, caps where something is claimed; what was claimed before counts apart."""
    problem = two_members()
    uses = {
        use.limit: (use.claimed_yen, use.made_yen, use.limit_yen)
        for use in claim_uses(Reading(problem, plan_of(problem)))
    }
    assert uses == {
        "programmes/use/budgets/2027": (300_000, 5, 5_000_000),
        "programmes/use/projects/p": (200_000, 0, 900_000),
        "programmes/use/projects/b": (100_000, 0, 900_000),
    }


def test_caps_of_members_are_by_year() -> None:
    """A member's claims of a fiscal year are held against its cap, orders' against that of a capital programme."""
    problem = two_members()
    programmes = tuple(replace(programme, member_cap_yen=2_000_000) for programme in problem.programmes)
    problem = replace(problem, programmes=programmes)
    uses = {use.limit: (use.claimed_yen, use.made_yen) for use in claim_uses(Reading(problem, plan_of(problem)))}
    assert uses["programmes/use/members/one/2027"] == (200_000, 5)
    assert uses["programmes/buy/members/one/2027"] == (1_000_000, 0)
    assert "programmes/use/members/three/2027" not in uses
