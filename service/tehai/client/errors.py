"""What can go wrong between a client and its server; each error says what the server said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field of a request that is wrong, by its path."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """Details of google.rpc (AIP-193); empty where the server sent none."""

    # Stable word of ErrorInfo, for example "QUEUE_FULL"; docs/clients.md says which code has which.
    reason: str = ""
    # Of BadRequest, or the preconditions of PreconditionFailure.
    faults: tuple[FieldFault, ...] = ()
    # When to try again, seconds; None where the server does not say that trying again helps.
    retry_delay_seconds: float | None = None
    # Stands in the server's log.
    request_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


NO_DETAILS = ErrorDetails()


class ServerError(Exception):
    """A call that failed; ``code`` is the name of the gRPC status."""

    def __init__(self, text: str, code: str, details: ErrorDetails = NO_DETAILS) -> None:
        super().__init__(text)
        self.code = code
        self.details = details


class ServerUnreachableError(ServerError, ConnectionError):
    """Raised where no server answers, one that knows nothing of Tehai, or one that cannot work just now.

    ``details.reason`` is empty but for the last, which says why: STORE_UNAVAILABLE, SHUTTING_DOWN or
    CREDENTIALS_UNAVAILABLE.
    """

    def __init__(self, text: str, code: str = "UNAVAILABLE", details: ErrorDetails = NO_DETAILS) -> None:
        super().__init__(text, code, details)


class ServerRefusedError(ServerError, RuntimeError):
    """Raised where the server answers with an error; ``code`` is the name of the gRPC status.

    It is MALFORMED_ANSWER for an answer that cannot be read.
    """

    def __init__(self, code: str, message: str, details: ErrorDetails = NO_DETAILS) -> None:
        super().__init__(f"{code}: {message}", code, details)


class DeadlineExceededError(ServerRefusedError):
    """Raised when the time for a call, retries included, is over; what was asked may have been done."""


class SolveFailedError(ServerRefusedError):
    """Raised where a solve has ended without a plan; code and details are those of ``Solve.error``."""


class TransferError(RuntimeError):
    """Raised when bytes that came down are not those that the server announced."""


class SolveAbandonedError(RuntimeError):
    """Raised when the caller asked to stop: the server ends the solve and its plan is lost."""
