"""The store in one SQLite file: the default, for one machine. Several processes may share the file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tehai.operations.clock import Clock
from tehai.operations.errors import StoreError, StoreUnavailableError
from tehai.operations.migrate import Migration, read_migrations
from tehai.operations.page_tokens import SECRET_BYTES
from tehai.operations.sql import Transaction
from tehai.operations.sql_store import SqlStore
from tehai.operations.sqlite_connection import (
    SqliteTransaction,
    connect_reader,
    connect_writer,
    flush_folder,
    migrate,
    store_error,
)
from tehai.operations.sqlite_writer import Changed, SqliteWriter

Answer = TypeVar("Answer")

_READER_THREADS = 4


class SqliteDatabase:
    """``sql_store.Database``: one thread writes, a few read, each with a connection of its own."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, clock: Clock, on_commit: Callable[[Changed], None]
    ) -> None:
        self._path = path
        self._clock = clock
        self._writer = SqliteWriter(connection, path, clock, on_commit)
        self._readers = ThreadPoolExecutor(_READER_THREADS, thread_name_prefix="store-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._closed = False

    async def read(self, job: Callable[[Transaction], Answer]) -> Answer:
        """Run a job on one state of the database, which later changes do not touch."""
        if self._closed:
            raise StoreUnavailableError("it was closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, job)

    async def write(self, job: Callable[[Transaction], Answer], size_bytes: int = 0) -> Answer:
        """Run a job and return once it is on stable storage."""
        answer: Answer = await asyncio.wrap_future(self._writer.submit(job, size_bytes))
        return answer

    async def close(self) -> None:
        """Finish what was begun and close every connection."""
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        # Readers first: the writer's last act empties the log, which readers would hold.
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()
        self._writer.close()

    def _read(self, job: Callable[[Transaction], Answer]) -> Answer:
        try:
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                return job(SqliteTransaction(connection, self._clock))
            finally:
                # After some errors SQLite has ended it already.
                if connection.in_transaction:
                    connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise store_error(error) from error

    def _reader(self) -> sqlite3.Connection:
        """Return the connection of this thread."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = connect_reader(self._path)
            self._connections.append(found)
        return found


async def open_sqlite(path: Path, clock: Clock, migrations: tuple[Migration, ...] | None = None) -> SqlStore:
    """Open or create the store in the file ``path``; see ``store.open_store``."""
    wanted = migrations or read_migrations("sqlite")
    connection, secret = await asyncio.to_thread(_prepare, path, clock, wanted)
    loop = asyncio.get_running_loop()

    def on_commit(changed: Changed) -> None:
        # The loop may be closed already while the last jobs are done.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(store.notifier.publish, changed)

    store = SqlStore(SqliteDatabase(connection, path, clock, on_commit), secret, clock)
    return store


def _prepare(path: Path, clock: Clock, migrations: tuple[Migration, ...]) -> tuple[sqlite3.Connection, bytes]:
    """Open the file, bring its schema up to date, and return the writer's connection and the store's secret."""
    try:
        connection = connect_writer(path)
        try:
            migrate(connection, migrations, clock.now())
            connection.execute(
                "INSERT INTO secrets (name, value) VALUES ('page_tokens', ?) ON CONFLICT DO NOTHING",
                (os.urandom(SECRET_BYTES),),
            )
            secret: bytes = connection.execute("SELECT value FROM secrets WHERE name = 'page_tokens'").fetchone()[0]
            flush_folder(path)
        except (sqlite3.Error, StoreError):
            connection.close()
            raise
    except sqlite3.Error as error:
        raise store_error(error) from error
    return connection, secret
