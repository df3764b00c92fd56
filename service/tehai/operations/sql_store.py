"""The store over any backend that runs jobs in transactions; SQLite and PostgreSQL differ only in how they do that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol, TypeVar

from tehai.operations import sql_blobs as blobs
from tehai.operations import sql_claims as claims
from tehai.operations import sql_keys as keys
from tehai.operations import sql_retention as expiry
from tehai.operations import sql_solves as solves
from tehai.operations.clock import Clock, Microseconds, to_microseconds
from tehai.operations.errors import InvalidRecordError, StoreError
from tehai.operations.filters import Condition
from tehai.operations.leases import LeaseWatch
from tehai.operations.notifier import EventNotifier
from tehai.operations.page_tokens import PageTokens
from tehai.operations.records import (
    IDENTIFIER_CHARACTERS_MAX,
    ApiKeyRecord,
    AuditEntry,
    BlobKind,
    BlobRecord,
    Claim,
    Event,
    ExpireReport,
    NewSolve,
    QueueCounts,
    RecoverReport,
    RetentionClock,
    RetentionPolicy,
    SolvePage,
    SolveRecord,
    SolveState,
    Upload,
    text_is_storable,
)
from tehai.operations.sql import SolveKey, Transaction
from tehai.operations.store import EVENTS_AT_ONCE_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX

Answer = TypeVar("Answer")

# More than this is written over several transactions, so that others get between.
ONE_TRANSACTION_BYTES_MAX = 8 * 1024 * 1024
_PART_BYTES = 4 * 1024 * 1024
# Progress events that are kept of one solve: a watcher that comes back misses only what newer figures replaced.
PROGRESS_EVENTS_KEPT = 256
_POLL_SECONDS = 0.25


class Database(Protocol):
    """Runs jobs in transactions, in threads, so that the event loop never waits."""

    async def read(self, job: Callable[[Transaction], Answer]) -> Answer:
        """Run a job that changes nothing, on one state of the database."""
        ...

    async def write(self, job: Callable[[Transaction], Answer], size_bytes: int = 0) -> Answer:
        """Run a job and return once it is on stable storage; ``size_bytes`` says roughly how much it writes."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        ...


class SqlStore:
    """``Store`` over a database, which tells ``notifier`` what each commit changed, in the event loop."""

    def __init__(self, database: Database, secret: bytes, clock: Clock, poll_seconds: float = _POLL_SECONDS) -> None:
        self._database = database
        self._clock = clock
        self._page_tokens = PageTokens(secret)
        self._lease_watch = LeaseWatch()
        self.notifier = EventNotifier(self._last_sequences, poll_seconds)

    async def _last_sequences(self, wanted: Sequence[SolveKey]) -> dict[SolveKey, int]:
        return await self._database.read(lambda tx: solves.last_sequences(tx, wanted))

    # Solves as their callers see them.

    async def create_solve(
        self, new: NewSolve, problem: bytes | None, queue_max: int, tenant_queue_max: int | None = None
    ) -> tuple[SolveRecord, bool]:
        """See SolveStore."""
        new.check(problem)
        places = solves.Places(queue_max, tenant_queue_max)
        if problem is None or len(problem) <= ONE_TRANSACTION_BYTES_MAX:
            size_bytes = len(problem or b"")
            return await self._database.write(lambda tx: solves.create(tx, new, problem, None, places), size_bytes)
        async with self._uploaded(new.tenant, BlobKind.PROBLEM, new.problem_sha256, problem) as upload:
            return await self._database.write(lambda tx: solves.create(tx, new, None, upload, places))

    async def get_solve(self, tenant: str, solve_id: str) -> SolveRecord:
        """See SolveStore."""
        return await self._database.read(lambda tx: solves.get(tx, tenant, solve_id))

    async def list_solves(
        self,
        tenant: str,
        conditions: Sequence[Condition] = (),
        page_size: int = PAGE_SIZE_DEFAULT,
        page_token: str = "",
    ) -> SolvePage:
        """See SolveStore."""
        if not 1 <= page_size <= PAGE_SIZE_MAX:
            raise InvalidRecordError((f"page_size must be 1 to {PAGE_SIZE_MAX}, not {page_size}",))
        before = self._page_tokens.read(tenant, conditions, page_token) if page_token else None
        # One more than asked for tells whether there is another page.
        found = await self._database.read(lambda tx: solves.newest_first(tx, tenant, conditions, before, page_size + 1))
        records = tuple(record for _, record in found[:page_size])
        more = len(found) > page_size
        return SolvePage(records, self._page_tokens.make(tenant, conditions, found[page_size - 1][0]) if more else "")

    async def delete_solve(self, tenant: str, solve_id: str) -> None:
        """See SolveStore."""
        await self._database.write(lambda tx: solves.delete(tx, tenant, solve_id))

    async def request_cancel(self, tenant: str, solve_id: str) -> SolveRecord:
        """See SolveStore."""
        return await self._database.write(lambda tx: solves.request_cancel(tx, tenant, solve_id))

    async def events_after(
        self, tenant: str, solve_id: str, sequence: int, limit: int = EVENTS_AT_ONCE_MAX
    ) -> tuple[Event, ...]:
        """See SolveStore."""
        return await self._database.read(lambda tx: solves.events_after(tx, tenant, solve_id, sequence, limit))

    async def wait_for_events(
        self, tenant: str, solve_id: str, sequence: int, timeout_seconds: float
    ) -> tuple[Event, ...]:
        """See SolveStore."""
        # Watching begins before looking, so that nothing falls between the two.
        with self.notifier.watch((tenant, solve_id), sequence) as woken:
            events = await self.events_after(tenant, solve_id, sequence)
            if events:
                return events
            try:
                # Not wait_for: see postgres_store.
                async with asyncio.timeout(timeout_seconds):
                    await woken.wait()
            except TimeoutError:
                return ()
            return await self.events_after(tenant, solve_id, sequence)

    async def counts(self) -> QueueCounts:
        """See SolveStore."""
        return await self._database.read(solves.counts)

    # Solves as their workers see them.

    async def claim_next(self, owner: str, lease_seconds: float, running_max_per_tenant: int) -> Claim | None:
        """See WorkStore."""
        if not owner or not text_is_storable(owner) or len(owner) > IDENTIFIER_CHARACTERS_MAX:
            raise InvalidRecordError(
                (f"owner must have 1 to {IDENTIFIER_CHARACTERS_MAX} characters, none of them NUL",)
            )
        if not lease_seconds > 0:
            raise InvalidRecordError((f"lease_seconds must be more than 0, not {lease_seconds}",))
        return await self._database.write(
            lambda tx: claims.claim_next(tx, owner, lease_seconds, running_max_per_tenant)
        )

    async def renew(self, claim: Claim, standing: bytes | None = None) -> bool:
        """See WorkStore."""
        return await self._database.write(lambda tx: claims.renew(tx, claim, standing))

    async def record_progress(self, claim: Claim, payload: bytes) -> int:
        """See WorkStore."""
        return await self._database.write(lambda tx: claims.record_progress(tx, claim, payload, PROGRESS_EVENTS_KEPT))

    async def succeed(
        self, claim: Claim, result: bytes, quote_book: bytes | None, standing: bytes, plan_id: str | None = None
    ) -> SolveRecord:
        """See WorkStore."""
        plan = claim.solve_id if plan_id is None else plan_id
        parts = {BlobKind.RESULT: result}
        if quote_book is not None:
            parts[BlobKind.QUOTE_BOOK] = quote_book
        ready: dict[BlobKind, bytes | Upload] = dict(parts)
        size_bytes = sum(len(part) for part in parts.values())
        async with contextlib.AsyncExitStack() as stack:
            if size_bytes > ONE_TRANSACTION_BYTES_MAX:
                for kind, part in parts.items():
                    ready[kind] = await stack.enter_async_context(
                        self._uploaded(claim.tenant, kind, claim.solve_id, part)
                    )
                size_bytes = 0
            return await self._database.write(lambda tx: claims.succeed(tx, claim, ready, standing, plan), size_bytes)

    async def fail(self, claim: Claim, error: bytes, standing: bytes | None = None) -> SolveRecord:
        """See WorkStore."""
        return await self._database.write(lambda tx: claims.fail(tx, claim, error, standing))

    async def cancel_done(self, claim: Claim, standing: bytes | None = None) -> SolveRecord:
        """See WorkStore."""
        return await self._database.write(lambda tx: claims.cancel_done(tx, claim, standing))

    async def release(self, claim: Claim, *, died: bool = False) -> SolveRecord:
        """See WorkStore."""
        return await self._database.write(lambda tx: claims.release(tx, claim, died=died))

    async def recover(self, owners_gone: Collection[str] = ()) -> RecoverReport:
        """See WorkStore."""
        leases = await self._database.read(claims.leases)
        found: dict[SolveState, list[SolveRecord]] = {state: [] for state in SolveState}
        for lease in self._lease_watch.run_out(leases, self._clock.monotonic_seconds(), owners_gone):
            record = await self._database.write(partial(claims.recover, lease=lease))
            if record is not None:
                found[record.state].append(record)
        return RecoverReport(
            tuple(found[SolveState.QUEUED]), tuple(found[SolveState.FAILED]), tuple(found[SolveState.CANCELLED])
        )

    async def running_owners(self) -> frozenset[str]:
        """See WorkStore."""
        return frozenset(lease.owner for lease in await self._database.read(claims.leases))

    # Bytes.

    async def put_blob(
        self, tenant: str, kind: BlobKind, key: str, data: bytes, retention_seconds: float | None = None
    ) -> BlobRecord:
        """See BlobStore."""
        if len(data) <= ONE_TRANSACTION_BYTES_MAX:
            expire_time = self._expire_time(retention_seconds)
            return await self._database.write(lambda tx: blobs.put(tx, tenant, kind, key, data, expire_time), len(data))
        async with self._uploaded(tenant, kind, key, data) as upload:
            return await self.finish_upload(upload, retention_seconds)

    async def begin_upload(self, tenant: str, kind: BlobKind, key: str) -> Upload:
        """See BlobStore."""
        return await self._database.write(lambda tx: blobs.begin(tx, tenant, kind, key))

    async def append_upload(self, upload: Upload, data: bytes) -> int:
        """See BlobStore."""
        size_bytes = 0
        view = memoryview(data)
        # No data at all still says whether the upload is open.
        for start in range(0, max(len(view), 1), _PART_BYTES):
            part = view[start : start + _PART_BYTES]
            size_bytes = await self._database.write(partial(blobs.append, upload=upload, data=part), len(part))
        return size_bytes

    async def finish_upload(self, upload: Upload, retention_seconds: float | None = None) -> BlobRecord:
        """See BlobStore."""
        expire_time = self._expire_time(retention_seconds)
        return await self._database.write(lambda tx: blobs.finish(tx, upload, expire_time))

    async def abort_upload(self, upload: Upload) -> None:
        """See BlobStore."""
        await self._database.write(lambda tx: blobs.delete_upload(tx, upload))

    @asynccontextmanager
    async def _uploaded(self, tenant: str, kind: BlobKind, key: str, data: bytes) -> AsyncIterator[Upload]:
        """Give an upload that holds ``data``; what the block does not finish is given up when it ends."""
        upload = await self.begin_upload(tenant, kind, key)
        try:
            await self.append_upload(upload, data)
            yield upload
        finally:
            # Where this fails too, retention finds the upload.
            with contextlib.suppress(StoreError):
                await self.abort_upload(upload)

    async def get_blob(self, tenant: str, kind: BlobKind, key: str) -> bytes:
        """See BlobStore."""

        def job(tx: Transaction) -> bytes:
            return blobs.read(tx, tenant, kind, key, 0, blobs.find(tx, tenant, kind, key).size_bytes)

        return await self._database.read(job)

    async def blob_record(self, tenant: str, kind: BlobKind, key: str) -> BlobRecord:
        """See BlobStore."""
        return await self._database.read(lambda tx: blobs.find(tx, tenant, kind, key))

    async def blob_size(self, tenant: str, kind: BlobKind, key: str) -> int:
        """See BlobStore."""
        return (await self.blob_record(tenant, kind, key)).size_bytes

    async def read_blob(self, tenant: str, kind: BlobKind, key: str, offset: int, length: int) -> bytes:
        """See BlobStore."""
        return await self._database.read(lambda tx: blobs.read(tx, tenant, kind, key, offset, length))

    def _expire_time(self, retention_seconds: float | None) -> Microseconds | None:
        return None if retention_seconds is None else self._clock.now() + to_microseconds(retention_seconds)

    # Access.

    async def put_key(self, record: ApiKeyRecord) -> None:
        """See AccessStore."""
        keys.check_key(record)
        await self._database.write(lambda tx: keys.put_key(tx, record))

    async def get_key(self, key_id: str) -> ApiKeyRecord:
        """See AccessStore."""
        return await self._database.read(lambda tx: keys.get_key(tx, key_id))

    async def list_keys(self, tenant: str) -> tuple[ApiKeyRecord, ...]:
        """See AccessStore."""
        return await self._database.read(lambda tx: keys.list_keys(tx, tenant))

    async def revoke_key(self, tenant: str, key_id: str) -> ApiKeyRecord:
        """See AccessStore."""
        return await self._database.write(lambda tx: keys.revoke_key(tx, tenant, key_id))

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """See AccessStore."""
        await self._database.write(lambda tx: keys.append_audit(tx, entries))

    async def list_audit(
        self, tenant: str, from_time: Microseconds, to_time: Microseconds, limit: int
    ) -> tuple[AuditEntry, ...]:
        """See AccessStore."""
        return await self._database.read(lambda tx: keys.list_audit(tx, tenant, from_time, to_time, limit))

    # Life.

    async def expire(self, policy: RetentionPolicy) -> ExpireReport:
        """See Store."""
        now = self._clock.now()
        upload_before = now - to_microseconds(policy.upload_seconds)
        audit_before = now - to_microseconds(policy.audit_seconds)
        return ExpireReport(
            solves=await self._until_none(expiry.delete_expired_solves),
            problems=await self._until_none(expiry.delete_expired_problems),
            other_blobs=await self._until_none(expiry.delete_expired_others),
            uploads=await self._until_none(lambda tx: expiry.delete_old_uploads(tx, upload_before)),
            audit_entries=await self._until_none(lambda tx: expiry.delete_old_audit(tx, audit_before)),
        )

    async def retention_clock(self) -> RetentionClock | None:
        """See Store."""
        return await self._database.read(expiry.retention_clock)

    async def trust_clock(self, time: Microseconds) -> None:
        """See Store."""
        await self._database.write(lambda tx: expiry.trust_clock(tx, time))

    async def hold_retention(self, held: RetentionClock) -> None:
        """See Store."""
        await self._database.write(lambda tx: expiry.hold(tx, held))

    async def _until_none(self, job: Callable[[Transaction], int]) -> int:
        """Run a deleting job until it finds nothing more; each round deletes something, so this ends."""
        total = 0
        while deleted := await self._database.write(job):
            total += deleted
        return total

    async def ping(self) -> None:
        """See Store."""
        # As a change, so that a lock that somebody holds, or a file that was moved away, is seen too.
        await self._database.write(lambda tx: tx.execute("SELECT 1"))

    async def close(self) -> None:
        """See Store."""
        await self.notifier.close()
        await self._database.close()
