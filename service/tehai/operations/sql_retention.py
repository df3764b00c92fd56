"""What is deleted when its time is over, in transactions small enough to let others through."""

from __future__ import annotations

from tehai.operations import sql_blobs as blobs
from tehai.operations import sql_solves as solves
from tehai.operations.clock import MICROSECONDS_PER_SECOND, Microseconds, to_microseconds
from tehai.operations.records import BlobKind, RetentionClock, Upload
from tehai.operations.sql import Transaction

# A result may have a hundred pieces, so few at a time.
SOLVES_AT_ONCE = 20
BLOBS_AT_ONCE = 5
AUDIT_ENTRIES_AT_ONCE = 2000


def delete_expired_solves(tx: Transaction) -> int:
    """Delete some solves whose time is over and return how many; 0: there are no more."""
    rows = tx.execute(
        "SELECT tenant, solve_id FROM solves WHERE expire_time IS NOT NULL AND expire_time <= :now"
        " ORDER BY expire_time LIMIT :limit",
        {"now": tx.now(), "limit": SOLVES_AT_ONCE},
    )
    tx.lock(blobs.QUEUE_LOCK)
    for tenant, solve_id in rows:
        # Another process may have been here between the two statements.
        if tx.execute("SELECT 1 FROM solves WHERE tenant = :t AND solve_id = :s", {"t": tenant, "s": solve_id}):
            solves.delete(tx, tenant, solve_id)
    return len(rows)


def delete_expired_problems(tx: Transaction) -> int:
    """Delete some problems that were uploaded, whose time is over and that no solve uses; return how many."""
    tx.lock(blobs.QUEUE_LOCK)
    rows = tx.execute(
        "SELECT tenant, key FROM blobs WHERE complete = 1 AND kind = 'problem' AND expire_time IS NOT NULL"
        " AND expire_time <= :now AND NOT EXISTS (SELECT 1 FROM solves"
        " WHERE solves.tenant = blobs.tenant AND solves.problem_sha256 = blobs.key) LIMIT :limit",
        {"now": tx.now(), "limit": BLOBS_AT_ONCE},
    )
    return sum(blobs.delete_problem_if_unused(tx, tenant, key) for tenant, key in rows)


def delete_expired_others(tx: Transaction) -> int:
    """Delete some other bytes that have a time of expiry of their own; return how many."""
    rows = tx.execute(
        "SELECT tenant, kind, key FROM blobs WHERE complete = 1 AND kind <> 'problem' AND expire_time IS NOT NULL"
        " AND expire_time <= :now LIMIT :limit",
        {"now": tx.now(), "limit": BLOBS_AT_ONCE},
    )
    tx.lock(blobs.QUEUE_LOCK)
    for tenant, kind, key in rows:
        blobs.delete(tx, tenant, BlobKind(kind), key)
    return len(rows)


def delete_old_uploads(tx: Transaction, before: Microseconds) -> int:
    """Delete some uploads that were begun before then and never finished; return how many."""
    rows = tx.execute(
        "SELECT blob_id, tenant, kind, key FROM blobs WHERE complete = 0 AND create_time < :before LIMIT :limit",
        {"before": before, "limit": BLOBS_AT_ONCE},
    )
    for blob_id, tenant, kind, key in rows:
        blobs.delete_upload(tx, Upload(blob_id, tenant, BlobKind(kind), key))
    return len(rows)


def delete_old_audit(tx: Transaction, before: Microseconds) -> int:
    """Delete some audit entries from before then; return how many."""
    return tx.change(
        "DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE time < :before ORDER BY time LIMIT :limit)",
        {"before": before, "limit": AUDIT_ENTRIES_AT_ONCE},
    )


def retention_clock(tx: Transaction) -> RetentionClock | None:
    """Return the time that deleting last went by; None: there was none yet."""
    rows = tx.execute("SELECT trusted_time, held_us FROM retention_clock")
    return RetentionClock(rows[0][0], rows[0][1] / MICROSECONDS_PER_SECOND) if rows else None


def trust_clock(tx: Transaction, time: Microseconds) -> None:
    """Keep the time that deleting went by, be it earlier or later than the one before."""
    tx.change(
        "INSERT INTO retention_clock (id, trusted_time, held_us) VALUES (1, :time, 0)"
        " ON CONFLICT (id) DO UPDATE SET trusted_time = excluded.trusted_time, held_us = 0",
        {"time": time},
    )


def hold(tx: Transaction, held: RetentionClock) -> None:
    """Keep for how long nothing was deleted, unless another server has trusted its clock since."""
    tx.change(
        "UPDATE retention_clock SET held_us = :held_us WHERE trusted_time = :trusted_time AND held_us < :held_us",
        {"trusted_time": held.trusted_time, "held_us": to_microseconds(held.held_seconds)},
    )
