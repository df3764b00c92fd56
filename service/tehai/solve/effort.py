"""How much work a solve may do, and who may stop it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tehai.domain.plan import SolveOptions, StopReason

NO_LIMIT = float("inf")
# Part of a time limit that is kept for the last round to end, the bill and the independent check.
FINISH_FRACTION = 0.05


class Effort:
    """Counts rounds under a work limit, seconds otherwise.

    Under a work limit no clock is read for any decision: the same problem, seed, threads and limit give the same plan.
    """

    def __init__(self, options: SolveOptions, should_stop: Callable[[], bool]) -> None:
        """Start the clock."""
        self.options = options
        self._should_stop = should_stop
        self._started = time.monotonic()
        self._rounds = 0

    @property
    def deterministic(self) -> bool:
        """Whether work is counted instead of time."""
        return self.options.work_limit is not None

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the start, for reports only."""
        return time.monotonic() - self._started

    @property
    def _working_seconds(self) -> float:
        return (1.0 - FINISH_FRACTION) * self.options.time_limit_seconds

    @property
    def seconds_left(self) -> float:
        """Seconds that are left; infinite under a work limit."""
        if self.deterministic:
            return NO_LIMIT
        return max(0.0, self._working_seconds - self.elapsed_seconds)

    @property
    def fraction_done(self) -> float:
        """Part of the limit that is used, in [0, 1]: rounds under a work limit, else seconds."""
        if self.options.work_limit is not None:
            return min(1.0, self._rounds / max(1, self.options.work_limit))
        return min(1.0, self.elapsed_seconds / max(self._working_seconds, 1e-9))

    def seconds_for(self, fraction: float) -> float | None:
        """Return a part of the whole time limit, at most what is left; None under a work limit."""
        if self.deterministic:
            return None
        return max(0.05, min(self.seconds_left, fraction * self.options.time_limit_seconds))

    def begin_round(self) -> bool:
        """Count one round; False once the limit is reached or somebody asked to stop."""
        if self.stop_reason() is not None:
            return False
        self._rounds += 1
        return True

    @property
    def round_count(self) -> int:
        """Rounds begun so far."""
        return self._rounds

    def must_stop(self) -> bool:
        """Return whether somebody asked to stop or the time is over; rounds of a work limit do not count."""
        return self._should_stop() or self.seconds_left <= 0.0

    def stop_reason(self) -> StopReason | None:
        """Return why no further round may begin, None while it may."""
        if self._should_stop():
            return StopReason.CANCELLED
        if self.options.work_limit is not None:
            return StopReason.WORK_LIMIT if self._rounds >= self.options.work_limit else None
        return StopReason.TIME_LIMIT if self.seconds_left <= 0.0 else None
