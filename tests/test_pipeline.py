"""The one use case: what goes in is checked, what comes out is verified, and every end has its name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tehai import pipeline
from tehai.catalog import demo_problem
from tehai.domain.plan import Plan, SolveOptions, StopReason
from tehai.domain.problem import Problem
from tehai.domain.result import Progress, SolvePhase, SolveResult, SolveStatus
from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError
from tehai.pipeline import run, solve_problem
from tehai.solve import Answer, solve
from tehai.v1 import problem_pb2
from tehai.verify import check_answer
from tehai.wire import plan_to_proto, problem_sha256, problem_to_proto, result_to_proto
from tests import builders as make
from tests.random_problems import random_problem
from tests.wire.small_problem import small_message

WORK = SolveOptions(work_limit=10, gap_fraction=0.0, threads=1)


@pytest.fixture(scope="module")
def small() -> Problem:
    """Return the small demo problem."""
    return demo_problem("small")


def test_an_invalid_message_raises_with_all_violations() -> None:
    """Faults of form and of meaning come together, by path, and nothing is solved."""
    message = small_message()
    message.workloads[0].memory_gb = -1.0
    message.market.usd_jpy_spot = "cheap"
    message.offers[4].pool_id = "nowhere"
    with pytest.raises(InvalidProblemError) as caught:
        run(message, WORK)
    found = [(violation.code, violation.path) for violation in caught.value.violations]
    assert found == [
        ("E1104", "market.usd_jpy_spot"),
        ("E1805", "offers[4].pool_id"),
        ("E1210", "workloads[0].memory_gb"),
    ]
    assert "3 violations" in str(caught.value)


def test_an_empty_message_is_invalid() -> None:
    """A message without anything is refused like any other, with many violations."""
    with pytest.raises(InvalidProblemError) as caught:
        run(problem_pb2.Problem(), WORK)
    assert len(caught.value.violations) > 5


def test_an_invalid_problem_raises() -> None:
    """The domain's door checks as well."""
    problem = make.make_problem([make.make_workload(memory_gb=-1.0)])
    with pytest.raises(InvalidProblemError, match="memory_gb"):
        solve_problem(problem, WORK)


def test_message_and_problem_give_the_same_answer(small: Problem) -> None:
    """Both doors lead to one solve."""
    one, other = run(problem_to_proto(small), WORK), solve_problem(small, WORK)
    assert _lasting(one) == _lasting(other)


def _lasting(result: SolveResult) -> bytes:
    """Return a result as bytes, without what is measured."""
    message = result_to_proto(replace(result, solve_seconds=0.0, peak_memory_mb=0.0))
    return message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_work_limit_gives_the_same_bytes_twice(small: Problem, threads: int) -> None:
    """Result, plan and certificate are the same to the byte, with one thread and with two."""
    options = replace(WORK, threads=threads)
    assert _lasting(solve_problem(small, options)) == _lasting(solve_problem(small, options))


def test_progress_tells_the_story(small: Problem) -> None:
    """Phases come in their order, the bound never falls, the plan never gets worse, and gaps fit both."""
    seen: list[Progress] = []
    result = solve_problem(small, WORK, seen.append)
    phases = [progress.phase for progress in seen]
    assert phases[:3] == [SolvePhase.BUILD, SolvePhase.ASCEND, SolvePhase.MASTER]
    assert phases[-1] is SolvePhase.CERTIFY
    assert set(phases[3:-1]) <= {SolvePhase.SEARCH, SolvePhase.POLISH}
    bounds = [progress.lower_bound_yen for progress in seen if progress.lower_bound_yen is not None]
    plans = [progress.objective_yen for progress in seen if progress.objective_yen is not None]
    assert bounds == sorted(bounds)
    assert plans == sorted(plans, reverse=True)
    assert plans
    assert abs(plans[-1] - result.objective_yen) <= len(result.plan.bill_lines)
    assert all(p.gap is None or 0 <= p.gap <= 1 for p in seen)


def test_cancel_keeps_the_best_plan(small: Problem) -> None:
    """Asked to stop after the first plan, the solve ends with a verified plan no worse than that one."""
    # without mandatory workloads the very first plan counts
    optional = tuple(replace(w, cost_not_run_yen=w.cost_not_run_yen or 10**9) for w in small.workloads)
    problem = replace(small, workloads=optional)
    seen: list[Progress] = []

    def has_plan() -> bool:
        return any(progress.objective_yen is not None for progress in seen)

    options = SolveOptions(time_limit_seconds=120.0, gap_fraction=0.0, threads=1)
    result = solve_problem(problem, options, seen.append, has_plan)
    first = next(progress.objective_yen for progress in seen if progress.objective_yen is not None)
    assert result.stop_reason is StopReason.CANCELLED
    assert result.plan.stop_reason is StopReason.CANCELLED
    assert result.verified
    assert result.objective_yen <= first + len(result.plan.bill_lines)


def test_cancelled_at_once_is_still_an_answer(small: Problem) -> None:
    """A wish to stop from the beginning gives a verified plan and bound all the same."""
    result = solve_problem(small, SolveOptions(time_limit_seconds=60.0), None, lambda: True)
    assert result.verified
    assert result.stop_reason is StopReason.CANCELLED
    assert result.lower_bound_yen <= result.objective_yen


def test_a_mandatory_workload_without_a_place_proves_infeasibility() -> None:
    """It is named with its reason; the others are planned nevertheless, and the gap is theirs alone."""
    hopeless = make.make_workload("hopeless", memory_gb=1e6, not_run_yen=None)
    result = solve_problem(make.make_problem([make.make_workload("fine"), hopeless]), WORK)
    assert result.status is SolveStatus.INFEASIBLE
    assert [workload.workload_id for workload in result.unplaceable_workloads] == ["hopeless"]
    assert "1e+06 GB" in result.unplaceable_workloads[0].reason
    assert result.objective_gap_yen <= 2
    assert result.plan.not_run_workload_ids == ("hopeless",)
    assert [placement.workload_id for placement in result.plan.placements] == ["fine"]


def test_an_optional_workload_without_a_place_is_no_infeasibility() -> None:
    """It is named, its charge is paid, and the plan is the best there is."""
    hopeless = make.make_workload("hopeless", memory_gb=1e6, not_run_yen=7_000_000)
    result = solve_problem(make.make_problem([make.make_workload("fine"), hopeless]), WORK)
    assert result.status is SolveStatus.OPTIMAL
    assert [workload.workload_id for workload in result.unplaceable_workloads] == ["hopeless"]
    assert result.objective_yen - result.plan_cost_yen == 7_000_000


def test_a_missed_mandatory_workload_has_its_own_status() -> None:
    """Two mandatory workloads that fit alone but not together: one is missed, which no gap can describe."""
    both = [
        make.make_workload(name, hours=64 * 168.0 * 4, gangs={64: 1.0}, not_run_yen=None) for name in ("one", "two")
    ]
    result = solve_problem(make.make_problem(both), WORK)
    assert result.status is SolveStatus.MANDATORY_MISSED
    assert (result.gap, result.gap_on_bill) == (None, None)
    assert result.workloads_placed == 1
    assert result.unplaceable_workloads == ()
    assert result.verified


def test_a_workload_whose_window_is_too_short_is_a_normal_answer() -> None:
    """A window shorter than a period leaves the workload not run; it is no invalid input."""
    short = make.make_workload("short", release=make.day(0), deadline=make.day(0).replace(day=8), not_run_yen=5)
    result = solve_problem(make.make_problem([make.make_workload("fine"), short]), WORK)
    assert result.plan.not_run_workload_ids == ("short",)
    assert "holds no period" in result.unplaceable_workloads[0].reason


def test_a_budget_of_nothing_still_allows_what_is_free() -> None:
    """With no yen to spend, workloads run on capacity that is already there, and nothing else is used."""
    offers = [make.make_offer(make.existing(8), "own"), make.make_offer(make.on_demand(), "hired")]
    workloads = [make.make_workload(f"job-{i}") for i in range(3)]
    problem = make.make_problem(workloads, offers, rules=make.make_rules(budgets={2027: 0}))
    result = solve_problem(problem, WORK)
    assert result.workloads_placed == 3
    assert [use.offer_id for use in result.plan.offer_uses] == ["own"]
    assert (result.objective_yen, result.status) == (0, SolveStatus.OPTIMAL)


def test_what_is_answered_fits_together(small: Problem) -> None:
    """Counts, gap, cost and the limits left open are those of plan, bound and problem."""
    result = solve_problem(small, WORK)
    assert result.workloads_placed + result.workloads_not_run == len(small.workloads)
    assert result.objective_gap_yen == result.objective_yen - result.lower_bound_yen >= 0
    assert result.gap == pytest.approx(result.objective_gap_yen / result.objective_yen)
    assert result.gap_on_bill == pytest.approx(result.objective_gap_yen / result.plan_cost_yen)
    assert result.plan.problem_sha256 == result.certificate.problem_sha256 == problem_sha256(small)
    assert result.plan.options == WORK
    assert result.stop_reason is result.plan.stop_reason
    assert result.peak_memory_mb > 10
    assert all("/" in path for path in result.uncapped)
    assert plan_to_proto(result.plan).objective_yen == result.objective_yen


def test_an_answer_is_explained(small: Problem) -> None:
    """Every side of the breakdown, and what members pay, sums to the objective."""
    result = solve_problem(small, WORK)
    explained = result.breakdown
    assert explained is not None
    for side in (explained.by_component, explained.by_member, explained.by_site, explained.by_currency):
        assert sum(entry.amount_yen for entry in side) == result.objective_yen
    assert sum(entry.amount_yen for entry in explained.by_fiscal_year) == result.objective_yen
    assert sum(bill.bill_yen for bill in explained.member_bills) == result.objective_yen


def test_a_locked_workload_without_a_place_proves_infeasibility() -> None:
    """It is named as a mandatory one is, and costs nothing, nor does its change."""
    plan = make.make_current_plan([make.current_placement(locked=True)], change_yen=5)
    offers = [make.make_offer(make.on_demand(quota=4))]
    result = solve_problem(make.make_problem(offers=offers, current_plan=plan), WORK)
    assert result.status is SolveStatus.INFEASIBLE
    assert [workload.workload_id for workload in result.unplaceable_workloads] == ["job"]
    assert result.objective_yen == 0


def test_an_answer_that_fails_its_check_is_an_error(small: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan a yen off never leaves: it is an error with what is wrong."""

    def tampered(*arguments: object) -> Answer:
        answer = solve(*arguments)  # type: ignore[arg-type]
        plan: Plan = replace(answer.plan, objective_yen=answer.plan.objective_yen - 1)
        return replace(answer, plan=plan)

    monkeypatch.setattr(pipeline, "solve", tampered)
    with pytest.raises(UnverifiedAnswerError) as caught:
        solve_problem(small, WORK)
    assert caught.value.violations


@pytest.mark.parametrize("seed", range(100, 112))
def test_random_problems_are_answered_and_verified(seed: int) -> None:
    """Problems with every feature come back verified with a bound under the plan, checked once more here."""
    problem = random_problem(seed)
    result = solve_problem(problem, replace(WORK, work_limit=3))
    assert check_answer(problem, problem_sha256(problem), result.plan, result.certificate).valid
    assert result.lower_bound_yen <= result.objective_yen
