"""Why a caller is turned away: every text here is written for the caller and holds nothing of a credential.

The server maps each class to one gRPC status; ``reason`` is the stable word of google.rpc.ErrorInfo.
"""

from __future__ import annotations

from typing import ClassVar


class SecurityError(Exception):
    """A call that is refused; ``str`` of it may be shown to the caller."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class UnauthenticatedError(SecurityError):
    """Nobody we know: UNAUTHENTICATED."""


class PermissionDeniedError(SecurityError):
    """Known, but not allowed to do this: PERMISSION_DENIED."""


class CredentialsUnavailableError(SecurityError):
    """The credential could not be looked up just now: UNAVAILABLE; the cause is for the log only."""

    def __init__(self, retry_seconds: float = 1.0) -> None:
        super().__init__("CREDENTIALS_UNAVAILABLE", "credentials cannot be checked just now; try again")
        self.retry_seconds = retry_seconds


class LimitExceededError(SecurityError):
    """Too much, too often or too large: RESOURCE_EXHAUSTED, with RetryInfo where waiting helps.

    ``limit`` is the name that GetLimits gives it, ``value`` the limit itself, ``retry_seconds`` None where the same
    call would be refused again.
    """

    reason_word: ClassVar[str] = "LIMIT_EXCEEDED"

    def __init__(self, limit: str, value: float, text: str, retry_seconds: float | None) -> None:
        super().__init__(self.reason_word, text)
        self.limit = limit
        self.value = value
        self.retry_seconds = retry_seconds


class ServerBusyError(LimitExceededError):
    """All tenants together ask for too much at once: the caller has done nothing wrong, another server may do it."""

    reason_word: ClassVar[str] = "SERVER_BUSY"


class SecuritySetupError(ValueError):
    """The settings, keys or certificates do not let a server start; the text says what to do, fault by fault."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def invalid_api_key() -> UnauthenticatedError:
    """Return the one answer to a key that is malformed, unknown or wrong: it does not say which."""
    return UnauthenticatedError("INVALID_API_KEY", "the API key is not valid")


def invalid_token() -> UnauthenticatedError:
    """Return the answer to a token that proves nothing."""
    return UnauthenticatedError("INVALID_TOKEN", "the token is not valid")
