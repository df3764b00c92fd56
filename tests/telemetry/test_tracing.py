"""Traces: nothing where they are off, and where they are on, spans with the right parents and no private text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tehai.telemetry import tracing
from tehai.telemetry.trace_context import TraceParent, parse_traceparent

SERVICE = Path(__file__).resolve().parents[2] / "service"
PARENT = TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)


class Spans:
    """What was traced."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        tracing.start_tracing("test", exporter=self._exporter)

    def finished(self) -> dict[str, ReadableSpan]:
        """Return every span that is over, by name."""
        tracing.stop_tracing()
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture
def spans() -> Iterator[Spans]:
    """Switch tracing on into memory, and off again."""
    made = Spans()
    try:
        yield made
    finally:
        tracing.stop_tracing()


def ids(span: ReadableSpan) -> tuple[str, str]:
    """Return trace and span id in hexadecimal."""
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str:
    """Return the id of a span's parent."""
    assert span.parent is not None
    return f"{span.parent.span_id:016x}"


def test_switched_off_a_span_is_nothing_and_the_trace_is_handed_on() -> None:
    """No object is made for a span, exceptions pass, and a caller's traceparent still reaches the next process."""
    assert tracing.span("a") is tracing.span("b", workloads=3)
    with pytest.raises(KeyError), tracing.span("a"):
        raise KeyError
    tracing.record_span("phase", 1, 2)
    assert tracing.current_traceparent() == ""
    with tracing.continued_trace(PARENT), tracing.span("a"):
        assert tracing.current_traceparent() == str(PARENT)
    with tracing.continued_trace("nonsense"):
        assert tracing.current_traceparent() == ""
    assert tracing.current_traceparent() == ""


def test_spans_nest_and_carry_attributes(spans: Spans) -> None:
    """A span within a span is its child, with what it was given."""
    with tracing.span("outer", tenant="example", workloads=3), tracing.span("inner", name="n"):
        pass
    found = spans.finished()
    assert parent_of(found["inner"]) == ids(found["outer"])[1]
    assert found["outer"].parent is None
    assert dict(found["outer"].attributes or {}) == {"tenant": "example", "workloads": 3}
    assert dict(found["inner"].attributes or {}) == {"name": "n"}


def test_a_callers_trace_goes_on_and_reaches_the_solver(spans: Spans) -> None:
    """From metadata through a span to text for another process, and back as the parent of a phase that is over."""
    with tracing.continued_trace(PARENT), tracing.span("create"):
        text = tracing.current_traceparent()
    # In a solver's process this would be all that is known; the server later writes the phase down.
    handed = parse_traceparent(text)
    assert handed is not None
    tracing.record_span("phase search", 1_000_000_000, 3_500_000_000, handed, columns=7)
    with tracing.continued_trace(text), tracing.span("finish"):
        pass
    found = spans.finished()
    assert parent_of(found["create"]) == PARENT.span_id
    trace_id, span_id = ids(found["create"])
    assert (trace_id, handed.span_id) == (PARENT.trace_id, span_id)
    for name in ("phase search", "finish"):
        assert ids(found[name])[0] == trace_id
        assert parent_of(found[name]) == span_id
    phase = found["phase search"]
    assert (phase.start_time, phase.end_time) == (1_000_000_000, 3_500_000_000)


def test_a_past_span_belongs_to_the_current_one(spans: Spans) -> None:
    """Without a parent given, what is written down is a child of the span around it."""
    with tracing.span("outer"):
        tracing.record_span("queue", 1, 2)
    found = spans.finished()
    assert parent_of(found["queue"]) == ids(found["outer"])[1]


def test_a_failure_shows_its_class_and_not_its_text(spans: Spans) -> None:
    """An exception marks its span as failed and passes on; its text, which may be private, is not exported."""
    secret = ValueError("secret")
    with pytest.raises(ValueError, match="secret"), tracing.span("a"):
        raise secret
    span = spans.finished()["a"]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError"
    assert "secret" not in span.to_json()


def test_a_trace_that_its_caller_does_not_keep_is_not_kept(spans: Spans) -> None:
    """Whether a trace is kept is decided where it began."""
    with tracing.continued_trace(TraceParent(PARENT.trace_id, PARENT.span_id, sampled=False)):
        with tracing.span("a"):
            handed = parse_traceparent(tracing.current_traceparent())
        assert handed is not None
        assert not handed.sampled
    assert spans.finished() == {}


def run(program: str) -> str:
    """Run a program in a fresh interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SERVICE, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_without_the_packages_nothing_is_missing_but_tracing() -> None:
    """With OpenTelemetry not installed spans work as nothing, and switching on says what to install."""
    assert (
        run(
            "import sys\n"
            "sys.modules['opentelemetry'] = None\n"
            "from tehai.telemetry import tracing\n"
            "with tracing.span('a', n=1): pass\n"
            "try: tracing.start_tracing()\n"
            "except tracing.TracingNotInstalledError as error: print('tehai[tracing]' in str(error))"
        )
        == "True"
    )


def test_a_server_that_does_not_trace_loads_none_of_it() -> None:
    """Importing telemetry and opening spans imports no part of OpenTelemetry and no gRPC."""
    program = (
        "import sys, tehai.telemetry\n"
        "from tehai.telemetry import tracing\n"
        "with tracing.span('a'): pass\n"
        "print([m for m in ('opentelemetry', 'grpc', 'google') if m in sys.modules])"
    )
    assert run(program) == "[]"


def test_spans_reach_a_collector() -> None:
    """The OTLP exporter of the extra sends spans to a real gRPC collector, with service name and span name."""
    program = """
import threading
from concurrent import futures
import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages, trace_service_pb2_grpc as service
from tehai.telemetry import tracing
got = []
class Collector(service.TraceServiceServicer):
    def Export(self, request, context):
        got.append(request)
        return messages.ExportTraceServiceResponse()
server = grpc.server(futures.ThreadPoolExecutor(1))
service.add_TraceServiceServicer_to_server(Collector(), server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
tracing.start_tracing("tehai-test", endpoint=f"http://127.0.0.1:{port}")
with tracing.span("create"):
    pass
tracing.stop_tracing()
server.stop(None)
spans = got[0].resource_spans[0]
names = {a.key: a.value.string_value for a in spans.resource.attributes}
print(names["service.name"], spans.scope_spans[0].spans[0].name)
"""
    assert run(program) == "tehai-test create"
