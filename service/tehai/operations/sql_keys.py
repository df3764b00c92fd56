"""API keys and the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from tehai.operations.clock import Microseconds
from tehai.operations.errors import InvalidRecordError, KeyNotFoundError
from tehai.operations.records import ApiKeyRecord, AuditEntry, text_is_storable
from tehai.operations.sql import AUDIT_COLUMNS, KEY_COLUMNS, Transaction, audit_entry, key_record


def check_key(record: ApiKeyRecord) -> None:
    """Raise InvalidRecordError with every field that cannot be kept."""
    texts = {"key_id": record.key_id, "tenant": record.tenant, "display_name": record.display_name}
    wrong = [f"{name} must have no NUL" for name, text in texts.items() if not text_is_storable(text)]
    wrong += [f"{name} must not be empty" for name in ("key_id", "tenant") if not texts[name]]
    wrong += [
        f"scope {scope!r} must be one word"
        for scope in record.scopes
        if scope.split() != [scope] or not text_is_storable(scope)
    ]
    if wrong:
        raise InvalidRecordError(tuple(wrong))


def put_key(tx: Transaction, record: ApiKeyRecord) -> None:
    """Keep a new key; raise InvalidRecordError where its id is taken."""
    if tx.execute("SELECT 1 FROM api_keys WHERE key_id = :key_id", {"key_id": record.key_id}):
        raise InvalidRecordError((f"there is a key {record.key_id!r} already",))
    tx.change(
        f"INSERT INTO api_keys ({KEY_COLUMNS}) VALUES (:key_id, :tenant, :secret_hash, :scopes, :display_name,"  # noqa: S608
        " :create_time, :expire_time, :revoke_time)",
        {
            "key_id": record.key_id,
            "tenant": record.tenant,
            "secret_hash": record.secret_hash,
            "scopes": " ".join(record.scopes),
            "display_name": record.display_name,
            "create_time": record.create_time,
            "expire_time": record.expire_time,
            "revoke_time": record.revoke_time,
        },
    )


def get_key(tx: Transaction, key_id: str) -> ApiKeyRecord:
    """Return a key of any tenant, for it is the key that says whose it is; raise KeyNotFoundError."""
    rows = tx.execute(f"SELECT {KEY_COLUMNS} FROM api_keys WHERE key_id = :key_id", {"key_id": key_id})  # noqa: S608
    if not rows:
        raise KeyNotFoundError(key_id)
    return key_record(rows[0])


def list_keys(tx: Transaction, tenant: str) -> tuple[ApiKeyRecord, ...]:
    """Return the tenant's keys, oldest first."""
    rows = tx.execute(
        f"SELECT {KEY_COLUMNS} FROM api_keys WHERE tenant = :tenant ORDER BY create_time, key_id",  # noqa: S608
        {"tenant": tenant},
    )
    return tuple(key_record(row) for row in rows)


def revoke_key(tx: Transaction, tenant: str, key_id: str) -> ApiKeyRecord:
    """Revoke a key; a second time changes nothing. Raise KeyNotFoundError."""
    tx.change(
        "UPDATE api_keys SET revoke_time = :now WHERE key_id = :key_id AND tenant = :tenant AND revoke_time IS NULL",
        {"key_id": key_id, "tenant": tenant, "now": tx.now()},
    )
    record = get_key(tx, key_id)
    if record.tenant != tenant:
        raise KeyNotFoundError(key_id)
    return record


def append_audit(tx: Transaction, entries: Sequence[AuditEntry]) -> None:
    """Add entries in the order given."""
    for entry in entries:
        tx.change(
            f"INSERT INTO audit ({AUDIT_COLUMNS}) VALUES (:time, :tenant, :subject, :method, :resource, :outcome,"  # noqa: S608
            " :request_id, :peer)",
            {
                "time": entry.time,
                "tenant": entry.tenant,
                "subject": entry.subject,
                "method": entry.method,
                "resource": entry.resource,
                "outcome": entry.outcome,
                "request_id": entry.request_id,
                "peer": entry.peer,
            },
        )


def list_audit(
    tx: Transaction, tenant: str, from_time: Microseconds, to_time: Microseconds, limit: int
) -> tuple[AuditEntry, ...]:
    """Return the tenant's entries with from_time <= time < to_time, newest first."""
    rows = tx.execute(
        f"SELECT {AUDIT_COLUMNS} FROM audit WHERE tenant = :tenant AND time >= :from_time AND time < :to_time"  # noqa: S608
        " ORDER BY number DESC LIMIT :limit",
        {"tenant": tenant, "from_time": from_time, "to_time": to_time, "limit": limit},
    )
    return tuple(audit_entry(row) for row in rows)
