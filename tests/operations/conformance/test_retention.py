"""What goes when its time is over, and what stays."""

from __future__ import annotations

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import BlobNotFoundError, SolveNotFoundError, UploadGoneError
from tehai.operations.records import AuditEntry, BlobKind, ExpireReport, RetentionPolicy
from tehai.operations.retention import Retention
from tehai.operations.store import Store
from tests.operations.solves import PROBLEM, QUEUE_MAX, TENANT, claimed, created, new_solve, sha256, succeeded

POLICY = RetentionPolicy(upload_seconds=500, audit_seconds=500)
KEY = sha256(PROBLEM)


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
