"""The real store fits the small doors of this package: by type, field by field, and in use."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from pathlib import Path

import pytest

from tehai.operations import records as kept
from tehai.operations.clock import ManualClock
from tehai.operations.sqlite_store import open_sqlite
from tehai.operations.store import AccessStore
from tehai.security import records
from tehai.security.api_keys import new_api_key
from tehai.security.audit import AuditLog
from tehai.security.authenticator import Authenticator, CredentialSources
from tehai.security.errors import UnauthenticatedError
from tehai.security.records import AuditEntry, AuditSink, KeyStore


def doors(store: AccessStore) -> tuple[KeyStore, AuditSink]:
    """Return a store as what this package needs; the type checker says whether it is."""
    return store, store


@pytest.mark.parametrize("name", ["ApiKeyRecord", "AuditEntry"])
def test_records_have_the_same_fields(name: str) -> None:
    """What is handed over has every field that a store reads, by the same name, and no other."""
    ours, theirs = getattr(records, name), getattr(kept, name)
    assert {field.name for field in fields(ours)} == {field.name for field in fields(theirs)}


def test_keys_and_audit_live_in_the_embedded_store(tmp_path: Path) -> None:
    """A key that is kept in SQLite opens, is listed, and after its revocation does not; entries come back."""

    async def make() -> None:
        store = await open_sqlite(tmp_path / "tehai.db", ManualClock())
        keys, sink = doors(store)
        made = new_api_key("example", ["quotes:read", "plans:read"], "nightly", 1)
        await keys.put_key(made.record)
        metadata = [("authorization", f"Bearer {made.text}")]
        principal = await Authenticator(CredentialSources(keys)).authenticate(metadata)
        assert principal.tenant == "example"
        assert principal.scopes == {"quotes:read", "plans:read"}
        assert [key.key_id for key in await keys.list_keys("example")] == [made.record.key_id]
        with pytest.raises(LookupError):
            await keys.revoke_key("other", made.record.key_id)
        await keys.revoke_key("example", made.record.key_id)
        with pytest.raises(UnauthenticatedError, match="revoked"):
            await Authenticator(CredentialSources(keys)).authenticate(metadata)
        unknown = [("authorization", f"Bearer {new_api_key('example', ['quotes:read'], '', 1).text}")]
        with pytest.raises(UnauthenticatedError, match="not valid"):
            await Authenticator(CredentialSources(keys)).authenticate(unknown)
        entry = AuditEntry(5, "example", "key:1", "/a/B", "r", "OK", "id", "peer")
        async with AuditLog(sink) as log:
            log.record(entry)
        (found,) = await store.list_audit("example", 0, 10, 10)
        assert {f.name: getattr(found, f.name) for f in fields(found)} == {
            f.name: getattr(entry, f.name) for f in fields(entry)
        }
        await store.close()

    asyncio.run(make())
