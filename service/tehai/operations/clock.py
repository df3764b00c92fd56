"""The two clocks of the store, injected so that a test can move them.

Wall-clock time stamps records and decides on retention. Leases are measured with the monotonic clock alone, so that a
jump of the wall clock ends no lease.
"""

from __future__ import annotations

import time
from typing import Protocol

# Microseconds since 1970-01-01T00:00:00Z, or a length of time in microseconds.
Microseconds = int

MICROSECONDS_PER_SECOND = 1_000_000


def to_microseconds(seconds: float) -> Microseconds:
    """Return ``seconds`` as whole microseconds, rounded to the nearest."""
    return round(seconds * MICROSECONDS_PER_SECOND)


class Clock(Protocol):
    """What time it is."""

    def now(self) -> Microseconds:
        """Return the wall-clock time, microseconds since 1970 UTC; it may jump either way."""
        ...

    def monotonic_seconds(self) -> float:
        """Return seconds since some moment; never goes back, and means nothing in another process."""
        ...


class SystemClock:
    """The clocks of the machine."""

    def now(self) -> Microseconds:
        """Return the wall-clock time, microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic_seconds(self) -> float:
        """Return the monotonic clock, seconds."""
        return time.monotonic()


class ManualClock:
    """Clocks that stand still until they are moved."""

    def __init__(self, now: Microseconds = 1_800_000_000_000_000) -> None:
        self._now = now
        self._monotonic_seconds = 1000.0

    def now(self) -> Microseconds:
        """Return the wall-clock time, microseconds since 1970 UTC."""
        return self._now

    def monotonic_seconds(self) -> float:
        """Return the monotonic clock, seconds."""
        return self._monotonic_seconds

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` (not negative) pass on both clocks."""
        if seconds < 0:
            message = f"time passes forwards, not by {seconds} s; use jump for the wall clock"
            raise ValueError(message)
        self._now += to_microseconds(seconds)
        self._monotonic_seconds += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, forwards or back, as an operator or a time server does."""
        self._now += to_microseconds(seconds)
