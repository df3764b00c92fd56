"""Followers of one solve share what is read, and one that does not read keeps nothing in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from tehai.operations.errors import SolveNotFoundError, StoreUnavailableError
from tehai.operations.records import Claim, EventKind, NewSolve
from tehai.operations.store import Store, open_store
from tehai.runner.errors import ShuttingDownError
from tehai.server.watches import CHANGES_KEPT, Item, WatchHub
from tehai.telemetry import Metrics
from tehai.v1 import sourcing_service_pb2 as pb

PROBLEM = b"problem"
PROGRESS_COUNT = 100


class CountingStore:
    """A store that counts how often events are asked for, and fails when it is told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.questions = 0
        self.failure: Exception | None = None

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        """Return an operation of the store."""
        operation: Callable[..., Awaitable[object]] = getattr(self._store, name)
        if name != "wait_for_events":
            return operation

        async def counted(*arguments: object) -> object:
            self.questions += 1
            answer = await operation(*arguments)
            if self.failure is not None:
                raise self.failure
            return answer

        return counted


@asynccontextmanager
async def running_solve(path: Path) -> AsyncIterator[tuple[Store, Claim]]:
    """Give a store with one claimed solve of tenant acme."""
    store = await open_store("", path / "solves.sqlite3")
    try:
        digest = sha256(PROBLEM).hexdigest()
        new = NewSolve(
            tenant="acme",
            solve_id="a",
            request_sha256=digest,
            problem_sha256=digest,
            problem_bytes=len(PROBLEM),
            options=b"",
        )
        await store.create_solve(new, PROBLEM, 10)
        claim = await store.claim_next("owner", 60, 1)
        assert claim is not None
        yield store, claim
    finally:
        await store.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until ``true()``; fail after some seconds."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - of what is looked at nothing can be awaited
            await asyncio.sleep(0.01)


def progress(seconds: float) -> bytes:
    """Return a progress event as a worker writes it."""
    return pb.Progress(elapsed_seconds=seconds).SerializeToString()


async def rest_of(hub: WatchHub, after_sequence: int = 0) -> list[Item]:
    """Return everything that a follower sees."""
    return [item async for item in hub.follow("acme", "a", after_sequence)]


def test_a_slow_follower_keeps_nothing_and_misses_only_old_progress(tmp_path: Path) -> None:
    """While hundreds of events pass by, the hub holds a handful; then come the newest progress and the end."""

    async def scene() -> None:
        async with running_solve(tmp_path) as (store, claim):
            hub = WatchHub(store, Metrics())
            async with aclosing(hub.follow("acme", "a", 0)) as slow:
                first = await anext(slow)
                assert first.kind is EventKind.CHANGED
                fast = asyncio.create_task(rest_of(hub))
                for number in range(PROGRESS_COUNT):
                    await store.record_progress(claim, progress(number))
                held = [len(feed.items) for feed in hub._feeds.values()]
                assert len(held) == 1
                assert held[0] <= CHANGES_KEPT + 1
                await store.cancel_done(claim)
                seen = [item async for item in slow]
            assert [item.kind for item in seen] == [EventKind.PROGRESS, EventKind.ENDED]
            newest = pb.WatchSolveResponse.FromString(seen[0].data).progress
            assert newest.elapsed_seconds == PROGRESS_COUNT - 1
            items = await fast
            assert items[-1] == seen[-1]
            assert [item.sequence for item in items] == sorted({item.sequence for item in items})
            await asyncio.sleep(0)
            assert not hub._feeds

    asyncio.run(scene())


def test_a_follower_that_comes_after_the_end_misses_nothing_behind_a_slow_one(tmp_path: Path) -> None:
    """What came since its last event is in the feed that a slow follower keeps open, and it gets it."""

    async def scene() -> None:
        async with running_solve(tmp_path) as (store, claim):
            hub = WatchHub(store, Metrics())
            async with aclosing(hub.follow("acme", "a", 0)) as slow:
                position = (await anext(slow)).sequence
                fast = asyncio.create_task(rest_of(hub))
                await store.record_progress(claim, progress(1))
                await store.cancel_done(claim)
                assert (await fast)[-1].kind is EventKind.ENDED
                resumed = await rest_of(hub, position)
            assert [item.kind for item in resumed] == [EventKind.PROGRESS, EventKind.ENDED]

    asyncio.run(scene())


class SilentStore(CountingStore):
    """A store whose watchers are never told of anything new."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        """Return an operation of the store."""
        return self._never if name == "wait_for_events" else super().__getattr__(name)

    async def _never(self, *_: object) -> object:
        return await asyncio.Event().wait()


def test_the_end_that_was_just_written_is_seen_when_the_server_ends(tmp_path: Path) -> None:
    """A follower whose feed has not read it yet gets the ended solve, and not that the server shuts down."""

    async def scene() -> None:
        async with running_solve(tmp_path) as (store, claim):
            metrics = Metrics()
            hub = WatchHub(SilentStore(store), metrics)  # type: ignore[arg-type]
            follower = asyncio.create_task(rest_of(hub))
            await until(lambda: metrics.read("tehai_watchers") == 1 and bool(hub._feeds))
            await store.cancel_done(claim)
            await hub.close()
            assert (await follower)[-1].kind is EventKind.ENDED

    asyncio.run(scene())


def test_followers_share_the_reading(tmp_path: Path) -> None:
    """Two hundred followers ask the store as often as one does."""

    async def scene() -> None:
        async with running_solve(tmp_path) as (store, claim):
            counting = CountingStore(store)
            metrics = Metrics()
            hub = WatchHub(counting, metrics)  # type: ignore[arg-type]
            followers = [asyncio.create_task(rest_of(hub)) for _ in range(200)]
            await until(lambda: metrics.read("tehai_watchers") == 200)
            before = counting.questions
            for number in range(10):
                await store.record_progress(claim, progress(number))
                await asyncio.sleep(0.02)
            await store.cancel_done(claim)
            ends = {items[-1] for items in await asyncio.gather(*followers)}
            assert len(ends) == 1
            assert counting.questions - before <= 12
            assert metrics.read("tehai_watchers") == 0

    asyncio.run(scene())


def test_trouble_reaches_every_follower(tmp_path: Path) -> None:
    """A store that fails, a solve that is deleted and a server that drains end every watch with the reason."""

    async def scene() -> None:
        async with running_solve(tmp_path) as (store, claim):
            counting = CountingStore(store)
            metrics = Metrics()
            hub = WatchHub(counting, metrics)  # type: ignore[arg-type]
            followers = [asyncio.create_task(rest_of(hub)) for _ in range(3)]
            await until(lambda: metrics.read("tehai_watchers") == 3 and counting.questions == 1)
            counting.failure = StoreUnavailableError("gone")
            await store.record_progress(claim, progress(1))
            outcomes = await asyncio.gather(*followers, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {StoreUnavailableError}
            counting.failure = None
            follower = asyncio.create_task(rest_of(hub))
            await until(lambda: metrics.read("tehai_watchers") == 1)
            await hub.close()
            with pytest.raises(ShuttingDownError):
                await follower
            with pytest.raises(ShuttingDownError):
                await rest_of(hub)
            await store.cancel_done(claim)
            await store.delete_solve("acme", "a")
            with pytest.raises(SolveNotFoundError):
                await rest_of(WatchHub(store, Metrics()))

    asyncio.run(scene())
