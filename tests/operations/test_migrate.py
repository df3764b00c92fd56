"""Migrations: files, upgrade of a database with data, refusal of what does not fit. On both backends."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import sqlite3

import pytest

from tehai.operations import migrate
from tehai.operations.errors import SchemaError
from tehai.operations.migrate import Migration, missing, read_migrations
from tehai.operations.records import AuditEntry, RetentionClock
from tehai.operations.sql_solves import QUEUED_OF_TENANT
from tehai.operations.sql_store import SqlStore
from tests.operations.backends import Backend
from tests.operations.servers import ROOT
from tests.operations.solves import TENANT, created

_NEXT = len(read_migrations("sqlite")) + 1
ADDED = Migration(
    _NEXT,
    "more",
    "-- Adds; a semicolon in a comment.\nALTER TABLE audit ADD COLUMN more TEXT;\nCREATE TABLE t (a TEXT);\n",
)
BROKEN = Migration(_NEXT, "broken", "CREATE TABLE half (a TEXT);\nCREATE TABLE half (a TEXT);\n")


def kept(backend: Backend) -> tuple[Migration, ...]:
    """Return the migrations of the backend's kind."""
    return read_migrations("postgres" if backend.is_postgres else "sqlite")


async def open_with(backend: Backend, migrations: tuple[Migration, ...]) -> SqlStore:
    """Open the database as a program with these migrations."""
    if backend.is_postgres:
        from tehai.operations.postgres_store import open_postgres

        return await open_postgres(backend.url, backend.clock, migrations)
    from tehai.operations.sqlite_store import open_sqlite

    return await open_sqlite(backend.path, backend.clock, migrations)


@pytest.mark.asyncio
async def test_upgrade_and_downgrade(backend: Backend) -> None:
    """A newer program adds what is missing and keeps the data; the older one then refuses and says what to do."""
    store = await open_with(backend, kept(backend))
    record = await created(store, "one")
    await store.close()
    for _ in range(2):
        newer = await open_with(backend, (*kept(backend), ADDED))
        assert await newer.get_solve(TENANT, "one") == record
        await newer.close()
    with pytest.raises(SchemaError, match=f"has migration {_NEXT} and this program ends at {_NEXT - 1}; update Tehai"):
        await open_with(backend, kept(backend))


@pytest.mark.asyncio
async def test_a_changed_migration_is_refused(backend: Backend) -> None:
    """A database that another text of the same migration made is not touched."""
    await (await open_with(backend, kept(backend))).close()
    changed = dataclasses.replace(kept(backend)[0], text=kept(backend)[0].text + "-- changed\n")
    with pytest.raises(SchemaError, match="migration 1 of the database is not 0001_initial"):
        await open_with(backend, (changed, *kept(backend)[1:]))


@pytest.mark.asyncio
async def test_a_broken_migration_leaves_nothing_half_done(backend: Backend) -> None:
    """Where a migration fails, the database is as before it, and the program that made it still opens it."""
    store = await open_with(backend, kept(backend))
    record = await created(store, "one")
    await store.close()
    for _ in range(2):
        with pytest.raises(Exception, match="unexpected answer"):
            await open_with(backend, (*kept(backend), BROKEN))
    store = await open_with(backend, kept(backend))
    assert await store.get_solve(TENANT, "one") == record
    await store.close()


@pytest.mark.asyncio
async def test_many_may_open_an_empty_database_at_once(backend: Backend) -> None:
    """Four programs that start together on nothing all come up on one schema and one secret."""
    programs = [backend.program("create_some", name, 3) for name in "abcd"]
    for program in programs:
        _, errors = program.communicate(timeout=120)
        assert program.returncode == 0, errors
    store = await backend.open()
    assert (await store.counts()).queued == 12
    await backend.close()


def plan(backend: Backend, statement: str) -> str:
    """Return how the database would run ``statement``, which has :tenant in it."""
    if backend.is_postgres:
        import psycopg

        with psycopg.connect(backend.url) as connection:
            # Reading a table of a few rows as a whole is otherwise cheaper than any index.
            connection.execute("SET enable_seqscan = off")
            postgres_rows = connection.execute(f"EXPLAIN {statement.replace(':tenant', '%s')}".encode(), (TENANT,))
            return "\n".join(row[0] for row in postgres_rows.fetchall())
    with contextlib.closing(sqlite3.connect(backend.path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", {"tenant": TENANT}).fetchall()
    return "\n".join(row[3] for row in rows)


@pytest.mark.asyncio
async def test_a_tenants_waiting_solves_are_counted_in_an_index(store: SqlStore, backend: Backend) -> None:
    """Migration 2: the count reads what waits of the tenant, and neither its history nor others' solves."""
    await created(store)
    assert "solves_queued_by_tenant" in plan(backend, QUEUED_OF_TENANT)


@pytest.mark.asyncio
async def test_an_upgrade_takes_the_time_of_the_newest_record(backend: Backend) -> None:
    """Migration 3: an old database begins with the time of its newest solve or audit entry, a new one with none.

    Newest is what was written last: a time from a clock that was far ahead once does not count.
    """
    clock = backend.clock
    store = await open_with(backend, kept(backend)[:2])
    clock.jump(10**9)
    await created(store, "wrong clock")
    clock.jump(-(10**9))
    newest = await created(store, "newest")
    entry = AuditEntry(
        time=clock.now() - 1, tenant=TENANT, subject="", method="", resource="", outcome="OK", request_id="", peer=""
    )
    await store.append_audit([entry])
    await store.close()
    clock.advance(1000)
    for _ in range(2):
        store = await open_with(backend, kept(backend))
        assert await store.retention_clock() == RetentionClock(newest.create_time)
        await store.close()


@pytest.mark.asyncio
async def test_a_new_database_has_no_time_yet(store: SqlStore) -> None:
    """There is nothing in it that a wrong clock could delete."""
    assert await store.retention_clock() is None


def test_the_files_are_numbered_and_made_for_both() -> None:
    """Both backends have the same migrations by number and name, and the same tables and columns in each."""

    def tables(text: str) -> dict[str, list[str]]:
        found = re.findall(r"CREATE TABLE (\w+) \((.*?)^\)", text, re.DOTALL | re.MULTILINE)
        return {name: re.findall(r"^    ([a-z_0-9]+) [A-Z]", body, re.MULTILINE) for name, body in found}

    sqlite, postgres = read_migrations("sqlite"), read_migrations("postgres")
    assert [(m.number, m.name) for m in sqlite] == [(m.number, m.name) for m in postgres]
    for left, right in zip(sqlite, postgres, strict=True):
        assert tables(left.text) == tables(right.text)
    assert len(tables(sqlite[0].text)) == 7
    assert len(tables(sqlite[0].text)["solves"]) == 27


def test_gaps_are_found(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """A missing file is an error at start, not a database that lacks something."""
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    folder = tmp_path / "migrations" / "sqlite"
    folder.mkdir(parents=True)
    monkeypatch.setattr(migrate, "files", lambda _: tmp_path)
    with pytest.raises(SchemaError, match="without a gap"):
        read_migrations("sqlite")
    (folder / "0001_a.sql").write_text("SELECT 1;")
    (folder / "0003_c.sql").write_text("SELECT 1;")
    with pytest.raises(SchemaError, match="without a gap"):
        read_migrations("sqlite")
    (folder / "0002_b.sql").write_text("SELECT 1;")
    assert [migration.name for migration in read_migrations("sqlite")] == ["a", "b", "c"]


def test_only_what_is_missing_is_applied() -> None:
    """Nothing of all, the rest of some, all of nothing."""
    first, second = Migration(1, "a", "x"), Migration(2, "b", "y")
    applied = [(1, first.sha256), (2, second.sha256)]
    assert missing((first, second), []) == (first, second)
    assert missing((first, second), applied[:1]) == (second,)
    assert missing((first, second), applied) == ()


def test_the_files_lie_in_the_package() -> None:
    """They are under the folder that the wheel takes as a whole."""
    found = sorted((ROOT / "service" / "tehai" / "operations" / "migrations").rglob("*.sql"))
    assert len(found) == len(read_migrations("sqlite")) + len(read_migrations("postgres"))
