"""Solves as their workers see them: claim, renew, progress, end, give back; and what is done when a worker is gone.

Every change by a worker first takes the solve's row and compares the fence, so that of two workers that both believe to
have a solve only the one that claimed it last can change it.
"""

from __future__ import annotations

from tehai.operations import sql_blobs as blobs
from tehai.operations import sql_solves as solves
from tehai.operations.clock import MICROSECONDS_PER_SECOND, to_microseconds
from tehai.operations.errors import StaleClaimError
from tehai.operations.leases import Lease
from tehai.operations.records import BlobKind, Claim, EventKind, SolveRecord, SolveState, Upload
from tehai.operations.sql import SOLVE_COLUMNS, Transaction, Value, solve_record
from tehai.operations.status import worker_died

# Guards how many solves of a tenant run: whoever claims holds it.
CLAIM_LOCK = "claims"

_BACK = "state = 'QUEUED', owner = '', start_time = NULL, standing = :standing"


def claim_next(tx: Transaction, owner: str, lease_seconds: float, running_max_per_tenant: int) -> Claim | None:
    """Take a solve of the tenants of which the fewest run, of those the lowest priority number, of those the oldest.

    So no tenant keeps the others waiting by its own priorities, and one that may run no more is passed over.
    """
    tx.lock(CLAIM_LOCK)
    rows = tx.execute(
        "SELECT number FROM solves WHERE state = 'QUEUED' AND tenant NOT IN (SELECT tenant FROM solves"  # noqa: S608
        " WHERE state = 'RUNNING' GROUP BY tenant HAVING count(*) >= :running_max)"
        " ORDER BY (SELECT count(*) FROM solves r WHERE r.state = 'RUNNING' AND r.tenant = solves.tenant),"
        f" priority, number LIMIT 1{tx.skip_locked}",
        {"running_max": running_max_per_tenant},
    )
    if not rows:
        return None
    number: int = rows[0][0]
    fence = tx.execute(
        "UPDATE solves SET fence = fence + 1, heartbeat = 0, lease_us = :lease_us"
        " WHERE number = :number RETURNING fence",
        {"number": number, "lease_us": to_microseconds(lease_seconds)},
    )[0][0]
    row = tx.execute(f"SELECT {SOLVE_COLUMNS} FROM solves WHERE number = :number", {"number": number})[0]  # noqa: S608
    waiting = solve_record(row)
    record = solves.update(
        tx,
        waiting,
        EventKind.CHANGED,
        "state = 'RUNNING', attempt_count = attempt_count + 1, owner = :owner, start_time = :start_time",
        {"owner": owner, "start_time": max(tx.now(), waiting.create_time)},
    )
    return Claim(record, owner, fence, lease_seconds)


def _held(tx: Transaction, claim: Claim) -> SolveRecord:
    """Take the row of a claim's solve; raise StaleClaimError where the claim no longer holds."""
    rows = tx.execute(
        f"SELECT {SOLVE_COLUMNS} FROM solves WHERE tenant = :tenant AND solve_id = :solve_id AND state = 'RUNNING'"  # noqa: S608
        f" AND fence = :fence AND owner = :owner{tx.for_update}",
        {"tenant": claim.tenant, "solve_id": claim.solve_id, "fence": claim.fence, "owner": claim.owner},
    )
    if not rows:
        raise StaleClaimError(claim.solve_id, claim.fence)
    return solve_record(rows[0])


def renew(tx: Transaction, claim: Claim, standing: bytes | None) -> bool:
    """Say that the worker lives and where it stands; return whether somebody asked for the end."""
    record = _held(tx, claim)
    values: dict[str, Value] = {
        "tenant": claim.tenant,
        "solve_id": claim.solve_id,
        "standing": record.standing if standing is None else standing,
    }
    tx.change(
        "UPDATE solves SET heartbeat = heartbeat + 1, standing = :standing"
        " WHERE tenant = :tenant AND solve_id = :solve_id",
        values,
    )
    return record.cancel_requested


def record_progress(tx: Transaction, claim: Claim, payload: bytes, kept_max: int) -> int:
    """Add a progress event and return its sequence."""
    _held(tx, claim)
    return solves.add_progress(tx, claim.tenant, claim.solve_id, payload, kept_max)


def succeed(
    tx: Transaction, claim: Claim, results: dict[BlobKind, bytes | Upload], standing: bytes, plan_id: str
) -> SolveRecord:
    """End with a result; its bytes come along or are an upload that becomes readable now."""
    uploads = []
    for kind, data in results.items():
        upload = data if isinstance(data, Upload) else blobs.begin(tx, claim.tenant, kind, claim.solve_id)
        if not isinstance(data, Upload):
            blobs.append(tx, upload, data)
        uploads.append(upload)
    # After the bulk of the work, and before the row, as everywhere where both are taken.
    tx.lock(blobs.QUEUE_LOCK)
    record = _held(tx, claim)
    for upload in uploads:
        blobs.finish(tx, upload, None)
    assignments = "standing = :standing, plan_id = :plan_id"
    return solves.end(tx, record, SolveState.SUCCEEDED, assignments, {"standing": standing, "plan_id": plan_id})


def fail(tx: Transaction, claim: Claim, error: bytes, standing: bytes | None) -> SolveRecord:
    """End with a serialised google.rpc.Status."""
    record = _held(tx, claim)
    values: dict[str, Value] = {"error": error, "standing": record.standing if standing is None else standing}
    return solves.end(tx, record, SolveState.FAILED, "error = :error, standing = :standing", values)


def cancel_done(tx: Transaction, claim: Claim, standing: bytes | None) -> SolveRecord:
    """End without a plan, as was asked for."""
    record = _held(tx, claim)
    values: dict[str, Value] = {"standing": record.standing if standing is None else standing}
    return solves.end(tx, record, SolveState.CANCELLED, "cancel_requested = 1, standing = :standing", values)


def release(tx: Transaction, claim: Claim, *, died: bool) -> SolveRecord:
    """Give a solve back. Without ``died`` the attempt does not count; with it, the last attempt ends the solve."""
    record = _held(tx, claim)
    if died:
        return _after_death(tx, record)
    if record.cancel_requested:
        return solves.end(tx, record, SolveState.CANCELLED, "standing = standing", {})
    assignments = f"{_BACK}, attempt_count = attempt_count - 1"
    return solves.update(tx, record, EventKind.CHANGED, assignments, {"standing": b""})


def _after_death(tx: Transaction, record: SolveRecord) -> SolveRecord:
    """Queue, fail or cancel a solve whose worker died."""
    if record.cancel_requested:
        return solves.end(tx, record, SolveState.CANCELLED, "standing = standing", {})
    if record.attempt_count >= record.attempts_max:
        error = worker_died(record.attempt_count)
        return solves.end(tx, record, SolveState.FAILED, "error = :error", {"error": error})
    return solves.update(tx, record, EventKind.CHANGED, _BACK, {"standing": b""})


def leases(tx: Transaction) -> list[Lease]:
    """Return the lease of every solve that runs."""
    rows = tx.execute("SELECT number, owner, fence, heartbeat, lease_us FROM solves WHERE state = 'RUNNING'")
    return [Lease(row[0], row[1], row[2], row[3], row[4] / MICROSECONDS_PER_SECOND) for row in rows]


def recover(tx: Transaction, lease: Lease) -> SolveRecord | None:
    """Treat the worker of ``lease`` as dead, unless it has moved since; return the solve where something changed."""
    rows = tx.execute(
        f"SELECT {SOLVE_COLUMNS} FROM solves WHERE number = :number AND state = 'RUNNING' AND fence = :fence"  # noqa: S608
        f" AND heartbeat = :heartbeat{tx.for_update}",
        {"number": lease.number, "fence": lease.fence, "heartbeat": lease.heartbeat},
    )
    return _after_death(tx, solve_record(rows[0])) if rows else None
