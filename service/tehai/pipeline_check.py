"""Everything that is wrong with a message or a text at once: its form and its meaning."""

from __future__ import annotations

from collections.abc import Iterable

from tehai.domain.problem import Problem
from tehai.domain.violation import Violation
from tehai.v1 import problem_pb2
from tehai.validation import findings_of, ordered
from tehai.wire import TaintedPaths, draft_problem, read_text

CheckedProblem = tuple[Problem | None, tuple[Violation, ...]]


def check_message(message: problem_pb2.Problem) -> CheckedProblem:
    """Return the problem of a message, or None, with every violation by path.

    Where a value cannot be read the rest is still checked; rules that rest on that value stay silent.
    """
    return _check(message, (), ())


def check_text(data: bytes, *, source_name: str) -> CheckedProblem:
    """Return the problem of a YAML or JSON text, or None, with every violation by path; see check_message."""
    draft = read_text(data, problem_pb2.Problem, source_name=source_name)
    if draft.message is None:
        return None, ordered(draft.violations)
    return _check(draft.message, draft.violations, draft.tainted)


def read_problem(data: bytes, *, source_name: str) -> tuple[problem_pb2.Problem | None, tuple[Violation, ...]]:
    """Return the message of a YAML or JSON text as check_text, or None where there is any violation."""
    draft = read_text(data, problem_pb2.Problem, source_name=source_name)
    if draft.message is None:
        return None, ordered(draft.violations)
    _, violations = _check(draft.message, draft.violations, draft.tainted)
    return (None if violations else draft.message), violations


def _check(message: problem_pb2.Problem, known: Iterable[Violation], known_paths: Iterable[str]) -> CheckedProblem:
    draft = draft_problem(message, known_paths)
    tainted = TaintedPaths(draft.tainted)
    meaning = [
        finding.violation
        for finding in findings_of(draft.problem)
        if not tainted.covers(finding.violation.path) and not any(map(tainted.touches, finding.reads))
    ]
    violations = ordered((*known, *draft.violations, *meaning))
    return (None if violations else draft.problem), violations
