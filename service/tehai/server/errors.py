"""The one table from exceptions to gRPC statuses; an exception without a row is an incident without a text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2

from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError
from tehai.engine.messages import MalformedMessageError, MessageFaultError
from tehai.operations import errors as store
from tehai.runner import errors as runner
from tehai.security import errors as security
from tehai.security.limits import BUSY_RETRY_SECONDS
from tehai.server import request_errors as request
from tehai.server.error_details import PublicError, bad_request, retry_info, violations_request, with_incident
from tehai.server.logs import get_logger

Code = grpc.StatusCode
QUEUE_RETRY_SECONDS = 5.0
FULL_RETRY_SECONDS = 60.0
SHUTDOWN_RETRY_SECONDS = 1.0


def _invalid_problem(error: InvalidProblemError) -> PublicError:
    count = len(error.violations)
    first = f", the first: {error.violations[0].path}: {error.violations[0].message}" if count else ""
    return PublicError(
        Code.INVALID_ARGUMENT,
        "INVALID_PROBLEM",
        f"the input breaks {count} rule{'s' if count != 1 else ''}{first}",
        (violations_request(error.violations),),
        {"violation_count": str(count)},
    )


def _invalid_request(error: request.InvalidRequestError) -> PublicError:
    return _fields(*((fault.field, fault.text) for fault in error.faults))


def _invalid_record(error: store.InvalidRecordError) -> PublicError:
    # Each text begins with the name of its field.
    return _fields(*(tuple(problem.split(" ", 1)) for problem in error.problems))


def _fields(*faults: tuple[str, ...]) -> PublicError:
    pairs = tuple((fault[0], fault[-1]) for fault in faults)
    text = "; ".join(f"{field}: {text}" for field, text in pairs)
    return PublicError(Code.INVALID_ARGUMENT, "INVALID_REQUEST", text, (bad_request(pairs),))


def _message_fault(error: MessageFaultError) -> PublicError:
    reason = "MALFORMED_REQUEST" if isinstance(error, MalformedMessageError) else "INVALID_REQUEST"
    return PublicError(
        Code.INVALID_ARGUMENT,
        reason,
        f"the request cannot be taken: {error}",
        (bad_request([(error.path, error.text)]),),
    )


def _limit_exceeded(error: security.LimitExceededError) -> PublicError:
    details = () if error.retry_seconds is None else (retry_info(error.retry_seconds),)
    told = {"limit": error.limit, "value": f"{error.value:g}"}
    return PublicError(Code.RESOURCE_EXHAUSTED, error.reason, f"{error.limit}: {error}", details, told)


def _tenant_queue_full(error: store.TenantQueueFullError) -> PublicError:
    text = f"{error.queued} solves wait already"
    return _limit_exceeded(
        security.LimitExceededError("solves_queued", error.tenant_queue_max, text, BUSY_RETRY_SECONDS)
    )


def _too_many_solves(error: runner.TooManySolvesError) -> PublicError:
    return PublicError(
        Code.RESOURCE_EXHAUSTED,
        "TOO_MANY_SOLVES",
        str(error),
        (retry_info(error.retry_seconds),),
        {"solves_max": str(error.solves_max)},
    )


def _unknown_demo(error: request.UnknownDemoError) -> PublicError:
    return PublicError(Code.NOT_FOUND, "UNKNOWN_DEMO_PROBLEM", str(error), (), {"valid_names": ",".join(error.names)})


def _blob_not_found(error: store.BlobNotFoundError) -> PublicError:
    details = error_details_pb2.ResourceInfo(resource_type=error.kind, resource_name=error.key)
    return PublicError(Code.NOT_FOUND, "NOT_FOUND", str(error), (details,))


def _says_itself(code: Code, reason: str, retry_seconds: float | None = None) -> Callable[[Exception], PublicError]:
    """Return a row for errors whose text is written for the caller."""
    details = () if retry_seconds is None else (retry_info(retry_seconds),)
    return lambda error: PublicError(code, reason, str(error), details)


def _says(code: Code, reason: str, text: str, retry_seconds: float | None = None) -> Callable[[Exception], PublicError]:
    """Return a row for errors whose text is not for the caller."""
    details = () if retry_seconds is None else (retry_info(retry_seconds),)
    return lambda _: PublicError(code, reason, text, details)


def _security(code: Code) -> Callable[[security.SecurityError], PublicError]:
    return lambda error: PublicError(code, error.reason, str(error))


def _retry_by_error(code: Code, reason: str, text: str) -> Callable[[Any], PublicError]:
    return lambda error: PublicError(code, reason, text, (retry_info(error.retry_seconds),))


def _incident(code: Code, reason: str, text: str) -> Callable[[Exception], PublicError]:
    return lambda _: with_incident(code, reason, text)


_Row = tuple[type[BaseException], grpc.StatusCode, Callable[[Any], PublicError]]
_INVALID, _FULL, _AWAY = Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE
_UNMET, _ABSENT, _FAULT = Code.FAILED_PRECONDITION, Code.NOT_FOUND, Code.INTERNAL
_BUSY = "all processes for checks and evaluations are busy; try again later"
_ENDING = "the server is shutting down; call again"

# The first class that fits decides.
_ROWS: tuple[_Row, ...] = (
    # The caller's request.
    (InvalidProblemError, _INVALID, _invalid_problem),
    (request.InvalidRequestError, _INVALID, _invalid_request),
    (request.MalformedRequestError, _INVALID, _says_itself(_INVALID, "MALFORMED_REQUEST")),
    (DecodeError, _INVALID, _says(_INVALID, "MALFORMED_REQUEST", "the request is not a message of this method")),
    (MessageFaultError, _INVALID, _message_fault),
    (request.RequestTooLargeError, _FULL, _says_itself(_FULL, "REQUEST_TOO_LARGE")),
    (request.ResultTooLargeError, _FULL, _says_itself(_FULL, "RESULT_TOO_LARGE")),
    (request.NoPlanError, _UNMET, _says_itself(_UNMET, "NO_PLAN")),
    (request.OffsetError, Code.OUT_OF_RANGE, _says_itself(Code.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE")),
    (request.ParentNotFoundError, _ABSENT, _says_itself(_ABSENT, "NOT_FOUND")),
    (request.UnknownDemoError, _ABSENT, _unknown_demo),
    # Who, whether and how much.
    (security.UnauthenticatedError, Code.UNAUTHENTICATED, _security(Code.UNAUTHENTICATED)),
    (security.PermissionDeniedError, Code.PERMISSION_DENIED, _security(Code.PERMISSION_DENIED)),
    (
        security.CredentialsUnavailableError,
        _AWAY,
        _retry_by_error(_AWAY, "CREDENTIALS_UNAVAILABLE", "credentials cannot be checked just now; try again"),
    ),
    (security.LimitExceededError, _FULL, _limit_exceeded),
    # The store.
    (
        store.StoreUnavailableError,
        _AWAY,
        _retry_by_error(_AWAY, "STORE_UNAVAILABLE", "solves cannot be read or written just now; try again"),
    ),
    (
        store.StoreFullError,
        _FULL,
        _says(_FULL, "STORE_FULL", "the server has no room left to keep this; reading goes on", FULL_RETRY_SECONDS),
    ),
    (
        store.RequestIdConflictError,
        Code.ALREADY_EXISTS,
        _says_itself(Code.ALREADY_EXISTS, "REQUEST_ID_CONFLICT"),
    ),
    (store.QueueFullError, _FULL, _says_itself(_FULL, "QUEUE_FULL", QUEUE_RETRY_SECONDS)),
    (store.TenantQueueFullError, _FULL, _tenant_queue_full),
    (store.SolveNotFoundError, _ABSENT, _says_itself(_ABSENT, "NOT_FOUND")),
    (store.BlobNotFoundError, _ABSENT, _blob_not_found),
    (store.SolveNotEndedError, _UNMET, _says_itself(_UNMET, "SOLVE_NOT_ENDED")),
    (
        store.UploadGoneError,
        Code.ABORTED,
        _says(Code.ABORTED, "UPLOAD_GONE", "the upload was given up; start it again"),
    ),
    (store.InvalidRecordError, _INVALID, _invalid_record),
    (store.FilterError, _INVALID, lambda error: _fields(("filter", str(error)))),
    (store.PageTokenError, _INVALID, lambda error: _fields(("page_token", str(error)))),
    # Processes.
    (runner.TooManySolvesError, _FULL, _too_many_solves),
    (runner.TooManyQueriesError, _FULL, _retry_by_error(_FULL, "TOO_MANY_QUERIES", _BUSY)),
    (runner.SolveMemoryError, _FULL, _says_itself(_FULL, "SOLVE_OUT_OF_MEMORY")),
    (runner.QueryMemoryError, _FULL, _says_itself(_FULL, "QUERY_OUT_OF_MEMORY")),
    (runner.SolveTimeError, Code.DEADLINE_EXCEEDED, _says_itself(Code.DEADLINE_EXCEEDED, "SOLVE_OUT_OF_TIME")),
    (runner.QueryTimeoutError, Code.DEADLINE_EXCEEDED, _says_itself(Code.DEADLINE_EXCEEDED, "QUERY_OUT_OF_TIME")),
    (runner.QueryFailedError, _FAULT, _incident(_FAULT, "QUERY_FAILED", "the request ended without an answer")),
    (runner.ShuttingDownError, _AWAY, _says(_AWAY, "SHUTTING_DOWN", _ENDING, SHUTDOWN_RETRY_SECONDS)),
    (
        UnverifiedAnswerError,
        _FAULT,
        _incident(_FAULT, "ANSWER_NOT_VERIFIED", "the answer failed its independent check and is withheld"),
    ),
    (runner.SolveFailedError, _FAULT, _incident(_FAULT, "SOLVE_FAILED", "the solve ended without an answer")),
)


def public_error(error: BaseException) -> PublicError:
    """Return what a client is told of ``error``."""
    for kind, _, convert in _ROWS:
        if isinstance(error, kind):
            return convert(error)
    return with_incident(Code.INTERNAL, "INTERNAL_ERROR", "internal error")


def code_of(error: BaseException) -> str:
    """Return the name of the status that a call ends with that raised ``error``."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return Code.CANCELLED.name
    return next((code.name for kind, code, _ in _ROWS if isinstance(error, kind)), Code.INTERNAL.name)


def status_bytes(error: Exception) -> bytes:
    """Return the serialised google.rpc.Status that is kept with a solve that failed with ``error``."""
    public = public_error(error)
    if public.metadata.get("incident"):
        # The runner's line before this one says of which solve.
        get_logger(__name__).error("solve failed", reason=public.reason, error=str(error), **public.metadata)
    status: bytes = public.status().SerializeToString()
    return status
