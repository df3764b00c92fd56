"""Processes and servers that die, memory that ends, claims that are lost, a store that is away."""

from __future__ import annotations

import asyncio
import os
import signal
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
from google.rpc import error_details_pb2, status_pb2

from tehai.operations.clock import SystemClock
from tehai.operations.errors import StoreFullError, StoreUnavailableError
from tehai.operations.records import BlobKind, SolveState
from tehai.operations.sqlite_store import open_sqlite
from tehai.operations.store import Store
from tehai.runner.errors import SolveFailedError, SolveMemoryError
from tehai.runner.frames import FrameKind, SolveJob
from tehai.runner.processes import start_process
from tehai.runner.runner import Runner
from tehai.runner.solve_process import SolveProcess, orders_of
from tests.runner.programs import start_program
from tests.runner.service import (
    ENDLESS,
    SHORT,
    Service,
    busy_problem,
    is_running,
    small_problem,
    until,
)

pytestmark = pytest.mark.asyncio


async def killed(runner: Runner, solve_id: str, number: signal.Signals) -> int:
    """Kill the process of a solve once it is at work, and return its number."""
    await until(lambda: solve_id in runner.pids, "its process starts")
    pid = runner.pids[solve_id]
    os.kill(pid, number)
    await until(lambda: runner.pids.get(solve_id) != pid, "the death is noticed")
    return pid


async def test_a_solve_whose_process_is_killed_runs_again(service: Service) -> None:
    """After kill -9 of its process a solve is begun again, and its result comes from the second attempt alone."""
    runner = await service.runner()
    solve_id = await service.create(busy_problem(), ENDLESS)
    await service.has_plan(solve_id)
    await killed(runner, solve_id, signal.SIGKILL)
    await until(lambda: solve_id in runner.pids, "the second attempt starts")
    assert service.told.left == [(solve_id, True)]
    await service.store.request_cancel("tenant-a", solve_id)
    record = await service.ended(solve_id)
    assert record.attempt_count == 2


async def test_a_solve_whose_process_always_dies_fails_with_the_reason(service: Service) -> None:
    """After the last attempt the solve is FAILED and says that its worker died, and how often."""
    runner = await service.runner()
    solve_id = await service.create(busy_problem(), ENDLESS, attempts_max=2)
    first = await killed(runner, solve_id, signal.SIGKILL)
    second = await killed(runner, solve_id, signal.SIGKILL)
    assert first != second
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.FAILED, 2)
    status = status_pb2.Status.FromString(record.error)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.metadata["attempt_count"]) == ("WORKER_DIED", "2")
    await until(lambda: runner.running == 0, "the runner is done with it")
    assert [outcome.value for _, outcome, _ in service.told.ended] == ["failed"]


async def test_too_little_memory_fails_with_the_limit(service: Service) -> None:
    """A solve that wants more than it may have fails at its first attempt and says how much that is."""
    runner = await service.runner(solve_memory_mb_max=1)
    solve_id = await service.create(busy_problem(), ENDLESS)
    runner.wake(solve_id)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.FAILED, 1)
    assert [type(error) for error in service.errors] == [SolveMemoryError]
    assert b"more than 1 MB" in record.error


async def test_enough_memory_is_enough(service: Service) -> None:
    """Under a limit that it does not reach, a solve ends as without one."""
    await service.runner(solve_memory_mb_max=4096)
    solve_id = await service.create(small_problem(), SHORT)
    assert (await service.ended(solve_id)).state is SolveState.SUCCEEDED


@pytest.mark.parametrize("number", [signal.SIGABRT, signal.SIGSEGV])
async def test_an_abort_under_a_limit_of_memory_is_for_lack_of_it(service: Service, number: signal.Signals) -> None:
    """Native code that gets no memory aborts: with a limit that is what the solve says, and it is not tried again."""
    runner = await service.runner(solve_memory_mb_max=4096)
    solve_id = await service.create(busy_problem(), ENDLESS)
    await killed(runner, solve_id, number)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.FAILED, 1)
    assert [type(error) for error in service.errors] == [SolveMemoryError]


async def test_an_abort_without_a_limit_is_a_death(service: Service) -> None:
    """Where memory has no limit, an abort is a death like any other, and the solve is tried again."""
    runner = await service.runner()
    solve_id = await service.create(busy_problem(), ENDLESS, attempts_max=2)
    await killed(runner, solve_id, signal.SIGABRT)
    await until(lambda: solve_id in runner.pids, "the second attempt starts")
    assert service.told.left == [(solve_id, True)]


async def test_a_claim_that_is_lost_ends_the_process_and_changes_nothing(service: Service, database: Path) -> None:
    """Once another server has the solve, this one kills its process; the other's result stays."""
    runner = await service.runner()
    solve_id = await service.create(busy_problem(), ENDLESS)
    await service.has_plan(solve_id)
    pid = runner.pids[solve_id]
    # No look for solves may come between the two.
    os.kill(pid, signal.SIGSTOP)
    other = await open_sqlite(database, SystemClock())
    try:
        places = service.places(runner)
        taken = places.reserve()
        assert taken is not None
        assert {record.solve_id for record in (await other.recover({runner.owner})).requeued} == {solve_id}
        claim = await other.claim_next("another server", 300.0, 10)
        assert claim is not None
        assert claim.solve_id == solve_id
        await until(lambda: not is_running(pid), "the process is killed")
        await until(lambda: runner.running == 0, "the runner is done with it")
        assert (await service.record(solve_id)).owner == "another server"
        await other.succeed(claim, b"result", None, b"")
    finally:
        await other.close()
    assert await service.store.get_blob("tenant-a", BlobKind.RESULT, solve_id) == b"result"
    assert service.told.left == [(solve_id, False)]


class Trouble:
    """A store whose ``method`` raises ``errors`` one after the other, before or after it does what it is asked."""

    def __init__(self, store: Store, method: str, errors: list[Exception], *, after: bool) -> None:
        self._store = store
        self._method = method
        self._errors = errors
        self._after = after

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        found = getattr(self._store, name)
        return self._failing(found) if name == self._method else found

    def _failing(self, found: Any) -> Any:  # noqa: ANN401 - any method
        async def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            if not self._errors:
                return await found(*arguments, **named)
            if self._after:
                await found(*arguments, **named)
            raise self._errors.pop(0)

        return call


AWAY = StoreUnavailableError("gone")
FULL = StoreFullError("no space left on device")


@pytest.mark.parametrize("after", [False, True])
async def test_a_result_waits_for_the_store(service: Service, after: bool) -> None:
    """A result is stored once the store is back, and once only where it was stored and the answer was lost."""
    trouble = Trouble(service.store, "succeed", [AWAY] if after else [AWAY, FULL, AWAY], after=after)
    runner = await service.runner(trouble)
    solve_id = await service.create(small_problem(), SHORT)
    runner.wake(solve_id)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.SUCCEEDED, 1)
    assert (await service.result(record)).verified
    await until(lambda: runner.running == 0 and service.places(runner).free == 2, "the runner is done with it")


@pytest.mark.parametrize("method", ["record_progress", "renew", "claim_next", "counts"])
async def test_a_store_that_is_away_for_a_while_ends_no_solve(service: Service, method: str) -> None:
    """Progress, signs of life and claims that fail are made up for."""
    trouble = Trouble(service.store, method, [AWAY] * 5, after=False)
    await service.runner(trouble)
    solve_id = await service.create(small_problem(), SHORT)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.SUCCEEDED, 1)


async def test_a_problem_that_cannot_be_read_just_now_costs_no_attempt(service: Service) -> None:
    """Where the store is away while it should give the problem, the solve begins again, and not at once."""
    trouble = Trouble(service.store, "read_blob", [AWAY], after=False)
    await service.runner(trouble)
    solve_id = await service.create(small_problem(), SHORT)
    await until(lambda: bool(service.told.left), "the solve is left")
    # Many looks at the queue, and no claim until the runner's clock says that the pause is over.
    await asyncio.sleep(0.3)
    assert (await service.record(solve_id)).state is SolveState.QUEUED
    service.clock.advance(1.0)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.SUCCEEDED, 1)
    assert service.told.left == [(solve_id, False)]


async def test_a_failure_of_the_solver_is_not_tried_again(
    service: Service, fork_server: ForkServerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the solver raises ends the solve at its first attempt, with an error whose text is for the log."""
    runner = await service.runner()
    # A worker that may take no number of threads raises TypeError.
    job = SolveJob(0.1, None, 0, kept=True)  # type: ignore[arg-type]
    monkeypatch.setattr(service.places(runner), "new_process", lambda **_: SolveProcess(fork_server, job))
    solve_id = await service.create(small_problem(), SHORT)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.FAILED, 1)
    (error,) = service.errors
    assert isinstance(error, SolveFailedError)
    assert "TypeError" in str(error)


async def test_a_stop_that_comes_before_the_problem_is_heard(fork_server: ForkServerContext) -> None:
    """A solve that is stopped before its process has its problem ends with an answer all the same."""
    process = SolveProcess(fork_server, SolveJob(0.1, 1, 0, kept=True))
    process.stop()
    # As long as the thread that says so needs to come first.
    await asyncio.sleep(0.1)
    process.start(orders_of(small_problem(), SHORT.SerializeToString()))
    kinds = [kind async for kind, _ in process.frames()]
    assert kinds[-1] in (FrameKind.CANCELLED, FrameKind.RESULT)
    await process.close(10.0)
    assert process.exit_code == 0


async def test_a_process_that_cannot_be_started_costs_no_attempt(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the machine has no process to give, the solve waits, and begins when it has."""
    refusals = [OSError("no more processes")] * 3

    def start(process: ForkServerProcess) -> None:
        if refusals:
            raise refusals.pop()
        start_process(process)

    monkeypatch.setattr("tehai.runner.solve_process.start_process", start)
    runner = await service.runner()
    solve_id = await service.create(small_problem(), SHORT)
    while not service.told.ended:
        # The runner rests after each refusal.
        service.clock.advance(0.1)
        await asyncio.sleep(0.01)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.SUCCEEDED, 1)
    assert service.told.left == [(solve_id, False)] * 3
    await until(lambda: service.places(runner).free == 2, "the places are free")


async def test_a_problem_in_many_parts_is_one_problem(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A problem goes from the store to its process part by part, and arrives whole."""
    monkeypatch.setattr("tehai.runner.claimed_solve.PART_BYTES", 10)
    runner = await service.runner()
    solve_id = await service.create(small_problem(), SHORT)
    runner.wake(solve_id)
    assert (await service.ended(solve_id)).state is SolveState.SUCCEEDED


async def test_a_server_that_is_killed_loses_nothing(service: Service, database: Path) -> None:
    """After kill -9 of a server its processes end, and the next server on this machine runs its solve at once."""
    program = await start_program("serve", database)
    try:
        solve_id = await service.create(busy_problem(), ENDLESS)
        await service.has_plan(solve_id)
        pids = await program.pids()
        assert len(pids) == 2, "a solve and a query process"
        assert all(is_running(pid) for pid in pids)
    finally:
        await program.kill()
    await until(lambda: not any(is_running(pid) for pid in pids), "its processes end")
    assert (await service.record(solve_id)).state is SolveState.RUNNING
    # The lease of that server would hold for five more minutes.
    runner = await service.runner()
    await until(lambda: solve_id in runner.pids, "the second attempt starts")
    record = await service.record(solve_id)
    assert (record.attempt_count, record.owner) == (2, runner.owner)


async def test_a_server_that_lives_keeps_its_solves(service: Service, database: Path) -> None:
    """A second server on the same machine takes nothing from one that is alive."""
    program = await start_program("serve", database)
    try:
        solve_id = await service.create(busy_problem(), ENDLESS)
        await service.has_plan(solve_id)
        before = await service.record(solve_id)
        await service.runner()
        await asyncio.sleep(0.3)
        after = await service.record(solve_id)
        assert (after.owner, after.attempt_count) == (before.owner, 1)
    finally:
        await program.kill()
