"""Claims in whole yen never pass a limit, whatever the search's real numbers add up to."""

from __future__ import annotations

from datetime import date

import numpy as np

from tehai.domain.workload import SizeClass
from tehai.engine.instance import EngineInstance, build_instance
from tehai.engine.search import PlanArrays, empty_plan
from tehai.master.columns import expand_columns
from tehai.solve.whole_claims import WholeClaims, whole_claims
from tests import builders as make
from tests.solve.plans import order, place

TURN = date(2028, 3, 20)


def _whole(instance: EngineInstance, plan: PlanArrays) -> WholeClaims:
    return whole_claims(instance, plan, expand_columns(instance, plan.columns()[1]))


def _two_jobs(**grant: object) -> EngineInstance:
    """Two jobs of one project that could claim 336,000 yen each."""
    jobs = [make.make_workload(f"job-{i}", project_id="p") for i in range(2)]
    programme = make.make_programme(**grant)  # type: ignore[arg-type]
    return build_instance(make.make_problem(jobs, programmes=[programme]))


def _claimed(instance: EngineInstance, yen: float) -> list[float]:
    plan = empty_plan(instance)
    for w in range(2):
        place(instance, plan, w, start=w, claim_set=0)
        plan.claims[w, 0, 0] = yen
    found: list[float] = _whole(instance, plan).of_workloads[:, 0, 0].tolist()
    return found


def test_claims_are_rounded_down() -> None:
    """Parts of a yen are dropped, but a hair under a whole yen counts as that yen; never more than is eligible."""
    instance = _two_jobs()
    assert _claimed(instance, 1000.7) == [1000, 1000]
    assert _claimed(instance, 1000 - 1e-9) == [1000, 1000]
    assert _claimed(instance, 1e9) == [336_000, 336_000]


def test_every_limit_is_kept() -> None:
    """Project cap, member cap and budget each cut what comes last."""
    assert _claimed(_two_jobs(project_cap_yen=400_000), 300_000.0) == [300_000, 100_000]
    assert _claimed(_two_jobs(member_cap_yen=310_000), 300_000.0) == [300_000, 10_000]
    assert _claimed(_two_jobs(budgets={2027: 299_999}), 300_000.0) == [299_999, 0]


def test_nothing_is_claimed_without_a_claim_set() -> None:
    """Left-over numbers of workloads that claim from nothing, or are not run, count for nothing."""
    instance = _two_jobs()
    plan = empty_plan(instance)
    place(instance, plan, 1, start=0)
    plan.claims[:] = 5.0
    assert not _whole(instance, plan).of_workloads.any()


def test_slots_follow_the_claim_set() -> None:
    """The second programme of a set has the second slot and limits of its own."""
    low = {SizeClass.LARGE: 0.1}
    programmes = [
        make.make_programme("a", low, stackable=["b"], budgets={2027: 10}),
        make.make_programme("b", low, stackable=["a"], budgets={2027: 20}),
    ]
    instance = build_instance(make.make_problem(programmes=programmes))
    plan = empty_plan(instance)
    place(instance, plan, 0, start=0, claim_set=instance.claim_sets.index((0, 1)))
    plan.claims[0] = 50.0
    assert _whole(instance, plan).of_workloads[0].tolist() == [[10], [20]]


def test_claims_of_orders_share_limits() -> None:
    """Orders of one owner share its cap and the budget of their year; each is at most what its units allow."""
    grant = make.make_capital_programme(rates={SizeClass.LARGE: 0.3}, member_cap_yen=70)
    kind = make.purchase(make.yen(100), life=1, owner="member")
    calendar = make.make_calendar(first_date=TURN)
    problem = make.make_problem(offers=[make.make_offer(kind)], programmes=[grant], calendar=calendar)
    instance = build_instance(problem)
    plan = empty_plan(instance)
    for period in range(4):
        order(instance, plan, claim_yen=99.0, units=1 + period % 2, period=period, programme=0)
    claims = _whole(instance, plan).of_orders
    assert claims[plan.units > 0].tolist() == [30, 40, 30, 40]
    assert np.all(claims[plan.units == 0] == 0)
