"""What both backends share: a transaction to work in, statements in one dialect, and rows to records.

Statements name their values ``:like_this`` and use only what SQLite 3.35 and PostgreSQL 13 both understand; a table or
column name in them is always a constant of this package. A function that takes a ``Transaction`` may be run again from
its beginning when its transaction fails, so it changes nothing but the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tehai.operations.clock import Microseconds
from tehai.operations.records import (
    ApiKeyRecord,
    AuditEntry,
    BlobKind,
    BlobRecord,
    Event,
    EventKind,
    SolveRecord,
    SolveState,
    text_is_storable,
)

Row = tuple[Any, ...]
Value = str | bytes | memoryview | int | None
# Tenant and solve id.
SolveKey = tuple[str, str]

SOLVE_COLUMNS = (
    "tenant, solve_id, request_id, request_sha256, display_name, priority, state, create_time, start_time, end_time,"
    " expire_time, attempt_count, attempts_max, problem_sha256, problem_bytes, options, standing, cancel_requested,"
    " plan_id, error, last_sequence, owner"
)
EVENT_COLUMNS = "tenant, solve_id, sequence, kind, payload, time"
BLOB_COLUMNS = "tenant, kind, key, size_bytes, create_time, expire_time"
KEY_COLUMNS = "key_id, tenant, secret_hash, scopes, display_name, create_time, expire_time, revoke_time"
AUDIT_COLUMNS = "time, tenant, subject, method, resource, outcome, request_id, peer"


class Transaction(Protocol):
    """One transaction: all of it is kept, durably, or nothing."""

    # Ends a SELECT whose rows nobody else may change before the end; "" where the backend has one writer.
    for_update: str
    # The same, leaving out rows that somebody else holds.
    skip_locked: str
    # Solves with new events, and the sequence of the newest; told to the watchers after the commit.
    changed: dict[SolveKey, int]

    def execute(self, statement: str, values: Mapping[str, Value] | None = None) -> list[Row]:
        """Run a statement and return all rows that it gives."""
        ...

    def change(self, statement: str, values: Mapping[str, Value] | None = None) -> int:
        """Run a statement that gives no rows and return how many it changed."""
        ...

    def lock(self, name: str) -> None:
        """Wait until no other transaction holds the lock ``name``, and hold it to the end."""
        ...

    def now(self) -> Microseconds:
        """Return the wall-clock time."""
        ...


def storable(value: Value) -> Value:
    """Return ``value`` with what no backend keeps in a text, NUL and lone surrogates, as U+FFFD.

    Records are checked before they are written; this is for names that callers make up, which then find nothing.
    """
    if isinstance(value, str) and not value.isascii():
        return value if text_is_storable(value) else _replaced(value)
    if isinstance(value, str) and "\0" in value:
        return value.replace("\0", "\ufffd")
    return value


def _replaced(text: str) -> str:
    return "".join(character if text_is_storable(character) else "\ufffd" for character in text)


def solve_record(row: Row) -> SolveRecord:
    """Return the record of a row of SOLVE_COLUMNS."""
    return SolveRecord(
        tenant=row[0],
        solve_id=row[1],
        request_id=row[2],
        request_sha256=row[3],
        display_name=row[4],
        priority=row[5],
        state=SolveState(row[6]),
        create_time=row[7],
        start_time=row[8],
        end_time=row[9],
        expire_time=row[10],
        attempt_count=row[11],
        attempts_max=row[12],
        problem_sha256=row[13],
        problem_bytes=row[14],
        options=row[15],
        standing=row[16],
        cancel_requested=bool(row[17]),
        plan_id=row[18],
        error=row[19],
        last_sequence=row[20],
        owner=row[21],
    )


def event_record(row: Row) -> Event:
    """Return the record of a row of EVENT_COLUMNS."""
    return Event(row[0], row[1], row[2], EventKind(row[3]), row[4], row[5])


def blob_record(row: Row) -> BlobRecord:
    """Return the record of a row of BLOB_COLUMNS."""
    return BlobRecord(row[0], BlobKind(row[1]), row[2], row[3], row[4], row[5])


def key_record(row: Row) -> ApiKeyRecord:
    """Return the record of a row of KEY_COLUMNS."""
    return ApiKeyRecord(
        key_id=row[0],
        tenant=row[1],
        secret_hash=row[2],
        scopes=tuple(row[3].split()),
        display_name=row[4],
        create_time=row[5],
        expire_time=row[6],
        revoke_time=row[7],
    )


def audit_entry(row: Row) -> AuditEntry:
    """Return the entry of a row of AUDIT_COLUMNS."""
    return AuditEntry(
        time=row[0],
        tenant=row[1],
        subject=row[2],
        method=row[3],
        resource=row[4],
        outcome=row[5],
        request_id=row[6],
        peer=row[7],
    )
