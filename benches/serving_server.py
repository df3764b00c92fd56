"""Servers as subprocesses: `tehai serve` with a database that has a plan already, and the echo to compare with."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Callers of this machine are this tenant.
TENANT = "local"
SOLVE_ID = "bench"
PLAN = f"tenants/{TENANT}/plans/{SOLVE_ID}"
START_SECONDS = 60.0


class ServerNotStartedError(RuntimeError):
    """Raised when `tehai serve` does not come up."""


class RunningServer:
    """`tehai serve` and what it logs."""

    def __init__(self, database: Path) -> None:
        """Start on a free port with the limits of a tenant out of the way."""
        settings = {
            "TEHAI_DATABASE_PATH": str(database),
            "TEHAI_LIMIT_REQUESTS_PER_SECOND": "1000000",
            "TEHAI_LIMIT_HEAVY_REQUESTS_PER_SECOND": "1000000",
            "TEHAI_LIMIT_SOLVES_QUEUED": "100000",
            "TEHAI_SOLVES_MAX": "2",
            "TEHAI_TELEMETRY_PORT": "0",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tehai.cli.main", "serve", "--port", "0"],
            env=environment(settings),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._log: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def address(self) -> str:
        """Return HOST:PORT as soon as it serves; raise ServerNotStartedError."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            ports = [line["port"] for line in self._log if line.get("event") == "serving"]
            if ports:
                return f"127.0.0.1:{ports[0]}"
            time.sleep(0.05)
        message = f"tehai serve did not start: {self._log[-3:]}"
        raise ServerNotStartedError(message)

    @property
    def pid(self) -> int:
        """Number of its process."""
        return self._process.pid

    def calls_within(self, method: str) -> dict[float, float]:
        """Return how many calls of a method the server has ended within so many seconds, by its own clock."""
        from prometheus_client.parser import text_string_to_metric_families

        [port] = [line["port"] for line in self._log if line.get("event") == "telemetry"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        return {
            float(sample.labels["le"]): sample.value
            for family in families
            for sample in family.samples
            if sample.name == "tehai_request_seconds_bucket" and sample.labels["method"].endswith(method)
        }

    def stop(self) -> None:
        """End it, by force if need be."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            try:
                self._log.append(json.loads(line))
            except ValueError:
                self._log.append({"event": line.rstrip()})


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return this environment with the package on the path."""
    paths = [str(ROOT / "service"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **settings}


class ProcessWatch:
    """Sees when a process under a server's is new."""

    def __init__(self, server_pid: int) -> None:
        """Take note of the processes that there are."""
        self._server_pid = server_pid
        self._known = set(_descendants(server_pid))

    def first_new(self) -> float:
        """Return the time (perf_counter) at which a new process is seen; looks every millisecond."""
        end = time.perf_counter() + START_SECONDS
        while time.perf_counter() < end:
            if not self._known.issuperset(_descendants(self._server_pid)):
                return time.perf_counter()
            time.sleep(0.001)
        message = "no new process was seen"
        raise TimeoutError(message)


def _descendants(pid: int) -> list[int]:
    """Return the numbers of the processes under one, as Linux tells them."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in map(int, children.read_text().split()):
                found += [child, *_descendants(child)]
    return found


@contextmanager
def tehai_server(database: Path) -> Iterator[RunningServer]:
    """Give a running `tehai serve`."""
    server = RunningServer(database)
    try:
        server.address()
        yield server
    finally:
        server.stop()


@contextmanager
def echo_server() -> Iterator[str]:
    """Give the address of a running echo."""
    command = [sys.executable, "-m", "benches.serving_echo"]
    with subprocess.Popen(command, env=environment({}), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def store_plan(database: Path, result: bytes, book: bytes) -> None:
    """Put an ended solve with its plan and quote book into a new embedded database."""
    asyncio.run(_store_plan(database, result, book))


async def _store_plan(database: Path, result: bytes, book: bytes) -> None:
    from tehai.operations.records import NewSolve
    from tehai.operations.store import open_store

    store = await open_store("", database)
    try:
        problem = b"not read by quotes"
        digest = hashlib.sha256(problem).hexdigest()
        new = NewSolve(
            tenant=TENANT,
            solve_id=SOLVE_ID,
            request_sha256=digest,
            problem_sha256=digest,
            problem_bytes=len(problem),
            options=b"",
        )
        await store.create_solve(new, problem, 1)
        claim = await store.claim_next("bench", 60.0, 1)
        assert claim is not None
        await store.succeed(claim, result, book, b"")
    finally:
        await store.close()
