"""A database that a test has for itself, and stores over it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tehai.operations.clock import Clock, ManualClock
from tehai.operations.sql_store import SqlStore
from tests.operations.servers import ROOT


@dataclass
class Backend:
    """SQLite in ``path``, or PostgreSQL at ``url`` where that is not ""."""

    url: str
    path: Path
    clock: ManualClock = field(default_factory=ManualClock)
    _open: list[SqlStore] = field(default_factory=list)

    @property
    def is_postgres(self) -> bool:
        """Return which of the two it is."""
        return bool(self.url)

    async def open(self, clock: Clock | None = None) -> SqlStore:
        """Open the store once more, as another process would; it is closed with the test."""
        from tehai.operations.sqlite_store import open_sqlite

        if self.is_postgres:
            from tehai.operations.postgres_store import Limits, open_postgres

            store = await open_postgres(self.url, clock or self.clock, limits=Limits(connect_seconds=2.0))
        else:
            store = await open_sqlite(self.path, clock or self.clock)
        self._open.append(store)
        return store

    async def close(self) -> None:
        """Close every store that was opened."""
        while self._open:
            await self._open.pop().close()

    def program(self, name: str, *arguments: object) -> subprocess.Popen[str]:
        """Start a program of ``programs.py`` on this database, in a process of its own."""
        return subprocess.Popen(
            program_command(name, self.url, self.path, *arguments),
            cwd=ROOT,
            env=program_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def program_command(name: str, url: str, path: Path, *arguments: object) -> list[str]:
    """Return the command line of a program."""
    return [sys.executable, "-m", "tests.operations.programs", name, url, str(path), *map(str, arguments)]


def program_environment() -> dict[str, str]:
    """Return the environment in which a program finds the package and the tests."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "service"), str(ROOT)])}
