"""A queue with an end, priorities, and the end of a server: no accepted solve is lost, no stream hangs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import SolveState
from tests.server.process import ServerProcess, reason_of, retry_seconds, wait_until
from tests.server.waiting import ENDLESS, SHORT, cancel, create, ended, get, running, solve_of

Code = grpc.StatusCode
SERVING = health_pb2.HealthCheckResponse.SERVING


@pytest.fixture(scope="module")
def short_queue() -> Iterator[ServerProcess]:
    """Return a server with one place and a queue of two."""
    with ServerProcess(solves_max=1, queue_max=2) as process:
        yield process


def test_a_full_queue_says_when_to_try_again(
    short_queue: ServerProcess, long_problem: Problem, small_problem: Problem
) -> None:
    """Past the queue's end a creation is refused with a time; a repeated one is answered, and place comes back."""
    first = running(short_queue, long_problem)
    waiting = [create(short_queue, small_problem, SHORT, request_id=f"waiting-{i}", priority=9 - i) for i in range(2)]
    with pytest.raises(grpc.RpcError) as caught:
        create(short_queue, small_problem, SHORT)
    assert caught.value.code() is Code.RESOURCE_EXHAUSTED
    assert reason_of(caught.value) == "QUEUE_FULL"
    assert retry_seconds(caught.value) > 0
    assert create(short_queue, small_problem, SHORT, request_id="waiting-0", priority=9).name == waiting[0].name
    # One that waits ends at once.
    cancel(short_queue, waiting[0])
    assert get(short_queue, waiting[0]).state == SolveState.SOLVE_STATE_CANCELLED
    last = create(short_queue, small_problem, SHORT, priority=1)
    cancel(short_queue, first)
    ended(short_queue, first)
    # The later one has the better priority.
    starts = [ended(short_queue, operation).start_time.ToNanoseconds() for operation in (last, waiting[1])]
    assert starts == sorted(starts)


def test_a_tenant_has_a_queue_of_its_own(long_problem: Problem, small_problem: Problem) -> None:
    """The limit of the tenant is told by its name, and counts what waits."""
    with ServerProcess(solves_max=1, limit_solves_queued=1) as server:
        first = running(server, long_problem)
        create(server, small_problem, ENDLESS, request_id="waits")
        with pytest.raises(grpc.RpcError) as caught:
            create(server, small_problem, ENDLESS)
        assert caught.value.code() is Code.RESOURCE_EXHAUSTED
        assert reason_of(caught.value) == "LIMIT_EXCEEDED"
        assert caught.value.details() == "solves_queued: 1 solves wait already"
        assert retry_seconds(caught.value) > 0
        assert create(server, small_problem, ENDLESS, request_id="waits").name
        # A killed server gives nothing up: what ran and what waited is there when the next one starts.
        server.signal(signal.SIGKILL)
        server.wait(30)
        with ServerProcess(solves_max=1, database_path=server.settings["database_path"]) as next_server:
            solves = next_server.stub().ListSolves(pb.ListSolvesRequest(), timeout=30).solves
            assert len(solves) == 2

            def runs_again() -> bool:
                solve = get(next_server, first)
                return solve.state == SolveState.SOLVE_STATE_RUNNING and solve.attempt_count == 2

            wait_until(runs_again, 60, "the solve runs again")


def test_a_server_that_is_full_of_streams_says_so(long_problem: Problem) -> None:
    """One stream more than the server takes is refused with a time; calls and health go on, and place comes back."""
    with ServerProcess(solves_max=1, streams_open_max=2) as server:
        request = pb.WatchSolveRequest(name=solve_of(running(server, long_problem)))
        watches: list[Any] = [server.stub().WatchSolve(request, timeout=120) for _ in range(2)]
        for watch in watches:
            next(watch)
        one_more: Any = server.stub().WatchSolve(request, timeout=30)
        with pytest.raises(grpc.RpcError) as caught:
            next(one_more)
        assert (caught.value.code(), reason_of(caught.value)) == (Code.RESOURCE_EXHAUSTED, "SERVER_BUSY")
        assert retry_seconds(caught.value) > 0
        limits = server.stub().GetLimits(pb.GetLimitsRequest(), timeout=30).limits
        assert {limit.name: limit.value for limit in limits}["server_streams_open"] == 2
        health = health_pb2_grpc.HealthStub(server.channel())
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=30).status == SERVING
        watches[0].cancel()

        def is_taken() -> bool:
            again: Any = server.stub().WatchSolve(request, timeout=30)
            try:
                next(again)
            except grpc.RpcError as error:
                if reason_of(error) != "SERVER_BUSY":
                    raise
                return False
            return True

        wait_until(is_taken, 30, "the place of the watch that ended is free")


def test_a_drain_ends_every_solve_and_every_stream(
    tmp_path: Path, long_problem: Problem, small_problem: Problem
) -> None:
    """On SIGTERM a running solve ends with its plan, its watcher sees the end, others end in UNAVAILABLE.

    What waits is still there for the next server, which the first one does not disturb.
    """
    path = tmp_path / "solves.sqlite3"
    with ServerProcess(solves_max=1, shutdown_grace_seconds=60, database_path=path) as server:
        first = running(server, long_problem)
        waiting = create(server, small_problem, SHORT)
        watch_first = server.stub().WatchSolve(pb.WatchSolveRequest(name=solve_of(first)), timeout=120)
        watch_waiting: Any = server.stub().WatchSolve(pb.WatchSolveRequest(name=solve_of(waiting)), timeout=120)
        assert next(watch_waiting).changed.state == SolveState.SOLVE_STATE_QUEUED
        server.signal(signal.SIGTERM)
        last = list(watch_first)[-1].ended
        assert last.state == SolveState.SOLVE_STATE_SUCCEEDED
        assert last.plan
        with pytest.raises(grpc.RpcError) as caught:
            list(watch_waiting)
        assert caught.value.code() is Code.UNAVAILABLE
        assert server.wait(60) == 0
        assert server.lines("ended")
    with ServerProcess(solves_max=1, database_path=path) as server:
        assert get(server, first) == last
        assert ended(server, waiting).plan
