"""Connections to one SQLite file: how they are set up, the transaction of a job, and what SQLite's errors mean."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from tehai.operations.clock import Clock, Microseconds
from tehai.operations.errors import (
    SchemaError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreSettingError,
    StoreUnavailableError,
)
from tehai.operations.migrate import TABLE, Migration, missing
from tehai.operations.sql import Row, SolveKey, Transaction, Value, storable

# Least version: RETURNING came with 3.35, STRICT with 3.37.
SQLITE_VERSION_MIN = (3, 37, 0)
# How long a process waits for another one that writes.
BUSY_SECONDS = 5.0
_PAGE_BYTES = 8192
# Of each connection. The system caches the file as well, and a reader drops its pages after every commit of another
# connection: 16 MiB were not faster than this.
_CACHE_KIBIBYTES = 2 * 1024
# The log is cut to this once everything in it is in the main file.
_LOG_BYTES_KEPT = 64 * 1024 * 1024

_FULL = frozenset({sqlite3.SQLITE_FULL})
# A write that is refused for a quota or a file-size limit is reported as one that failed, without its reason.
_CANNOT_GROW = frozenset(
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
        sqlite3.SQLITE_IOERR_SHMMAP,
    }
)
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def store_error(error: sqlite3.Error) -> StoreError:
    """Return what an error of SQLite means to a caller; ``error`` itself stays the cause, for the log."""
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _CANNOT_GROW:
        return StoreFullError("its file cannot grow: the disk, a quota or a file-size limit")
    primary = code & 0xFF
    if primary in _FULL:
        return StoreFullError("no room left for its file")
    if primary in _CORRUPT:
        return StoreCorruptError("the database file is damaged or is no database; restore a backup")
    if primary in _BUSY:
        return StoreUnavailableError("another process keeps the database locked")
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        name = getattr(error, "sqlite_errorname", "error")
        return StoreUnavailableError(f"its file cannot be read or written: {name}")
    return StoreError(f"unexpected answer of the database: {type(error).__name__}")


class SqliteTransaction:
    """See ``sql.Transaction``. There is one writer, so nothing has to be locked."""

    for_update = ""
    skip_locked = ""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.changed: dict[SolveKey, int] = {}

    def execute(self, statement: str, values: Mapping[str, Value] | None = None) -> list[Row]:
        """Run a statement and return all rows."""
        return self._connection.execute(statement, _bound(values)).fetchall()

    def change(self, statement: str, values: Mapping[str, Value] | None = None) -> int:
        """Run a statement without rows and return how many it changed."""
        return self._connection.execute(statement, _bound(values)).rowcount

    def lock(self, name: str) -> None:
        """Do nothing: whoever writes is alone."""

    def now(self) -> Microseconds:
        """Return the wall-clock time."""
        return self._clock.now()


def _bound(values: Mapping[str, Value] | None) -> dict[str, Value]:
    return {name: storable(value) for name, value in (values or {}).items()}


# Checked here, so that mypy sees that the class fits.
_: type[Transaction] = SqliteTransaction


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open the file for writing, durably; create it, readable to its owner only, where there is none."""
    if sqlite3.sqlite_version_info < SQLITE_VERSION_MIN:
        message = f"SQLite {'.'.join(map(str, SQLITE_VERSION_MIN))} or later is needed, not {sqlite3.sqlite_version}"
        raise StoreSettingError(message)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It holds problems and hashes of secrets. The files beside it take over these rights.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        reason = f"{path} cannot be opened: {error.strerror}"
        raise StoreUnavailableError(reason) from error
    connection = _connect(path)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        connection.close()
        message = f"the file system of {path} gives SQLite no write-ahead log (mode {mode}); use a local disk"
        raise StoreSettingError(message)
    # FULL: the log is flushed before a commit returns. The next two matter where fsync does not reach the disk (macOS).
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    # The writer moves the log into the file itself, when nobody waits for an answer.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES_KEPT}")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading only."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection is used by one thread at a time; closing comes from another one.
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    # First: where the page grows afterwards, SQLite keeps as many pages as of the smaller ones.
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def migrate(connection: sqlite3.Connection, migrations: tuple[Migration, ...], now: Microseconds) -> None:
    """Apply what is missing; two processes that start together do it once. Raise SchemaError."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
            " sha256 TEXT NOT NULL, apply_time INTEGER NOT NULL) STRICT"
        )
        applied = connection.execute(f"SELECT number, sha256 FROM {TABLE} ORDER BY number").fetchall()  # noqa: S608
        for migration in missing(migrations, applied):
            for statement in _statements(migration):
                connection.execute(statement)
            connection.execute(
                f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?)",  # noqa: S608
                (migration.number, migration.name, migration.sha256, now),
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(migration: Migration) -> list[str]:
    """Return the statements one by one: run as a script they would leave the transaction."""
    found = []
    pending = ""
    for line in migration.text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    if pending.strip():
        message = f"migration {migration.number} ends within a statement"
        raise SchemaError(message)
    return found


def flush_folder(path: Path) -> None:
    """Make the names of new files in the folder of ``path`` durable."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
