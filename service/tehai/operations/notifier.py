"""Wakes those who wait for events: at once for what this process changes, after a look for what others change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tehai.operations.errors import StoreError
from tehai.operations.sql import SolveKey

LastSequences = Callable[[Sequence[SolveKey]], Awaitable[dict[SolveKey, int]]]


class EventNotifier:
    """Keeps who waits for which solve; use it in one event loop only.

    One task looks for all watchers together, every ``poll_seconds`` and only while there are any.
    """

    def __init__(self, last_sequences: LastSequences, poll_seconds: float) -> None:
        self._last_sequences = last_sequences
        self._poll_seconds = poll_seconds
        # For each solve its watchers, and the last sequence that each of them has.
        self._watchers: dict[SolveKey, dict[asyncio.Event, int]] = {}
        self._poller: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, key: SolveKey, after_sequence: int) -> Iterator[asyncio.Event]:
        """Give an event that is set once the solve has events after ``after_sequence``, or is gone."""
        woken = asyncio.Event()
        self._watchers.setdefault(key, {})[woken] = after_sequence
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="store events")
        try:
            yield woken
        finally:
            watchers = self._watchers[key]
            del watchers[woken]
            if not watchers:
                del self._watchers[key]

    def publish(self, changed: Mapping[SolveKey, int]) -> None:
        """Wake the watchers of solves that have newer events; ``changed`` holds the last sequences."""
        for key, sequence in changed.items():
            for woken, after_sequence in self._watchers.get(key, {}).items():
                if sequence > after_sequence:
                    woken.set()

    async def close(self) -> None:
        """Stop looking; watchers wait until their own limits."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def _poll(self) -> None:
        """Look for news until nobody watches."""
        while self._watchers:
            await asyncio.sleep(self._poll_seconds)
            keys = tuple(self._watchers)
            try:
                found = await self._last_sequences(keys)
            except StoreError:
                # The watchers' own reading tells them; the next look may succeed.
                continue
            self.publish(found)
            for key in keys:
                if key not in found:
                    for woken in self._watchers.get(key, {}):
                        woken.set()
