"""Solves as their callers see them: create, look at, list, cancel, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tehai.operations import sql_blobs as blobs
from tehai.operations.clock import Microseconds, to_microseconds
from tehai.operations.errors import (
    BlobNotFoundError,
    QueueFullError,
    RequestIdConflictError,
    SolveExistsError,
    SolveNotEndedError,
    SolveNotFoundError,
    TenantQueueFullError,
)
from tehai.operations.filters import Condition
from tehai.operations.records import (
    BlobKind,
    Event,
    EventKind,
    NewSolve,
    QueueCounts,
    SolveRecord,
    SolveState,
    StateChange,
    Upload,
)
from tehai.operations.sql import EVENT_COLUMNS, SOLVE_COLUMNS, SolveKey, Transaction, Value, event_record, solve_record

_SOLVE = "tenant = :tenant AND solve_id = :solve_id"
_INSERT = f"""
    INSERT INTO solves (tenant, solve_id, request_id, request_sha256, display_name, priority, state, create_time,
        retention_us, attempt_count, attempts_max, problem_sha256, problem_bytes, options, standing, cancel_requested,
        plan_id, error, last_sequence, owner, fence, heartbeat, lease_us)
    VALUES (:tenant, :solve_id, :request_id, :request_sha256, :display_name, :priority, 'QUEUED', :create_time,
        :retention_us, 0, :attempts_max, :problem_sha256, :problem_bytes, :options, :empty, 0, '', :empty, 1, '', 0, 0,
        0)
    RETURNING {SOLVE_COLUMNS}
"""  # noqa: S608
# Answered from the index solves_queued_by_tenant alone.
QUEUED_OF_TENANT = "SELECT count(*) FROM solves WHERE state = 'QUEUED' AND tenant = :tenant"


@dataclass(frozen=True, slots=True)
class Places:
    """How many solves may wait: of all tenants, and of each (None: as many as of all)."""

    all_tenants: int
    each_tenant: int | None


def create(
    tx: Transaction, new: NewSolve, problem: bytes | None, upload: Upload | None, places: Places
) -> tuple[SolveRecord, bool]:
    """Accept a solve, or return the one that its request id made; see ``Store.create_solve``.

    ``upload`` holds the problem's bytes where they were too many for this transaction.
    """
    found = _by_request(tx, new)
    if found is not None:
        return found, False
    if problem is not None and not blobs.has(tx, new.tenant, BlobKind.PROBLEM, new.problem_sha256):
        # The bulk of the work, before anybody else has to wait for this transaction.
        upload = blobs.begin(tx, new.tenant, BlobKind.PROBLEM, new.problem_sha256)
        blobs.append(tx, upload, problem)
    tx.lock(blobs.QUEUE_LOCK)
    found = _by_request(tx, new)
    if found is not None:
        if upload is not None:
            blobs.delete_upload(tx, upload)
        return found, False
    _check_place(tx, new, places)
    if upload is not None:
        blobs.finish(tx, upload, None)
    elif not blobs.has(tx, new.tenant, BlobKind.PROBLEM, new.problem_sha256):
        if problem is None:
            raise BlobNotFoundError(BlobKind.PROBLEM.value, new.problem_sha256)
        blobs.put(tx, new.tenant, BlobKind.PROBLEM, new.problem_sha256, problem, None)
    record = solve_record(tx.execute(_INSERT, _values(tx, new))[0])
    _add_event(tx, record, EventKind.CHANGED, StateChange.of(record).to_bytes(), record.create_time)
    return record, True


def _values(tx: Transaction, new: NewSolve) -> dict[str, Value]:
    return {
        "tenant": new.tenant,
        "solve_id": new.solve_id,
        "request_id": new.request_id,
        "request_sha256": new.request_sha256,
        "display_name": new.display_name,
        "priority": new.priority,
        "create_time": tx.now(),
        "retention_us": to_microseconds(new.retention_seconds),
        "attempts_max": new.attempts_max,
        "problem_sha256": new.problem_sha256,
        "problem_bytes": new.problem_bytes,
        "options": new.options,
        "empty": b"",
    }


def _by_request(tx: Transaction, new: NewSolve) -> SolveRecord | None:
    """Return the solve that the same request made; raise RequestIdConflictError where the payload differs."""
    if not new.request_id:
        return None
    rows = tx.execute(
        f"SELECT {SOLVE_COLUMNS} FROM solves WHERE tenant = :tenant AND request_id = :request_id AND request_id <> ''",  # noqa: S608
        {"tenant": new.tenant, "request_id": new.request_id},
    )
    if not rows:
        return None
    record = solve_record(rows[0])
    if record.request_sha256 != new.request_sha256:
        raise RequestIdConflictError(new.request_id)
    return record


def _check_place(tx: Transaction, new: NewSolve, places: Places) -> None:
    if places.each_tenant is not None:
        of_tenant = tx.execute(QUEUED_OF_TENANT, {"tenant": new.tenant})[0][0]
        if of_tenant >= places.each_tenant:
            raise TenantQueueFullError(of_tenant, places.each_tenant)
    queued = tx.execute("SELECT count(*) FROM solves WHERE state = 'QUEUED'")[0][0]
    if queued >= places.all_tenants:
        raise QueueFullError(places.all_tenants)
    if tx.execute(f"SELECT 1 FROM solves WHERE {_SOLVE}", {"tenant": new.tenant, "solve_id": new.solve_id}):  # noqa: S608
        raise SolveExistsError(new.solve_id)


def get(tx: Transaction, tenant: str, solve_id: str, ending: str = "") -> SolveRecord:
    """Return a solve; raise SolveNotFoundError. ``ending`` is the transaction's ``for_update`` or nothing."""
    rows = tx.execute(
        f"SELECT {SOLVE_COLUMNS} FROM solves WHERE {_SOLVE}{ending}",  # noqa: S608
        {"tenant": tenant, "solve_id": solve_id},
    )
    if not rows:
        raise SolveNotFoundError(solve_id)
    return solve_record(rows[0])


def newest_first(
    tx: Transaction, tenant: str, conditions: Sequence[Condition], before_number: int | None, limit: int
) -> list[tuple[int, SolveRecord]]:
    """Return up to ``limit`` solves that meet every condition, with their numbers, older than ``before_number``."""
    wanted = ["tenant = :tenant"]
    values: dict[str, Value] = {"tenant": tenant, "limit": limit}
    if before_number is not None:
        wanted.append("number < :before")
        values["before"] = before_number
    for index, condition in enumerate(conditions):
        # Field and operator are members of enumerations, never a caller's text.
        wanted.append(f"{condition.field.value} {condition.operator.value} :value{index}")
        values[f"value{index}"] = condition.value
    rows = tx.execute(
        f"SELECT {SOLVE_COLUMNS}, number FROM solves WHERE {' AND '.join(wanted)} ORDER BY number DESC LIMIT :limit",  # noqa: S608
        values,
    )
    return [(row[-1], solve_record(row)) for row in rows]


def request_cancel(tx: Transaction, tenant: str, solve_id: str) -> SolveRecord:
    """Ask for the end of a solve: one that waits ends at once, one that has ended stays as it is."""
    record = get(tx, tenant, solve_id, tx.for_update)
    if record.state is SolveState.QUEUED:
        return end(tx, record, SolveState.CANCELLED, "cancel_requested = 1", {})
    if record.state is SolveState.RUNNING and not record.cancel_requested:
        return update(tx, record, EventKind.CHANGED, "cancel_requested = 1", {})
    return record


def delete(tx: Transaction, tenant: str, solve_id: str) -> None:
    """Delete a solve that has ended, its events and its bytes; raise SolveNotFoundError or SolveNotEndedError."""
    tx.lock(blobs.QUEUE_LOCK)
    record = get(tx, tenant, solve_id, tx.for_update)
    if not record.state.ended:
        raise SolveNotEndedError(solve_id, record.state.value)
    values: dict[str, Value] = {"tenant": tenant, "solve_id": solve_id}
    tx.change(f"DELETE FROM events WHERE {_SOLVE}", values)  # noqa: S608
    tx.change(f"DELETE FROM solves WHERE {_SOLVE}", values)  # noqa: S608
    for kind in (BlobKind.RESULT, BlobKind.QUOTE_BOOK):
        blobs.delete(tx, tenant, kind, solve_id)
    blobs.delete_problem_if_unused(tx, tenant, record.problem_sha256)
    # Watchers look again and find it gone.
    tx.changed[(tenant, solve_id)] = record.last_sequence + 1


def update(
    tx: Transaction, record: SolveRecord, kind: EventKind, assignments: str, values: dict[str, Value]
) -> SolveRecord:
    """Change a solve whose row this transaction holds, write the event that says so, and return what it is now."""
    rows = tx.execute(
        f"UPDATE solves SET {assignments}, last_sequence = last_sequence + 1 WHERE {_SOLVE} RETURNING {SOLVE_COLUMNS}",  # noqa: S608
        {**values, "tenant": record.tenant, "solve_id": record.solve_id},
    )
    changed = solve_record(rows[0])
    _add_event(tx, changed, kind, StateChange.of(changed).to_bytes(), tx.now())
    return changed


def end(
    tx: Transaction, record: SolveRecord, state: SolveState, assignments: str, values: dict[str, Value]
) -> SolveRecord:
    """End a solve whose row this transaction holds."""
    # A wall clock that went back must not make an end before the start.
    end_time = max(tx.now(), record.start_time or record.create_time)
    return update(
        tx,
        record,
        EventKind.ENDED,
        f"state = :state, end_time = :end_time, expire_time = :end_time + retention_us, {assignments}",
        {**values, "state": state.value, "end_time": end_time},
    )


def add_progress(tx: Transaction, tenant: str, solve_id: str, payload: bytes, kept_max: int) -> int:
    """Add a progress event, delete those that are more than ``kept_max`` events old, return the sequence."""
    key: dict[str, Value] = {"tenant": tenant, "solve_id": solve_id}
    rows = tx.execute(
        f"UPDATE solves SET last_sequence = last_sequence + 1 WHERE {_SOLVE} RETURNING {SOLVE_COLUMNS}",  # noqa: S608
        key,
    )
    record = solve_record(rows[0])
    _add_event(tx, record, EventKind.PROGRESS, payload, tx.now())
    tx.change(
        f"DELETE FROM events WHERE {_SOLVE} AND kind = 'progress' AND sequence <= :oldest",  # noqa: S608
        {**key, "oldest": record.last_sequence - kept_max},
    )
    return record.last_sequence


def _add_event(tx: Transaction, record: SolveRecord, kind: EventKind, payload: bytes, time: Microseconds) -> None:
    tx.change(
        f"INSERT INTO events ({EVENT_COLUMNS}) VALUES (:tenant, :solve_id, :sequence, :kind, :payload, :time)",  # noqa: S608
        {
            "tenant": record.tenant,
            "solve_id": record.solve_id,
            "sequence": record.last_sequence,
            "kind": kind.value,
            "payload": payload,
            "time": time,
        },
    )
    tx.changed[(record.tenant, record.solve_id)] = record.last_sequence


def events_after(tx: Transaction, tenant: str, solve_id: str, sequence: int, limit: int) -> tuple[Event, ...]:
    """Return up to ``limit`` events after ``sequence``, in order; raise SolveNotFoundError."""
    rows = tx.execute(
        f"SELECT {EVENT_COLUMNS} FROM events WHERE {_SOLVE} AND sequence > :sequence ORDER BY sequence LIMIT :limit",  # noqa: S608
        {"tenant": tenant, "solve_id": solve_id, "sequence": sequence, "limit": limit},
    )
    if not rows:
        get(tx, tenant, solve_id)
    return tuple(event_record(row) for row in rows)


def last_sequences(tx: Transaction, keys: Sequence[SolveKey]) -> dict[SolveKey, int]:
    """Return the sequence of the last event of each of the solves that exist."""
    found: dict[SolveKey, int] = {}
    for start in range(0, len(keys), 200):
        values: dict[str, Value] = {}
        wanted = []
        for index, (tenant, solve_id) in enumerate(keys[start : start + 200]):
            wanted.append(f"(tenant = :t{index} AND solve_id = :s{index})")
            values |= {f"t{index}": tenant, f"s{index}": solve_id}
        rows = tx.execute(
            f"SELECT tenant, solve_id, last_sequence FROM solves WHERE {' OR '.join(wanted)}",  # noqa: S608
            values,
        )
        found |= {(tenant, solve_id): sequence for tenant, solve_id, sequence in rows}
    return found


def counts(tx: Transaction) -> QueueCounts:
    """Return how many solves of all tenants wait and run."""
    queued, oldest = tx.execute("SELECT count(*), min(create_time) FROM solves WHERE state = 'QUEUED'")[0]
    running = tx.execute("SELECT count(*) FROM solves WHERE state = 'RUNNING'")[0][0]
    return QueueCounts(queued, running, oldest)
