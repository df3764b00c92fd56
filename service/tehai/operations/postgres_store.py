"""The store in PostgreSQL: for several servers that share their work. Needs the extra ``postgres``.

Connect directly or through a pooler in session mode: connections are set up once, when they are opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import errors as pg

from tehai.operations.clock import Clock, Microseconds
from tehai.operations.errors import (
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreSettingError,
    StoreUnavailableError,
)
from tehai.operations.migrate import TABLE, Migration, missing, read_migrations
from tehai.operations.page_tokens import SECRET_BYTES
from tehai.operations.sql import Row, SolveKey, Transaction, Value, storable
from tehai.operations.sql_store import SqlStore

Answer = TypeVar("Answer")
Changed = dict[SolveKey, int]
Connection = psycopg.Connection[Row]

POSTGRES_VERSION_MIN = 130000
CONNECTIONS_MAX = 8
# A transaction that lost against another one is done again so often.
_TRIES = 5
_SESSION = {"statement_timeout": "60s", "lock_timeout": "15s", "idle_in_transaction_session_timeout": "60s"}
_NAMED = re.compile(r":(\w+)")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call waits before the store counts as not available: for a new connection, and for its answer.

    The second is for a server that stands still with its connections open; a statement that is merely slow is ended by
    the server before that. A change that it was asked for may still be made once it goes on.
    """

    connect_seconds: float = 5.0
    answer_seconds: float = 90.0


def store_error(error: psycopg.Error) -> StoreError:
    """Return what an error of PostgreSQL means to a caller; ``error`` itself stays the cause, for the log."""
    if isinstance(error, pg.DiskFull):
        return StoreFullError("the database server has no disk space left")
    if isinstance(error, pg.DataCorrupted | pg.IndexCorrupted):
        return StoreCorruptError("the database server reports damaged data; restore a backup")
    if isinstance(error, pg.ReadOnlySqlTransaction):
        return StoreUnavailableError("the database server takes no changes; it may be a standby")
    if isinstance(error, psycopg.OperationalError):
        return StoreUnavailableError(f"the database server does not answer: {_told(error)}")
    return StoreError(f"unexpected answer of the database: {_told(error)}")


def _told(error: psycopg.Error) -> str:
    """Return class and first line of an error, for whoever runs the server; its further lines may hold data."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


@lru_cache(maxsize=512)
def _translated(statement: str) -> str:
    """Return a statement with psycopg's placeholders."""
    return _NAMED.sub(r"%(\1)s", statement)


class PostgresTransaction:
    """See ``sql.Transaction``. READ COMMITTED: what must not change meanwhile is locked by name."""

    for_update = " FOR UPDATE"
    skip_locked = " FOR UPDATE SKIP LOCKED"

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.changed: Changed = {}

    def execute(self, statement: str, values: Mapping[str, Value] | None = None) -> list[Row]:
        """Run a statement and return all rows."""
        return self._run(statement, values).fetchall()

    def change(self, statement: str, values: Mapping[str, Value] | None = None) -> int:
        """Run a statement without rows and return how many it changed."""
        return self._run(statement, values).rowcount

    def lock(self, name: str) -> None:
        """Take an advisory lock of this schema to the end of the transaction."""
        _lock(self._connection, name)

    def now(self) -> Microseconds:
        """Return the wall-clock time."""
        return self._clock.now()

    def _run(self, statement: str, values: Mapping[str, Value] | None) -> psycopg.Cursor[Row]:
        bound = {name: storable(value) for name, value in (values or {}).items()}
        # Bytes come back as they are instead of as hexadecimal digits.
        return self._connection.execute(_translated(statement), bound, binary=True)


_: type[Transaction] = PostgresTransaction


def _lock(connection: Connection, name: str) -> None:
    """Take the advisory lock ``name`` of this schema to the end of the transaction."""
    key = int.from_bytes(hashlib.sha256(f"tehai.operations {name}".encode()).digest()[:4], signed=True)
    connection.execute("SELECT pg_advisory_xact_lock(hashtext(current_schema()), %s)", (key,))


class PostgresDatabase:
    """``sql_store.Database``: a few threads, each with a connection of its own that it opens when it needs one.

    A pool that mends connections in the background waits longer and longer between its tries, and so finds a database
    that came back minutes late; here every call tries for itself, and says at once when nobody answers.
    """

    def __init__(self, url: str, clock: Clock, limits: Limits, on_commit: Callable[[Changed], None]) -> None:
        self._url = url
        self._clock = clock
        self._connect_seconds = limits.connect_seconds
        self._answer_seconds = limits.answer_seconds
        self._on_commit = on_commit
        self._threads = ThreadPoolExecutor(CONNECTIONS_MAX, thread_name_prefix="store")
        self._local = threading.local()
        self._connections: set[Connection] = set()
        self._closed = False

    async def read(self, job: Callable[[Transaction], Answer]) -> Answer:
        """Run a job on one state of the database."""
        return await self._submit(self._read, job)

    async def write(self, job: Callable[[Transaction], Answer], size_bytes: int = 0) -> Answer:  # noqa: ARG002
        """Run a job and return once the server has flushed it."""
        return await self._submit(self._write, job)

    async def _submit(
        self, run: Callable[[Callable[[Transaction], Answer]], Answer], job: Callable[[Transaction], Answer]
    ) -> Answer:
        if self._closed:
            raise StoreUnavailableError("it was closed")
        future = asyncio.get_running_loop().run_in_executor(self._threads, run, job)
        try:
            # Not wait_for, which before Python 3.12 may swallow a cancellation that comes with the answer.
            async with asyncio.timeout(self._answer_seconds):
                return await future
        except TimeoutError:
            raise StoreUnavailableError("the database server has stopped answering") from None

    async def close(self) -> None:
        """Finish what was begun and close every connection."""
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._threads.shutdown()
        while self._connections:
            self._connections.pop().close()

    def _read(self, job: Callable[[Transaction], Answer]) -> Answer:
        return self._transact(job, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")[0]

    def _write(self, job: Callable[[Transaction], Answer]) -> Answer:
        answer, changed = self._transact(job, "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE")
        if changed:
            self._on_commit(changed)
        return answer

    def _transact(self, job: Callable[[Transaction], Answer], begin: str) -> tuple[Answer, Changed]:
        for remaining in reversed(range(_TRIES)):
            try:
                return self._once(job, begin)
            except (pg.SerializationFailure, pg.DeadlockDetected) as error:
                # Undone by the server; the other one has gone through.
                if not remaining:
                    raise StoreUnavailableError("too many changes at once") from error
            except psycopg.Error as error:
                raise store_error(error) from error
        message = "unreachable: the last try returns or raises"
        raise AssertionError(message)

    def _once(self, job: Callable[[Transaction], Answer], begin: str) -> tuple[Answer, Changed]:
        connection = self._begun(begin)
        try:
            tx = PostgresTransaction(connection, self._clock)
            answer = job(tx)
            connection.execute("COMMIT")
        except BaseException:
            try:
                connection.execute("ROLLBACK")
            except psycopg.Error:
                self._discard(connection)
            raise
        return answer, tx.changed

    def _begun(self, begin: str) -> Connection:
        """Return this thread's connection with a transaction begun."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            try:
                connection.execute(begin)
            except psycopg.OperationalError:
                # The server has dropped it since; nothing was begun, so a new one does as well.
                self._discard(connection)
            else:
                return connection
        connection = psycopg.connect(self._url, **_arguments(self._url, self._connect_seconds))
        self._connections.add(connection)
        try:
            _configure(connection)
            connection.execute(begin)
        except BaseException:
            self._discard(connection)
            raise
        self._local.connection = connection
        return connection

    def _discard(self, connection: Connection) -> None:
        self._local.connection = None
        self._connections.discard(connection)
        connection.close()


async def open_postgres(
    url: str,
    clock: Clock,
    migrations: tuple[Migration, ...] | None = None,
    limits: Limits | None = None,
) -> SqlStore:
    """Connect to the database at ``url`` and bring its schema up to date; see ``store.open_store``."""
    wanted = migrations or read_migrations("postgres")
    limits = limits or Limits()
    secret = await asyncio.to_thread(_prepare, url, clock, wanted, limits.connect_seconds)
    loop = asyncio.get_running_loop()

    def on_commit(changed: Changed) -> None:
        # The loop may be closed already while the last jobs are done.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(store.notifier.publish, changed)

    store = SqlStore(PostgresDatabase(url, clock, limits, on_commit), secret, clock)
    return store


def _arguments(url: str, connect_seconds: float) -> dict[str, Any]:
    """Return the connection's parameters that ``url`` does not set; transactions are begun and ended by us."""
    defaults: dict[str, Any] = {
        "connect_timeout": max(2, round(connect_seconds)),
        "application_name": "tehai",
        # A server that vanished without a word is noticed within a minute.
        "keepalives_idle": 20,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    given = psycopg.conninfo.conninfo_to_dict(url)
    return {name: value for name, value in defaults.items() if name not in given} | {"autocommit": True}


def _configure(connection: Connection) -> None:
    """Set up a new connection so that a commit that returned is on the server's disk."""
    for name, value in _SESSION.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    # Stricter settings (standbys too) are left as they are.
    rows = connection.execute("SELECT current_setting('synchronous_commit')").fetchall()
    if rows[0][0] == "off":
        connection.execute("SET synchronous_commit = on")


def _prepare(url: str, clock: Clock, migrations: tuple[Migration, ...], connect_seconds: float) -> bytes:
    """Check the server, bring the schema up to date, and return the store's secret."""
    try:
        with psycopg.connect(url, **_arguments(url, connect_seconds)) as connection:
            _configure(connection)
            _check_server(connection)
            with connection.transaction():
                _migrate(connection, migrations, clock.now())
                connection.execute(
                    "INSERT INTO secrets (name, value) VALUES ('page_tokens', %s) ON CONFLICT DO NOTHING",
                    (os.urandom(SECRET_BYTES),),
                )
            rows = connection.execute("SELECT value FROM secrets WHERE name = 'page_tokens'", binary=True).fetchall()
            secret: bytes = rows[0][0]
            return secret
    except psycopg.Error as error:
        raise store_error(error) from error


def _check_server(connection: Connection) -> None:
    """Raise StoreSettingError where the server is too old or flushes nothing."""
    if connection.info.server_version < POSTGRES_VERSION_MIN:
        message = f"PostgreSQL {POSTGRES_VERSION_MIN // 10000} or later is needed"
        raise StoreSettingError(message)
    if connection.execute("SELECT current_setting('fsync')").fetchall()[0][0] != "on":
        message = "the database server runs with fsync = off and would lose accepted work; switch it on"
        raise StoreSettingError(message)
    if connection.execute("SELECT current_setting('server_encoding')").fetchall()[0][0] != "UTF8":
        message = "the database must have the encoding UTF8"
        raise StoreSettingError(message)


def _migrate(connection: Connection, migrations: tuple[Migration, ...], now: Microseconds) -> None:
    """Apply what is missing in the transaction at hand; servers that start together do it once."""
    _lock(connection, "migrations")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (number BIGINT PRIMARY KEY, name TEXT NOT NULL,"
        " sha256 TEXT NOT NULL, apply_time BIGINT NOT NULL)"
    )
    applied = connection.execute(f"SELECT number, sha256 FROM {TABLE} ORDER BY number").fetchall()  # noqa: S608
    for migration in missing(migrations, applied):
        # Without values, so that several statements are allowed and % means nothing.
        connection.execute(migration.text.encode())
        connection.execute(
            f"INSERT INTO {TABLE} VALUES (%s, %s, %s, %s)",  # noqa: S608
            (migration.number, migration.name, migration.sha256, now),
        )
