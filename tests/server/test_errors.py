"""The table from exceptions to statuses: every error has its place in it, and none tells of the inside."""

from __future__ import annotations

import asyncio
import inspect
from types import ModuleType

import grpc
import pytest
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2

from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.engine.messages import MalformedMessageError, TooManyEntriesError
from tehai.operations import errors as store
from tehai.runner import errors as runner
from tehai.security import errors as security
from tehai.security.limits import BUSY_RETRY_SECONDS
from tehai.server import errors as table
from tehai.server import request_errors as request
from tehai.server.error_details import DETAILS_BYTES_MAX, violations_request
from tehai.server.errors import code_of, public_error, status_bytes
from tests.server.process import field_faults

SECRET = "secret path of the server"  # noqa: S105 - a text that must not leak
VIOLATION = Violation("E1", "workloads[3].id", "is not known", "do something")
Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidProblemError((VIOLATION,)), Code.INVALID_ARGUMENT, "INVALID_PROBLEM"),
        (request.InvalidRequestError(request.FieldFault("a", "b")), Code.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (DecodeError(SECRET), Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"),
        (MalformedMessageError("a", "b"), Code.INVALID_ARGUMENT, "MALFORMED_REQUEST"),
        (TooManyEntriesError("a", "b"), Code.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (request.RequestTooLargeError(2, 1), Code.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"),
        (request.ResultTooLargeError("a", 2, 1), Code.RESOURCE_EXHAUSTED, "RESULT_TOO_LARGE"),
        (request.NoPlanError("a", "QUEUED"), Code.FAILED_PRECONDITION, "NO_PLAN"),
        (request.OffsetError(2, 1), Code.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE"),
        (request.UnknownDemoError("x", ("a", "b")), Code.NOT_FOUND, "UNKNOWN_DEMO_PROBLEM"),
        (request.ParentNotFoundError(), Code.NOT_FOUND, "NOT_FOUND"),
        (store.StoreUnavailableError(SECRET), Code.UNAVAILABLE, "STORE_UNAVAILABLE"),
        (store.StoreFullError(SECRET), Code.RESOURCE_EXHAUSTED, "STORE_FULL"),
        (store.StoreCorruptError(SECRET), Code.INTERNAL, "INTERNAL_ERROR"),
        (store.RequestIdConflictError("a"), Code.ALREADY_EXISTS, "REQUEST_ID_CONFLICT"),
        (store.QueueFullError(3), Code.RESOURCE_EXHAUSTED, "QUEUE_FULL"),
        (store.TenantQueueFullError(3, 3), Code.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
        (store.SolveNotFoundError("a"), Code.NOT_FOUND, "NOT_FOUND"),
        (store.BlobNotFoundError("plan", "a"), Code.NOT_FOUND, "NOT_FOUND"),
        (store.SolveNotEndedError("a", "QUEUED"), Code.FAILED_PRECONDITION, "SOLVE_NOT_ENDED"),
        (store.UploadGoneError("a"), Code.ABORTED, "UPLOAD_GONE"),
        (store.InvalidRecordError(("priority must be 1 to 9, not 10",)), Code.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (store.FilterError("x", 0, "no such field"), Code.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (store.PageTokenError(), Code.INVALID_ARGUMENT, "INVALID_REQUEST"),
        (security.invalid_api_key(), Code.UNAUTHENTICATED, "INVALID_API_KEY"),
        (security.PermissionDeniedError("SCOPE_MISSING", "x"), Code.PERMISSION_DENIED, "SCOPE_MISSING"),
        (security.CredentialsUnavailableError(), Code.UNAVAILABLE, "CREDENTIALS_UNAVAILABLE"),
        (security.LimitExceededError("streams_open", 1, "x", 1.0), Code.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED"),
        (security.ServerBusyError("server_streams_open", 1, "x", 1.0), Code.RESOURCE_EXHAUSTED, "SERVER_BUSY"),
        (UnverifiedAnswerError((Violation("E1", "a", SECRET, "b"),)), Code.INTERNAL, "ANSWER_NOT_VERIFIED"),
        (runner.SolveFailedError(SECRET), Code.INTERNAL, "SOLVE_FAILED"),
        (runner.ShuttingDownError(), Code.UNAVAILABLE, "SHUTTING_DOWN"),
        (ValueError(SECRET), Code.INTERNAL, "INTERNAL_ERROR"),
        (OSError(SECRET), Code.INTERNAL, "INTERNAL_ERROR"),
    ],
)
def test_each_exception_has_its_status(error: Exception, code: grpc.StatusCode, reason: str) -> None:
    """Every kind of exception has one status and reason, and nothing of the inside of the server is told."""
    public = public_error(error)
    status = public.status()
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (public.code, info.reason, info.domain) == (code, reason, "tehai")
    assert SECRET not in str(status)
    assert code_of(error) == code.name
    assert status_bytes(error)


# What never reaches a handler's caller: bases, what only a runner or a start sees, and what is an incident.
WITHOUT_A_ROW = {
    "StoreError",
    "StoreCorruptError",
    "StoreSettingError",
    "SchemaError",
    "StaleClaimError",
    "SolveExistsError",
    "KeyNotFoundError",
    "SecurityError",
    "SecuritySetupError",
}


@pytest.mark.parametrize("module", [request, store, security, runner])
def test_no_error_is_forgotten(module: ModuleType) -> None:
    """Every error class of the packages that handlers call has a row, or stands in the list of those without."""
    classes = {
        name: kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__ == module.__name__
    }
    assert len(classes) >= 3
    known = tuple(kind for kind, _, _ in table._ROWS)
    missing = {name for name, kind in classes.items() if not issubclass(kind, known)}
    assert missing <= WITHOUT_A_ROW


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
    assert len(violations_request((Violation("E1", "p", "x" * 10_000, "a"),)).field_violations) == 0


def test_every_field_of_a_record_is_named() -> None:
    """Faults of a record, which are one text each, become fields with their descriptions."""
    error = store.InvalidRecordError(("priority must be 1 to 9, not 10", "request_id must have 0 to 64 characters"))
    assert field_faults(public_error(error).status()) == {
        "priority": "must be 1 to 9, not 10",
        "request_id": "must have 0 to 64 characters",
    }


def test_a_tenants_full_queue_is_told_as_its_other_limits_are() -> None:
    """The store's error becomes the one of the tenant's limits: by the name in GetLimits, with the limit and a time."""
    status = public_error(store.TenantQueueFullError(4, 3)).status()
    expected = security.LimitExceededError("solves_queued", 3, "4 solves wait already", BUSY_RETRY_SECONDS)
    assert status == public_error(expected).status()
    assert [detail.TypeName().rpartition(".")[2] for detail in status.details] == ["ErrorInfo", "RetryInfo"]


def test_a_call_that_is_given_up_is_cancelled() -> None:
    """What ends a call from outside is no incident."""
    assert code_of(asyncio.CancelledError()) == "CANCELLED"
    assert code_of(GeneratorExit()) == "CANCELLED"


def test_a_text_from_outside_stays_short_and_printable() -> None:
    """A name that a caller made up comes back shortened and without control characters."""
    status = public_error(store.SolveNotFoundError("x\n\x1b[31m" + "y" * 5_000)).status()
    assert len(status.message) <= 1_000
    assert status.message.isprintable()
