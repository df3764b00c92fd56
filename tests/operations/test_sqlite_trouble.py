"""SQLite when things go wrong: no room, a file that is moved, locked, damaged or not allowed; each with its error."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tehai.operations import sqlite_connection
from tehai.operations.clock import ManualClock
from tehai.operations.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreSettingError,
    StoreUnavailableError,
)
from tehai.operations.records import BlobKind
from tehai.operations.sql_store import SqlStore
from tehai.operations.sqlite_store import SqliteDatabase, open_sqlite
from tests.operations.backends import program_command, program_environment
from tests.operations.servers import ROOT
from tests.operations.solves import (
    PROBLEM,
    QUEUE_MAX,
    TENANT,
    claimed,
    created,
    created_until_full,
    new_solve,
    succeeded,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a file that is not there yet."""
    return tmp_path / "tehai.db"


@pytest_asyncio.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    """Give a store in the file."""
    store = await open_sqlite(path, ManualClock())
    yield store
    await store.close()


def writer_connection(store: SqlStore) -> sqlite3.Connection:
    """Return the connection of the writer's thread."""
    assert isinstance(store._database, SqliteDatabase)
    return store._database._writer._connection


def set_pages_max(store: SqlStore, more: int) -> None:
    """Let the file grow by ``more`` pages and no further."""
    pages = writer_connection(store).execute("PRAGMA page_count").fetchone()[0]
    writer_connection(store).execute(f"PRAGMA max_page_count = {pages + more}")


def rename(path: Path, to: Path) -> None:
    """Move a file, outside the loop."""
    path.rename(to)


def write(path: Path, content: bytes) -> None:
    """Put a file in place, outside the loop."""
    path.write_bytes(content)


def remove(path: Path) -> None:
    """Delete a file, outside the loop."""
    path.unlink()


def size_bytes(path: Path) -> int:
    """Return the size of a file."""
    return path.stat().st_size


@pytest.mark.asyncio
async def test_a_full_database_refuses_and_lives_on(store: SqlStore, path: Path) -> None:
    """With no page left, large changes raise StoreFullError and leave nothing; everything else goes on.

    With the room that deleting makes, or a higher limit, so do large changes.
    """
    await succeeded(store, "old", problem=b"x" * 1_000_000)
    await created(store, "kept")
    claim = await claimed(store)
    set_pages_max(store, 20)
    large = b"y" * 1_000_000
    with pytest.raises(StoreFullError, match="free disk space"):
        await store.create_solve(new_solve("no", problem=large), large, QUEUE_MAX)
    with pytest.raises(StoreFullError):
        await store.succeed(claim, large, None, b"")
    with pytest.raises(StoreFullError):
        await store.put_blob(TENANT, BlobKind.RESULT, "no", b"z" * 20_000_000)
    assert {record.solve_id for record in (await store.list_solves(TENANT)).records} == {"old", "kept"}
    assert await store.renew(claim, b"still working") is False
    await store.delete_solve(TENANT, "old")
    await store.create_solve(new_solve("fits", problem=large), large, QUEUE_MAX)
    set_pages_max(store, 10_000)
    assert (await store.succeed(claim, large, None, b"")).standing == b""
    await store.close()
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert check.execute("SELECT count(*) FROM blobs WHERE complete = 0").fetchall() == [(0,)]
    orphans = "SELECT count(*) FROM blob_chunks WHERE blob_id NOT IN (SELECT blob_id FROM blobs)"
    assert check.execute(orphans).fetchall() == [(0,)]
    check.close()


@pytest.mark.asyncio
async def test_one_that_does_not_fit_takes_no_other_along(store: SqlStore) -> None:
    """Of changes that share a commit, only the one that is too large is refused."""
    set_pages_max(store, 60)
    large = b"y" * 1_000_000
    answers = await asyncio.gather(
        *(store.create_solve(new_solve(f"s{number}"), PROBLEM, QUEUE_MAX) for number in range(5)),
        store.create_solve(new_solve("large", problem=large), large, QUEUE_MAX),
        *(store.create_solve(new_solve(f"t{number}"), PROBLEM, QUEUE_MAX) for number in range(5)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [tuple] * 5 + [StoreFullError] + [tuple] * 5
    assert (await store.counts()).queued == 10


def test_a_file_size_limit(path: Path) -> None:
    """Under RLIMIT_FSIZE the store says that it is full, what it accepted stays readable, and it goes on afterwards."""
    done = subprocess.run(
        program_command("fill_disk", "", path, 12_000_000),
        cwd=ROOT,
        env=program_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    full, readable, after = (json.loads(line) for line in done.stdout.splitlines())
    assert "the store is full" in full["full"]
    assert 3 < len(full["accepted"]) < 50
    assert readable["readable"] == full["accepted"]
    assert after["after"] == "after"
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert check.execute("SELECT count(*) FROM solves").fetchall() == [(len(full["accepted"]) + 1,)]
    check.close()


def test_a_disk_without_room(tmp_path: Path) -> None:
    """On a real small file system the same happens: full, readable, and usable again after a deletion."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a file system")

    async def fill() -> None:
        store = await open_sqlite(tmp_path / "tehai.db", ManualClock())
        accepted = await created_until_full(store)
        assert len(accepted) > 3
        for solve_id in accepted:
            await store.get_solve(TENANT, solve_id)
        (tmp_path / "filler").unlink()
        await created(store, "after")
        await store.close()

    try:
        (tmp_path / "filler").write_bytes(b"x" * 1_000_000)
        asyncio.run(fill())
        check = sqlite3.connect(tmp_path / "tehai.db")
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        check.close()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.asyncio
async def test_a_file_that_was_moved(store: SqlStore, path: Path) -> None:
    """While the file is away or another one is in its place nothing is accepted; put back, the store goes on."""
    await created(store, "before")
    away = path.with_name("away.db")
    rename(path, away)
    with pytest.raises(StoreUnavailableError, match="moved or replaced"):
        await created(store, "lost")
    write(path, b"")
    with pytest.raises(StoreUnavailableError, match="moved or replaced"):
        await created(store, "lost")
    remove(path)
    rename(away, path)
    await created(store, "after")
    assert [record.solve_id for record in (await store.list_solves(TENANT)).records] == ["after", "before"]


@pytest.mark.asyncio
async def test_a_lock_of_another_process(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else holds the file writing fails after a limited time; reading goes on, then writing."""
    monkeypatch.setattr(sqlite_connection, "BUSY_SECONDS", 0.1)
    store = await open_sqlite(path, ManualClock())
    await created(store, "before")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = await asyncio.gather(*(created(store) for _ in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailableError}
    assert (await store.get_solve(TENANT, "before")).solve_id == "before"
    other.execute("ROLLBACK")
    await created(store, "after")
    other.close()
    await store.close()


def test_what_is_no_database(path: Path) -> None:
    """A file with something else in it, a folder, and a place that cannot be: refused, and left as they were."""
    content = b"something else entirely" * 1000
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="restore a backup"):
        asyncio.run(open_sqlite(path, ManualClock()))
    assert path.read_bytes() == content
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        asyncio.run(open_sqlite(path, ManualClock()))
    with pytest.raises(StoreUnavailableError, match="cannot be opened"):
        asyncio.run(open_sqlite(Path("/dev/null/x/tehai.db"), ManualClock()))


def test_a_damaged_file(path: Path) -> None:
    """A store whose pages were overwritten says that it is damaged and does not answer with nonsense."""

    async def fill() -> None:
        store = await open_sqlite(path, ManualClock())
        for _ in range(200):
            await created(store)
        await store.close()

    async def look() -> None:
        store = await open_sqlite(path, ManualClock())
        try:
            await store.list_solves(TENANT)
        finally:
            await store.close()

    asyncio.run(fill())
    content = bytearray(path.read_bytes())
    content[8192:] = random.Random(1).randbytes(len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError):
        asyncio.run(look())


@pytest.mark.asyncio
async def test_an_old_sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite that is too old is refused with what is needed."""
    monkeypatch.setattr(sqlite_connection, "SQLITE_VERSION_MIN", (99, 0, 0))
    with pytest.raises(StoreSettingError, match=r"99\.0\.0 or later"):
        await open_sqlite(path, ManualClock())


@pytest.mark.asyncio
async def test_jobs_that_wait_together_share_a_commit(store: SqlStore) -> None:
    """Two hundred creations at once take far fewer commits; each is answered, and refusals among them stay alone."""
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    writer_connection(store).set_trace_callback(count)
    await created(store, "taken")
    commits = 0
    answers = await asyncio.gather(
        *(
            store.create_solve(new_solve(f"s{number}" if number % 10 else "taken"), PROBLEM, 500)
            for number in range(200)
        ),
        return_exceptions=True,
    )
    writer_connection(store).set_trace_callback(None)
    assert sum(isinstance(answer, StoreError) for answer in answers) == 20
    assert (await store.counts()).queued == 181
    assert 0 < commits <= 40


@pytest.mark.asyncio
async def test_a_cancelled_call_does_not_stop_the_writer(store: SqlStore) -> None:
    """Callers that vanish while they wait leave the others their answers, and no solve half made."""
    tasks = [asyncio.create_task(created(store, f"s{number}")) for number in range(100)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(not isinstance(answer, BaseException) for answer in answers[1::2])
    await created(store, "after")
    for record in (await store.list_solves(TENANT, (), 1000)).records:
        assert len(await store.events_after(TENANT, record.solve_id, 0)) == 1


@pytest.mark.asyncio
async def test_a_closed_store_refuses(path: Path) -> None:
    """Work that was asked for before the end is done; after it the answer is an error, not silence."""
    store = await open_sqlite(path, ManualClock())
    tasks = [asyncio.create_task(created(store)) for _ in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert len(await asyncio.gather(*tasks)) == 50
    with pytest.raises(StoreUnavailableError, match="closed"):
        await created(store)
    await store.close()


@pytest.mark.asyncio
async def test_the_log_stays_small(store: SqlStore, path: Path) -> None:
    """After many large changes the log beside the file is bounded: it is moved into the file on the way."""
    for number in range(60):
        await created(store, problem=bytes([number]) * 2_000_000)
    assert size_bytes(path.with_name("tehai.db-wal")) < 40_000_000
    assert size_bytes(path) > 80_000_000


@pytest.mark.asyncio
async def test_the_loop_is_never_held(store: SqlStore) -> None:
    """While a hundred megabytes are written and read back in ranges, the event loop goes on."""
    longest = 0.0
    running = True

    async def tick() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while running:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before)

    ticking = asyncio.create_task(tick())
    await store.put_blob(TENANT, BlobKind.RESULT, "large", b"x" * 100_000_000)
    for offset in range(0, 100_000_000, 4_000_000):
        await store.read_blob(TENANT, BlobKind.RESULT, "large", offset, 4_000_000)
    running = False
    await ticking
    # Wide, for the machine may be busy; held for the whole write it would be over a second.
    assert longest < 0.3
