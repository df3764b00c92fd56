"""Requests above the limit: refused in the server's words, far above it in gRPC's, and strangers' not even received."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc
import pytest

from tehai.client import ServerRefusedError
from tehai.server.app import OVERSIZE_BYTES
from tehai.server.handlers import SMALL_REQUEST_BYTES_MAX
from tehai.server.interceptors import PUBLIC_RECEIVING_MAX
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tests.client.fake import client_of
from tests.procfs import usage
from tests.server.process import ServerProcess, reason_of, retry_seconds, wait_until

Code = grpc.StatusCode
MESSAGE_BYTES_MAX = 10 * 1024
# Just above the limit, and what gRPC may still receive.
ABOVE = (MESSAGE_BYTES_MAX + 1, OVERSIZE_BYTES)
FAR_ABOVE = (MESSAGE_BYTES_MAX + OVERSIZE_BYTES + 1, 4 * OVERSIZE_BYTES)
KINDS = ("blocking", "loop")
SECONDS = 30.0


@pytest.fixture(scope="module")
def narrow() -> Iterator[ServerProcess]:
    """Return a server whose messages may not be large, with the HTTP endpoint."""
    with ServerProcess(message_bytes_max=MESSAGE_BYTES_MAX, telemetry_port=0) as process:
        yield process


@pytest.fixture(scope="module")
def closed() -> Iterator[ServerProcess]:
    """Return a server that wants a credential of everybody."""
    with ServerProcess(anonymous_on_loopback=False) as process:
        yield process


def oversize_calls(server: ServerProcess, size_bytes: int) -> Iterator[Callable[[], object]]:
    """Yield a call of every kind with a request a little larger than ``size_bytes``."""
    stub, problem = server.stub(), Problem(display_name="x" * size_bytes)
    part = pb.UploadProblemRequest(data=bytes(size_bytes))
    quotes = pb.StreamQuotesRequest(plan="x" * size_bytes)
    yield lambda: stub.CreateSolve(pb.CreateSolveRequest(problem=problem), timeout=SECONDS)
    yield lambda: stub.CheckProblem(pb.CheckProblemRequest(problem=problem), timeout=SECONDS)
    yield lambda: list(stub.StreamSolve(pb.StreamSolveRequest(problem=problem), timeout=SECONDS))
    yield lambda: stub.UploadProblem(iter([part]), timeout=SECONDS)
    yield lambda: list(stub.StreamQuotes(iter([quotes]), timeout=SECONDS))


def refused(call: Callable[[], object]) -> grpc.RpcError:
    """Return the error of a call."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize("size_bytes", ABOVE)
def test_above_the_limit_the_server_says_what_to_do(narrow: ServerProcess, size_bytes: int) -> None:
    """Every kind of call is told reason, limit and a way out, up to four megabytes above the limit."""
    calls = list(oversize_calls(narrow, size_bytes))
    assert len(calls) == 5
    for call in calls:
        error = refused(call)
        assert error.code() is Code.RESOURCE_EXHAUSTED
        assert reason_of(error) == "REQUEST_TOO_LARGE"
        assert f"{MESSAGE_BYTES_MAX} are the most" in str(error.details())
        assert "UploadProblem" in str(error.details())


@pytest.mark.parametrize("size_bytes", FAR_ABOVE)
def test_far_above_it_grpc_cuts(narrow: ServerProcess, size_bytes: int) -> None:
    """Far above the limit gRPC refuses in the words that the clients know, and the connection stays good."""
    for call in oversize_calls(narrow, size_bytes):
        error = refused(call)
        assert error.code() is Code.RESOURCE_EXHAUSTED
        assert "message larger than max" in str(error.details())
    assert narrow.stub().GetLimits(pb.GetLimitsRequest(), timeout=SECONDS).limits


@pytest.mark.parametrize("kind", KINDS)
def test_the_clients_say_the_same_of_both_and_try_once(narrow: ServerProcess, kind: str) -> None:
    """By gRPC's limit or the server's, a caller of ours sees one error with one reason, after one try."""
    method = "/tehai.v1.SourcingService/CheckProblem"
    before = requests(narrow, method)
    with client_of(kind, narrow.address) as client:
        for size_bytes in (*ABOVE, *FAR_ABOVE):
            with pytest.raises(ServerRefusedError) as caught:
                client.call("check", Problem(display_name="x" * size_bytes))
            assert caught.value.code == "RESOURCE_EXHAUSTED"
            assert caught.value.details.reason == "REQUEST_TOO_LARGE"
    assert requests(narrow, method) - before == len((*ABOVE, *FAR_ABOVE))


def requests(server: ServerProcess, method: str) -> float:
    """Return how many calls of a method have ended."""
    lines = server.http_get("/metrics").splitlines()
    return sum(
        float(line.rpartition(" ")[2]) for line in lines if line.startswith("tehai_requests_total") and method in line
    )


def test_a_strangers_request_is_refused_before_it_is_sent(closed: ServerProcess) -> None:
    """Without a credential the answer comes while the first byte of the request is still to come."""
    silent = threading.Event()

    def never() -> Iterator[bytes]:
        silent.wait(2 * SECONDS)
        yield b""

    channel = closed.channel()
    try:
        for method in ("CreateSolve", "GetLimits", "UploadProblem"):
            call = channel.stream_unary(f"/tehai.v1.SourcingService/{method}", None, None)
            error = refused(lambda call=call: call(never(), timeout=SECONDS))  # type: ignore[misc]
            assert error.code() is Code.UNAUTHENTICATED
            assert reason_of(error) == "CREDENTIALS_MISSING"
    finally:
        silent.set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_that_sends_much_is_told_why_it_is_refused(closed: ServerProcess, kind: str) -> None:
    """A refusal that comes while a large request is on its way is still the server's own."""
    problem = Problem(display_name="x" * 4 * OVERSIZE_BYTES)
    with client_of(kind, closed.address) as client, pytest.raises(ServerRefusedError) as caught:
        client.call("check", problem)
    assert (caught.value.code, caught.value.details.reason) == ("UNAUTHENTICATED", "CREDENTIALS_MISSING")


def test_what_is_open_to_everybody_takes_small_requests_only(closed: ServerProcess) -> None:
    """A health check of a stranger is answered, and one that is padded is not parsed."""
    check = closed.channel().unary_unary("/grpc.health.v1.Health/Check", None, None)
    assert check(b"", timeout=SECONDS)
    # An unknown field, which is read and ignored.
    padding = b"\xa2\x06" + b"\x80\x80\x04" + bytes(SMALL_REQUEST_BYTES_MAX)
    error = refused(lambda: check(padding, timeout=SECONDS))
    assert reason_of(error) == "REQUEST_TOO_LARGE"


def test_strangers_hold_little_and_not_for_long(closed: ServerProcess) -> None:
    """Of the calls open to everybody only so many may be waited for; the next is told when to come again, then it may.

    Callers with a credential have limits of their own and are not kept out; those that were silent are refused.
    """
    silent = threading.Event()

    def never() -> Iterator[bytes]:
        silent.wait(2 * SECONDS)
        yield b""

    check = closed.channel().stream_unary("/grpc.health.v1.Health/Check", None, None)
    try:
        calls: list[Any] = [check.future(never(), timeout=SECONDS) for _ in range(PUBLIC_RECEIVING_MAX)]
        later = closed.channel().unary_unary("/grpc.health.v1.Health/Check", None, None)
        errors: list[grpc.RpcError] = []

        def full() -> bool:
            try:
                later(b"", timeout=SECONDS)
            except grpc.RpcError as error:
                errors.append(error)
            return bool(errors)

        wait_until(full, SECONDS, "a call more is refused")
        assert (errors[0].code(), reason_of(errors[0])) == (Code.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")
        assert retry_seconds(errors[0]) > 0
        error = refused(lambda: closed.stub().GetLimits(pb.GetLimitsRequest(), timeout=SECONDS))
        assert reason_of(error) == "CREDENTIALS_MISSING"
        for call in calls:
            error = refused(call.result)
            assert (error.code(), reason_of(error)) == (Code.INVALID_ARGUMENT, "MALFORMED_REQUEST")
        assert later(b"", timeout=SECONDS)
    finally:
        silent.set()


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_nothing_compressed_is_taken(closed: ServerProcess, compression: grpc.Compression) -> None:
    """A small message that would be a large one is refused as it is, also of a stranger; memory stays where it was."""
    before = usage([closed.pid]).rss_bytes
    zeros = bytes(40 * 1024 * 1024)
    for method in ("/grpc.health.v1.Health/Check", "/tehai.v1.SourcingService/CreateSolve"):
        call: Any = closed.channel().unary_unary(method, None, None)
        error = refused(partial(call, zeros, timeout=SECONDS, compression=compression))
        assert error.code() is Code.UNIMPLEMENTED, error
    assert usage([closed.pid]).rss_bytes - before < 20 * 1024 * 1024


def test_a_call_without_a_request_is_refused(narrow: ServerProcess) -> None:
    """A method of one request that is sent none says so; the second of two is never looked at."""
    call = narrow.channel().stream_unary("/tehai.v1.SourcingService/GetLimits", None, None)
    error = refused(lambda: call(iter([]), timeout=SECONDS))
    assert (error.code(), reason_of(error)) == (Code.INVALID_ARGUMENT, "MALFORMED_REQUEST")
    assert call(iter([b"", b"nonsense"]), timeout=SECONDS)
