"""Decode, validate, solve, verify: the one use case, shared by server and command line."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from importlib.metadata import version

from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.result import Progress, SolveResult, SolveStatus, UnplaceableWorkload
from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError
from tehai.explain import breakdown
from tehai.pipeline_check import check_message
from tehai.solve import Answer, solve
from tehai.v1 import problem_pb2
from tehai.validation import uncapped, unplaceable_reason, validate
from tehai.verify import Verification, check_answer
from tehai.wire import problem_sha256

# Differences under which plan and bound count as equal: relative, and in yen (a bound gives up one and is rounded
# down).
OPTIMAL_GAP = 1e-7
OPTIMAL_YEN = 2


def run(
    message: problem_pb2.Problem,
    options: SolveOptions,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SolveResult:
    """Solve a problem in its wire shape.

    Raises:
        InvalidProblemError: with every violation at once.
        UnverifiedAnswerError: the answer failed its independent check.
    """
    problem, violations = check_message(message)
    if problem is None or violations:
        raise InvalidProblemError(violations)
    return solve_valid(problem, options, on_progress, should_stop)


def solve_problem(
    problem: Problem,
    options: SolveOptions,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SolveResult:
    """Validate and solve a problem in its domain shape; raises as ``run``."""
    violations = validate(problem)
    if violations:
        raise InvalidProblemError(violations)
    return solve_valid(problem, options, on_progress, should_stop)


def solve_valid(
    problem: Problem,
    options: SolveOptions,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> SolveResult:
    """Solve a problem that has passed validation, and check the answer before anybody sees it."""
    started = time.monotonic()
    digest = problem_sha256(problem)
    answer = solve(
        problem,
        digest,
        version("tehai"),
        options,
        on_progress or (lambda _: None),
        should_stop or (lambda: False),
    )
    checked = check_answer(problem, digest, answer.plan, answer.certificate)
    if not checked.valid:
        raise UnverifiedAnswerError(checked.violations)
    return _result(problem, answer, checked, time.monotonic() - started)


def _result(problem: Problem, answer: Answer, checked: Verification, solve_seconds: float) -> SolveResult:
    plan, bound = answer.plan, checked.lower_bound_yen
    assert bound is not None  # a valid answer has a certificate that proves one
    gap, gap_on_bill = checked.gap, checked.gap_on_bill
    return SolveResult(
        status=_status(checked),
        plan=plan,
        certificate=answer.certificate,
        objective_yen=plan.objective_yen,
        plan_cost_yen=checked.plan_cost_yen,
        lower_bound_yen=bound,
        objective_gap_yen=plan.objective_yen - bound,
        gap=gap,
        gap_on_bill=gap_on_bill,
        verified=checked.valid,
        solve_seconds=solve_seconds,
        peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        workloads_placed=len(plan.placements),
        workloads_not_run=len(plan.not_run_workload_ids),
        stop_reason=answer.stop_reason,
        unplaceable_workloads=tuple(
            UnplaceableWorkload(workload_id, unplaceable_reason(problem, workload_id))
            for workload_id in answer.unplaceable_ids
        ),
        uncapped=uncapped(problem),
        breakdown=breakdown(problem, plan, answer.certificate),
    )


def _status(checked: Verification) -> SolveStatus:
    if checked.unplaceable_workload_ids:
        return SolveStatus.INFEASIBLE
    if checked.mandatory_missed_ids:
        return SolveStatus.MANDATORY_MISSED
    assert checked.lower_bound_yen is not None
    agree = checked.objective_yen - checked.lower_bound_yen <= OPTIMAL_YEN
    if agree or (checked.gap is not None and checked.gap <= OPTIMAL_GAP):
        return SolveStatus.OPTIMAL
    return SolveStatus.FEASIBLE
