"""What goes when its time is over, and what stays."""

from __future__ import annotations

import logging

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import BlobNotFoundError, SolveNotFoundError, UploadGoneError
from tehai.operations.records import AuditEntry, BlobKind, ExpireReport, RetentionClock, RetentionPolicy
from tehai.operations.retention import Retention
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import PROBLEM, QUEUE_MAX, TENANT, claimed, created, new_solve, sha256, succeeded

POLICY = RetentionPolicy(upload_seconds=500, audit_seconds=500)
KEY = sha256(PROBLEM)
DAY_SECONDS = 86_400.0


@pytest.mark.asyncio
async def test_solves_go_when_their_time_is_over(store: Store, clock: ManualClock) -> None:
    """Ended solves go with everything of theirs once their time is over, not before; others wait or run for ever."""
    for number in range(45):
        await succeeded(store, f"old{number}", retention_seconds=100)
    await created(store, "runs", retention_seconds=0)
    await claimed(store)
    await created(store, "waits", retention_seconds=0)
    clock.advance(99.999)
    assert await store.expire(POLICY) == ExpireReport()
    clock.advance(0.001)
    assert await store.expire(POLICY) == ExpireReport(solves=45)
    assert {record.solve_id for record in (await store.list_solves(TENANT)).records} == {"runs", "waits"}
    with pytest.raises(BlobNotFoundError):
        await store.get_blob(TENANT, BlobKind.RESULT, "old0")
    with pytest.raises(SolveNotFoundError):
        await store.events_after(TENANT, "old0", 0)
    clock.advance(10**9)
    assert await store.expire(POLICY) == ExpireReport()
    # They still use it.
    assert await store.get_blob(TENANT, BlobKind.PROBLEM, KEY) == PROBLEM


@pytest.mark.asyncio
async def test_an_uploaded_problem_has_a_time_of_its_own(store: Store, clock: ManualClock) -> None:
    """It stays while its time runs or a solve uses it, whichever is longer."""
    await store.put_blob(TENANT, BlobKind.PROBLEM, KEY, PROBLEM, 300)
    await succeeded(store, "short", retention_seconds=100)
    clock.advance(100)
    assert await store.expire(POLICY) == ExpireReport(solves=1)
    await store.create_solve(new_solve("long", retention_seconds=400), None, QUEUE_MAX)
    await store.succeed(await claimed(store), b"", None, b"")
    clock.advance(300)
    assert await store.expire(POLICY) == ExpireReport()
    assert await store.get_blob(TENANT, BlobKind.PROBLEM, KEY) == PROBLEM
    clock.advance(100)
    assert await store.expire(POLICY) == ExpireReport(solves=1)
    with pytest.raises(BlobNotFoundError):
        await store.get_blob(TENANT, BlobKind.PROBLEM, KEY)
    for number in range(12):
        await store.put_blob(TENANT, BlobKind.PROBLEM, f"unused {number}", b"x", 300)
    await store.put_blob(TENANT, BlobKind.QUOTE_BOOK, "by hand", b"x", 300)
    clock.advance(300)
    assert await store.expire(POLICY) == ExpireReport(problems=12, other_blobs=1)


@pytest.mark.asyncio
async def test_uploads_that_nobody_finished(store: Store, clock: ManualClock) -> None:
    """They go after the policy's time, so that broken uploads do not fill the disk."""
    upload = await store.begin_upload(TENANT, BlobKind.PROBLEM, "k")
    await store.append_upload(upload, b"x" * 100)
    clock.advance(500)
    assert await store.expire(POLICY) == ExpireReport()
    clock.advance(1)
    assert await store.expire(POLICY) == ExpireReport(uploads=1)
    with pytest.raises(UploadGoneError):
        await store.append_upload(upload, b"x")


@pytest.mark.asyncio
async def test_old_audit_entries_go(store: Store, clock: ManualClock) -> None:
    """Entries older than the policy's time go, the others stay."""
    texts = {"subject": "s", "method": "m", "resource": "r", "outcome": "OK", "request_id": "", "peer": "p"}
    for _ in range(3):
        await store.append_audit([AuditEntry(time=clock.now(), tenant=TENANT, **texts)] * 1000)
        clock.advance(300)
    assert await store.expire(POLICY) == ExpireReport(audit_entries=2000)
    assert len(await store.list_audit(TENANT, 0, clock.now(), 5000)) == 1000


@pytest.mark.asyncio
async def test_nothing_is_deleted_right_after_a_clock_jump(store: Store, clock: ManualClock) -> None:
    """After a jump ahead retention waits for an hour; put right within it, the clock has cost nothing."""
    await succeeded(store, "one", retention_seconds=86_400)
    retention = Retention(store, clock, POLICY)
    assert await retention.run_once() == ExpireReport()
    clock.jump(366 * 86_400)
    assert await retention.run_once() == ExpireReport(held_seconds=3600.0)
    clock.advance(1800)
    assert (await retention.run_once()).held_seconds == 1800.0
    clock.jump(-366 * 86_400)
    assert await retention.run_once() == ExpireReport()
    await store.get_solve(TENANT, "one")
    clock.jump(366 * 86_400)
    await retention.run_once()
    clock.advance(3601)
    assert await retention.run_once() == ExpireReport(solves=1)


async def with_an_ended_solve(store: Store, clock: ManualClock) -> None:
    """Leave a database as a server does that has run for a while: with a solve that is kept for thirty days."""
    await succeeded(store, "one", retention_seconds=30 * DAY_SECONDS)
    assert await Retention(store, clock, POLICY).run_once() == ExpireReport()


@pytest.mark.asyncio
async def test_a_start_with_a_clock_far_ahead_deletes_nothing(
    store: Store, backend: Backend, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Ten years ahead: nothing goes, the log says why, restarts and new records change nothing; put right, all is well.

    What the server writes meanwhile has the wrong time too, and must not make that time look right.
    """
    await with_an_ended_solve(store, clock)
    clock.jump(3650 * DAY_SECONDS)
    for hours in (0, 5, 10):
        restarted = await backend.open()
        retention = Retention(restarted, clock, POLICY)
        with caplog.at_level(logging.WARNING):
            assert (await retention.run_once()).held_seconds == pytest.approx(DAY_SECONDS - hours * 3600)
        assert "3650." in caplog.text
        await created(restarted, f"wrong {hours}")
        await restarted.request_cancel(TENANT, f"wrong {hours}")
        clock.advance(5 * 3600)
        assert (await retention.run_once()).held_seconds == pytest.approx(DAY_SECONDS - (hours + 5) * 3600)
    clock.jump(-3650 * DAY_SECONDS)
    assert await retention.run_once() == ExpireReport()
    assert (await store.get_solve(TENANT, "one")).solve_id == "one"
    # The quarantine that was begun is forgotten.
    assert await store.retention_clock() == RetentionClock(clock.now())


@pytest.mark.asyncio
async def test_a_server_that_was_off_for_two_months_deletes_after_a_day(
    store: Store, backend: Backend, clock: ManualClock
) -> None:
    """Its clock is right, and nobody can know: after a day of running old things go, the next start waits no more."""
    await with_an_ended_solve(store, clock)
    clock.advance(60 * DAY_SECONDS)
    retention = Retention(await backend.open(), clock, POLICY)
    for hour in range(24):
        assert (await retention.run_once()).held_seconds == pytest.approx(DAY_SECONDS - hour * 3600)
        clock.advance(3600)
    assert await retention.run_once() == ExpireReport(solves=1)
    await succeeded(store, "two", retention_seconds=100)
    clock.advance(200)
    assert await retention.run_once() == ExpireReport(solves=1)
    await succeeded(store, "three", retention_seconds=100)
    clock.advance(200)
    assert await Retention(await backend.open(), clock, POLICY).run_once() == ExpireReport(solves=1)


@pytest.mark.asyncio
@pytest.mark.parametrize(("off_seconds", "held_seconds"), [(DAY_SECONDS, 0.0), (DAY_SECONDS + 1, DAY_SECONDS)])
async def test_a_short_stop_holds_nothing_up(
    store: Store, backend: Backend, clock: ManualClock, off_seconds: float, held_seconds: float
) -> None:
    """Up to a day since deleting last went by the clock there is nothing to wait for; a second more, and there is."""
    await with_an_ended_solve(store, clock)
    clock.advance(30 * DAY_SECONDS - off_seconds)
    await store.trust_clock(clock.now())
    clock.advance(off_seconds)
    report = await Retention(await backend.open(), clock, POLICY).run_once()
    assert (report.solves, report.held_seconds) == (0 if held_seconds else 1, held_seconds)


@pytest.mark.asyncio
async def test_another_server_with_an_earlier_clock_keeps_it_waiting(
    store: Store, backend: Backend, clock: ManualClock
) -> None:
    """Of two servers on one database the one far ahead never deletes while the other does; alone, after a day."""
    await with_an_ended_solve(store, clock)
    wrong_clock = ManualClock(clock.now())
    wrong_clock.jump(365 * DAY_SECONDS)
    right = Retention(store, clock, POLICY)
    wrong = Retention(await backend.open(wrong_clock), wrong_clock, POLICY)
    for _ in range(60):
        assert await right.run_once() == ExpireReport()
        assert (await wrong.run_once()).held_seconds == pytest.approx(DAY_SECONDS)
        for moved in (clock, wrong_clock):
            moved.advance(3600)
    wrong_clock.advance(23 * 3600)
    assert await wrong.run_once() == ExpireReport(solves=1)


@pytest.mark.asyncio
async def test_how_long_was_waited_only_grows(store: Store, clock: ManualClock) -> None:
    """A server that has waited shorter, or for another time, changes nothing; trusting the clock ends the waiting."""
    now = clock.now()
    await store.hold_retention(RetentionClock(now, 10.0))
    assert await store.retention_clock() is None
    await store.trust_clock(now)
    for held_seconds, kept_seconds in ((10.0, 10.0), (5.0, 10.0), (20.5, 20.5)):
        await store.hold_retention(RetentionClock(now, held_seconds))
        await store.hold_retention(RetentionClock(now + 1, 100.0))
        assert await store.retention_clock() == RetentionClock(now, kept_seconds)
    # Also backwards: a clock that was wrong before must not stay in the way.
    await store.trust_clock(now - 5)
    assert await store.retention_clock() == RetentionClock(now - 5)
