"""Events: their order across attempts, waiting for them, and how many are kept."""

from __future__ import annotations

import asyncio
import time

import pytest

from tehai.operations.errors import SolveNotFoundError
from tehai.operations.records import EventKind, SolveState, StateChange
from tehai.operations.sql_store import PROGRESS_EVENTS_KEPT, SqlStore
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import TENANT, claimed, created

# Long enough never to be reached where an event comes.
PATIENCE_SECONDS = 20.0


@pytest.mark.asyncio
async def test_sequences_never_repeat_across_attempts(store: Store) -> None:
    """Over two attempts that die and one that ends, sequences rise by one and the kinds tell the story."""
    await created(store, "one")
    progress = []
    for attempt in range(2):
        claim = await claimed(store)
        progress.append(await store.record_progress(claim, f"attempt {attempt}".encode()))
        await store.release(claim, died=True)
    claim = await claimed(store)
    progress.append(await store.record_progress(claim, b"attempt 2"))
    await store.request_cancel(TENANT, "one")
    await store.succeed(claim, b"", None, b"")
    events = await store.events_after(TENANT, "one", 0)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.sequence for event in events if event.kind is EventKind.PROGRESS] == progress
    assert [event.payload for event in events if event.kind is EventKind.PROGRESS] == [
        b"attempt 0",
        b"attempt 1",
        b"attempt 2",
    ]
    changes = [StateChange.from_bytes(event.payload) for event in events if event.kind is not EventKind.PROGRESS]
    queued, running = SolveState.QUEUED, SolveState.RUNNING
    assert [(change.state, change.attempt_count, change.cancel_requested) for change in changes] == [
        (queued, 0, False),
        (running, 1, False),
        (queued, 1, False),
        (running, 2, False),
        (queued, 2, False),
        (running, 3, False),
        (running, 3, True),
        (SolveState.SUCCEEDED, 3, True),
    ]
    assert [event.kind for event in events].count(EventKind.ENDED) == 1
    assert events[-1].kind is EventKind.ENDED
    assert (await store.get_solve(TENANT, "one")).last_sequence == events[-1].sequence


@pytest.mark.asyncio
async def test_taking_up_where_it_broke_off(store: Store) -> None:
    """Events after a sequence are those that are missing, in order and as many as asked for; none after the last."""
    await created(store, "one")
    claim = await claimed(store)
    for number in range(10):
        await store.record_progress(claim, str(number).encode())
    everything = await store.events_after(TENANT, "one", 0)
    assert await store.events_after(TENANT, "one", 5) == everything[5:]
    assert await store.events_after(TENANT, "one", 5, limit=2) == everything[5:7]
    assert await store.events_after(TENANT, "one", 12) == ()
    assert await store.events_after(TENANT, "one", 10**12) == ()
    with pytest.raises(SolveNotFoundError):
        await store.events_after(TENANT, "none", 0)


@pytest.mark.asyncio
async def test_old_progress_is_dropped(store: Store) -> None:
    """However much progress there is, the newest is kept and so is every change of state."""
    await created(store, "one")
    claim = await claimed(store)
    total = PROGRESS_EVENTS_KEPT + 20
    await asyncio.gather(*(store.record_progress(claim, str(number).encode()) for number in range(total)))
    events = await store.events_after(TENANT, "one", 0)
    sequences = [event.sequence for event in events if event.kind is EventKind.PROGRESS]
    assert sequences == list(range(23, 2 + total + 1))
    assert [event.sequence for event in events if event.kind is EventKind.CHANGED] == [1, 2]


@pytest.mark.asyncio
async def test_waiting_ends_with_the_event(store: SqlStore) -> None:
    """Who waits gets an event of this process at once, and one that is there already without waiting."""
    # Without looking for changes of other processes, which would find this one as well.
    store.notifier._poll_seconds = 2 * PATIENCE_SECONDS
    await created(store, "one")
    waiting = asyncio.create_task(store.wait_for_events(TENANT, "one", 1, PATIENCE_SECONDS))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await claimed(store)
    events = await waiting
    assert time.monotonic() - started < PATIENCE_SECONDS / 4
    assert [event.sequence for event in events] == [2]
    assert await store.wait_for_events(TENANT, "one", 1, PATIENCE_SECONDS) == events


@pytest.mark.asyncio
async def test_waiting_has_a_limit(store: Store) -> None:
    """Without an event the answer is empty once the time is over; for a solve that is not there it is an error."""
    await created(store, "one")
    assert await store.wait_for_events(TENANT, "one", 1, 0.05) == ()
    assert await store.wait_for_events(TENANT, "one", 1, 0) == ()
    with pytest.raises(SolveNotFoundError):
        await store.wait_for_events(TENANT, "none", 0, PATIENCE_SECONDS)


@pytest.mark.asyncio
async def test_events_of_another_process_arrive(store: Store, backend: Backend) -> None:
    """Three hundred who wait are all woken by a change that another process makes, and by a deletion."""
    await created(store, "one")
    other = await backend.open()
    watchers = [asyncio.create_task(store.wait_for_events(TENANT, "one", 1, PATIENCE_SECONDS)) for _ in range(300)]
    await asyncio.sleep(0.1)
    await other.request_cancel(TENANT, "one")
    answers = await asyncio.gather(*watchers)
    assert [[event.kind for event in events] for events in answers] == [[EventKind.ENDED]] * 300
    waiting = asyncio.create_task(store.wait_for_events(TENANT, "one", 2, PATIENCE_SECONDS))
    await asyncio.sleep(0.1)
    await other.delete_solve(TENANT, "one")
    with pytest.raises(SolveNotFoundError):
        await waiting
