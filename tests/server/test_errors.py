"""The table from exceptions to statuses, and the interceptor that applies it."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.server.errors import (
    DETAILS_BYTES_MAX,
    ShuttingDownError,
    SolveFailedError,
    TooManySolvesError,
    UnknownDemoError,
    bad_request,
    public_error,
)
from tehai.server.interceptor import ErrorInterceptor

SECRET = "secret path of the server"  # noqa: S105 - a text that must not leak
VIOLATION = Violation("E1", "workloads[3].id", SECRET, "do something")


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidProblemError((VIOLATION,)), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_PROBLEM"),
        (TooManySolvesError(2, 1.5), grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_SOLVES"),
        (UnknownDemoError("x", ("a", "b")), grpc.StatusCode.NOT_FOUND, "UNKNOWN_DEMO_PROBLEM"),
        (ShuttingDownError(), grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN"),
        (UnverifiedAnswerError((VIOLATION,)), grpc.StatusCode.INTERNAL, "ANSWER_NOT_VERIFIED"),
        (SolveFailedError(SECRET), grpc.StatusCode.INTERNAL, "SOLVE_FAILED"),
        (ValueError(SECRET), grpc.StatusCode.INTERNAL, "INTERNAL_ERROR"),
        (OSError(SECRET), grpc.StatusCode.INTERNAL, "INTERNAL_ERROR"),
    ],
)
def test_each_exception_has_its_status(error: Exception, code: grpc.StatusCode, reason: str) -> None:
    """Every kind of exception has one status and reason, and faults of the server tell nothing of their text."""
    public = public_error(error)
    status = public.status()
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (public.code, info.reason, info.domain) == (code, reason, "tehai")
    if code is grpc.StatusCode.INTERNAL:
        assert SECRET not in str(status)


@pytest.mark.parametrize("count", [0, 1, 30, 5000])
def test_details_fit_the_metadata(count: int) -> None:
    """However many violations there are, the status stays within its limit and keeps the first of them."""
    violations = tuple(
        Violation("E1204", f"workloads[{i}].deadline_date", "is before release_date", "give a later date")
        for i in range(count)
    )
    status = public_error(InvalidProblemError(violations)).status()
    assert status.ByteSize() < DETAILS_BYTES_MAX
    kept = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(kept)
    assert [field.field for field in kept.field_violations] == [
        violation.path for violation in violations[: len(kept.field_violations)]
    ]
    assert len(kept.field_violations) == count or count == 5000


def test_one_violation_too_long_for_the_details_is_left_out() -> None:
    """A text longer than the whole limit does not break the status."""
    assert len(bad_request((Violation("E1", "p", "x" * 10_000, "a"),)).field_violations) == 0


class FakeContext:
    """Records how a call was ended."""

    def __init__(self) -> None:
        self.ended: tuple[grpc.StatusCode, str] | None = None

    async def abort(self, code: grpc.StatusCode, details: str, trailing_metadata: object = ()) -> None:
        """Record the end and raise as gRPC does."""
        assert trailing_metadata
        self.ended = (code, details)
        raise grpc.aio.AbortError


def test_an_exception_in_a_handler_leaks_nothing() -> None:
    """An unexpected exception becomes INTERNAL with a number in place of its text."""

    async def fail(*_: object) -> object:
        raise KeyError(SECRET)

    async def call() -> tuple[grpc.StatusCode, str] | None:
        handler = grpc.unary_unary_rpc_method_handler(fail)

        async def continuation(_: object) -> Any:  # noqa: ANN401 - as gRPC has it
            return handler

        details: Any = type("Details", (), {"method": "/tehai.v1.SourcingService/CheckProblem"})()
        wrapped: Any = await ErrorInterceptor().intercept_service(continuation, details)
        context = FakeContext()
        with pytest.raises(grpc.aio.AbortError):
            await wrapped.unary_unary(None, context)
        return context.ended

    ended = asyncio.run(call())
    assert ended is not None
    assert ended[0] is grpc.StatusCode.INTERNAL
    assert SECRET not in ended[1]
    assert "incident" in ended[1]
