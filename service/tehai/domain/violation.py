"""One thing that is wrong with an input or a plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """Stable code, where it is, what is wrong and what to do about it."""

    code: str
    path: str
    message: str
    action: str


class InvalidProblemError(ValueError):
    """Raised with every violation of a problem at once."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        """Keep the full list; the message shows the first."""
        self.violations = violations
        first = f": {violations[0].path}: {violations[0].message}" if violations else ""
        super().__init__(f"{len(violations)} violations{first}")


class UnverifiedAnswerError(RuntimeError):
    """Raised when plan or bound fail their independent check: an error, never a response."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        """Keep the full list; the message shows the first."""
        self.violations = violations
        first = f": {violations[0].path}: {violations[0].message}" if violations else ""
        super().__init__(f"answer failed verification with {len(violations)} violations{first}")
