"""Small parts of the runner: places, names of owners, traces, and that a server that has it stays light."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from multiprocessing.context import ForkServerContext

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tehai.runner.errors import ShuttingDownError, SolveFailedError, TooManySolvesError
from tehai.runner.frames import FrameKind, Phase
from tehai.runner.owners import gone, new_owner
from tehai.runner.places import Places
from tehai.runner.settings import RunnerSettings
from tehai.runner.traces import KEPT_MAX, TracesOfSolves
from tehai.telemetry.tracing import start_tracing, stop_tracing
from tests.runner.service import ENDLESS, SHORT, Service, busy_problem, is_running, small_problem, until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@pytest.mark.asyncio
async def test_a_solve_of_a_call_gives_progress_then_its_result(fork_server: ForkServerContext) -> None:
    """A call sees progress and one result; phases go elsewhere; the place is free once the process is gone."""
    places = Places(fork_server, RunnerSettings(solves_max=1))
    phases: list[Phase] = []
    kinds = []
    async with places.start(small_problem(), SHORT.SerializeToString(), phases.append) as solve:
        async for kind, _ in solve.frames():
            kinds.append(kind)
        pid = solve.pid
        # A caller that takes its time with the answer keeps no place.
        await until(lambda: places.free == 1, "the place is free")
    assert kinds[-1] is FrameKind.RESULT
    assert set(kinds[:-1]) <= {FrameKind.PROGRESS}
    assert phases[-1].name == "certify"
    assert places.free == 1
    assert pid is not None
    assert not is_running(pid)


@pytest.mark.asyncio
async def test_calls_and_the_store_share_the_places(service: Service) -> None:
    """A solve of the store takes a place from calls, a call takes one from the store, and each gives it back."""
    runner = await service.runner(solves_max=1, retry_seconds=3.0)
    places = service.places(runner)
    options = ENDLESS.SerializeToString()
    async with places.start(busy_problem(), options) as solve:
        solve_id = await service.create(small_problem(), SHORT)
        runner.wake(solve_id)
        await asyncio.sleep(0.2)
        assert service.told.started == []
        with pytest.raises(TooManySolvesError) as caught:
            async with places.start(busy_problem(), options):
                pass
        assert caught.value.retry_seconds == 3.0
        solve.kill()
    assert (await service.ended(solve_id)).attempt_count == 1


@pytest.mark.asyncio
async def test_calls_of_one_tenant_leave_places_to_others(fork_server: ForkServerContext) -> None:
    """A tenant at its limit is refused though a place is free, which another tenant gets."""
    places = Places(fork_server, RunnerSettings(solves_max=2, solves_per_tenant_max=1))
    arguments = (small_problem(), SHORT.SerializeToString(), None)
    async with places.start(*arguments, "a") as first:
        with pytest.raises(TooManySolvesError):
            async with places.start(*arguments, "a"):
                pass
        assert places.free == 1
        async with places.start(*arguments, "b") as second:
            assert {kind async for kind, _ in second.frames()} >= {FrameKind.RESULT}
        assert {kind async for kind, _ in first.frames()} >= {FrameKind.RESULT}
    await until(lambda: places.free == 2, "the places are free")
    async with places.start(*arguments, "a") as again:
        assert {kind async for kind, _ in again.frames()} >= {FrameKind.RESULT}


@pytest.mark.asyncio
async def test_a_call_waits_for_a_place_that_may_be_free(fork_server: ForkServerContext) -> None:
    """While the runner asks the store for work, a call is not refused for the place that this may take."""
    places = Places(fork_server, RunnerSettings(solves_max=1))
    for is_needed in (False, True):
        async with places.maybe() as take:
            assert take is not None
            call = asyncio.create_task(one_solve(places))
            await asyncio.sleep(0)
            async with places.maybe() as none:
                assert none is None
            place = take() if is_needed else None
        if place is None:
            assert await call is FrameKind.RESULT
            await until(lambda: places.free == 1, "the place is free")
        else:
            with pytest.raises(TooManySolvesError):
                await call
            assert places.free == 0
            place.release()
    assert places.free == 1


async def one_solve(places: Places) -> FrameKind:
    """Solve a small problem as a call does and return how it ended."""
    async with places.start(small_problem(), SHORT.SerializeToString()) as solve:
        return [kind async for kind, _ in solve.frames()][-1]


@pytest.mark.asyncio
async def test_the_end_of_all_calls_leaves_no_process(fork_server: ForkServerContext) -> None:
    """After the end no call's process is there, its call ends in an error, and new calls are refused."""
    places = Places(fork_server, RunnerSettings(cancel_grace_seconds=600))
    async with places.start(busy_problem(), ENDLESS.SerializeToString()) as solve:
        await until(lambda: solve.pid is not None, "its process starts")
        pid = solve.pid
        ending = asyncio.create_task(places.end_all())
        with pytest.raises(SolveFailedError):
            [_ async for _ in solve.frames()]
    await ending
    assert pid is not None
    await until(lambda: not is_running(pid), "the process is gone")
    with pytest.raises(ShuttingDownError):
        async with places.start(small_problem(), b""):
            pass


def test_owners_are_told_apart() -> None:
    """Only an owner of this machine whose process is dead, or was another one, is gone."""
    mine = new_owner()
    assert mine != new_owner()
    assert len(mine) <= 128
    host, boot, namespace, _, start, token = mine.split("/")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    died = "/".join((host, boot, namespace, str(dead.pid), start, token))
    reused = "/".join((host, boot, namespace, str(os.getpid()), "1", token))
    elsewhere = "/".join((host, "another-boot", namespace, str(dead.pid), start, token))
    other_container = "/".join((host, boot, "1", str(dead.pid), start, token))
    owners = {mine, died, reused, elsewhere, other_container, "worker-1", ""}
    assert gone(owners) == {died, reused}


def test_traces_are_kept_up_to_a_number() -> None:
    """What is no trace is not kept, and the oldest goes first."""
    traces = TracesOfSolves()
    traces.keep("bad", "no traceparent")
    assert traces.get("bad") is None
    for number in range(KEPT_MAX + 1):
        traces.keep(str(number), TRACEPARENT)
    assert traces.get("0") is None
    assert str(traces.get("1")) == TRACEPARENT
    traces.drop("1")
    assert traces.get("1") is None


@pytest.mark.asyncio
async def test_phases_become_spans_of_the_trace_that_created_the_solve(service: Service) -> None:
    """With tracing on, waiting and each phase are spans in the caller's trace."""
    exporter = InMemorySpanExporter()
    start_tracing(exporter=exporter)
    try:
        runner = await service.runner(claim_poll_seconds=60.0)
        solve_id = await service.create(small_problem(), SHORT)
        runner.wake(solve_id, TRACEPARENT)
        await service.ended(solve_id)
    finally:
        stop_tracing()
    spans = exporter.get_finished_spans()
    phases = [f"solve.{name}" for _, name, _, _ in service.told.phases]
    assert len(phases) > 2
    # The process is gone, and its span over, a moment after the solve has ended.
    assert [span.name for span in spans if span.name != "solve.process"] == ["solve.wait", *phases]
    for span in spans:
        assert f"{span.context.trace_id:032x}" == TRACE_ID
        assert (span.attributes or {})["solve"] == solve_id


def test_a_server_that_runs_solves_loads_no_solver() -> None:
    """Runner, places and queries load without OR-Tools, the engine and the pipeline."""
    heavy = ("ortools", "tehai.master", "tehai.solve", "tehai.pipeline", "tehai.engine", "tehai.catalog")
    program = (
        "import sys, tehai.runner.runner, tehai.runner.places, tehai.runner.queries;"
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
