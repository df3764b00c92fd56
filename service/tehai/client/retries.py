"""Whether and when a call that failed is tried again.

Only UNAVAILABLE, and RESOURCE_EXHAUSTED where the server says when to come back, are worth another try: without
RetryInfo the latter means that the request is too large, and it will be so the next time. Callers use this for calls
that may be repeated without harm.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tehai.client.errors import DeadlineExceededError, ServerError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on retries; pauses are in seconds.

    The pause before the n-th retry is drawn between 0 and ``initial_seconds * multiplier ** (n - 1)``, at most
    ``pause_seconds_max`` (full jitter), on top of what the server asks for.
    """

    # Tries of one call, the first included.
    attempts_max: int = 5
    # Tries without anything new of a watch, a wait or a download, which may outlast a restart of the server.
    long_attempts_max: int = 15
    initial_seconds: float = 0.2
    multiplier: float = 2.0
    pause_seconds_max: float = 5.0
    # Retries that one client may do in a row over all its calls; each success gives back a tenth of one.
    budget: float = 100.0

    def __post_init__(self) -> None:
        """Raise ValueError with everything that is out of range."""
        wrong = [
            f"{name}: must be at least {least}"
            for name, least in (
                ("attempts_max", 1),
                ("long_attempts_max", 1),
                ("initial_seconds", 0),
                ("multiplier", 1),
                ("pause_seconds_max", 0),
                ("budget", 0),
            )
            if not getattr(self, name) >= least
        ]
        if wrong:
            raise ValueError("; ".join(wrong))


SUCCESS_GIVES = 0.1


class RetryBudget:
    """Retries that are left to all calls of one client, so that many callers do not keep a sick server down."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._left = most
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one retry; False where none is left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def give(self) -> None:
        """Note a success."""
        with self._lock:
            self._left = min(self._most, self._left + SUCCESS_GIVES)


class Deadline:
    """The end of a call, over all its tries; None: it has none."""

    def __init__(self, seconds: float | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin now."""
        self._monotonic = monotonic
        self._end = None if seconds is None else monotonic() + seconds

    def remaining(self, most: float | None = None) -> float | None:
        """Return the seconds that are left, ``most`` at most; None where there is no end."""
        if self._end is None:
            return most
        left = max(0.0, self._end - self._monotonic())
        return left if most is None else min(left, most)

    def remaining_or(self, default_seconds: float) -> float:
        """Return the seconds that are left; ``default_seconds`` where there is no end."""
        left = self.remaining()
        return default_seconds if left is None else left

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self.remaining() == 0.0


class Attempts:
    """The tries of one call."""

    def __init__(
        self,
        policy: RetryPolicy,
        budget: RetryBudget,
        deadline: Deadline,
        *,
        attempts_max: int,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """``draw`` returns numbers of [0, 1)."""
        self._policy = policy
        self._budget = budget
        self._attempts_max = attempts_max
        self._draw = draw
        self.deadline = deadline
        self.failed = 0

    def succeeded(self) -> None:
        """Note that something new came: failures are counted from here on."""
        self.failed = 0
        self._budget.give()

    def pause_seconds(self, error: ServerError) -> float:
        """Return how long to wait before the next try; raise ``error`` where there is none."""
        self.failed += 1
        if not worth_retrying(error) or self.failed >= self._attempts_max:
            raise error
        longest = self._policy.initial_seconds * self._policy.multiplier ** (self.failed - 1)
        pause = (error.details.retry_delay_seconds or 0.0) + self._draw() * min(longest, self._policy.pause_seconds_max)
        remaining = self.deadline.remaining()
        # Told now, the caller has time left to do something else.
        if (remaining is not None and pause >= remaining) or not self._budget.take():
            raise error
        return pause


def worth_retrying(error: ServerError) -> bool:
    """Return whether the same call may go well later."""
    if isinstance(error, DeadlineExceededError):
        return False
    return error.code == "UNAVAILABLE" or (
        error.code == "RESOURCE_EXHAUSTED" and error.details.retry_delay_seconds is not None
    )
