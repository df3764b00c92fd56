"""Followers of solves: however many there are of one solve, its events are read from the store once.

A follower takes what is there when it is ready for more, and of several progress events only the newest; one that reads
slowly keeps nothing in memory but its own position.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tehai.operations.errors import StoreError
from tehai.operations.records import Event, EventKind, SolveRecord, StateChange
from tehai.operations.store import EVENTS_AT_ONCE_MAX, SolveStore
from tehai.runner.errors import ShuttingDownError
from tehai.server.request_errors import FieldFault, InvalidRequestError
from tehai.server.resources import to_changed_solve, to_solve
from tehai.telemetry import Metrics
from tehai.v1 import sourcing_service_pb2

# Longest wait of one question to the store; news come at once.
LOOK_SECONDS = 30.0
# For the end of a solve that was written while the server ends; a database that is gone must not hold it up.
LAST_LOOK_SECONDS = 2.0
CHANGES_KEPT = 32
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """A serialised WatchSolveResponse."""

    sequence: int
    kind: EventKind
    data: bytes


class _Feed:
    """The newest events of one solve, for all who follow it."""

    def __init__(self, last_sequence: int) -> None:
        self.last_sequence = last_sequence
        # Everything after this has passed through here.
        self.floor = last_sequence
        self.items: list[Item] = []
        self.error: Exception | None = None
        self.changed = asyncio.Event()
        self.followers = 0
        self.task: asyncio.Task[None] | None = None

    def publish(self, items: list[Item]) -> None:
        """Add items, of which an older progress is dropped, and wake everybody."""
        known = [*self.items, *items]
        progress = [item for item in known if item.kind is EventKind.PROGRESS][-1:]
        others = [item for item in known if item.kind is not EventKind.PROGRESS][-CHANGES_KEPT:]
        self.items = sorted([*others, *progress], key=lambda item: item.sequence)
        self.last_sequence = known[-1].sequence
        self.wake()

    def wake(self) -> None:
        """Let everybody look."""
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()


class WatchHub:
    """Reads events for followers; use it in one event loop."""

    def __init__(self, store: SolveStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._feeds: dict[_Key, _Feed] = {}
        self._closed = False

    async def follow(self, tenant: str, solve_id: str, after_sequence: int) -> AsyncGenerator[Item, None]:
        """Yield what follows ``after_sequence`` (0: where it stands, then what follows); the last item is the end.

        Raises SolveNotFoundError, InvalidRequestError, ShuttingDownError and what the store raises.
        """
        self._check_open()
        record = await self._store.get_solve(tenant, solve_id)
        if not 0 <= after_sequence <= record.last_sequence:
            text = f"no event has the sequence {after_sequence}; the last one is {record.last_sequence}"
            raise InvalidRequestError(FieldFault("after_sequence", text))
        position = after_sequence
        if record.state.ended and position in (0, record.last_sequence):
            yield _ended_item(record, record.last_sequence)
            return
        self._metrics.add("tehai_watchers", 1)
        try:
            async with self._feed((tenant, solve_id), record.last_sequence) as feed:
                if position == 0:
                    position = record.last_sequence
                    yield _changed_item(record)
                async for item in self._missed(tenant, solve_id, position, feed):
                    position = item.sequence
                    yield item
                    if item.kind is EventKind.ENDED:
                        return
                if record.state.ended and feed.floor >= record.last_sequence:
                    # Its last event is no longer kept; where a slower follower holds the feed back, the feed has it.
                    yield _ended_item(record, record.last_sequence)
                    return
                async for item in self._live(feed, position):
                    yield item
        finally:
            self._metrics.add("tehai_watchers", -1)

    async def wait_for_end(self, tenant: str, solve_id: str, timeout_seconds: float) -> SolveRecord:
        """Return the solve once it has ended, or as it is after ``timeout_seconds``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                async for _ in self.follow(tenant, solve_id, 0):
                    pass
        return await self._store.get_solve(tenant, solve_id)

    async def close(self) -> None:
        """End every follower with ShuttingDownError."""
        self._closed = True
        feeds = tuple(self._feeds.items())
        tasks = [feed.task for _, feed in feeds if feed.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._last_look(key, feed) for key, feed in feeds))

    async def _last_look(self, key: _Key, feed: _Feed) -> None:
        """Give followers what was written since, the end of their solve perhaps, and let them end."""
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(LAST_LOOK_SECONDS):
                events = await self._store.events_after(*key, feed.last_sequence, EVENTS_AT_ONCE_MAX)
                if events:
                    feed.publish(await self._items(*key, events))
        feed.wake()

    def _check_open(self) -> None:
        if self._closed:
            raise ShuttingDownError

    async def _missed(self, tenant: str, solve_id: str, position: int, feed: _Feed) -> AsyncIterator[Item]:
        """Yield the events between ``position`` and where the feed begins."""
        while position < feed.floor:
            events = await self._store.events_after(tenant, solve_id, position, EVENTS_AT_ONCE_MAX)
            if not events:
                return
            for item in await self._items(tenant, solve_id, events):
                yield item
            position = events[-1].sequence

    async def _live(self, feed: _Feed, position: int) -> AsyncIterator[Item]:
        while True:
            changed = feed.changed
            for item in tuple(feed.items):
                if item.sequence > position:
                    position = item.sequence
                    yield item
                    if item.kind is EventKind.ENDED:
                        return
            if changed is not feed.changed:
                # Something came while the last item was being sent.
                continue
            if feed.error is not None:
                raise feed.error
            self._check_open()
            await changed.wait()

    @asynccontextmanager
    async def _feed(self, key: _Key, last_sequence: int) -> AsyncIterator[_Feed]:
        """Give the feed of a solve, which ends with its last follower."""
        feed = self._feeds.get(key)
        if feed is None or feed.error is not None:
            feed = self._feeds[key] = _Feed(last_sequence)
            feed.task = asyncio.create_task(self._read(key, feed), name="watch")
        feed.followers += 1
        try:
            yield feed
        finally:
            feed.followers -= 1
            if feed.followers == 0:
                if feed.task is not None:
                    feed.task.cancel()
                if self._feeds.get(key) is feed:
                    del self._feeds[key]

    async def _read(self, key: _Key, feed: _Feed) -> None:
        """Read events into a feed until the solve has ended."""
        try:
            while True:
                events = await self._store.wait_for_events(*key, feed.last_sequence, LOOK_SECONDS)
                if not events:
                    continue
                items = await self._items(*key, events)
                feed.publish(items)
                if items[-1].kind is EventKind.ENDED:
                    return
        except Exception as error:  # noqa: BLE001 - each follower raises it
            feed.error = error
            feed.wake()

    async def _items(self, tenant: str, solve_id: str, events: tuple[Event, ...]) -> list[Item]:
        """Return events as they are sent, of the progress events only the newest."""
        newest = max((event.sequence for event in events if event.kind is EventKind.PROGRESS), default=0)
        kept = [event for event in events if event.kind is not EventKind.PROGRESS or event.sequence == newest]
        record: SolveRecord | None = None
        items: list[Item] = []
        for event in kept:
            if event.kind is EventKind.PROGRESS:
                items.append(_progress_item(event))
                continue
            record = record or await self._store.get_solve(tenant, solve_id)
            change = StateChange.from_bytes(event.payload)
            if event.kind is EventKind.ENDED:
                items.append(_ended_item(record, event.sequence))
            else:
                items.append(_changed_item(record, event.sequence, change))
        return items


def _progress_item(event: Event) -> Item:
    response = sourcing_service_pb2.WatchSolveResponse(sequence=event.sequence)
    response.progress.ParseFromString(event.payload)
    return Item(event.sequence, event.kind, response.SerializeToString())


def _changed_item(record: SolveRecord, sequence: int | None = None, change: StateChange | None = None) -> Item:
    sequence = record.last_sequence if sequence is None else sequence
    solve = to_changed_solve(record, change or StateChange.of(record))
    response = sourcing_service_pb2.WatchSolveResponse(sequence=sequence, changed=solve)
    return Item(sequence, EventKind.CHANGED, response.SerializeToString())


def _ended_item(record: SolveRecord, sequence: int) -> Item:
    response = sourcing_service_pb2.WatchSolveResponse(sequence=sequence, ended=to_solve(record))
    return Item(sequence, EventKind.ENDED, response.SerializeToString())
