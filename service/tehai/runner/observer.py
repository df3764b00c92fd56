"""What the runner tells of its work, to whoever keeps metrics and traces."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from tehai.operations.records import QueueCounts


class Outcome(StrEnum):
    """How a solve ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RunnerObserver(Protocol):
    """Told of solves in the event loop; must return at once and raise nothing."""

    def solve_started(self, solve_id: str) -> None:
        """A solve was claimed and its process begins."""
        ...

    def solve_ended(self, solve_id: str, outcome: Outcome, seconds: float, gap: float | None) -> None:
        """A solve ended for good, ``seconds`` after its process began; ``gap`` is a fraction where it has a plan."""
        ...

    def solve_left(self, solve_id: str, *, died: bool) -> None:
        """A solve that was started went back to the queue or to another server; ``died``: because its process died."""
        ...

    def phase(self, solve_id: str, name: str, start_ns: int, end_ns: int) -> None:
        """A phase of a solve is over; nanoseconds since 1970 UTC."""
        ...

    def queue(self, counts: QueueCounts) -> None:
        """How many solves wait and run, of all tenants and servers; told every now and then."""
        ...


class NoObserver:
    """Keeps nothing."""

    def solve_started(self, solve_id: str) -> None:
        """See RunnerObserver."""

    def solve_ended(self, solve_id: str, outcome: Outcome, seconds: float, gap: float | None) -> None:
        """See RunnerObserver."""

    def solve_left(self, solve_id: str, *, died: bool) -> None:
        """See RunnerObserver."""

    def phase(self, solve_id: str, name: str, start_ns: int, end_ns: int) -> None:
        """See RunnerObserver."""

    def queue(self, counts: QueueCounts) -> None:
        """See RunnerObserver."""
