"""SQLite: what was answered is on the disk, whenever the process is killed."""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from tehai.operations.clock import SystemClock
from tehai.operations.records import BlobKind, SolveState
from tehai.operations.sqlite_connection import connect_reader, connect_writer
from tehai.operations.sqlite_store import open_sqlite
from tests.operations.backends import program_command, program_environment
from tests.operations.servers import ROOT
from tests.operations.solves import TENANT, created

END_SECONDS = 60


def run_and_kill(path: Path, name: str, seconds: float, *arguments: object) -> list[str]:
    """Start a program on the file, kill it ``seconds`` after its first word, and return the ids that it said."""
    program = subprocess.Popen(
        program_command(name, "", path, *arguments),
        cwd=ROOT,
        env=program_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert program.stderr is not None
    first = program.stdout.readline()
    assert first, program.stderr.read()
    time.sleep(seconds)
    program.send_signal(signal.SIGKILL)
    # By the same reader: it may hold lines that came with the first, and communicate would pass them over.
    output = program.stdout.read()
    program.wait(END_SECONDS)
    program.stdout.close()
    program.stderr.close()
    # The last line may be cut: then its rest was never said.
    lines = [line for line in (first + output).splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line)["solve_id"] for line in lines]


def assert_intact(path: Path) -> None:
    """Check the whole file, as it is and after everything in the log has been moved into it."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def check_creations(path: Path, kills: int, seed: int) -> None:
    """Kill a creating program many times; every id that it said is there with its whole problem."""
    random_numbers = random.Random(seed)
    said: list[str] = []
    for number in range(kills):
        size = random_numbers.choice([10, 200_000, 3_000_000])
        said += run_and_kill(path, "create_for_ever", random_numbers.uniform(0, 0.15), f"k{number}", size)
        assert_intact(path)

    async def look() -> None:
        store = await open_sqlite(path, SystemClock())
        for solve_id in said:
            record = await store.get_solve(TENANT, solve_id)
            problem = await store.get_blob(TENANT, BlobKind.PROBLEM, record.problem_sha256)
            assert len(problem) == record.problem_bytes
            assert problem.startswith(f"{solve_id}-".encode())
            assert record.state is SolveState.QUEUED
            assert len(await store.events_after(TENANT, solve_id, 0)) == 1
        # Of what was not said at most the one creation under way at each kill is there besides.
        queued = (await store.counts()).queued
        assert len(said) <= queued <= len(said) + kills
        await store.close()

    assert len(said) == len(set(said)) >= kills
    asyncio.run(look())


def test_killed_while_creating(tmp_path: Path) -> None:
    """SIGKILL at six random moments: every id that was said is there, and the file is intact each time."""
    check_creations(tmp_path / "tehai.db", 6, seed=1)


@pytest.mark.slow
def test_killed_while_creating_many_times(tmp_path: Path) -> None:
    """The same at a hundred moments."""
    check_creations(tmp_path / "tehai.db", 100, seed=2)


def check_work(path: Path, kills: int, seed: int) -> None:
    """Kill a working program many times; each end that it said is there, and no solve has two results."""
    random_numbers = random.Random(seed)

    async def prepare() -> None:
        """Start as a server does that was killed: take back what was under way, and have enough to do."""
        store = await open_sqlite(path, SystemClock())
        await store.recover(await store.running_owners())
        for _ in range(300 - (await store.counts()).queued):
            await created(store, f"s-{uuid.uuid4().hex}", attempts_max=1000)
        await store.close()

    said: list[tuple[str, str]] = []
    for number in range(kills):
        asyncio.run(prepare())
        owner = f"owner-{number}"
        done = run_and_kill(path, "work_for_ever", random_numbers.uniform(0, 0.2), owner)
        said += [(solve_id, owner) for solve_id in done]
        assert_intact(path)

    async def look() -> None:
        store = await open_sqlite(path, SystemClock())
        await store.recover(await store.running_owners())
        for solve_id, owner in said:
            record = await store.get_solve(TENANT, solve_id)
            assert (record.state, record.owner) == (SolveState.SUCCEEDED, owner)
            assert await store.get_blob(TENANT, BlobKind.RESULT, solve_id) == owner.encode()
            events = await store.events_after(TENANT, solve_id, 0)
            assert [event.sequence for event in events] == list(range(1, len(events) + 1))
            assert [event.kind.value for event in events].count("ended") == 1
        assert (await store.counts()).running == 0
        await store.close()

    assert len({solve_id for solve_id, _ in said}) == len(said) >= kills
    asyncio.run(look())


def test_killed_while_working(tmp_path: Path) -> None:
    """SIGKILL of a worker's process at four random moments: no end that was said is lost, none happens twice."""
    check_work(tmp_path / "tehai.db", 4, seed=3)


@pytest.mark.slow
def test_killed_while_working_many_times(tmp_path: Path) -> None:
    """The same at a hundred moments."""
    check_work(tmp_path / "tehai.db", 100, seed=4)


def test_the_writer_flushes_and_readers_cannot_write(tmp_path: Path) -> None:
    """SQLite itself says that the writer has a log and synchronous FULL; a reader that writes is refused."""
    path = tmp_path / "new" / "tehai.db"
    writer = connect_writer(path)
    settings = {
        name: writer.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "wal_autocheckpoint")
    }
    # 2 is FULL.
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "wal_autocheckpoint": 0,
    }
    writer.execute("CREATE TABLE t (a)")
    reader = connect_reader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO t VALUES (1)")
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert {p.stat().st_mode & 0o777 for p in path.parent.iterdir()} == {0o600}
    reader.close()
    writer.close()


def trace(path: Path, trace_file: Path, count: int) -> subprocess.CompletedProcess[str]:
    """Run a creating program under strace, which writes down each write and flush with its file."""
    return subprocess.run(
        [
            *("strace", "-f", "-y", "-e", "trace=write,pwrite64,fdatasync,fsync", "-o", str(trace_file)),
            *program_command("create_some", "", path, "t", count),
        ],
        cwd=ROOT,
        env=program_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_flush_precedes_the_reply(tmp_path: Path) -> None:
    """In the system calls of a process, each answer comes after a flush of the log that comes after its last write."""
    path, trace_file = tmp_path / "tehai.db", tmp_path / "trace"
    count = 20
    done = trace(path, trace_file, count)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    unflushed, flushes, answers = False, 0, 0
    for line in trace_file.read_text().splitlines():
        if re.search(r"pwrite64\(\d+<.*tehai\.db-wal>", line):
            unflushed, flushes = True, 0
        elif re.search(r"(fdatasync|fsync)\(\d+<.*tehai\.db-wal>\) += 0", line) or re.search(
            r"<\.\.\. (fdatasync|fsync) resumed>\) += 0", line
        ):
            unflushed, flushes = False, flushes + 1
        elif re.search(r"write\(1<.*solve_id", line):
            answers += 1
            assert not unflushed, line
            assert flushes > 0, line
            # The next answer needs a flush of its own.
            flushes = 0
    assert answers == count


def test_closing_leaves_one_file(tmp_path: Path) -> None:
    """After an orderly end everything is in the file itself, so that copying it is a backup."""
    path = tmp_path / "tehai.db"
    done = subprocess.run(
        program_command("create_some", "", path, "c", 5),
        cwd=ROOT,
        env=program_environment(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert len(done.stdout.splitlines()) == 5
    assert [entry.name for entry in tmp_path.iterdir()] == ["tehai.db"]
    assert_intact(path)
