"""Problems in which one rule decides, with an optimum worked out by hand.

A job takes eight accelerators for a week: 1,344 hours, 672,000 yen on demand. Not running one costs 100 million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tehai.domain.offer import Offer
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.workload import SizeClass, Workload
from tests import builders as make

JOB_YEN = 672_000
NOT_RUN_YEN = 100_000_000
HIRED = make.make_offer(make.on_demand(), "hired")


def _jobs(count: int = 2, **parts: Any) -> list[Workload]:  # noqa: ANN401
    return [make.make_workload(f"job-{i}", **parts) for i in range(count)]


def _problem(workloads: Sequence[Workload], offers: Sequence[Offer] = (), **parts: Any) -> Problem:  # noqa: ANN401
    return make.make_problem(workloads, [HIRED, *offers], **parts)


def _rates(rate: float) -> dict[SizeClass, float]:
    return {SizeClass.LARGE: rate}


def _owned(*programmes: Programme) -> Problem:
    """Two jobs of the first week on two units of 40,000 yen each within the horizon, bought by the member."""
    bought = make.make_offer(make.purchase(owner="member"), "bought")
    return _problem(_jobs(deadline=1), [bought], programmes=programmes)


def _late_order() -> Problem:
    """A job of the first week, and units that come too late for it: a grant pays all of their price."""
    bought = make.make_offer(make.purchase(owner="member", from_date=make.day(3)), "bought")
    return _problem(_jobs(1, deadline=1), [bought], programmes=[make.make_capital_programme(rates=_rates(1.0))])


def _supply_cases() -> dict[str, tuple[Problem, int]]:
    quota = make.make_offer(make.allocation({2027: 2000.0}), "granted")
    # Ten days from the first hour on: 1,344 hours of the first week and 576 of the second.
    days = make.capacity_block([make.block_term(10, make.yen(200))], blocks_max=1, until_date=make.day(1))
    block = make.make_offer(days, "block")
    bought = make.make_offer(make.purchase(), "bought")
    ceiling = make.make_rules(capital_ceilings={2027: 1_500_000})
    return {
        "allocation": (_problem(_jobs(), [quota]), 2000 * 100 + 688 * 500),
        "capacity block": (_problem(_jobs(deadline=2), [block]), 8 * 240 * 200 + 768 * 500),
        "capital ceiling": (_problem(_jobs(deadline=1), [bought], rules=ceiling), 40_000 + JOB_YEN),
    }


def _rule_cases() -> dict[str, tuple[Problem, int]]:
    dirty = [make.make_site(carbon_kg_per_kwh=0.5)]
    after = [make.make_workload("first"), make.make_workload("second", after=["first"], late_yen=1000)]
    narrow = [make.make_workload("first"), make.make_workload("second", after=["first"], deadline=1, not_run_yen=7)]
    scarce = [make.make_offer(make.on_demand(quota=8))]
    sites = [make.make_site("a", operator_id="big"), make.make_site("b")]
    pools = [make.make_pool(site.id, site.id) for site in sites]
    two = [make.make_offer(make.on_demand(make.yen(p)), n, n) for n, p in (("a", 100), ("b", 500))]
    shared = make.make_rules(concentration={("big", 2027): 0.5})
    two_pools: dict[str, Any] = {"pools": pools, "sites": sites, "offers": two}
    moved = make.make_workload(data_site_id="b", data_terabytes=2.0, porting={"chip": 300})
    budget = make.make_rules(budgets={2027: 135_000})
    plan = make.make_current_plan([make.current_placement("job-0", start=1)], change_yen=5)
    return {
        "carbon limit": (
            _problem(_jobs(), sites=dirty, rules=make.make_rules(carbon_limits={2027: 1000.0})),
            JOB_YEN + NOT_RUN_YEN,
        ),
        "carbon price": (_problem(_jobs(1), sites=dirty, rules=make.make_rules(carbon_price=10)), JOB_YEN + 6720),
        "precedence": (_problem(after), 2 * JOB_YEN + 1000),
        "precedence without room": (_problem(narrow), JOB_YEN + 7),
        "waiting": (make.make_problem(_jobs(), scarce, rules=make.make_rules(waiting_max=0)), JOB_YEN + NOT_RUN_YEN),
        "waiting allowed": (make.make_problem(_jobs(), scarce, rules=make.make_rules(waiting_max=1)), 2 * JOB_YEN),
        "concentration": (make.make_problem(_jobs(), rules=shared, **two_pools), 134_400 + JOB_YEN),
        "transfer": (make.make_problem([moved], routes=[make.route("b", "a")], **two_pools), 134_400 + 2000 + 300),
        "no route": (make.make_problem([moved], **two_pools), JOB_YEN + 300),
        "transfer in the budget": (
            make.make_problem([moved], routes=[make.route("b", "a")], rules=budget, **two_pools),
            NOT_RUN_YEN,
        ),
        "change": (_problem(_jobs(1, late_yen=1000), current_plan=plan), JOB_YEN + 5),
        "no change": (_problem(_jobs(1, late_yen=1), current_plan=plan), JOB_YEN + 1),
    }


def _claim_cases() -> dict[str, tuple[Problem, int]]:
    poor = [make.make_member(budgets={2027: 700_000})]
    half = make.make_programme()
    rivals = [make.make_programme(n, tags=[n], group="one") for n in ("a", "b")]
    tagged = [make.make_workload(n, tags=[n], project_id="p") for n in ("a", "b")]
    stacked = [
        make.make_programme("a", _rates(0.3), stackable=["b"]),
        make.make_programme("b", _rates(0.2), stackable=["a"]),
    ]
    small = [make.make_capital_programme(n, _rates(0.5), budgets={2027: 10_000}) for n in ("a", "b")]
    grouped = [make.make_capital_programme(n, _rates(0.5), budgets={2027: 10_000}, group="x") for n in ("a", "b")]
    late = make.make_programme(lag_days=1)
    return {
        "member budget": (_problem(_jobs(), members=poor), JOB_YEN + NOT_RUN_YEN),
        "member budget with a grant": (_problem(_jobs(), members=poor, programmes=[half]), JOB_YEN),
        "member budget with a grant paid later": (
            _problem(_jobs(), members=poor, programmes=[late]),
            JOB_YEN // 2 + NOT_RUN_YEN,
        ),
        "member cap": (
            _problem(_jobs(), programmes=[make.make_programme(member_cap_yen=400_000)]),
            2 * JOB_YEN - 400_000,
        ),
        "claims made": (
            _problem(
                _jobs(),
                programmes=[make.make_programme(member_cap_yen=400_000, claims_made=[make.claim_made(150_000)])],
            ),
            2 * JOB_YEN - 250_000,
        ),
        "stacking": (_problem(_jobs(1), programmes=stacked), JOB_YEN // 2),
        "exclusivity": (_problem(tagged, programmes=rivals), 2 * JOB_YEN - JOB_YEN // 2),
        "capital grant": (
            _owned(make.make_capital_programme(rates=_rates(0.5), budgets={2027: 30_000})),
            80_000 - 30_000,
        ),
        # Half of what the objective charges of each unit, 4 of whose 100 periods of life lie within the horizon.
        "capital grant without a limit": (_owned(make.make_capital_programme(rates=_rates(0.5))), 80_000 - 40_000),
        "capital grant on an order of the last week": (_late_order(), JOB_YEN),
        "two capital grants": (_owned(*small), 80_000 - 20_000),
        "two capital grants of a group": (_owned(*grouped), 80_000 - 10_000),
    }


CASES = _supply_cases() | _rule_cases() | _claim_cases()
