"""Traces of a real server, as a collector gets them: one tree from the span of the caller down to phases of a solve."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as collector
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tehai.v1 import sourcing_service_pb2 as pb
from tests.server.process import ServerProcess
from tests.server.waiting import SHORT, ended

TRACE_ID, CALLER_SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{CALLER_SPAN_ID}-01"
CREATE, STREAM, DEMO = (
    f"/tehai.v1.SourcingService/{name}" for name in ("CreateSolve", "StreamSolve", "GetDemoProblem")
)
WAIT, PROCESS = "solve.wait", "solve.process"
PHASES = {f"solve.{name}" for name in ("build", "master", "search", "certify")}


class Collector(collector.TraceServiceServicer):
    """Keeps every span that is sent to it."""

    def __init__(self) -> None:
        self.services: set[str] = set()
        self.spans: list[Span] = []
        self.endpoint = ""

    def Export(  # noqa: N802 - the name of the method
        self, request: messages.ExportTraceServiceRequest, _: grpc.ServicerContext
    ) -> messages.ExportTraceServiceResponse:
        """Take spans."""
        for group in request.resource_spans:
            self.services |= {a.value.string_value for a in group.resource.attributes if a.key == "service.name"}
            for scope in group.scope_spans:
                self.spans += scope.spans
        return messages.ExportTraceServiceResponse()

    def of_trace(self, trace_id: str) -> list[Span]:
        """Return the spans of one trace."""
        return [span for span in self.spans if span.trace_id.hex() == trace_id]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Listen on a free port of loopback, as OTLP over gRPC."""
    made = Collector()
    server = grpc.server(futures.ThreadPoolExecutor(1))
    collector.add_TraceServiceServicer_to_server(made, server)  # type: ignore[no-untyped-call] # generated
    made.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield made
    finally:
        server.stop(None).wait()


def one(spans: list[Span], name: str) -> Span:
    """Return the only span of a name."""
    (found,) = (span for span in spans if span.name == name)
    return found


def attributes(span: Span) -> dict[str, object]:
    """Return what a span says of itself."""
    return {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in span.attributes}


def test_a_solve_is_one_tree_below_its_callers_span() -> None:
    """The request is a child of the caller, waiting and process of the request, phases of the process; in this order.

    The server is told to end before all is sent: what is in hand then still arrives.
    """
    with running_collector() as sent:
        with ServerProcess(tracing=True, tracing_endpoint=sent.endpoint) as server:
            problem = server.stub().GetDemoProblem(pb.GetDemoProblemRequest(name="small"), timeout=60).problem
            request = pb.CreateSolveRequest(problem=problem, options=SHORT)
            operation = server.stub().CreateSolve(request, timeout=60, metadata=(("traceparent", TRACEPARENT),))
            assert ended(server, operation).plan
        spans = sent.of_trace(TRACE_ID)
        others = [span.name for span in sent.spans if span not in spans]
    assert sent.services == {"tehai"}
    create, wait, process = (one(spans, name) for name in (CREATE, WAIT, PROCESS))
    phases = [span for span in spans if span not in (create, wait, process)]
    assert {span.name for span in phases} >= PHASES
    assert create.parent_span_id.hex() == CALLER_SPAN_ID
    assert {wait.parent_span_id, process.parent_span_id} == {create.span_id}
    assert {span.parent_span_id for span in phases} == {process.span_id}
    # The store keeps microseconds.
    assert create.start_time_unix_nano - 1_000 <= wait.start_time_unix_nano <= wait.end_time_unix_nano
    assert wait.end_time_unix_nano == process.start_time_unix_nano
    for span in phases:
        assert process.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= process.end_time_unix_nano
    solve_id = operation.name.rpartition("/")[2]
    assert {attributes(span)["solve"] for span in (wait, process, *phases)} == {solve_id}
    assert (attributes(process)["attempt"], attributes(process)["outcome"]) == (1, "succeeded")
    # A call without a traceparent begins a trace of its own.
    assert DEMO in others
    assert not set(others) & {CREATE, WAIT, PROCESS, *PHASES}


def test_waiting_lasts_until_there_is_a_place() -> None:
    """With one place the second solve waits for as long as the first one has its process; a failed one says so."""
    with running_collector() as sent:
        with ServerProcess(tracing=True, tracing_endpoint=sent.endpoint, solves_max=1) as server:
            problem = server.stub().GetDemoProblem(pb.GetDemoProblemRequest(name="small"), timeout=60).problem
            problem.ClearField("workloads")
            traced = (("traceparent", TRACEPARENT),)
            operations = [
                server.stub().CreateSolve(
                    pb.CreateSolveRequest(problem=problem, options=SHORT), timeout=60, metadata=traced
                )
                for _ in range(2)
            ]
            for operation in operations:
                assert ended(server, operation).HasField("error")
        spans = sent.of_trace(TRACE_ID)
    ids = [operation.name.rpartition("/")[2] for operation in operations]
    processes, waits = (
        {str(attributes(span)["solve"]): span for span in spans if span.name == name} for name in (PROCESS, WAIT)
    )
    assert set(processes) == set(waits) == set(ids)
    first, second = sorted(ids, key=lambda solve_id: processes[solve_id].start_time_unix_nano)
    assert processes[first].end_time_unix_nano <= processes[second].start_time_unix_nano
    assert waits[second].start_time_unix_nano <= processes[first].end_time_unix_nano
    assert waits[second].end_time_unix_nano == processes[second].start_time_unix_nano
    for span in processes.values():
        assert attributes(span)["outcome"] == "failed"
        assert span.status.code == Status.STATUS_CODE_ERROR
        assert not span.status.message


def test_the_phases_of_a_stream_are_children_of_its_call() -> None:
    """StreamSolve has no queue: its phases hang below the request, which lasts as long as its process."""
    with running_collector() as sent:
        with ServerProcess(tracing=True, tracing_endpoint=sent.endpoint) as server:
            problem = server.stub().GetDemoProblem(pb.GetDemoProblemRequest(name="small"), timeout=60).problem
            request = pb.StreamSolveRequest(problem=problem, options=SHORT)
            answers = list(server.stub().StreamSolve(request, timeout=120, metadata=(("traceparent", TRACEPARENT),)))
            assert answers[-1].HasField("result")
        spans = sent.of_trace(TRACE_ID)
    call = one(spans, STREAM)
    assert call.parent_span_id.hex() == CALLER_SPAN_ID
    assert {span.name for span in spans} >= PHASES
    assert {span.parent_span_id for span in spans if span is not call} == {call.span_id}


def test_a_collector_that_is_away_costs_nothing_but_its_spans() -> None:
    """Calls are answered and solves end without it, and the server ends when it is told to."""
    with ServerProcess(tracing=True, tracing_endpoint="http://127.0.0.1:9") as server:
        problem = server.stub().GetDemoProblem(pb.GetDemoProblemRequest(name="small"), timeout=60).problem
        request = pb.CreateSolveRequest(problem=problem, options=SHORT)
        assert ended(server, server.stub().CreateSolve(request, timeout=60)).plan
        server.signal(signal.SIGTERM)
        assert server.wait(30) == 0
