"""One call with its deadline, its retries and its errors, over either transport."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import grpc

from tehai.client.connection import Connection
from tehai.client.errors import DeadlineExceededError, ServerError, ServerRefusedError
from tehai.client.failures import MALFORMED, failure_of
from tehai.client.methods import Answer, Method, Request
from tehai.client.retries import Attempts, Deadline, RetryBudget, RetryPolicy
from tehai.client.transport import Stream, Transport
from tehai.domain.violation import Violation

T = TypeVar("T")
# Deadlines where the caller gives none, retries included: calls that answer at once, calls for which the server has to
# compute or to write much, and transfers of large problems and results.
SHORT_SECONDS = 60.0
HEAVY_SECONDS = 180.0
TRANSFER_SECONDS = 900.0
# A stream that may last for days is opened anew after this, so that one that is dead unnoticed ends too.
STREAM_SECONDS = 600.0
_TOO_LARGE = frozenset({"REQUEST_TOO_LARGE", "RESULT_TOO_LARGE"})


class OpenStream:
    """A stream of answers whose errors are ours."""

    def __init__(self, stream: Stream, failed: Callable[[grpc.RpcError], ServerError]) -> None:
        self._stream = stream
        self._failed = failed

    async def read(self) -> Any:  # noqa: ANN401 - the answer of the method
        """Return the next message, None at the end; raise ServerError."""
        try:
            return await self._stream.read()
        except grpc.RpcError as error:
            raise self._failed(error) from error

    def cancel(self) -> None:
        """End it; may be called from any thread."""
        self._stream.cancel()


@dataclass
class Caller:
    """What all calls of one client share."""

    transport: Transport
    connection: Connection
    policy: RetryPolicy
    budget: RetryBudget
    draw: Callable[[], float] = random.random

    def attempts(self, timeout_seconds: float | None, *, long: bool = False) -> Attempts:
        """Return the tries of one call that begins now; None: without an end."""
        most = self.policy.long_attempts_max if long else self.policy.attempts_max
        return Attempts(self.policy, self.budget, Deadline(timeout_seconds), attempts_max=most, draw=self.draw)

    async def pause(self, attempts: Attempts, error: ServerError) -> None:
        """Wait until the next try; raise ``error`` where there is none."""
        await self.transport.sleep(attempts.pause_seconds(error))

    async def unary(
        self,
        method: Method[Request, Answer],
        request: Request,
        timeout_seconds: float | None,
        attempts: Attempts | None = None,
    ) -> Answer:
        """Return the answer to a call that may be repeated without harm; raise ServerError."""
        tries = attempts or self.attempts(timeout_seconds)
        request_id = uuid4().hex
        while True:
            seconds = _seconds_to_send(tries.deadline.remaining())
            metadata = self.connection.metadata(request_id)
            try:
                answer = await self.transport.unary(method, request, seconds, metadata)
            except grpc.RpcError as error:
                await self.pause(tries, self._failure(error, request_id))
            else:
                self.budget.give()
                return answer

    async def upload(
        self, method: Method[Request, Answer], parts: Callable[[], Iterable[Request]], timeout_seconds: float | None
    ) -> Answer:
        """Send ``parts()``, from the first one again after a failure, and return the answer; raise ServerError."""
        tries = self.attempts(timeout_seconds)
        request_id = uuid4().hex
        while True:
            seconds = _seconds_to_send(tries.deadline.remaining())
            metadata = self.connection.metadata(request_id)
            try:
                answer = await self.transport.upload(method, parts(), seconds, metadata)
            except grpc.RpcError as error:
                await self.pause(tries, self._failure(error, request_id))
            else:
                self.budget.give()
                return answer

    @asynccontextmanager
    async def stream(
        self, method: Method[Request, Answer], request: Request | Iterable[Request], timeout_seconds: float | None
    ) -> AsyncIterator[OpenStream]:
        """Open a stream for the length of the block; reading raises ServerError, and so does opening it too late."""
        request_id = uuid4().hex
        seconds = _seconds_to_send(timeout_seconds)
        stream = self.transport.stream(method, request, seconds, self.connection.metadata(request_id))
        try:
            yield OpenStream(stream, lambda error: self._failure(error, request_id))
        finally:
            # Does nothing to one that has ended.
            stream.cancel()

    def _failure(self, error: grpc.RpcError, request_id: str) -> ServerError:
        return failure_of(error, self.connection.target, request_id)


def seconds_or(timeout_seconds: float | None, default_seconds: float) -> float:
    """Return the caller's time, also where it is 0, and ``default_seconds`` only where none is given."""
    return default_seconds if timeout_seconds is None else timeout_seconds


def _seconds_to_send(seconds: float | None) -> float | None:
    """Return ``seconds``; raise DeadlineExceededError where none is left, so that nothing is sent and done in vain."""
    if seconds is not None and seconds <= 0.0:
        raise DeadlineExceededError("DEADLINE_EXCEEDED", "the time was over before the call was sent")
    return seconds


def broken_off(what: str, how: str = "ended too early") -> ServerError:
    """Return what a stream that ends too early counts as: one that broke."""
    return ServerRefusedError("UNAVAILABLE", f"{what} {how}")


def decoded(what: str, value: T | None, violations: tuple[Violation, ...]) -> T:
    """Return what was read of an answer; raise ServerRefusedError where it is malformed."""
    if value is None:
        first = f"{violations[0].path}: {violations[0].message}"
        raise ServerRefusedError(MALFORMED, f"the server's {what} cannot be read: {first}")
    return value


def decoded_by(what: str, read: Callable[[Any], T], message: object) -> T:
    """Return ``read(message)``; raise ServerRefusedError where it is malformed."""
    try:
        return read(message)
    except ValueError as error:
        raise ServerRefusedError(MALFORMED, f"the server's {what} cannot be read: {error}") from error


def too_large(error: ServerError) -> bool:
    """Return whether a message did not fit: by gRPC's own limit at either end, or by one of the server's."""
    details = error.details
    if error.code != "RESOURCE_EXHAUSTED" or details.retry_delay_seconds is not None:
        return False
    return details.reason in _TOO_LARGE or details.metadata.get("limit") == "message_bytes"
