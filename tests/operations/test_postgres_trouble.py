"""PostgreSQL when things go wrong: gone, crashed, standing still, full, set up wrongly; and the way back."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import StoreSettingError, StoreUnavailableError
from tehai.operations.records import BlobKind, SolveState
from tehai.operations.store import open_store
from tests.operations.backends import Backend
from tests.operations.servers import PostgresServer, fresh_schema
from tests.operations.solves import PROBLEM, QUEUE_MAX, TENANT, claimed, created, created_until_full, new_solve

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Give a server of this module's own, which may be stopped."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.remove()


@pytest.fixture
def own(server: PostgresServer, tmp_path: Path) -> Iterator[Backend]:
    """Give an empty database in that server."""
    with fresh_schema(server.start()) as url:
        yield Backend(url, tmp_path / "unused")
        server.start()


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_the_database_is_gone_and_comes_back(own: Backend, server: PostgresServer, mode: str) -> None:
    """Stopped or crashed, every call says StoreUnavailableError at once; once it is back the same store goes on.

    Nothing that was accepted is lost, and a claim from before still holds.
    """
    store = await own.open()
    for number in range(3):
        await created(store, f"s{number}")
    claim = await claimed(store)
    waiting = asyncio.create_task(store.wait_for_events(TENANT, "s1", 1, 30))
    await asyncio.sleep(0.1)
    server.stop(mode)
    started = time.monotonic()
    for call in (
        store.ping(),
        store.get_solve(TENANT, "s1"),
        created(store, "lost"),
        store.renew(claim),
        store.recover(),
    ):
        with pytest.raises(StoreUnavailableError):
            await call
    assert time.monotonic() - started < 5
    server.start()
    await store.ping()
    assert await store.renew(claim) is False
    assert {record.solve_id for record in (await store.list_solves(TENANT)).records} == {"s0", "s1", "s2"}
    # A watcher from before is still served.
    await store.request_cancel(TENANT, "s1")
    assert len(await waiting) == 1
    assert (await store.succeed(claim, b"result", None, b"")).state is SolveState.SUCCEEDED
    await own.close()


@pytest.mark.asyncio
async def test_connections_that_were_cut_are_replaced(own: Backend) -> None:
    """After an administrator ended every connection, the next call already works."""
    import psycopg

    store = await own.open()
    await asyncio.gather(*(created(store) for _ in range(30)))
    with psycopg.connect(own.url, autocommit=True) as admin:
        cut = admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tehai'"
        ).fetchall()
    assert cut
    await created(store, "after")
    assert (await store.counts()).queued == 31
    await own.close()


@pytest.mark.asyncio
async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """Opening says that it is not available, without waiting for ever and without showing the password."""
    with pytest.raises(StoreUnavailableError) as refused:
        await open_store("postgresql://tehai:secret-word@127.0.0.1:1/none", tmp_path, ManualClock())
    assert "secret-word" not in str(refused.value)


class Proxy:
    """Passes bytes between a client and the server until it is frozen: then connections stay open and nothing moves."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.moving = asyncio.Event()
        self.moving.set()
        self._passing: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Begin to listen and return the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        for source, target in ((reader, there_writer), (there_reader, writer)):
            self._passing.add(asyncio.create_task(self._pass_on(source, target)))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self.moving.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def stop(self) -> None:
        """Listen no more and close what is open."""
        self._server.close()
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)


@pytest.mark.asyncio
async def test_a_server_that_stands_still(own: Backend) -> None:
    """With connections open and no answer, calls end after their limit; when it goes on, so does the store."""
    from tehai.operations.postgres_store import Limits, open_postgres

    match = re.search(r"@127\.0\.0\.1:(\d+)/", own.url)
    assert match is not None
    proxy = Proxy(int(match[1]))
    url = own.url.replace(f":{match[1]}/", f":{await proxy.start()}/")
    store = await open_postgres(url, own.clock, limits=Limits(connect_seconds=2.0, answer_seconds=1.0))
    await created(store, "before")
    proxy.moving.clear()
    for call in (store.get_solve(TENANT, "before"), created(store, "meanwhile"), store.ping()):
        with pytest.raises(StoreUnavailableError):
            await call
    proxy.moving.set()
    await created(store, "after")
    ids = {record.solve_id for record in (await store.list_solves(TENANT)).records}
    assert {"before", "after"} <= ids <= {"before", "meanwhile", "after"}
    await store.close()
    await proxy.stop()


@pytest.mark.asyncio
async def test_crashes_lose_nothing(own: Backend, server: PostgresServer) -> None:
    """Five crashes of the database at random moments under load: every id that a process said is there.

    Besides them there are at most those that were under way.
    """
    random_numbers = random.Random(5)
    said = []
    crashes = 5
    for crash in range(crashes):
        program = own.program("create_for_ever", f"k{crash}", random_numbers.choice([10, 300_000]))
        assert program.stdout is not None
        first = program.stdout.readline()
        await asyncio.sleep(random_numbers.uniform(0, 0.3))
        server.stop("immediate")
        output, errors = program.communicate(timeout=60)
        assert "StoreUnavailableError" in errors
        said += [json.loads(line)["solve_id"] for line in (first + output).splitlines()]
        server.start()
    store = await own.open()
    for solve_id in said:
        record = await store.get_solve(TENANT, solve_id)
        problem = await store.get_blob(TENANT, BlobKind.PROBLEM, record.problem_sha256)
        assert len(problem) == record.problem_bytes
    assert len(said) <= (await store.counts()).queued <= len(said) + crashes
    assert len(set(said)) == len(said) >= crashes
    await own.close()


@pytest.mark.asyncio
async def test_sessions_flush(own: Backend) -> None:
    """Where the server's default does not wait for the disk, the store's own sessions do; stricter ones stay."""
    import psycopg

    from tehai.operations.postgres_store import PostgresDatabase

    user = "tehai"
    for default, wanted in (("off", "on"), ("remote_apply", "remote_apply")):
        with psycopg.connect(own.url, autocommit=True) as admin:
            admin.execute(f"ALTER ROLE {user} SET synchronous_commit = {default}".encode())
        store = await own.open()
        assert isinstance(store._database, PostgresDatabase)
        shown = await store._database.read(
            lambda tx: tx.execute("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
        )
        assert shown == [(wanted, "on")]
        await own.close()
    with psycopg.connect(own.url, autocommit=True) as admin:
        admin.execute(f"ALTER ROLE {user} RESET synchronous_commit".encode())


@pytest.mark.asyncio
async def test_a_server_without_fsync_is_refused(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server that would lose accepted work is not used, and the error says which setting to change."""
    import psycopg

    server = PostgresServer(tmp_path_factory.mktemp("careless"))
    url = server.start()
    try:
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("ALTER SYSTEM SET fsync = off")
        server.stop()
        with pytest.raises(StoreSettingError, match="fsync = off"):
            await open_store(server.start(), tmp_path, ManualClock())
    finally:
        server.remove()


@contextmanager
def small_tablespace(url: str) -> Iterator[Callable[[], None]]:
    """Make the tablespace ``small`` on a small file system, and give what makes that larger."""
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="tehai-small."))
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("this user may not mount a file system")
    try:
        subprocess.run(["runuser", "-u", "postgres", "--", "mkdir", str(folder / "space")], check=True)
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{folder / 'space'}'".encode())
        yield lambda: _enlarge(folder)
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def _enlarge(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)


@pytest.mark.asyncio
async def test_a_disk_without_room(server: PostgresServer, tmp_path: Path) -> None:
    """On a small file system of its own the store is full, leaves nothing half done, stays readable and recovers."""
    url = server.start()
    with small_tablespace(url) as enlarge, fresh_schema(url) as schema_url:
        own = Backend(schema_url.replace("options=", "options=-cdefault_tablespace%3Dsmall%20"), tmp_path)
        store = await own.open()
        accepted = await created_until_full(store)
        assert len(accepted) > 3
        assert {record.solve_id for record in (await store.list_solves(TENANT)).records} == set(accepted)
        for record in (await store.list_solves(TENANT)).records:
            assert len(await store.get_blob(TENANT, BlobKind.PROBLEM, record.problem_sha256)) == 1_000_000
        enlarge()
        await store.create_solve(new_solve("after"), PROBLEM, QUEUE_MAX)
        await own.close()
