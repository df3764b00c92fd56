"""The one table from exceptions to gRPC statuses (google.rpc, AIP-193)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation

ERROR_DOMAIN = "tehai"
# Trailing metadata is limited to 8 KB by most peers, and a binary value grows by a third on the way.
DETAILS_BYTES_MAX = 6 * 1024
STATUS_METADATA_KEY = "grpc-status-details-bin"


class TooManySolvesError(RuntimeError):
    """Raised when every place for a solve is taken."""

    def __init__(self, solves_max: int, retry_seconds: float) -> None:
        super().__init__(f"all {solves_max} places for a solve are taken; try again later")
        self.solves_max = solves_max
        self.retry_seconds = retry_seconds


class ShuttingDownError(RuntimeError):
    """Raised when the server takes no new solves because it is about to end."""


class SolveFailedError(RuntimeError):
    """Raised when a solve process ended without an answer; its text is for the log only."""


class UnknownDemoError(LookupError):
    """Raised for a demo problem that does not exist."""

    def __init__(self, name: str, names: tuple[str, ...]) -> None:
        super().__init__(f"no demo problem {name!r}; there are: {', '.join(names)}")
        self.names = names


@dataclass(frozen=True)
class PublicError:
    """What a client is told: nothing of the inside of the server."""

    code: grpc.StatusCode
    reason: str
    message: str
    details: tuple[Message, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def status(self) -> status_pb2.Status:
        """Return the google.rpc.Status with ErrorInfo first; never more than DETAILS_BYTES_MAX."""
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=ERROR_DOMAIN, metadata=self.metadata)
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in (info, *self.details):
            packed = any_pb2.Any()
            packed.Pack(detail)
            if status.ByteSize() + packed.ByteSize() < DETAILS_BYTES_MAX:
                status.details.append(packed)
        return status


def _invalid_problem(error: InvalidProblemError) -> PublicError:
    count = len(error.violations)
    return PublicError(
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_PROBLEM",
        f"the problem breaks {count} rule{'s' if count != 1 else ''}; the stream's last event lists all of them",
        (bad_request(error.violations),),
        {"violation_count": str(count)},
    )


def _too_many_solves(error: TooManySolvesError) -> PublicError:
    wait = duration_pb2.Duration()
    wait.FromMilliseconds(round(error.retry_seconds * 1000))
    return PublicError(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "TOO_MANY_SOLVES",
        str(error),
        (error_details_pb2.RetryInfo(retry_delay=wait),),
        {"solves_max": str(error.solves_max)},
    )


def _unknown_demo(error: UnknownDemoError) -> PublicError:
    return PublicError(
        grpc.StatusCode.NOT_FOUND, "UNKNOWN_DEMO_PROBLEM", str(error), (), {"valid_names": ",".join(error.names)}
    )


def _shutting_down(_: ShuttingDownError) -> PublicError:
    return PublicError(grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN", "the server is shutting down")


def _unverified(_: UnverifiedAnswerError) -> PublicError:
    text = "the answer failed its independent check and is withheld"
    return _with_incident(grpc.StatusCode.INTERNAL, "ANSWER_NOT_VERIFIED", text)


def _solve_failed(_: SolveFailedError) -> PublicError:
    return _with_incident(grpc.StatusCode.INTERNAL, "SOLVE_FAILED", "the solve ended without an answer")


def _with_incident(code: grpc.StatusCode, reason: str, text: str) -> PublicError:
    """Return an error whose number also stands in the server's log."""
    incident = uuid4().hex[:12]
    return PublicError(code, reason, f"{text} (incident {incident})", (), {"incident": incident})


# The first class that fits decides.
_TABLE: tuple[tuple[type[Exception], Callable[..., PublicError]], ...] = (
    (InvalidProblemError, _invalid_problem),
    (TooManySolvesError, _too_many_solves),
    (UnknownDemoError, _unknown_demo),
    (ShuttingDownError, _shutting_down),
    (UnverifiedAnswerError, _unverified),
    (SolveFailedError, _solve_failed),
)


def public_error(error: Exception) -> PublicError:
    """Return what a client is told of ``error``; an error without a row is an incident without a text."""
    for kind, convert in _TABLE:
        if isinstance(error, kind):
            return convert(error)
    return _with_incident(grpc.StatusCode.INTERNAL, "INTERNAL_ERROR", "internal error")


def bad_request(
    violations: tuple[Violation, ...], bytes_max: int = DETAILS_BYTES_MAX - 1024
) -> error_details_pb2.BadRequest:
    """Return as many violations as fit ``bytes_max``, in order, as google.rpc.BadRequest."""
    answer = error_details_pb2.BadRequest()
    size = 0
    for violation in violations:
        entry = error_details_pb2.BadRequest.FieldViolation(
            field=violation.path, description=f"{violation.code}: {violation.message}; {violation.action}"
        )
        # Two bytes of tag and up to three of length for each entry.
        size += entry.ByteSize() + 5
        if size > bytes_max:
            break
        answer.field_violations.append(entry)
    return answer
