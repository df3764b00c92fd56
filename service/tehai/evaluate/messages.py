"""Evaluations and differences of serialised messages, for processes that are handed bytes."""

from __future__ import annotations

from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult
from tehai.domain.violation import InvalidProblemError
from tehai.evaluate.difference import diff_plans
from tehai.evaluate.evaluation import evaluate_plan
from tehai.pipeline_check import check_message
from tehai.v1 import evaluation_pb2, plan_pb2, problem_pb2
from tehai.wire import (
    change_from_proto,
    evaluation_to_proto,
    message_from_bytes,
    plan_difference_to_proto,
    problem_sha256,
    result_from_proto,
    violations_within,
)


def evaluate_bytes(problem: bytes, result: bytes, change: bytes, plan_name: str) -> bytes:
    """Return the Evaluation of a plan under a ScenarioChange.

    ``problem`` is a Problem, ``result`` the SolveResult with the plan, ``plan_name`` its resource name.

    Raises:
        InvalidProblemError: with paths under "problem", "result", "plan" and "change"; see ``evaluate_plan``.
        UnverifiedAnswerError: the changed bill fails its check; a fault of Tehai.
    """
    decoded = change_from_proto(message_from_bytes(change, evaluation_pb2.ScenarioChange, "change"), "change")
    if decoded.change is None:
        raise InvalidProblemError(decoded.violations)
    found = _problem(problem)
    plan = _result(result, "result").plan
    evaluation = evaluate_plan(found, problem_sha256(found), plan, decoded.change)
    return evaluation_to_proto(evaluation, plan_name).SerializeToString(deterministic=True)


def diff_bytes(from_result: bytes, to_result: bytes, from_name: str, to_name: str) -> bytes:
    """Return the PlanDifference from one SolveResult to another; the names say which one is wrong.

    Raises:
        InvalidProblemError: a result cannot be read; paths are under the name of its plan.
    """
    before, after = _result(from_result, from_name), _result(to_result, to_name)
    return plan_difference_to_proto(diff_plans(before.plan, after.plan)).SerializeToString(deterministic=True)


def _problem(data: bytes) -> Problem:
    problem, violations = check_message(message_from_bytes(data, problem_pb2.Problem, "problem"))
    if problem is None:
        raise InvalidProblemError(violations_within("problem", violations))
    return problem


def _result(data: bytes, path: str) -> SolveResult:
    result, violations = result_from_proto(message_from_bytes(data, plan_pb2.SolveResult, path))
    if result is None:
        raise InvalidProblemError(violations_within(path, violations))
    return result
