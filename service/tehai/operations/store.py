"""What a store of solves does; the two backends and every promise here are tested by one suite.

All methods may raise StoreUnavailableError, StoreFullError (where they write) and StoreCorruptError. A method that
changes something returns once the change is on stable storage; where it raises, nothing was changed. Everything is
filtered by tenant but what workers and operators do: ``claim_next``, ``recover``, ``counts``, ``expire``, ``get_key``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from tehai.operations.clock import Clock, Microseconds, SystemClock
from tehai.operations.filters import Condition
from tehai.operations.records import (
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
    Upload,
)

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 1000
EVENTS_AT_ONCE_MAX = 1000


class SolveStore(Protocol):
    """Solves as their callers see them."""

    async def create_solve(
        self, new: NewSolve, problem: bytes | None, queue_max: int, tenant_queue_max: int | None = None
    ) -> tuple[SolveRecord, bool]:
        """Accept a solve durably and return it with True, or the one of the same request id with False.

        ``problem`` None: its bytes were stored before. At most ``queue_max`` solves of all tenants wait and, unless it
        is None, ``tenant_queue_max`` of this one, however many servers create at once; a request that is repeated is
        answered whether there is place or not. Raises InvalidRecordError, RequestIdConflictError, TenantQueueFullError
        (before QueueFullError, where both hold), QueueFullError, SolveExistsError, BlobNotFoundError.
        """
        ...

    async def get_solve(self, tenant: str, solve_id: str) -> SolveRecord:
        """Return a solve; raise SolveNotFoundError."""
        ...

    async def list_solves(
        self,
        tenant: str,
        conditions: Sequence[Condition] = (),
        page_size: int = PAGE_SIZE_DEFAULT,
        page_token: str = "",
    ) -> SolvePage:
        """Return up to ``page_size`` (1 to 1,000) solves that meet all ``conditions``, the last created first.

        A solve that is created or deleted between two pages makes no other one appear twice or not at all. Raises
        PageTokenError where the token is not of this tenant's list with these conditions.
        """
        ...

    async def delete_solve(self, tenant: str, solve_id: str) -> None:
        """Delete a solve that has ended, with its events and bytes; raise SolveNotFoundError, SolveNotEndedError.

        Its problem goes too, unless another solve uses it or it was uploaded and its time is not over.
        """
        ...

    async def request_cancel(self, tenant: str, solve_id: str) -> SolveRecord:
        """Ask for the end of a solve, any number of times; one that waits is CANCELLED at once, an ended one stays.

        Raises SolveNotFoundError.
        """
        ...

    async def events_after(
        self, tenant: str, solve_id: str, sequence: int, limit: int = EVENTS_AT_ONCE_MAX
    ) -> tuple[Event, ...]:
        """Return up to ``limit`` events after ``sequence`` in order; raise SolveNotFoundError.

        Of the progress events only the newest are kept, so there may be gaps in the sequences.
        """
        ...

    async def wait_for_events(
        self, tenant: str, solve_id: str, sequence: int, timeout_seconds: float
    ) -> tuple[Event, ...]:
        """Return events after ``sequence`` as soon as there are any, or none after ``timeout_seconds``.

        Raises SolveNotFoundError, also when the solve is deleted meanwhile.
        """
        ...

    async def counts(self) -> QueueCounts:
        """Return how many solves of all tenants wait and run."""
        ...


class WorkStore(Protocol):
    """Solves as their workers see them. What takes a claim may raise StaleClaimError, and then changes nothing."""

    async def claim_next(self, owner: str, lease_seconds: float, running_max_per_tenant: int) -> Claim | None:
        """Take a solve that waits: lowest priority number first, then the oldest; None where there is none.

        Solves of tenants with ``running_max_per_tenant`` running ones are passed over. The claim holds while it is
        renewed more often than every ``lease_seconds``. ``owner`` names the worker's process, differently after every
        start.
        """
        ...

    async def renew(self, claim: Claim, standing: bytes | None = None) -> bool:
        """Say that the worker lives, keep where it stands, and return whether somebody asked for the end."""
        ...

    async def record_progress(self, claim: Claim, payload: bytes) -> int:
        """Add a progress event and return its sequence."""
        ...

    async def succeed(
        self, claim: Claim, result: bytes, quote_book: bytes | None, standing: bytes, plan_id: str | None = None
    ) -> SolveRecord:
        """End with a result; ``plan_id`` None: the solve's id, "": the result has no plan."""
        ...

    async def fail(self, claim: Claim, error: bytes, standing: bytes | None = None) -> SolveRecord:
        """End with ``error``, a serialised google.rpc.Status."""
        ...

    async def cancel_done(self, claim: Claim, standing: bytes | None = None) -> SolveRecord:
        """End as CANCELLED, without a plan."""
        ...

    async def release(self, claim: Claim, *, died: bool = False) -> SolveRecord:
        """Give the solve back to the queue; one that somebody asked to end becomes CANCELLED.

        Without ``died`` (the server is shutting down) the attempt does not count. With it (the worker died) it does,
        and after the last one the solve is FAILED.
        """
        ...

    async def recover(self, owners_gone: Collection[str] = ()) -> RecoverReport:
        """Do as ``release`` with ``died`` for every solve whose lease ran out or whose owner is in ``owners_gone``.

        Call it regularly, more often than the shortest lease: a lease runs out when its heartbeat has not moved for
        that long by this process's monotonic clock (see ``leases``).
        """
        ...

    async def running_owners(self) -> frozenset[str]:
        """Return the owners of all solves that run, so that a starting process finds those that are gone."""
        ...


class BlobStore(Protocol):
    """Bytes by tenant, kind and key."""

    async def put_blob(
        self, tenant: str, kind: BlobKind, key: str, data: bytes, retention_seconds: float | None = None
    ) -> BlobRecord:
        """Keep ``data``, for ``retention_seconds`` at least; None: while a solve uses it. Of any size.

        A problem that is there already stays, until the later of both times; other bytes replace those under the same
        key.
        """
        ...

    async def begin_upload(self, tenant: str, kind: BlobKind, key: str) -> Upload:
        """Open an upload, for bytes that arrive in parts."""
        ...

    async def append_upload(self, upload: Upload, data: bytes) -> int:
        """Add ``data`` and return how many bytes there are; raise UploadGoneError."""
        ...

    async def finish_upload(self, upload: Upload, retention_seconds: float | None = None) -> BlobRecord:
        """Make the bytes readable, as ``put_blob`` does; whether they are right is for the caller to know before."""
        ...

    async def abort_upload(self, upload: Upload) -> None:
        """Give up an upload; one that is finished stays."""
        ...

    async def get_blob(self, tenant: str, kind: BlobKind, key: str) -> bytes:
        """Return all bytes; raise BlobNotFoundError. For large ones use ``read_blob``."""
        ...

    async def blob_record(self, tenant: str, kind: BlobKind, key: str) -> BlobRecord:
        """Return what is known of the bytes; raise BlobNotFoundError."""
        ...

    async def blob_size(self, tenant: str, kind: BlobKind, key: str) -> int:
        """Return how many bytes there are; raise BlobNotFoundError."""
        ...

    async def read_blob(self, tenant: str, kind: BlobKind, key: str, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset`` on, b"" at the end; raise BlobNotFoundError, ValueError."""
        ...


class AccessStore(Protocol):
    """API keys and the audit log."""

    async def put_key(self, record: ApiKeyRecord) -> None:
        """Keep a new key; raise InvalidRecordError."""
        ...

    async def get_key(self, key_id: str) -> ApiKeyRecord:
        """Return a key of any tenant; raise KeyNotFoundError."""
        ...

    async def list_keys(self, tenant: str) -> tuple[ApiKeyRecord, ...]:
        """Return the tenant's keys, oldest first, revoked ones too."""
        ...

    async def revoke_key(self, tenant: str, key_id: str) -> ApiKeyRecord:
        """Revoke a key, any number of times; the first time counts. Raise KeyNotFoundError."""
        ...

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Add entries, together and in order; a NUL or lone surrogate in a text becomes U+FFFD."""
        ...

    async def list_audit(
        self, tenant: str, from_time: Microseconds, to_time: Microseconds, limit: int
    ) -> tuple[AuditEntry, ...]:
        """Return up to ``limit`` entries with from_time <= time < to_time, newest first."""
        ...


class Store(SolveStore, WorkStore, BlobStore, AccessStore, Protocol):
    """All of it, and its life. Use one in one event loop."""

    async def expire(self, policy: RetentionPolicy) -> ExpireReport:
        """Delete everything whose time is over, whatever the clock did; see ``retention`` for the careful way."""
        ...

    async def retention_clock(self) -> RetentionClock | None:
        """Return the wall-clock time that deleting last went by, which a later start compares its clock with.

        None where nothing was ever deleted or looked for, and the database is new.
        """
        ...

    async def trust_clock(self, time: Microseconds) -> None:
        """Keep ``time`` as the one that deleting went by."""
        ...

    async def hold_retention(self, held: RetentionClock) -> None:
        """Keep for how long nothing was deleted; without effect where it was longer, or the trusted time is another."""
        ...

    async def ping(self) -> None:
        """Return when the database answers; raise StoreUnavailableError."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database; nothing may be called afterwards."""
        ...


async def open_store(database_url: str, database_path: Path, clock: Clock | None = None) -> Store:
    """Open PostgreSQL at ``database_url``, or SQLite in ``database_path`` where that is "", with an up-to-date schema.

    Raises StoreUnavailableError, SchemaError, StoreSettingError, and ModuleNotFoundError without the extra
    ``postgres``.
    """
    clock = clock or SystemClock()
    if database_url:
        from tehai.operations.postgres_store import open_postgres

        return await open_postgres(database_url, clock)
    from tehai.operations.sqlite_store import open_sqlite

    return await open_sqlite(database_path, clock)
