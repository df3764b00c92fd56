"""The one thread that writes to a SQLite file.

Jobs that wait together share one commit and so one flush of the disk; each is answered after that. A job that fails
takes nothing of the others with it: its part is undone, or, where the whole transaction is lost, the others are done
again alone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tehai.operations.clock import Clock
from tehai.operations.errors import StoreError, StoreUnavailableError
from tehai.operations.sql import SolveKey, Transaction
from tehai.operations.sqlite_connection import SqliteTransaction, store_error

_log = logging.getLogger(__name__)

JOBS_AT_ONCE_MAX = 64
_BYTES_AT_ONCE_MAX = 8 * 1024 * 1024
# More than these in the log since it was last moved into the file, and it is moved again.
_CHECKPOINT_BYTES = 8 * 1024 * 1024
_CHECKPOINT_COMMITS = 500
# More jobs than this waiting means that the disk stands still.
_JOBS_WAITING_MAX = 10_000

Changed = dict[SolveKey, int]


@dataclass(slots=True)
class _Job:
    """Something to do in a transaction, and where its answer goes."""

    run: Callable[[Transaction], Any]
    size_bytes: int
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class _Outcome:
    """What became of a job; answered after the commit."""

    job: _Job
    value: Any = None
    error: Exception | None = None
    changed: Changed = field(default_factory=dict)


class SqliteWriter:
    """Runs jobs one after the other on ``connection``, which is its own from now on.

    ``on_commit`` is called in this thread with what each committed job changed.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, clock: Clock, on_commit: Callable[[Changed], None]
    ) -> None:
        self._connection = connection
        self._path = path
        self._clock = clock
        self._on_commit = on_commit
        self._inode = path.stat().st_ino
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._bytes_in_log = 0
        self._commits_in_log = 0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[Transaction], Any], size_bytes: int) -> Future[Any]:
        """Queue a job; the future has its answer once it is on stable storage. Raise StoreUnavailableError."""
        if self._closing:
            raise StoreUnavailableError("it was closed")
        if self._jobs.qsize() >= _JOBS_WAITING_MAX:
            raise StoreUnavailableError(f"{_JOBS_WAITING_MAX} changes wait for the disk")
        job = _Job(run, size_bytes)
        self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Do what was queued before, move the log into the file, and end the thread."""
        if not self._closing:
            self._closing = True
            self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        """Live until ``close``."""
        goes_on = True
        while goes_on:
            batch, goes_on = self._next_batch()
            # From here on a job cannot be cancelled, so that its answer is true.
            batch = [job for job in batch if job.future.set_running_or_notify_cancel()]
            if batch:
                self._run(batch)
            if self._bytes_in_log >= _CHECKPOINT_BYTES or self._commits_in_log >= _CHECKPOINT_COMMITS:
                self._checkpoint("PASSIVE")
        self._checkpoint("TRUNCATE")
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        # A job that was queued after the end must not leave its caller waiting.
        while not self._jobs.empty():
            late = self._jobs.get()
            if late is not None and late.future.set_running_or_notify_cancel():
                late.future.set_exception(StoreUnavailableError("it was closed"))

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for a job and return it with those that wait behind it, and whether there is more to come."""
        batch: list[_Job] = []
        size_bytes = 0
        while len(batch) < JOBS_AT_ONCE_MAX and size_bytes < _BYTES_AT_ONCE_MAX:
            try:
                job = self._jobs.get(block=not batch)
            except queue.Empty:
                break
            if job is None:
                return batch, False
            batch.append(job)
            size_bytes += job.size_bytes
        return batch, True

    def _run(self, batch: list[_Job]) -> None:
        """Do a batch and answer it."""
        try:
            outcomes = self._transact(batch)
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if len(batch) > 1 and not busy:
                for job in batch:
                    self._run([job])
                return
            outcomes = [_failed(job, error) for job in batch]
        except StoreError as error:
            outcomes = [_Outcome(job, error=error) for job in batch]
        for outcome in outcomes:
            self._answer(outcome)

    def _transact(self, batch: list[_Job]) -> list[_Outcome]:
        """Do a batch in one transaction, durable on return; raise sqlite3.Error where all of it is undone."""
        self._check_file()
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._one(job) for job in batch]
            self._connection.execute("COMMIT")
        except BaseException:
            # SQLite has already undone it after some errors; where undoing fails, the next BEGIN says so.
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
            raise
        self._commits_in_log += 1
        self._bytes_in_log += sum(job.size_bytes for job in batch)
        return outcomes

    def _one(self, job: _Job) -> _Outcome:
        """Do one job; what it refuses is undone and answered, a failure of the database is raised."""
        tx = SqliteTransaction(self._connection, self._clock)
        self._connection.execute("SAVEPOINT job")
        try:
            value = job.run(tx)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return _Outcome(job, error=error)
        self._connection.execute("RELEASE job")
        return _Outcome(job, value, changed=tx.changed)

    def _check_file(self) -> None:
        """Raise StoreUnavailableError where the file was moved away: what is written to it then would be lost."""
        try:
            inode = os.stat(self._path).st_ino  # noqa: PTH116 - before every commit, and twice as fast
        except OSError:
            inode = -1
        if inode != self._inode:
            raise StoreUnavailableError("its file was moved or replaced; put it back or restart")

    def _answer(self, outcome: _Outcome) -> None:
        if outcome.error is not None:
            outcome.job.future.set_exception(outcome.error)
            return
        if outcome.changed:
            self._on_commit(outcome.changed)
        outcome.job.future.set_result(outcome.value)

    def _checkpoint(self, mode: str) -> None:
        """Move the log into the file; what readers still need stays for the next time."""
        self._bytes_in_log = self._commits_in_log = 0
        try:
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            # Everything is safe in the log.
            _log.warning("the log could not be moved into the database file: %s", store_error(error))


def _failed(job: _Job, error: sqlite3.Error) -> _Outcome:
    meaning = store_error(error)
    meaning.__cause__ = error
    return _Outcome(job, error=meaning)
