"""One small problem, a valid plan for it and a certificate: what most planted faults start from.

Twelve weeks from Monday 2028-02-14; the fiscal year changes with period 7. Three pools at two sites.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from tehai.domain.certificate import Certificate
from tehai.domain.plan import Plan, ReservationOrder
from tehai.domain.problem import Problem
from tehai.domain.workload import CountryRule, SizeClass, Workload
from tehai.verify import compute_bound
from tests import builders as make
from tests.verify.biller import billed
from tests.verify.greedy import greedy_plan
from tests.verify.prices import random_certificate

SHA256 = "5e" * 32
FIRST_DATE = date(2028, 2, 14)
PERIOD_COUNT = 12
YEARS = (2027, 2028)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is verified."""

    problem: Problem
    sha256: str
    plan: Plan
    certificate: Certificate


def day(period: int) -> date:
    """Return the first day of a period of the example."""
    return FIRST_DATE + timedelta(weeks=period)


def job(name: str, hours: float, release: int = 0, deadline: int = PERIOD_COUNT, **others: object) -> Workload:
    """Return a workload whose window is given in periods of the example."""
    return make.make_workload(name, hours, release=day(release), deadline=day(deadline), **others)  # type: ignore[arg-type]


def example_problem() -> Problem:
    """Return the problem."""
    gangs = {8: 1.0, 16: 0.95}
    return make.make_problem(
        calendar=make.make_calendar(PERIOD_COUNT, FIRST_DATE),
        market=make.make_market("152.5", date(2028, 1, 4), "0.011", "0.039"),
        accelerators=[
            make.make_accelerator("chip", 80.0, 1.3, {"torch": 1.0, "jax": 0.9}),
            make.make_accelerator("fast", 192.0, 2.1, {"torch": 2.25}),
        ],
        sites=[
            make.make_site(
                "tokyo", power_limit_kw=120.0, power_usage_effectiveness=1.3, electricity_yen_per_kwh="24.5"
            ),
            make.make_site("oregon", "US", "US", power_usage_effectiveness=1.2),
        ],
        pools=[
            make.make_pool("jp", "tokyo", "chip", 32),
            make.make_pool("jp-fast", "tokyo", "fast", 32),
            make.make_pool("us", "oregon", "chip", 64),
        ],
        offers=[
            make.make_offer(make.on_demand(make.yen("710.5"), 48), "jp-demand", "jp"),
            make.make_offer(make.existing(16, metered=True), "jp-owned", "jp"),
            make.make_offer(
                make.purchase(
                    make.yen(40_000_001), 8, 2, ((2, 0.5), (4, 1.0)), 156, 0.2, 0.5, metered=True, until_date=day(6)
                ),
                "jp-fast-bought",
                "jp-fast",
            ),
            make.make_offer(make.on_demand(make.dollars("3.09"), 64), "us-demand", "us"),
            make.make_offer(
                make.reservation(
                    [make.term(4, make.dollars("2.21"), prepaid=True), make.term(26, make.dollars("1.97"))],
                    blocks_max=2,
                    lead=1,
                    until_date=day(10),
                ),
                "us-block",
                "us",
            ),
        ],
        members=[make.make_member("large"), make.make_member("small", SizeClass.SME)],
        workloads=[
            job("own-data", 2_000.0, member_id="large", family="jax", sovereignty=CountryRule(("JP",), ("JP",))),
            job("pretrain", 9_000.0, 0, 9, member_id="large", gangs=gangs, project_id="model", tags=["robotics"]),
            job("tune", 1_500.5, 2, 9, member_id="small", gangs=gangs, project_id="model", tags=["robotics"]),
            job("late", 1_344.0, 1, member_id="small", memory_gb=1_000.0, late_yen=40_000),
            job("must", 3_000.0, 3, member_id="small", gangs={16: 0.9}, not_run_yen=None, tags=["robotics"]),
            job("fast", 3_000.0, 0, member_id="large", memory_gb=1_000.0, tags=["robotics"]),
            job("too-big", 60_000.0, 0, 6, member_id="large", gangs={64: 0.8}, not_run_yen=30_000_000),
            job("spring", 2_500.0, 6, member_id="small", tags=["robotics"]),
        ],
        programmes=[
            make.make_programme(
                "grant",
                {SizeClass.LARGE: 1 / 3, SizeClass.SME: 0.5},
                day(1),
                day(11),
                ["jp", "jp-fast"],
                CountryRule(("JP",), ()),
                ["robotics"],
                600_000,
                {2027: 900_000, 2028: 900_000},
            ),
            make.make_programme("relief", {SizeClass.SME: 0.25}, tags=["language"]),
        ],
        rules=make.make_rules(shares=dict.fromkeys(YEARS, 0.5), budgets=dict.fromkeys(YEARS, 60_000_000)),
    )


@cache
def example_answer() -> Answer:
    """Return problem, plan and certificate: valid, with every kind of violation within reach but those of economics."""
    problem = example_problem()
    plan = greedy_plan(problem, SHA256)
    long_term = ReservationOrder("us-block", 1, 9, day(9), 1)
    plan = billed(problem, replace(plan, reservation_orders=(*plan.reservation_orders, long_term)))
    certificate = random_certificate(problem, 7, SHA256)
    # leave room: some planted faults change the problem, and its bound a little
    claimed = int(compute_bound(problem, certificate)) - 50_000_000
    return Answer(problem, SHA256, plan, replace(certificate, lower_bound_yen=claimed))
