"""A server without gRPC that a test may kill, as a process: python -m tests.runner.programs NAME DATABASE."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from multiprocessing.context import ForkServerContext
from pathlib import Path

from tehai.operations.clock import SystemClock
from tehai.operations.sqlite_store import open_sqlite
from tehai.runner.places import Places
from tehai.runner.processes import start_fork_server
from tehai.runner.queries import QueryProcesses
from tehai.runner.runner import Runner
from tehai.runner.settings import RunnerSettings
from tests.runner.service import FAST, PATIENCE_SECONDS, plain_status

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """A program that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def pids(self) -> list[int]:
        """Ask for the processes of its solves and queries."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return list(await self.line())

    async def line(self) -> list[int]:
        """Return the next line that it says."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE_SECONDS)
        assert line, "the program has ended"
        found: list[int] = json.loads(line)
        return found

    async def kill(self) -> None:
        """End it as kill -9 does."""
        self._process.kill()
        await self._process.wait()


async def start_program(name: str, database: Path) -> Program:
    """Start a program and wait until it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.runner.programs",
        name,
        str(database),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "service"), str(ROOT)])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    program = Program(process)
    assert await program.line() == []
    return program


async def serve(context: ForkServerContext, database: Path) -> None:
    """Run solves; answer every line of the input with the numbers of the processes at work."""
    settings = RunnerSettings(**FAST)
    store = await open_sqlite(database, SystemClock())
    queries = QueryProcesses(context, settings)
    await queries.start()
    runner = Runner(store, Places(context, settings), settings, plain_status)
    await runner.start()
    os.write(1, b"[]\n")
    while await asyncio.to_thread(sys.stdin.readline):
        os.write(1, (json.dumps([*runner.pids.values(), *queries.pids]) + "\n").encode())


if __name__ == "__main__":
    assert sys.argv[1] == "serve"
    asyncio.run(serve(start_fork_server(), Path(sys.argv[2])))
