"""A runner over a store, with short waits and a clock that tests move, and what can be seen of it."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from tehai.operations.clock import ManualClock
from tehai.operations.records import BlobKind, EventKind, NewSolve, QueueCounts, SolveRecord, SolveState
from tehai.operations.store import Store
from tehai.runner.observer import Outcome
from tehai.runner.places import Places
from tehai.runner.runner import Runner
from tehai.runner.settings import RunnerSettings
from tehai.v1 import plan_pb2, problem_pb2, solve_pb2, sourcing_service_pb2
from tehai.wire import parse_text

TENANT = "tenant-a"
# Far above what anything here takes; machines of tests are slow at times.
PATIENCE_SECONDS = 120.0
# Ends by itself after a moment, with a plan.
SHORT = plan_pb2.SolveOptions(work_limit=2, seed=1, threads=1)
# Does not end by itself while a test runs.
ENDLESS = plan_pb2.SolveOptions(time_limit_seconds=3600, gap_fraction=0, threads=1)
FAST: dict[str, Any] = {
    "heartbeat_seconds": 0.05,
    "claim_poll_seconds": 0.05,
    "retry_seconds": 0.05,
    "progress_interval_seconds": 0.02,
    "lease_seconds": 300.0,
}
_numbers = itertools.count(1)


def small_problem() -> bytes:
    """Return the small problem of the tests, serialised."""
    path = Path(__file__).resolve().parents[1] / "data" / "small.yaml"
    parsed = parse_text(path.read_bytes(), problem_pb2.Problem, source_name=path.name)
    assert parsed.message is not None
    return parsed.message.SerializeToString(deterministic=True)


def busy_problem() -> bytes:
    """Return a problem that keeps a solver busy: its gap does not close."""
    from tehai.catalog import demo_problem
    from tehai.wire import problem_to_proto

    return problem_to_proto(demo_problem("small")).SerializeToString(deterministic=True)


def broken_problem(workloads: int) -> bytes:
    """Return a problem in which every one of many workloads is wrong."""
    problem = problem_pb2.Problem.FromString(small_problem())
    while len(problem.workloads) < workloads:
        problem.workloads.add().CopyFrom(problem.workloads[0])
        problem.workloads[-1].id = f"copy-{len(problem.workloads)}"
    for workload in problem.workloads:
        workload.member_id = "nobody"
    return problem.SerializeToString(deterministic=True)


def is_running(pid: int) -> bool:
    """Return whether a process is there and no zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait until ``true()``; fail with ``what`` where it never is."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, f"never: {what}"
        await asyncio.sleep(0.01)


def plain_status(error: Exception) -> bytes:
    """Return what stands for a status in tests: the error's class and text."""
    return f"{type(error).__name__}: {error}".encode()


@dataclass
class Told:
    """An observer that keeps everything."""

    started: list[str] = field(default_factory=list)
    ended: list[tuple[str, Outcome, float | None]] = field(default_factory=list)
    left: list[tuple[str, bool]] = field(default_factory=list)
    phases: list[tuple[str, str, int, int]] = field(default_factory=list)
    counts: list[QueueCounts] = field(default_factory=list)

    def solve_started(self, solve_id: str) -> None:
        """Keep it."""
        self.started.append(solve_id)

    def solve_ended(self, solve_id: str, outcome: Outcome, seconds: float, gap: float | None) -> None:
        """Keep it."""
        assert seconds >= 0
        self.ended.append((solve_id, outcome, gap))

    def solve_left(self, solve_id: str, *, died: bool) -> None:
        """Keep it."""
        self.left.append((solve_id, died))

    def phase(self, solve_id: str, name: str, start_ns: int, end_ns: int) -> None:
        """Keep it."""
        self.phases.append((solve_id, name, start_ns, end_ns))

    def queue(self, counts: QueueCounts) -> None:
        """Keep it."""
        self.counts.append(counts)


class Service:
    """Runners over one store; most tests have one."""

    def __init__(self, context: ForkServerContext, store: Store) -> None:
        self.context = context
        self.store = store
        self.clock = ManualClock()
        self.told = Told()
        self.errors: list[Exception] = []
        self._runners: list[tuple[Runner, Places]] = []

    async def runner(self, store: Store | None = None, **settings: Any) -> Runner:  # noqa: ANN401 - any setting
        """Return a runner that has started."""
        chosen = RunnerSettings(**{**FAST, **settings})
        places = Places(self.context, chosen)
        runner = Runner(store or self.store, places, chosen, self._status_of, self.told, self.clock)
        self._runners.append((runner, places))
        await runner.start()
        return runner

    def places(self, runner: Runner) -> Places:
        """Return the places of a runner."""
        return next(places for known, places in self._runners if known is runner)

    def _status_of(self, error: Exception) -> bytes:
        self.errors.append(error)
        return plain_status(error)

    async def close(self) -> None:
        """End every runner, and with it every process."""
        for runner, places in self._runners:
            await runner.drain(0.0)
            await places.end_all()

    async def create(
        self,
        problem: bytes,
        options: plan_pb2.SolveOptions,
        *,
        tenant: str = TENANT,
        attempts_max: int = 3,
        priority: int = 5,
    ) -> str:
        """Create a solve and return its id."""
        return await create(self.store, problem, options, tenant=tenant, attempts_max=attempts_max, priority=priority)

    async def record(self, solve_id: str, tenant: str = TENANT) -> SolveRecord:
        """Return a solve as the store has it."""
        return await self.store.get_solve(tenant, solve_id)

    async def ended(self, solve_id: str, tenant: str = TENANT) -> SolveRecord:
        """Return a solve once it has ended, after the one event that says so."""
        sequence = 0
        ends = 0
        end = time.monotonic() + PATIENCE_SECONDS
        while not ends:
            events = await self.store.wait_for_events(tenant, solve_id, sequence, PATIENCE_SECONDS)
            assert events, f"{solve_id} does not end"
            assert time.monotonic() < end, f"{solve_id} does not end"
            sequence = events[-1].sequence
            ends += sum(event.kind is EventKind.ENDED for event in events)
        assert ends == 1
        return await self.record(solve_id, tenant)

    async def has_plan(self, solve_id: str, tenant: str = TENANT) -> None:
        """Wait until a running solve has told of a plan."""
        sequence = 0
        while True:
            events = await self.store.wait_for_events(tenant, solve_id, sequence, PATIENCE_SECONDS)
            assert events, f"{solve_id} finds no plan"
            sequence = events[-1].sequence
            for event in events:
                assert event.kind is not EventKind.ENDED, event
                if event.kind is EventKind.PROGRESS:
                    progress = sourcing_service_pb2.Progress.FromString(event.payload)
                    if progress.HasField("objective_yen"):
                        return

    async def state_is(self, solve_id: str, state: SolveState, tenant: str = TENANT) -> SolveRecord:
        """Wait until a solve is in a state, and return it."""
        end = time.monotonic() + PATIENCE_SECONDS
        while (record := await self.record(solve_id, tenant)).state is not state:
            assert time.monotonic() < end, f"{solve_id} stays {record.state}"
            await asyncio.sleep(0.01)
        return record

    async def result(self, record: SolveRecord) -> plan_pb2.SolveResult:
        """Return the result of a solve."""
        data = await self.store.get_blob(record.tenant, BlobKind.RESULT, record.solve_id)
        return plan_pb2.SolveResult.FromString(data)


async def create(
    store: Store,
    problem: bytes,
    options: plan_pb2.SolveOptions,
    *,
    tenant: str = TENANT,
    attempts_max: int = 3,
    priority: int = 5,
) -> str:
    """Create a solve and return its id."""
    digest = hashlib.sha256(problem).hexdigest()
    new = NewSolve(
        tenant=tenant,
        solve_id=f"solve-{os.getpid()}-{next(_numbers)}",
        request_sha256=digest,
        problem_sha256=digest,
        problem_bytes=len(problem),
        options=options.SerializeToString(),
        attempts_max=attempts_max,
        priority=priority,
    )
    record, is_new = await store.create_solve(new, problem, queue_max=1000)
    assert is_new
    return record.solve_id


def standing(record: SolveRecord) -> solve_pb2.SolveStanding:
    """Return where a solve stands."""
    return solve_pb2.SolveStanding.FromString(record.standing)
