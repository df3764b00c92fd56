"""A second small problem with a valid plan, for the rules that the first example leaves out.

The same twelve weeks as the first. Three pools: "jp" in nodes of eight, whose on-demand quota is cut in period 4, so
that "long" has to pause; "super", a public machine with an allocation; "us" with a capacity block and a partly prepaid
term.
"kept" is locked by the current plan, "moved" leaves it, "dropped" cannot run any more. "follow" runs after "long" and
moves its data. Units are bought by instalments, the last one after the horizon, with a capital grant.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

from tehai.domain.offer import Offer
from tehai.domain.problem import CurrentPlacement, Problem
from tehai.domain.programme import Programme, SizeClassRate
from tehai.domain.workload import CountryRule, SizeClass, Workload
from tehai.verify import compute_bound
from tests import builders as make
from tests.verify.example import FIRST_DATE, PERIOD_COUNT, SHA256, YEARS, Answer, day, job
from tests.verify.greedy import greedy_plan
from tests.verify.prices import random_certificate

RESEARCH = ("research",)


def economics_problem() -> Problem:
    """Return the problem."""
    return make.make_problem(
        calendar=make.make_calendar(PERIOD_COUNT, FIRST_DATE),
        market=make.make_market("152.5", date(2028, 1, 4), "0.011", "0.039", "0.03", "1.25"),
        accelerators=[
            make.make_accelerator("chip", 80.0, 1.3),
            make.make_accelerator("vector", 96.0, 0.9, {"sim": 1.1}),
            make.make_accelerator("cloud-chip", 80.0, 1.2, {"jax": 0.9}),
        ],
        sites=[
            make.make_site("tokyo", "JP", "JP", None, 1.3, "24.5", {day(6): "26.25"}, "home", 0.45),
            make.make_site("osaka", "JP", "JP", None, 1.1, operator_id="public", carbon_kg_per_kwh=0.35),
            make.make_site("oregon", "US", "US", None, 1.2, operator_id="cloud", carbon_kg_per_kwh=0.3),
        ],
        pools=[
            make.make_pool("jp", "tokyo", "chip", 64, 8, make.yen(300), make.yen(900, {day(7): 850})),
            make.make_pool("super", "osaka", "vector", 64),
            make.make_pool("us", "oregon", "cloud-chip", 64),
        ],
        offers=_offers(),
        members=[
            make.make_member(
                "maker", flags=["venture"], budgets=dict.fromkeys(YEARS, 60_000_000), cost_of_capital="0.08"
            ),
            make.make_member("lab", SizeClass.SME),
        ],
        workloads=_workloads(),
        programmes=_programmes(),
        rules=make.make_rules(
            budgets=dict.fromkeys(YEARS, 90_000_000),
            capital_ceilings={2027: 12_000_000},
            concentration={("cloud", 2027): 0.5, ("cloud", 2028): 0.9},
            carbon_price="4.5",
            carbon_limits=dict.fromkeys(YEARS, 30_000.0),
            waiting_max=7,
        ),
        routes=[make.route("oregon", "tokyo", make.dollars(20)), make.route("tokyo", "osaka")],
        current_plan=make.make_current_plan(
            [
                CurrentPlacement("kept", "jp", 8, day(2), locked=True),
                CurrentPlacement("moved", "super", 8, day(3), locked=False, change_yen=70_000),
                CurrentPlacement("dropped", "jp", 8, day(0), locked=False),
            ],
            change_yen=55_000,
        ),
    )


def _offers() -> list[Offer]:
    """Return an offer of every kind."""
    return [
        make.make_offer(
            make.on_demand(make.yen("710.5", {day(7): 690}), 32, steps={day(4): 0, day(5): 48}), "jp-demand", "jp"
        ),
        make.make_offer(make.existing(8, metered=True, payments={2027: 1_000_000}), "jp-owned", "jp"),
        make.make_offer(
            make.purchase(
                make.dollars(90_000),
                8,
                2,
                ((1, 1.0),),
                100,
                0.1,
                until_date=day(6),
                payments=((0, 0.5), (3, 0.25), (14, 0.25)),
                owner="maker",
            ),
            "jp-bought",
            "jp",
        ),
        make.make_offer(make.allocation({2027: 11_000.0, 2028: 2_000.0}, make.yen(90), 24), "grant-hours", "super"),
        make.make_offer(
            make.capacity_block(
                [make.block_term(10, make.dollars("2.5")), make.block_term(14, make.dollars("2.4"))],
                8,
                1,
                1,
                3,
                day(2),
            ),
            "us-block",
            "us",
        ),
        make.make_offer(
            make.reservation([make.term(20, make.dollars("1.9"), upfront=0.4)], 8, 1, 1, day(6), day(7)),
            "us-term",
            "us",
        ),
    ]


def _workloads() -> list[Workload]:
    """Return the workloads: full weeks on their gang, more or less."""
    pausing = make.pausing(2, 3.5)
    return [
        job(
            "long", 19_000.0, 1, member_id="maker", gangs={28: 1.0}, tags=RESEARCH, project_id="model", pausing=pausing
        ),
        job("kept", 2_500.0, member_id="lab", late_yen=30_000),
        job(
            "follow",
            1_500.0,
            2,
            member_id="lab",
            tags=RESEARCH,
            project_id="model",
            after=["long"],
            data_site_id="oregon",
            data_terabytes=12.5,
            porting={"chip": 400_000},
        ),
        job("science", 9_000.0, 0, member_id="lab", family="sim", gangs={16: 0.9}, pausing=make.pausing()),
        job("moved", 1_200.0, 3, member_id="lab", family="sim", gangs={16: 0.9, 8: 1.0}),
        job("abroad", 1_400.0, 2, member_id="maker", family="jax", tags=["other"]),
        job("dropped", 1_000.0, member_id="maker", memory_gb=10_000.0, not_run_yen=2_000_000),
        job("alone", 900.0, 7, member_id="maker", tags=["research", "other"]),
    ]


def _programmes() -> list[Programme]:
    """Return two usage grants that stack, one that excludes the first, and two exclusive capital grants."""
    large, small = SizeClass.LARGE, SizeClass.SME
    use = make.make_programme(
        "use",
        [SizeClassRate(large, 0.2), SizeClassRate(large, 0.3, "venture"), SizeClassRate(small, 0.4)],
        day(1),
        day(11),
        ["jp"],
        CountryRule(("JP",), ()),
        RESEARCH,
        1_500_000,
        {2027: 1_400_000, 2028: 1_400_000},
        1_200_000,
        200,
        "either",
        ["local"],
        [make.claim_made(100_000, 2027, "maker", "model"), make.claim_made(50_000, 2028, "lab", "")],
    )
    local = make.make_programme("local", {large: 0.1, small: 0.15}, tags=RESEARCH, stackable=["use", "rival"])
    rival = make.make_programme("rival", {large: 0.05, small: 0.05}, tags=["research", "other"], group="either")
    capital = make.make_capital_programme(
        "capital", {large: 1 / 3}, budgets={2027: 450_000}, member_cap_yen=400_000, group="machines"
    )
    second = make.make_capital_programme("capital-too", {large: 0.1}, until_date=day(3), group="machines")
    return [use, local, rival, capital, second]


@cache
def economics_answer() -> Answer:
    """Return problem, plan and certificate: valid, with everything that the first example leaves out."""
    problem = economics_problem()
    plan = greedy_plan(problem, SHA256)
    certificate = random_certificate(problem, 7, SHA256)
    claimed = int(compute_bound(problem, certificate)) - 50_000_000
    return Answer(problem, SHA256, plan, replace(certificate, lower_bound_yen=claimed))
