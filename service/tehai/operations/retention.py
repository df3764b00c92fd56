"""When old things are deleted: regularly, and not right after the wall clock jumped forwards.

The rule: a solve with its events, result and quote book goes once its ``expire_time`` is over, and with it a problem
that nothing else uses; an uploaded problem also has a time of its own. A clock that jumps ahead would make all of it
old at once, so after a jump nothing is deleted for an hour, in which somebody can put the clock right.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from tehai.operations.clock import MICROSECONDS_PER_SECOND, Clock
from tehai.operations.errors import StoreError
from tehai.operations.records import ExpireReport, RetentionPolicy
from tehai.operations.store import Store

_log = logging.getLogger(__name__)

# Corrections of a clock that runs well are far smaller.
JUMP_SECONDS_MIN = 60.0


class JumpGuard:
    """Compares the two clocks and says how long to wait after the wall clock ran ahead of the monotonic one."""

    def __init__(self, clock: Clock, hold_seconds: float = 3600.0) -> None:
        self._clock = clock
        self._hold_seconds = hold_seconds
        self._ahead_seconds = self._ahead()
        self._held_until = float("-inf")

    def held_seconds(self) -> float:
        """Return how many seconds of the monotonic clock to wait; 0 without a jump, or once it is taken back."""
        ahead = self._ahead()
        moved = ahead - self._ahead_seconds
        monotonic = self._clock.monotonic_seconds()
        if moved >= JUMP_SECONDS_MIN:
            self._held_until = monotonic + self._hold_seconds
            self._ahead_seconds = ahead
        elif moved <= -JUMP_SECONDS_MIN:
            self._held_until = float("-inf")
            self._ahead_seconds = ahead
        return max(0.0, self._held_until - monotonic)

    def _ahead(self) -> float:
        return self._clock.now() / MICROSECONDS_PER_SECOND - self._clock.monotonic_seconds()


class Retention:
    """Deletes what is old, regularly."""

    def __init__(self, store: Store, clock: Clock, policy: RetentionPolicy | None = None) -> None:
        self._store = store
        self._policy = policy or RetentionPolicy()
        self._guard = JumpGuard(clock)

    async def run_once(self) -> ExpireReport:
        """Delete what is old now, unless the clock has just jumped; raise StoreError."""
        held_seconds = self._guard.held_seconds()
        if held_seconds > 0:
            _log.warning("the wall clock jumped forwards; nothing is deleted for another %.0f s", held_seconds)
            return ExpireReport(held_seconds=held_seconds)
        return await self._store.expire(self._policy)

    async def run(self, interval_seconds: float, stop: asyncio.Event) -> None:
        """Do so every ``interval_seconds`` until ``stop`` is set; trouble with the store is logged and tried again."""
        while not stop.is_set():
            try:
                await self.run_once()
            except StoreError as error:
                _log.warning("nothing old was deleted: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), interval_seconds)
