"""API keys and the audit log."""

from __future__ import annotations

import dataclasses

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import InvalidRecordError, KeyNotFoundError
from tehai.operations.records import ApiKeyRecord, AuditEntry
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import OTHER_TENANT, TENANT

KEY = ApiKeyRecord(
    key_id="key-1",
    tenant=TENANT,
    secret_hash=bytes(range(256)),
    scopes=("solves.read", "solves.write"),
    display_name="鍵",
    create_time=1,
    expire_time=2,
)


@pytest.mark.asyncio
async def test_keys(store: Store, backend: Backend, clock: ManualClock) -> None:
    """A key comes back as it was, is found by its id alone, listed for its tenant, and revoked once."""
    await store.put_key(KEY)
    second = dataclasses.replace(KEY, key_id="key-0", create_time=5, scopes=(), expire_time=None)
    await store.put_key(second)
    assert await (await backend.open()).get_key("key-1") == KEY
    assert await store.list_keys(TENANT) == (KEY, second)
    assert await store.list_keys(OTHER_TENANT) == ()
    revoked = await store.revoke_key(TENANT, "key-1")
    assert revoked == dataclasses.replace(KEY, revoke_time=clock.now())
    clock.advance(10)
    assert await store.revoke_key(TENANT, "key-1") == revoked == await store.get_key("key-1")
    assert await store.list_keys(TENANT) == (revoked, second)


@pytest.mark.asyncio
async def test_keys_that_are_refused(store: Store) -> None:
    """An id that is taken, texts that cannot be kept, keys of others and keys that are not there."""
    await store.put_key(KEY)
    with pytest.raises(InvalidRecordError, match="key-1"):
        await store.put_key(dataclasses.replace(KEY, tenant=OTHER_TENANT))
    with pytest.raises(InvalidRecordError) as refused:
        await store.put_key(dataclasses.replace(KEY, key_id="", tenant="a\0", scopes=("a b", "ok", "")))
    assert len(refused.value.problems) == 4
    for call in (store.revoke_key(OTHER_TENANT, "key-1"), store.revoke_key(TENANT, "none"), store.get_key("none")):
        with pytest.raises(KeyNotFoundError):
            await call
    assert await store.get_key("key-1") == KEY


@pytest.mark.asyncio
async def test_audit(store: Store, backend: Backend) -> None:
    """Entries come back newest first, for one tenant and a span of time; texts that callers made up never stop one."""
    entries = [
        AuditEntry(
            time=number,
            tenant=TENANT if number % 2 else OTHER_TENANT,
            subject="key-1",
            method="/tehai.v1.SourcingService/GetSolve",
            resource="tenants/-/solves/\0\ud800x",
            outcome="NOT_FOUND",
            request_id="r",
            peer="ipv4:127.0.0.1:1",
        )
        for number in range(10)
    ]
    await store.append_audit(entries)
    await store.append_audit([])
    kept = [dataclasses.replace(entry, resource="tenants/-/solves/\ufffd\ufffdx") for entry in entries]
    other = await backend.open()
    assert await other.list_audit(TENANT, 0, 100, 100) == (kept[9], kept[7], kept[5], kept[3], kept[1])
    assert await store.list_audit(TENANT, 3, 9, 100) == (kept[7], kept[5], kept[3])
    assert await store.list_audit(TENANT, 0, 100, 2) == (kept[9], kept[7])
    assert await store.list_audit("nobody", 0, 100, 2) == ()
