"""Waiting, processes and phases of jobs as spans: of several attempts, of a trace that came late, and of none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tehai.telemetry.job_spans import LEFT_MAX, JobSpans
from tehai.telemetry.trace_context import TraceParent
from tehai.telemetry.tracing import start_tracing, stop_tracing
from tests.telemetry.test_tracing import ids, parent_of

PARENT = TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)


class Traced:
    """Jobs with a clock of their own, and the spans that came of them."""

    def __init__(self) -> None:
        self.now_ns = 1_500
        self.parents = {"a": PARENT}
        self.jobs = JobSpans("solve", self.parents.get, lambda: self.now_ns)
        self._exporter = InMemorySpanExporter()
        start_tracing(exporter=self._exporter)

    def spans(self) -> list[ReadableSpan]:
        """Return every span that is over, in the order of their ends."""
        stop_tracing()
        return list(self._exporter.get_finished_spans())


@pytest.fixture
def traced() -> Iterator[Traced]:
    """Switch tracing on into memory, and off again."""
    made = Traced()
    try:
        yield made
    finally:
        stop_tracing()


def test_each_attempt_waits_and_runs(traced: Traced) -> None:
    """A process that died is marked as failed, and the next wait begins where it was gone."""
    traced.jobs.started("a", 1, 1_000)
    traced.now_ns = 1_600
    traced.jobs.ended("a", None, failed=True)
    traced.now_ns = 2_100
    traced.jobs.started("a", 2, 1_000)
    traced.jobs.ended("a", "succeeded", failed=False)
    found = traced.spans()
    assert [span.name for span in found] == ["solve.wait", "solve.process"] * 2
    assert {ids(span)[0] for span in found} == {PARENT.trace_id}
    assert {parent_of(span) for span in found} == {PARENT.span_id}
    waits, processes = found[::2], found[1::2]
    assert [(span.start_time, span.end_time) for span in waits] == [(1_000, 1_500), (1_600, 2_100)]
    assert [span.start_time for span in processes] == [1_500, 2_100]
    assert [dict(span.attributes or {}) for span in processes] == [
        {"solve": "a", "attempt": 1, "outcome": "left"},
        {"solve": "a", "attempt": 2, "outcome": "succeeded"},
    ]
    assert [span.status.status_code for span in processes] == [StatusCode.ERROR, StatusCode.UNSET]


def test_a_job_that_runs_before_its_trace_is_known(traced: Traced) -> None:
    """Its spans are written once it is, from where they began; phases are children of the process."""
    late = traced.parents.pop("a")
    traced.jobs.started("a", 1, 1_000)
    traced.parents["a"] = late
    traced.jobs.phase("a", "build", 1_600, 1_800)
    traced.jobs.ended("a", "cancelled", failed=False)
    wait, phase, process = traced.spans()
    assert (wait.start_time, wait.end_time, process.start_time) == (1_000, 1_500, 1_500)
    assert (phase.name, phase.start_time, phase.end_time) == ("solve.build", 1_600, 1_800)
    assert parent_of(phase) == ids(process)[1]
    assert dict(phase.attributes or {}) == {"solve": "a"}


def test_a_clock_that_was_set_back_gives_no_negative_wait(traced: Traced) -> None:
    """A creation that seems to be in the future counts as now."""
    traced.jobs.started("a", 1, 9_000)
    traced.jobs.ended("a", "failed", failed=True)
    wait, process = traced.spans()
    assert (wait.start_time, wait.end_time) == (1_500, 1_500)
    assert process.status.status_code is StatusCode.ERROR


def test_a_job_without_a_trace_has_no_span(traced: Traced) -> None:
    """Such are those of another server, and phases of one that is over."""
    traced.jobs.started("b", 1, 1_000)
    traced.jobs.phase("b", "build", 1, 2)
    traced.jobs.ended("b", None, failed=True)
    traced.jobs.phase("a", "certify", 3, 4)
    traced.jobs.ended("a", "succeeded", failed=False)
    assert traced.spans() == []


def test_nothing_grows_for_ever(traced: Traced) -> None:
    """Jobs that another server takes up are forgotten, the oldest first; with tracing off nothing is kept."""
    traced.jobs = JobSpans("solve", lambda _: PARENT)
    for number in range(LEFT_MAX + 1):
        traced.jobs.started(str(number), 1, 1_000)
        traced.jobs.ended(str(number), None, failed=False)
    assert len(traced.jobs._left_ns) == LEFT_MAX
    assert "0" not in traced.jobs._left_ns
    stop_tracing()
    silent = JobSpans("solve", lambda _: PARENT)
    silent.started("a", 1, 1_000)
    silent.phase("a", "build", 1, 2)
    silent.ended("a", None, failed=True)
    assert not silent._runs
    assert not silent._left_ns
