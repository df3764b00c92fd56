"""A PostgreSQL server of tools/postgres.sh, and schemas in it that tests have for themselves."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools" / "postgres.sh"


class PostgresServer:
    """The server in ``folder``; None: the one that the checkout shares."""

    def __init__(self, folder: Path | None = None) -> None:
        self._environment = dict(os.environ)
        if folder is not None:
            self._environment["TEHAI_POSTGRES_FOLDER"] = str(folder)

    def start(self) -> str:
        """Start it where it does not run, and return its URL."""
        return self._run("start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; ``immediate``: as a crash would."""
        self._run("stop", mode)

    def runs(self) -> bool:
        """Return whether it runs."""
        return self._call("url").returncode == 0

    def remove(self) -> None:
        """Stop it and delete its data."""
        self._run("remove")

    def _run(self, *arguments: str) -> str:
        done = self._call(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@contextmanager
def shared_server() -> Iterator[str]:
    """Give the URL of the server that the checkout shares; it is stopped afterwards if it did not run before."""
    server = PostgresServer()
    ran_before = server.runs()
    yield server.start()
    # Other processes of a parallel run may still use it.
    if not ran_before and "PYTEST_XDIST_WORKER" not in os.environ:
        server.stop()


@contextmanager
def fresh_schema(url: str) -> Iterator[str]:
    """Give a URL whose tables are in a schema of its own, which is dropped afterwards."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}".encode())
    try:
        yield f"{url}?options={quote(f'-csearch_path={name}')}"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute(f"DROP SCHEMA {name} CASCADE".encode())
