"""A look into the database beside the service: whether it is whole, and whether every solve ended once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SOLVES = """
    SELECT s.tenant || '/' || s.solve_id, s.state, s.last_sequence, s.attempt_count, s.attempts_max,
        (SELECT count(*) FROM events e WHERE e.tenant = s.tenant AND e.solve_id = s.solve_id AND e.kind = 'ended'),
        (SELECT max(sequence) FROM events e
            WHERE e.tenant = s.tenant AND e.solve_id = s.solve_id AND e.kind = 'ended'),
        (SELECT max(sequence) FROM events e WHERE e.tenant = s.tenant AND e.solve_id = s.solve_id),
        (SELECT count(*) FROM blobs b
            WHERE b.tenant = s.tenant AND b.key = s.solve_id AND b.kind = 'result' AND b.complete = 1)
    FROM solves s
"""
_BLOBS = """
    SELECT b.kind || ' ' || b.key, b.size_bytes,
        (SELECT coalesce(sum(length(c.data)), 0) FROM blob_chunks c WHERE c.blob_id = b.blob_id)
    FROM blobs b WHERE b.complete = 1
"""
_ORPHANS = """
    SELECT count(*) FROM events e
    WHERE NOT EXISTS (SELECT 1 FROM solves s WHERE s.tenant = e.tenant AND s.solve_id = e.solve_id)
"""
TABLES = ("solves", "events", "blobs", "blob_chunks", "api_keys", "audit", "secrets")
Rows = Sequence[Sequence[Any]]


class Database:
    """The database of a service: SQLite in ``path``, or PostgreSQL at ``url`` where that is not ""."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._url = url

    def damage(self) -> list[str]:
        """Return what the database itself finds wrong with its file, indexes and pages; every row is read."""
        if not self._url:
            with self._sqlite() as connection:
                found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            return [] if found == ["ok"] else found
        return self._damage_of_postgres()

    def solves(self) -> int:
        """Return how many solves there are."""
        return int(self.rows("SELECT count(*) FROM solves")[0][0])

    def retried(self) -> int:
        """Return how many solves were started more than once."""
        return int(self.rows("SELECT count(*) FROM solves WHERE attempt_count > 1")[0][0])

    def faults(self) -> list[str]:
        """Return every solve that has not ended exactly once, and bytes that are not whole."""
        found = []
        for name, state, last, attempts, attempts_max, ended, ended_at, newest, results in self.rows(_SOLVES):
            if state in ("QUEUED", "RUNNING"):
                found.append(f"{name} is {state}")
            if ended != 1 or not ended_at == newest == last:
                found.append(f"{name} has {ended} ended events, the last at {ended_at} of {newest}, should be {last}")
            if results != (state == "SUCCEEDED"):
                found.append(f"{name} is {state} and has {results} results")
            if attempts > attempts_max:
                found.append(f"{name} was started {attempts} times, {attempts_max} are allowed")
        for name, size_bytes, there_bytes in self.rows(_BLOBS):
            if size_bytes != there_bytes:
                found.append(f"{name} should have {size_bytes} bytes and has {there_bytes}")
        orphans = self.rows(_ORPHANS)[0][0]
        return found + ([f"{orphans} events have no solve"] if orphans else [])

    def rows(self, query: str) -> Rows:
        """Return the rows of a query."""
        if not self._url:
            with self._sqlite() as connection:
                return connection.execute(query).fetchall()
        import psycopg

        with psycopg.connect(self._url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def _sqlite(self) -> _Closing:
        return _Closing(sqlite3.connect(self._path, timeout=60))

    def _damage_of_postgres(self) -> list[str]:
        import psycopg

        found = []
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pg_catalog")
            for table in TABLES:
                pages = connection.execute("SELECT * FROM verify_heapam(%s::regclass)", (table,)).fetchall()
                found += [f"{table}: {page}" for page in pages]
                connection.execute(f"SELECT * FROM {table}".encode()).fetchall()  # noqa: S608 - of TABLES
            indexes = connection.execute(
                "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND i.indrelid = ANY(%s::regclass[])",
                (list(TABLES),),
            ).fetchall()
            assert indexes
            for (index,) in indexes:
                try:
                    connection.execute("SELECT bt_index_check(%s::regclass, true)", (index,))
                except psycopg.Error as error:
                    found.append(f"{index}: {error}")
        return found


class _Closing:
    """A connection to SQLite that is closed at the end of a block."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
