"""What can go wrong between a client and its server."""

from __future__ import annotations


class ServerUnreachableError(ConnectionError):
    """Raised when no server answers at the address."""


class ServerRefusedError(RuntimeError):
    """Raised when the server answers with an error; ``code`` is the name of the gRPC status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class SolveAbandonedError(RuntimeError):
    """Raised when the caller asked to stop: the server ends the solve and its plan is lost."""
