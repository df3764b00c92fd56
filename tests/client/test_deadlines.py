"""``timeout_seconds``: the time for everything that a method does; and what a method has where none is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest

from tehai.client import DeadlineExceededError, RetryPolicy, ServerRefusedError
from tehai.client import quoting as quoting_module
from tehai.client.caller import HEAVY_SECONDS, TRANSFER_SECONDS
from tehai.client.solves import WAIT_MARGIN_SECONDS_LAST
from tehai.domain.evaluation import ScenarioChange
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1 import workload_pb2
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import StoredProblem
from tests.client.fake import (
    OPERATION,
    PLAN,
    QUICK,
    SOLVE,
    TENANT,
    AnyClient,
    FakeServer,
    Refusal,
    client_of,
    operation,
)

Code = grpc.StatusCode
STORED = StoredProblem(name=f"{TENANT}/problems/{'0' * 64}")
# gRPC rounds the time that it sends up, by a second at most for the times here.
ROUNDING_SECONDS = 1.0
ONE = [workload_pb2.Workload(id="a")]
EVERY_METHOD: dict[str, tuple[Any, ...]] = {
    "create_solve": (Problem(),),
    "upload_problem": (b"x" * 100,),
    "get_solve": (SOLVE,),
    "list_solves": (),
    "delete_solve": (SOLVE,),
    "watch": (SOLVE,),
    "wait_for_solve": (SOLVE,),
    "get_operation": (OPERATION,),
    "list_operations": (),
    "cancel_operation": (OPERATION,),
    "result": (SOLVE,),
    "download_result": (SOLVE,),
    "plan": (PLAN,),
    "diff": (PLAN, PLAN),
    "evaluate": (PLAN, ScenarioChange()),
    "quote": (PLAN, ONE),
    "stream_quotes": (PLAN, ONE),
    "limits": (),
    "check": (Problem(),),
    "demo_problem": ("small",),
}


def large_problem() -> Problem:
    """Return a problem for which the limit of the server is asked for."""
    problem = Problem(schema_version=1)
    for number in range(1_100):
        problem.workloads.add(id=f"workload-{number}", display_name="x" * 2_000)
    assert problem.ByteSize() > 2**21
    return problem


class Seconds:
    """How much time each call had left at least when it reached the server."""

    def __init__(self) -> None:
        self.seen: dict[str, list[float]] = {}

    def note(self, method: str, answer: Any) -> Callable[[Any, grpc.ServicerContext], Any]:  # noqa: ANN401 - of fake
        """Return an answer that notes the time."""

        def answered(_: object, context: grpc.ServicerContext) -> Any:  # noqa: ANN401 - as above
            remaining = context.time_remaining()
            assert remaining is not None
            self.seen.setdefault(method, []).append(remaining - ROUNDING_SECONDS)
            return answer

        return answered


def hanging(*first: Any) -> Callable[[Any, grpc.ServicerContext], Iterator[Any]]:  # noqa: ANN401 - of fake
    """Return an answer of a stream that waits for the client's end."""

    def answer(_: object, context: grpc.ServicerContext) -> Iterator[Any]:
        over = threading.Event()
        context.add_callback(over.set)
        yield from first
        over.wait(30)

    return answer


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_no_time_is_a_deadline_that_is_over(fake: FakeServer, client: AnyClient, method: str) -> None:
    """0 is not taken for none: the call ends with an error, and nothing reaches the server."""
    with pytest.raises(DeadlineExceededError):
        client.call(method, *EVERY_METHOD[method], timeout_seconds=0.0)
    assert not fake.requests


def test_a_wait_without_time_asks_once(fake: FakeServer, client: AnyClient) -> None:
    """Waiting no longer than now is how an operation is looked at; that too has an end."""
    seconds = Seconds()
    fake.answers("WaitOperation", seconds.note("WaitOperation", operation()))
    assert not client.call("wait_operation", SOLVE, timeout_seconds=0.0).done
    assert len(seconds.seen["WaitOperation"]) == 1
    assert seconds.seen["WaitOperation"][0] <= WAIT_MARGIN_SECONDS_LAST


def test_a_wait_ends_a_little_after_its_time(fake: FakeServer, client: AnyClient) -> None:
    """A question may outlast the caller's time by the last margin only; without a time its own margin holds."""
    seconds = Seconds()
    fake.answers("WaitOperation", seconds.note("WaitOperation", operation(done=True)))
    for given in (5.0, 70.0, None):
        client.call("wait_operation", SOLVE, timeout_seconds=given)
    short, longer, endless = seconds.seen["WaitOperation"]
    assert 4.0 < short <= 5.0 + WAIT_MARGIN_SECONDS_LAST
    assert 60.0 < longer <= 70.0 + WAIT_MARGIN_SECONDS_LAST
    assert 70.0 < endless <= 75.0
    assert [request.timeout.seconds for request in fake.requests["WaitOperation"]] == [4, 60, 60]


@pytest.mark.parametrize("method", ["create_solve", "upload_problem"])
def test_the_question_of_the_limit_is_in_the_callers_time(fake: FakeServer, client: AnyClient, method: str) -> None:
    """GetLimits, upload and creation have one deadline together, which begins before any of them."""
    seconds = Seconds()
    limits = pb.GetLimitsResponse(limits=[pb.LimitValue(name="message_bytes", value=2**20)])
    fake.answers("GetLimits", seconds.note("GetLimits", limits))
    fake.answers("UploadProblem", seconds.note("UploadProblem", STORED))
    fake.answers("CreateSolve", seconds.note("CreateSolve", operation()))
    client.call(method, large_problem(), timeout_seconds=20.0)
    assert set(seconds.seen) == {"GetLimits", "UploadProblem"} | (
        {"CreateSolve"} if method == "create_solve" else set()
    )
    assert all(left <= 20.0 for calls in seconds.seen.values() for left in calls)


@pytest.mark.parametrize("method", ["create_solve", "upload_problem"])
def test_a_limit_that_is_not_told_in_time_ends_the_call(fake: FakeServer, client: AnyClient, method: str) -> None:
    """A server that is silent about its limit uses up the caller's time, and nothing is sent after that."""

    def hang(_: object, context: grpc.ServicerContext) -> pb.GetLimitsResponse:
        over = threading.Event()
        context.add_callback(over.set)
        over.wait(30)
        return pb.GetLimitsResponse()

    fake.answers("GetLimits", hang)
    with pytest.raises(DeadlineExceededError):
        client.call(method, large_problem(), timeout_seconds=0.5)
    assert set(fake.requests) == {"GetLimits"}


def test_a_limit_that_is_refused_is_done_without(fake: FakeServer, client: AnyClient) -> None:
    """While there is time left, a server that does not say is sent the problem."""
    fake.answers("GetLimits", Refusal(Code.DEADLINE_EXCEEDED))
    fake.answers("CreateSolve", operation())
    assert client.call("create_solve", large_problem(), timeout_seconds=20.0).name == OPERATION


def test_the_time_of_a_creation_by_default(fake: FakeServer, client: AnyClient) -> None:
    """A small problem has the time of a call, a large one that of a transfer, over everything."""
    seconds = Seconds()
    fake.answers("GetLimits", Refusal(Code.PERMISSION_DENIED))
    fake.answers("CreateSolve", seconds.note("CreateSolve", operation()))
    for problem in (Problem(), STORED, large_problem()):
        client.call("create_solve", problem)
    small, stored, large = seconds.seen["CreateSolve"]
    assert HEAVY_SECONDS - 20 < small <= HEAVY_SECONDS
    assert HEAVY_SECONDS - 20 < stored <= HEAVY_SECONDS
    assert TRANSFER_SECONDS - 60 < large <= TRANSFER_SECONDS


@pytest.mark.parametrize("method", ["result", "plan", "evaluate"])
def test_a_time_longer_than_the_usual_one_is_given(fake: FakeServer, client: AnyClient, method: str) -> None:
    """The default is no limit on what a caller asks for."""
    seconds = Seconds()
    for name in ("GetSolveResult", "GetPlan", "EvaluatePlan"):
        fake.answers(name, seconds.note(name, Refusal(Code.FAILED_PRECONDITION)))
    with pytest.raises(ServerRefusedError, match="FAILED_PRECONDITION"):
        client.call(method, *EVERY_METHOD[method], timeout_seconds=500.0)
    ((left,),) = seconds.seen.values()
    assert HEAVY_SECONDS < left <= 500.0


def test_streams_of_quotes_without_an_answer_are_counted(
    fake: FakeServer, client: AnyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes workloads and never answers is given up, although each stream ends by its own time."""
    monkeypatch.setattr(quoting_module, "STREAM_SECONDS", 0.05)
    most = RetryPolicy().long_attempts_max
    answered = [pb.StreamQuotesResponse()]
    fake.answers("StreamQuotes", *[hanging()] * (most + 5), answered)
    with pytest.raises(ServerRefusedError, match=r"UNAVAILABLE: .* brought no answer in 0\.05 s"):
        client.call("stream_quotes", PLAN, ONE)
    assert len(fake.requests["StreamQuotes"]) <= most


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_a_stream_of_quotes_goes_on_after_its_own_time(
    fake: FakeServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams that bring answers are opened anew while there are workloads, more often than a call is tried."""
    monkeypatch.setattr(quoting_module, "STREAM_SECONDS", 0.4)

    def one(requests: Iterator[pb.StreamQuotesRequest], context: grpc.ServicerContext) -> Iterator[Any]:
        if next(requests, None) is None:
            return
        yield pb.StreamQuotesResponse(request_index=0)
        yield from hanging()(None, context)

    fake.answers("StreamQuotes", one)
    workloads = [workload_pb2.Workload(id=f"w{number}") for number in range(5)]
    with client_of(kind, fake.address, replace(QUICK, long_attempts_max=3)) as client:
        assert len(client.call("stream_quotes", PLAN, workloads)) == len(workloads)
    assert len(fake.requests["StreamQuotes"]) >= len(workloads)
