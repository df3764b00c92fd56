"""When old things are deleted: regularly, and not by a wall clock that may be wrong.

The rule: a solve with its events, result and quote book goes once its ``expire_time`` is over, and with it a problem
that nothing else uses; an uploaded problem also has a time of its own. A clock that jumps ahead would make all of it
old at once, so after a jump nothing is deleted for an hour, in which somebody can put the clock right.

A server that starts has no second clock to compare with, so each round keeps in the database the time that it went by.
A start whose clock is more than a day ahead of that time comes after a long stop, or with a wrong clock; which of the
two, nobody can tell from here, so nothing is deleted for a day of running, and the log says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from tehai.operations.clock import MICROSECONDS_PER_SECOND, Clock
from tehai.operations.errors import StoreError
from tehai.operations.records import ExpireReport, RetentionClock, RetentionPolicy
from tehai.operations.store import Store

_log = logging.getLogger(__name__)

# Corrections of a clock that runs well are far smaller.
JUMP_SECONDS_MIN = 60.0
_DAY_SECONDS = 86_400.0


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


class StartGuard:
    """Compares the wall clock with the time that deleting last went by, and says how long to wait after a start.

    The quarantine is over when servers have run for as long, several short runs together, while that time stood still:
    where another server goes on deleting by an earlier clock, it does not end.
    """

    def __init__(self, store: Store, clock: Clock, policy: RetentionPolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._over = False
        # What the database said when waiting began, and when that was by the monotonic clock.
        self._begun: tuple[RetentionClock, float] | None = None

    async def held_seconds(self) -> float:
        """Return how many seconds of the monotonic clock to wait; 0 for good after the first 0. Raise StoreError."""
        if self._over:
            return 0.0
        kept = await self._store.retention_clock()
        remaining_seconds = 0.0 if kept is None else await self._remaining_seconds(kept)
        self._over = remaining_seconds <= 0
        return max(0.0, remaining_seconds)

    async def _remaining_seconds(self, kept: RetentionClock) -> float:
        """Return what is left of the quarantine, and keep how much is over, so that a restart goes on with it."""
        ahead_seconds = (self._clock.now() - kept.trusted_time) / MICROSECONDS_PER_SECOND
        if ahead_seconds <= self._policy.clock_ahead_seconds_max:
            return 0.0
        monotonic = self._clock.monotonic_seconds()
        if self._begun is None or self._begun[0].trusted_time != kept.trusted_time:
            self._begun = (kept, monotonic)
        before, since = self._begun
        held_seconds = before.held_seconds + monotonic - since
        remaining_seconds = self._policy.quarantine_seconds - held_seconds
        if remaining_seconds > 0:
            await self._store.hold_retention(RetentionClock(kept.trusted_time, held_seconds))
            _log.warning(
                "the wall clock is %.1f days ahead of when this database was last used; set it right if it is wrong:"
                " nothing is deleted for another %.0f s of running",
                ahead_seconds / _DAY_SECONDS,
                remaining_seconds,
            )
        return remaining_seconds


class Retention:
    """Deletes what is old, regularly."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        policy: RetentionPolicy | None = None,
        on_round: Callable[[ExpireReport], None] = lambda _: None,
    ) -> None:
        """``on_round`` is told of each round of ``run`` that the store answered."""
        self._store = store
        self._clock = clock
        self._policy = policy or RetentionPolicy()
        self._on_round = on_round
        self._jump_guard = JumpGuard(clock)
        self._start_guard = StartGuard(store, clock, self._policy)

    async def run_once(self) -> ExpireReport:
        """Delete what is old now, unless the clock may be wrong; raise StoreError."""
        jump_held_seconds = self._jump_guard.held_seconds()
        if jump_held_seconds > 0:
            _log.warning("the wall clock jumped forwards; nothing is deleted for another %.0f s", jump_held_seconds)
        held_seconds = max(jump_held_seconds, await self._start_guard.held_seconds())
        if held_seconds > 0:
            return ExpireReport(held_seconds=held_seconds)
        now = self._clock.now()
        report = await self._store.expire(self._policy)
        # Afterwards, so that a full disk, which takes no new time, may still be cleared.
        await self._store.trust_clock(now)
        return report

    async def run(self, interval_seconds: float, stop: asyncio.Event) -> None:
        """Do so every ``interval_seconds`` until ``stop`` is set; trouble with the store is logged and tried again."""
        while not stop.is_set():
            try:
                self._on_round(await self.run_once())
            except StoreError as error:
                _log.warning("nothing old was deleted: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(interval_seconds):
                    await stop.wait()
