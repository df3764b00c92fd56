"""Evaluations and differences as messages and as bytes."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from tehai.domain.evaluation import OfferPriceFactor, ScenarioChange
from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult
from tehai.domain.violation import InvalidProblemError
from tehai.evaluate import diff_plans, evaluate_plan
from tehai.evaluate.messages import diff_bytes, evaluate_bytes
from tehai.v1 import evaluation_pb2
from tehai.wire import (
    change_from_proto,
    change_to_proto,
    evaluation_from_proto,
    evaluation_to_proto,
    plan_difference_from_proto,
    plan_difference_to_proto,
    problem_sha256,
    problem_to_proto,
    result_to_proto,
)
from tests.report.results import everything
from tests.wire.bad_messages import UNKNOWN_FIELD
from tests.wire.filling import Filler

CHANGE = ScenarioChange(1.25, (OfferPriceFactor("bought", 4.0),), ("use",), 0.5)
NAME = "tenants/a/plans/b"


@pytest.fixture(scope="module", name="stored")
def make_stored() -> tuple[Problem, SolveResult]:
    """Return a problem and a result that carries its hash."""
    problem, result = everything()
    return problem, replace(result, plan=replace(result.plan, problem_sha256=problem_sha256(problem)))


def as_bytes(stored: tuple[Problem, SolveResult]) -> tuple[bytes, bytes]:
    """Return problem and result serialised."""
    return problem_to_proto(stored[0]).SerializeToString(), result_to_proto(stored[1]).SerializeToString()


def test_evaluate_bytes(stored: tuple[Problem, SolveResult]) -> None:
    """The answer is the evaluation of the domain with the plan's name, with broken limits in it."""
    data = evaluate_bytes(*as_bytes(stored), change_to_proto(CHANGE).SerializeToString(), NAME)
    message = evaluation_pb2.Evaluation.FromString(data)
    expected = evaluate_plan(stored[0], problem_sha256(stored[0]), stored[1].plan, CHANGE)
    assert message == evaluation_to_proto(expected, NAME)
    assert (message.plan, evaluation_from_proto(message)) == (NAME, expected)
    assert {limit.code for limit in message.broken_limits} == {"V2305", "V2308"}


def test_no_change_is_an_empty_message(stored: tuple[Problem, SolveResult]) -> None:
    """An empty change moves nothing."""
    message = evaluation_pb2.Evaluation.FromString(evaluate_bytes(*as_bytes(stored), b"", NAME))
    assert message.changed_bill_lines == message.bill_lines
    assert message.changed_objective_yen == message.objective_yen == stored[1].objective_yen


def test_diff_bytes(stored: tuple[Problem, SolveResult]) -> None:
    """The answer is the difference of the domain."""
    _, result = stored
    other = replace(result, plan=replace(result.plan, placements=result.plan.placements[1:]))
    before, after = (result_to_proto(item).SerializeToString() for item in (result, other))
    data = diff_bytes(before, after, "a", "b")
    message = evaluation_pb2.PlanDifference.FromString(data)
    expected = diff_plans(result.plan, other.plan)
    assert len(expected.placements) == 1
    assert message == plan_difference_to_proto(expected)
    assert plan_difference_from_proto(message) == expected


def test_a_result_that_cannot_be_read(stored: tuple[Problem, SolveResult]) -> None:
    """A fault of form has its path under the part that it is in, or under the name of the plan."""
    problem, result = as_bytes(stored)
    broken = result_to_proto(stored[1])
    broken.plan.placements[0].segments[0].start_date = "soon"
    data = broken.SerializeToString()
    fault = "plan.placements[0].segments[0].start_date"
    with pytest.raises(InvalidProblemError) as caught:
        evaluate_bytes(problem, data, b"", NAME)
    assert [(v.code, v.path) for v in caught.value.violations] == [("E1105", f"result.{fault}")]
    with pytest.raises(InvalidProblemError) as caught:
        diff_bytes(result, data, "plans/a", "plans/b")
    assert [(v.code, v.path) for v in caught.value.violations] == [("E1105", f"plans/b.{fault}")]


def test_a_problem_that_breaks_rules(stored: tuple[Problem, SolveResult]) -> None:
    """The problem is checked again, with paths under "problem"."""
    message = problem_to_proto(stored[0])
    message.workloads[0].memory_gb = -1
    with pytest.raises(InvalidProblemError) as caught:
        evaluate_bytes(message.SerializeToString(), as_bytes(stored)[1], b"", NAME)
    assert [(v.code, v.path) for v in caught.value.violations] == [("E1210", "problem.workloads[0].memory_gb")]


def test_a_change_comes_back() -> None:
    """A change survives the way to a message and back; factors of 1 are left unset."""
    assert change_from_proto(change_to_proto(CHANGE)).change == CHANGE
    assert change_to_proto(ScenarioChange()) == evaluation_pb2.ScenarioChange()
    assert change_from_proto(evaluation_pb2.ScenarioChange()).change == ScenarioChange()
    message = evaluation_pb2.ScenarioChange(usd_jpy_factor=0.0)
    assert change_from_proto(message).change == ScenarioChange(usd_jpy_factor=0.0), "0 is given, not unset"


def test_bad_changes() -> None:
    """Faults of form have their codes at their paths: no number, an unknown field, too many."""
    message = evaluation_pb2.ScenarioChange(
        usd_jpy_factor=nan, offer_price_factors=[evaluation_pb2.OfferPriceFactor(offer_id="a", factor=nan)]
    )
    message.cancelled_programme_ids.extend(["x"] * 101)
    message.MergeFromString(UNKNOWN_FIELD)
    decoded = change_from_proto(message)
    assert decoded.change is None
    assert [(violation.code, violation.path) for violation in decoded.violations] == [
        ("E1110", "change.100"),
        ("E1106", "change.usd_jpy_factor"),
        ("E1106", "change.offer_price_factors[0].factor"),
        ("E1111", "change.cancelled_programme_ids"),
    ]
    with pytest.raises(InvalidProblemError):
        evaluate_bytes(b"", b"", message.SerializeToString(), NAME)


def test_answers_come_back() -> None:
    """Every field of both answers survives the way to the domain and back."""
    evaluation = evaluation_pb2.Evaluation()
    Filler(0).fill(evaluation)
    assert evaluation_to_proto(evaluation_from_proto(evaluation), evaluation.plan) == evaluation
    difference = evaluation_pb2.PlanDifference()
    Filler(0).fill(difference)
    assert plan_difference_to_proto(plan_difference_from_proto(difference)) == difference


def test_malformed_answers() -> None:
    """A choice that is not known is an error."""
    with pytest.raises(ValueError, match="component"):
        evaluation_from_proto(evaluation_pb2.Evaluation(bill_lines=[{}]))  # type: ignore[list-item]
    with pytest.raises(ValueError, match="change"):
        plan_difference_from_proto(evaluation_pb2.PlanDifference(placements=[{}]))  # type: ignore[list-item]
