"""Blocking calls of tehai.v1.SourcingService with domain objects on the near side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import grpc

from tehai.client.errors import ServerRefusedError, ServerUnreachableError, SolveAbandonedError
from tehai.domain.limits import LIMITS
from tehai.domain.plan import SolveOptions
from tehai.domain.result import Progress, SolveResult
from tehai.domain.violation import InvalidProblemError, Violation
from tehai.v1 import plan_pb2, problem_pb2, sourcing_service_pb2
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tehai.wire import options_to_proto, progress_from_proto, result_from_proto, violation_from_proto

CONNECT_SECONDS = 10.0
SHORT_CALL_SECONDS = 60.0
# How often a caller's wish to stop is looked at.
POLL_SECONDS = 0.05
# Stands where the name of a status would, for an answer that breaks the contract.
MALFORMED = "MALFORMED_ANSWER"
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED)


class SourcingClient:
    """One connection to ``target`` (HOST:PORT), without encryption; use it as a context manager."""

    def __init__(self, target: str) -> None:
        self._target = target
        size = LIMITS.input_bytes
        options = [("grpc.max_receive_message_length", size), ("grpc.max_send_message_length", size)]
        self._channel = grpc.insecure_channel(target, options=options)
        self._stub: Any = SourcingServiceStub(self._channel)

    def __enter__(self) -> SourcingClient:
        """Wait until the server is there; raise ServerUnreachableError."""
        try:
            grpc.channel_ready_future(self._channel).result(timeout=CONNECT_SECONDS)
        except grpc.FutureTimeoutError as error:
            self._channel.close()
            message = f"no Tehai server answers at {self._target}"
            raise ServerUnreachableError(message) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self._channel.close()

    def solve(
        self,
        message: problem_pb2.Problem,
        options: SolveOptions,
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> SolveResult:
        """Solve on the server, as ``pipeline.run`` does in process.

        Raises InvalidProblemError with the full list, ServerUnreachableError, ServerRefusedError, and
        SolveAbandonedError once ``should_stop`` is true: the contract has no way to keep a plan of a call that ends.
        """
        request = sourcing_service_pb2.StreamSolveRequest(problem=message, options=options_to_proto(options))
        with self._mapped_errors():
            call = self._stub.StreamSolve(request)
            with _cancel_when(should_stop, call):
                return _read(call, on_progress)

    def check(self, message: problem_pb2.Problem) -> sourcing_service_pb2.CheckProblemResponse:
        """Return what the server finds in ``message``."""
        request = sourcing_service_pb2.CheckProblemRequest(problem=message)
        with self._mapped_errors():
            response: sourcing_service_pb2.CheckProblemResponse = self._stub.CheckProblem(
                request, timeout=SHORT_CALL_SECONDS
            )
        return response

    def demo_problem(self, name: str) -> problem_pb2.Problem:
        """Return a ready problem of the server."""
        request = sourcing_service_pb2.GetDemoProblemRequest(name=name)
        with self._mapped_errors():
            response: sourcing_service_pb2.GetDemoProblemResponse = self._stub.GetDemoProblem(
                request, timeout=SHORT_CALL_SECONDS
            )
        return response.problem

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        """Turn gRPC errors into those of this package."""
        try:
            yield
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            details = str(error.details())
            if code is grpc.StatusCode.CANCELLED:
                raise SolveAbandonedError(details) from error
            if code in _UNREACHABLE:
                message = f"the Tehai server at {self._target} does not answer: {details}"
                raise ServerUnreachableError(message) from error
            raise ServerRefusedError(code.name, details) from error


def _read(
    events: Iterator[sourcing_service_pb2.StreamSolveResponse], on_progress: Callable[[Progress], None] | None
) -> SolveResult:
    """Read a stream to its end; progress on the way, the result or the violations last."""
    result: SolveResult | None = None
    violations: tuple[Violation, ...] = ()
    try:
        for event in events:
            kind = event.WhichOneof("event")
            if kind == "progress" and on_progress is not None:
                on_progress(progress_from_proto(event.progress))
            elif kind == "result":
                result = _checked(event.result)
            elif kind == "violations":
                violations = tuple(violation_from_proto(v) for v in event.violations.violations)
    except grpc.RpcError:
        # The status only repeats what the last event said in full.
        if violations:
            raise InvalidProblemError(violations) from None
        raise
    if result is None:
        raise ServerRefusedError(MALFORMED, "the stream ended without a result")
    return result


def _checked(message: plan_pb2.SolveResult) -> SolveResult:
    """Return the result; raise ServerRefusedError where the message is malformed."""
    result, violations = result_from_proto(message)
    if result is None:
        first = f"{violations[0].path}: {violations[0].message}"
        raise ServerRefusedError(MALFORMED, f"the server's result cannot be read: {first}")
    return result


@contextmanager
def _cancel_when(should_stop: Callable[[], bool] | None, call: grpc.Future[Any]) -> Iterator[None]:
    """Cancel ``call`` as soon as ``should_stop`` is true, while the block runs."""
    if should_stop is None:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if should_stop():
                call.cancel()
                return

    thread = threading.Thread(target=watch, name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
