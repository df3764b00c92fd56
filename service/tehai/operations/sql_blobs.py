"""Bytes in pieces of 1 MiB at most, so that any range of them is read without the rest.

Bytes arrive as an upload, which nobody can read, and become readable all at once. What is small enough does both in one
transaction; what is larger arrives over several, so that no other change waits for it.
"""

from __future__ import annotations

from tehai.operations.clock import Microseconds
from tehai.operations.errors import BlobNotFoundError, UploadGoneError
from tehai.operations.records import BlobKind, BlobRecord, Upload
from tehai.operations.sql import BLOB_COLUMNS, Transaction, Value, blob_record

CHUNK_BYTES_MAX = 1024 * 1024
# Guards which solves wait and which problems are kept: whoever adds or removes either holds it.
QUEUE_LOCK = "queue"

_KEY = "tenant = :tenant AND kind = :kind AND key = :key AND complete = 1"


def begin(tx: Transaction, tenant: str, kind: BlobKind, key: str) -> Upload:
    """Open an upload."""
    rows = tx.execute(
        "INSERT INTO blobs (tenant, kind, key, size_bytes, create_time, complete)"
        " VALUES (:tenant, :kind, :key, 0, :now, 0) RETURNING blob_id",
        {"tenant": tenant, "kind": kind.value, "key": key, "now": tx.now()},
    )
    return Upload(rows[0][0], tenant, kind, key)


def append(tx: Transaction, upload: Upload, data: bytes | memoryview) -> int:
    """Add ``data`` to the end and return how many bytes there are; raise UploadGoneError where it is not open."""
    rows = tx.execute(
        "UPDATE blobs SET size_bytes = size_bytes + :added WHERE blob_id = :blob_id AND tenant = :tenant"
        " AND complete = 0 RETURNING size_bytes",
        {"blob_id": upload.blob_id, "tenant": upload.tenant, "added": len(data)},
    )
    if not rows:
        raise UploadGoneError(upload.key)
    size: int = rows[0][0]
    view = memoryview(data)
    for start in range(0, len(view), CHUNK_BYTES_MAX):
        tx.change(
            "INSERT INTO blob_chunks (blob_id, start_byte, data) VALUES (:blob_id, :start_byte, :data)",
            {
                "blob_id": upload.blob_id,
                "start_byte": size - len(view) + start,
                "data": view[start : start + CHUNK_BYTES_MAX],
            },
        )
    return size


def finish(tx: Transaction, upload: Upload, expire_time: Microseconds | None) -> BlobRecord:
    """Make the bytes readable under their key; raise UploadGoneError where the upload is not open.

    Equal problems are kept once, until the later of their times of expiry; other bytes replace those under the same
    key.
    """
    tx.lock(QUEUE_LOCK)
    open_rows = tx.execute(
        f"SELECT 1 FROM blobs WHERE blob_id = :blob_id AND tenant = :tenant AND complete = 0{tx.for_update}",  # noqa: S608
        {"blob_id": upload.blob_id, "tenant": upload.tenant},
    )
    if not open_rows:
        raise UploadGoneError(upload.key)
    if upload.kind is BlobKind.PROBLEM and has(tx, upload.tenant, upload.kind, upload.key):
        delete_upload(tx, upload)
        if expire_time is not None:
            keep_until(tx, upload.tenant, upload.key, expire_time)
        return find(tx, upload.tenant, upload.kind, upload.key)
    delete(tx, upload.tenant, upload.kind, upload.key)
    rows = tx.execute(
        f"UPDATE blobs SET complete = 1, expire_time = :expire_time WHERE blob_id = :blob_id RETURNING {BLOB_COLUMNS}",  # noqa: S608
        {"blob_id": upload.blob_id, "expire_time": expire_time},
    )
    return blob_record(rows[0])


def keep_until(tx: Transaction, tenant: str, key: str, expire_time: Microseconds) -> None:
    """Let a problem live until ``expire_time`` at least."""
    tx.change(
        f"UPDATE blobs SET expire_time = :expire_time WHERE {_KEY}"  # noqa: S608
        " AND (expire_time IS NULL OR expire_time < :expire_time)",
        {**_key(tenant, BlobKind.PROBLEM, key), "expire_time": expire_time},
    )


def put(
    tx: Transaction, tenant: str, kind: BlobKind, key: str, data: bytes, expire_time: Microseconds | None
) -> BlobRecord:
    """Keep ``data`` in this transaction."""
    upload = begin(tx, tenant, kind, key)
    append(tx, upload, data)
    return finish(tx, upload, expire_time)


def has(tx: Transaction, tenant: str, kind: BlobKind, key: str) -> bool:
    """Return whether there are such bytes."""
    return bool(tx.execute(f"SELECT 1 FROM blobs WHERE {_KEY}", _key(tenant, kind, key)))  # noqa: S608


def find(tx: Transaction, tenant: str, kind: BlobKind, key: str) -> BlobRecord:
    """Return the record; raise BlobNotFoundError."""
    rows = tx.execute(f"SELECT {BLOB_COLUMNS} FROM blobs WHERE {_KEY}", _key(tenant, kind, key))  # noqa: S608
    if not rows:
        raise BlobNotFoundError(kind.value, key)
    return blob_record(rows[0])


def read(tx: Transaction, tenant: str, kind: BlobKind, key: str, offset: int, length: int) -> bytes:
    """Return the bytes from ``offset`` on, ``length`` of them or what there is; raise BlobNotFoundError."""
    if offset < 0 or length < 0:
        message = f"offset and length must not be negative: {offset}, {length}"
        raise ValueError(message)
    rows = tx.execute(f"SELECT blob_id FROM blobs WHERE {_KEY}", _key(tenant, kind, key))  # noqa: S608
    if not rows:
        raise BlobNotFoundError(kind.value, key)
    chunks = tx.execute(
        "SELECT start_byte, data FROM blob_chunks WHERE blob_id = :blob_id AND start_byte > :above"
        " AND start_byte < :end_byte ORDER BY start_byte",
        {"blob_id": rows[0][0], "above": offset - CHUNK_BYTES_MAX, "end_byte": offset + length},
    )
    parts = [data[max(offset - start, 0) : offset + length - start] for start, data in chunks]
    return b"".join(parts)


def delete(tx: Transaction, tenant: str, kind: BlobKind, key: str) -> None:
    """Delete the bytes under a key, if there are any."""
    values = _key(tenant, kind, key)
    tx.change(
        f"DELETE FROM blob_chunks WHERE blob_id IN (SELECT blob_id FROM blobs WHERE {_KEY})",  # noqa: S608
        values,
    )
    tx.change(f"DELETE FROM blobs WHERE {_KEY}", values)  # noqa: S608


def delete_upload(tx: Transaction, upload: Upload) -> None:
    """Give up an upload that is open; one that is not is left alone."""
    values: dict[str, Value] = {"blob_id": upload.blob_id, "tenant": upload.tenant}
    if tx.change("DELETE FROM blobs WHERE blob_id = :blob_id AND tenant = :tenant AND complete = 0", values):
        tx.change("DELETE FROM blob_chunks WHERE blob_id = :blob_id", {"blob_id": upload.blob_id})


def delete_problem_if_unused(tx: Transaction, tenant: str, key: str) -> bool:
    """Delete a problem that no solve uses and whose time, if it has one, is over; the caller holds QUEUE_LOCK."""
    values = {**_key(tenant, BlobKind.PROBLEM, key), "now": tx.now()}
    due = tx.execute(
        f"SELECT 1 FROM blobs WHERE {_KEY} AND (expire_time IS NULL OR expire_time <= :now)"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM solves WHERE tenant = :tenant AND problem_sha256 = :key)",
        values,
    )
    if due:
        delete(tx, tenant, BlobKind.PROBLEM, key)
    return bool(due)


def _key(tenant: str, kind: BlobKind, key: str) -> dict[str, Value]:
    return {"tenant": tenant, "kind": kind.value, "key": key}
