"""Servers as subprocesses: `tehai serve` with a database that has a plan already, and the echo to compare with."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.server.process import ROOT, START_SECONDS, ServerProcess, package_environment

# Callers of this machine are this tenant.
TENANT = "local"
SOLVE_ID = "bench"
PLAN = f"tenants/{TENANT}/plans/{SOLVE_ID}"


class RunningServer(ServerProcess):
    """`tehai serve` with the HTTP endpoint and the limits of a tenant out of the way."""

    def __init__(self, database: Path) -> None:
        super().__init__(
            database_path=database,
            limit_requests_per_second=1_000_000,
            limit_heavy_requests_per_second=1_000_000,
            limit_solves_queued=100_000,
            solves_max=2,
            telemetry_port=0,
        )

    def calls_within(self, method: str) -> dict[float, float]:
        """Return how many calls of a method the server has ended within so many seconds, by its own clock."""
        from prometheus_client.parser import text_string_to_metric_families

        return {
            float(sample.labels["le"]): sample.value
            for family in text_string_to_metric_families(self.http_get("/metrics"))
            for sample in family.samples
            if sample.name == "tehai_request_seconds_bucket" and sample.labels["method"].endswith(method)
        }


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
def echo_server() -> Iterator[str]:
    """Give the address of a running echo."""
    command = [sys.executable, "-m", "benches.serving_echo"]
    with subprocess.Popen(command, env=package_environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
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
