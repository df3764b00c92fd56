"""Every field of every noun survives the way to the domain and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from google.protobuf.message import Message

from tehai.v1 import evaluation_pb2, plan_pb2, problem_pb2, sourcing_service_pb2
from tehai.wire import (
    certificate_from_proto,
    certificate_to_proto,
    change_from_proto,
    change_to_proto,
    evaluation_from_proto,
    evaluation_to_proto,
    options_from_proto,
    options_to_proto,
    parse_text,
    plan_difference_from_proto,
    plan_difference_to_proto,
    plan_from_proto,
    plan_to_proto,
    problem_from_proto,
    problem_to_proto,
    progress_from_proto,
    progress_to_proto,
    result_from_proto,
    result_to_proto,
    to_json,
    to_yaml,
    violation_from_proto,
    violation_to_proto,
)
from tests.wire.filling import Filler, all_fields, descriptor_of
from tests.wire.small_problem import small_message

# As many as the largest oneof has members.
VARIANTS = range(6)


class Noun(NamedTuple):
    """A message type and the way to the domain and back."""

    message_type: type[Message]
    there_and_back: Callable[..., Message]


def _problem(message: problem_pb2.Problem) -> problem_pb2.Problem:
    problem, violations = problem_from_proto(message)
    assert problem is not None, violations
    return problem_to_proto(problem)


def _plan(message: plan_pb2.Plan) -> Message:
    plan, violations = plan_from_proto(message)
    assert plan is not None, violations
    return plan_to_proto(plan)


def _certificate(message: plan_pb2.Certificate) -> Message:
    certificate, violations = certificate_from_proto(message)
    assert certificate is not None, violations
    return certificate_to_proto(certificate)


def _result(message: plan_pb2.SolveResult) -> Message:
    result, violations = result_from_proto(message)
    assert result is not None, violations
    return result_to_proto(result)


def _options(message: plan_pb2.SolveOptions) -> Message:
    options, violations = options_from_proto(message)
    assert violations == ()
    return options_to_proto(options)


def _change(message: evaluation_pb2.ScenarioChange) -> evaluation_pb2.ScenarioChange:
    decoded = change_from_proto(message)
    assert decoded.change is not None
    return change_to_proto(decoded.change)


NOUNS = [
    Noun(problem_pb2.Problem, _problem),
    Noun(plan_pb2.Plan, _plan),
    Noun(plan_pb2.Certificate, _certificate),
    Noun(plan_pb2.SolveResult, _result),
    Noun(plan_pb2.SolveOptions, _options),
    Noun(sourcing_service_pb2.Progress, lambda m: progress_to_proto(progress_from_proto(m))),
    Noun(sourcing_service_pb2.Violation, lambda m: violation_to_proto(violation_from_proto(m))),
    Noun(evaluation_pb2.Evaluation, lambda m: evaluation_to_proto(evaluation_from_proto(m), m.plan)),
    Noun(evaluation_pb2.PlanDifference, lambda m: plan_difference_to_proto(plan_difference_from_proto(m))),
    Noun(evaluation_pb2.ScenarioChange, _change),
]
# Records of the service and answers written in Rust: they have no domain shape of their own.
WITHOUT_DOMAIN_SHAPE = ("solve.proto", "quote.proto")


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.message_type.__name__)
def test_every_field_survives(noun: Noun) -> None:
    """With every field set to a value of its own, decode then encode gives the same message; no field is left out."""
    filled: set[str] = set()
    for variant in VARIANTS:
        filler = Filler(variant)
        message = noun.message_type()
        filler.fill(message)
        filled |= filler.filled
        assert noun.there_and_back(message) == message
    expected = all_fields(descriptor_of(noun.message_type))
    assert len(expected) >= 4
    assert filled == expected


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.message_type.__name__)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_field_survives_as_text(noun: Noun, variant: int) -> None:
    """YAML and JSON hold every field exactly."""
    message = noun.message_type()
    Filler(variant).fill(message)
    for write, name in ((to_yaml, "a.yaml"), (to_json, "a.json")):
        parsed, violations = parse_text(write(message).encode(), noun.message_type, source_name=name)
        assert violations == ()
        assert parsed == message


def test_empty_messages_survive_as_text() -> None:
    """A message without fields, and an empty message inside another, stay what they are."""
    message = problem_pb2.Problem()
    message.rules.domestic.SetInParent()
    for each in (problem_pb2.Problem(), message):
        for write, name in ((to_yaml, "a.yaml"), (to_json, "a.json")):
            parsed, violations = parse_text(write(each).encode(), problem_pb2.Problem, source_name=name)
            assert violations == ()
            assert parsed == each
            assert parsed is not None
            assert parsed.HasField("rules") == each.HasField("rules")


def _set_fields(message: Message) -> set[str]:
    """Return the full names of the fields that are set in a message and in the messages in it."""
    found = set()
    for field, value in message.ListFields():
        found.add(field.full_name)
        if field.message_type is not None:
            for child in value if field.is_repeated else [value]:
                found |= _set_fields(child)
    return found


def test_the_small_problem_sets_every_field() -> None:
    """The file that tests change by hand has each field of the contract somewhere, and survives domain and text."""
    message = small_message()
    assert _set_fields(message) == all_fields(descriptor_of(message))
    canonical = _problem(message)
    assert _set_fields(canonical) == _set_fields(message)
    assert _problem(canonical) == canonical
    for write, name in ((to_yaml, "a.yaml"), (to_json, "a.json")):
        assert parse_text(write(message).encode(), problem_pb2.Problem, source_name=name) == (message, ())


def test_every_message_of_the_contract_is_covered() -> None:
    """No message of the proto files is forgotten here but the requests and responses around these nouns."""
    covered = {name.rsplit(".", 1)[0] for noun in NOUNS for name in all_fields(descriptor_of(noun.message_type))}
    modules = (problem_pb2, plan_pb2, sourcing_service_pb2)
    files = {module.DESCRIPTOR.name: module.DESCRIPTOR for module in modules}
    for module in modules:
        files |= {dependency.name: dependency for dependency in module.DESCRIPTOR.dependencies}
    ours = [f for name, f in files.items() if name.startswith("tehai/") and not name.endswith(WITHOUT_DOMAIN_SHAPE)]
    messages = {m.full_name for file in ours for m in file.message_types_by_name.values()}
    names = ("Request", "Response", "ViolationList", "UploadHeader", "LimitValue")
    around = {name for name in messages if name.endswith(names)}
    assert len(messages) > 30
    assert messages - around == covered
