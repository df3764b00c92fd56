"""Damaged problems, thousands of them: whatever arrives, check answers, soon, with a problem or with violations."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tehai.domain.problem import Problem
from tehai.domain.violation import Violation
from tehai.pipeline_check import check_message, check_text
from tehai.v1 import problem_pb2
from tehai.validation import notes
from tehai.wire import problem_from_proto, problem_sha256, problem_to_proto
from tests.wire.mutation import changed_documents, changed_lines, changed_messages

# Processor time for one check; the small problem takes a few hundredths. Wall time would blame a busy machine.
CPU_SECONDS_MAX = 10.0
EXAMPLES_SHORT = 150
EXAMPLES_LONG = 10_000

SHORT = settings(max_examples=EXAMPLES_SHORT, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(SHORT, max_examples=EXAMPLES_LONG, phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink))
TEXTS = st.one_of(changed_documents(), changed_lines())
NAMES = st.sampled_from(["a.json", "a.yaml", "-"])


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Stop a block by TimeoutError once it has used so much processor time."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"still busy after {seconds} s of processor time (signal {number}, {frame})")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _judge(problem: Problem | None, violations: tuple[Violation, ...]) -> None:
    """Fail where an answer is neither a usable problem nor a full list of violations."""
    assert (problem is None) == bool(violations)
    assert all(v.code and v.path and v.message and v.action for v in violations)
    for violation in violations:
        f"{violation.path} {violation.message} {violation.action}".encode()
    if problem is None:
        return
    notes(problem)
    again = problem_from_proto(problem_to_proto(problem)).problem
    assert again == problem
    assert problem_sha256(again) == problem_sha256(problem)


def _judge_text(data: bytes, name: str) -> None:
    with deadline(CPU_SECONDS_MAX):
        _judge(*check_text(data, source_name=name))


def _judge_message(message: problem_pb2.Problem) -> None:
    with deadline(CPU_SECONDS_MAX):
        _judge(*check_message(message))


@SHORT
@given(TEXTS, NAMES)
def test_damaged_texts(data: bytes, name: str) -> None:
    """A damaged file is valid and fully usable, or refused with codes, paths and actions, within the deadline."""
    _judge_text(data, name)


@SHORT
@given(changed_messages())
def test_damaged_messages(message: problem_pb2.Problem) -> None:
    """So is a damaged message."""
    _judge_message(message)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@LONG
@given(TEXTS, NAMES)
def test_many_damaged_texts(data: bytes, name: str) -> None:
    """Ten thousand damaged files."""
    _judge_text(data, name)


@pytest.mark.slow
@pytest.mark.timeout(7_200)
@LONG
@given(changed_messages())
def test_many_damaged_messages(message: problem_pb2.Problem) -> None:
    """Ten thousand damaged messages."""
    _judge_message(message)


def _hang() -> None:
    while True:
        pass


def test_the_deadline_stops_what_hangs() -> None:
    """A check that never ends would be seen."""
    with pytest.raises(TimeoutError, match="still busy"), deadline(0.05):
        _hang()
