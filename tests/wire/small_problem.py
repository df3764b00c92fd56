"""The small problem of tests/data in every shape, and a way to check a changed copy of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tehai.domain.problem import Problem
from tehai.domain.violation import Violation
from tehai.pipeline_check import check_text
from tehai.v1 import problem_pb2
from tehai.wire import parse_text, problem_from_proto, to_json

SMALL_PATH = Path(__file__).resolve().parent.parent / "data" / "small.yaml"


@cache
def small_text() -> str:
    """Return the file as it is."""
    return SMALL_PATH.read_text(encoding="utf-8")


@cache
def _small_bytes() -> bytes:
    message, violations = parse_text(small_text().encode(), problem_pb2.Problem, source_name=SMALL_PATH.name)
    assert message is not None, violations
    return message.SerializeToString()


def small_message() -> problem_pb2.Problem:
    """Return the problem as a message of its own."""
    return problem_pb2.Problem.FromString(_small_bytes())


@cache
def small_problem() -> Problem:
    """Return the problem as the domain has it."""
    problem, violations = problem_from_proto(small_message())
    assert problem is not None, violations
    return problem


def small_document() -> dict[str, Any]:
    """Return the problem as plain dictionaries and lists, free to be changed."""
    document: dict[str, Any] = json.loads(to_json(small_message()))
    return document


def check_document(document: dict[str, Any]) -> tuple[Violation, ...]:
    """Return what is wrong with a document, read as a JSON file."""
    data = json.dumps(document).encode()
    problem, violations = check_text(data, source_name="changed.json")
    assert (problem is None) == bool(violations)
    return violations


def pairs(violations: tuple[Violation, ...]) -> list[tuple[str, str]]:
    """Return code and path of each violation."""
    return [(violation.code, violation.path) for violation in violations]
