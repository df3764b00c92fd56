"""A creation of 10,000 workloads: accepted as it is, and how long it kept others waiting (told, not judged)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.plan_pb2 import SolveOptions
from tehai.v1.problem_pb2 import Problem
from tests.server.process import ServerProcess
from tests.server.waiting import cancel, get

WORKLOADS = 10_000
CREATIONS = 5
IDLE_SECONDS = 0.5
# The loop is looked at every millisecond, in place of ten times a second.
FINE = "import tehai.telemetry.loop_lag as lag; lag.watch_loop_lag.__defaults__ = (0.001,)"
PROGRAM = ("-c", f"{FINE}; from tehai.cli.main import main; main()")


def large(problem: Problem) -> Problem:
    """Return a problem with 10,000 workloads."""
    copy = Problem()
    copy.CopyFrom(problem)
    originals = list(problem.workloads)
    while len(copy.workloads) < WORKLOADS:
        workload = copy.workloads.add()
        workload.CopyFrom(originals[len(copy.workloads) % len(originals)])
        workload.id = f"copy-{len(copy.workloads)}"
        workload.ClearField("after_workload_ids")
    return copy


def lags(metrics: str) -> dict[float, float]:
    """Return how many looks at the loop were later than each bound, in seconds."""
    found = re.findall(r'tehai_loop_lag_seconds_bucket\{le="([^"]+)"\} ([0-9.]+)', metrics)
    total = float(found[-1][1])
    return {float(bound): total - float(count) for bound, count in found[:-1]}


def test_a_large_creation_is_accepted_as_it_is(
    small_problem: Problem, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of several large problems is taken and its bytes are kept whole; times and lags are reported."""
    problem = large(small_problem)
    with ServerProcess(program=PROGRAM, telemetry_port=0, solves_max=1, stop_grace_seconds=0) as server:
        stub = server.stub()
        stub.GetLimits(pb.GetLimitsRequest(), timeout=30)
        # What the machine itself keeps waiting, in as much time.
        idle = lags(server.http_get("/metrics"))
        time.sleep(IDLE_SECONDS)
        before = lags(server.http_get("/metrics"))
        idle = {bound: before[bound] - idle[bound] for bound in before}
        operations, seconds = [], []
        for number in range(CREATIONS):
            request = pb.CreateSolveRequest(
                problem=problem, options=SolveOptions(time_limit_seconds=60), request_id=f"large-{number}"
            )
            started = time.monotonic()
            operations.append(stub.CreateSolve(request, timeout=60))
            seconds.append(time.monotonic() - started)
        after = lags(server.http_get("/metrics"))
        assert {get(server, operation).problem_bytes for operation in operations} == {problem.ByteSize()}
        for operation in operations:
            cancel(server, operation)
    later = {bound: after[bound] - before[bound] for bound in after}
    record_property("create_solve_seconds", sorted(seconds))
    record_property("loop_later_than", later)
    record_property("loop_later_than_while_idle", idle)
    with capsys.disabled():
        milliseconds = [round(1000 * second) for second in sorted(seconds)]
        print(f"\nCreateSolve, {problem.ByteSize()} bytes: {milliseconds} ms; loop later than: {later}; idle: {idle}")
