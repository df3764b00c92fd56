"""No room left for the database: a clear status, reading and running solves go on, and so does all else afterwards."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from tehai.v1 import plan_pb2, solve_pb2
from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CreateSolveRequest, GetPlanRequest, ListSolvesRequest
from tests.faults.conftest import Place
from tests.faults.load import CALL_SECONDS
from tests.faults.problems import QUICK, endless_problem, endless_solve, quick_solve
from tests.faults.service import Service
from tests.faults.steps import cancel, created, ended, repeated, running, solve
from tests.server.process import reason_of, retry_seconds

CREATIONS_MAX = 1_000
ROOM_BYTES = 500_000
FULL_SECONDS = 3.0
SETTINGS = {
    "solves_max": 1,
    "limit_heavy_requests_per_second": 10_000,
    "limit_solves_queued": 10_000,
    "shutdown_grace_seconds": 1,
}


def unlike_others(number: int) -> CreateSolveRequest:
    """Return a request with a problem whose bytes are like no other's; it waits behind everything else."""
    problem = Problem()
    problem.CopyFrom(endless_problem())
    problem.workloads[0].display_name = f"number {number}"
    return CreateSolveRequest(problem=problem, options=QUICK, request_id=f"fill-{number}", priority=9)


def fill(service: Service) -> tuple[CreateSolveRequest, grpc.RpcError]:
    """Create solves until one is refused, and return its request and how."""
    stub = service.stub()
    for number in range(CREATIONS_MAX):
        request = unlike_others(number)
        try:
            stub.CreateSolve(request, timeout=CALL_SECONDS)
        except grpc.RpcError as error:
            return request, error
    raise AssertionError("the disk did not become full")


def solves(service: Service) -> int:
    """Return how many solves are listed."""
    return len(service.stub().ListSolves(ListSolvesRequest(page_size=1_000), timeout=CALL_SECONDS).solves)


def fill_and_free(service: Service, limit: Callable[[], object], free: Callable[[], object]) -> None:
    """Fill the disk while a solve runs, look at what goes on, make room, and look again."""
    name = created(service, quick_solve())
    assert ended(service, name).state == solve_pb2.SOLVE_STATE_SUCCEEDED
    runs = created(service, endless_solve())
    running(service, runs)
    limit()
    request, refusal = fill(service)
    # Long enough for several signs of life of the solve that runs, which cannot be written either.
    time.sleep(FULL_SECONDS)
    check_while_full(service, name, refusal)
    listed = solves(service)
    free()
    # What was refused left nothing: its request id is free for the same request.
    repeated(lambda: created(service, request), 60, "the request that was refused is taken")
    assert solves(service) == listed + 1
    assert solve(service, runs).state == solve_pb2.SOLVE_STATE_RUNNING
    cancel(service, runs)
    last = ended(service, runs)
    assert (last.state, last.attempt_count) == (solve_pb2.SOLVE_STATE_SUCCEEDED, 1)
    after = created(service, quick_solve("after", priority=1))
    assert ended(service, after).state == solve_pb2.SOLVE_STATE_SUCCEEDED


def check_while_full(service: Service, name: str, refusal: grpc.RpcError) -> None:
    """The refusal says what it is, and reading goes on."""
    assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, refusal
    assert reason_of(refusal) == "STORE_FULL"
    assert retry_seconds(refusal) > 0
    found = solve(service, name)
    assert found.state == solve_pb2.SOLVE_STATE_SUCCEEDED
    plan: plan_pb2.Plan = service.stub().GetPlan(GetPlanRequest(name=found.plan), timeout=CALL_SECONDS)
    assert plan.placements
    assert service.alive


def test_a_file_size_limit(sqlite_place: Place) -> None:
    """Under a limit on the size of files creating is RESOURCE_EXHAUSTED with a time to retry; lifted, all goes on."""
    with sqlite_place.service(**SETTINGS) as service:

        def limit() -> None:
            files = (service.database_path, service.database_path.with_name(service.database_path.name + "-wal"))
            service.limit_file_bytes(max(file.stat().st_size for file in files) + ROOM_BYTES)

        fill_and_free(service, limit, lambda: service.limit_file_bytes(resource.RLIM_INFINITY))
    assert sqlite_place.database(service).damage() == []


@pytest.mark.faults
def test_a_file_system_without_room(tmp_path: Path) -> None:
    """So it is on a small file system of its own, which is enlarged afterwards."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a file system")
    try:
        with Place(folder, "").service(**SETTINGS) as service:
            enlarge = ["mount", "-o", "remount,size=200m", str(folder)]
            fill_and_free(service, lambda: None, lambda: subprocess.run(enlarge, check=True))
        assert Place(folder, "").database(service).damage() == []
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
