"""Requests of the fault tests: a solve that takes about a second, and one that runs until somebody stops it."""

from __future__ import annotations

from functools import cache

from benches.instances import InstanceSpec, Size, _Drawer
from tehai.v1.plan_pb2 import SolveOptions
from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CreateSolveRequest
from tehai.wire import problem_to_proto
from tests.wire.small_problem import small_message

QUICK = SolveOptions(work_limit=3)
ENDLESS = SolveOptions(time_limit_seconds=3600, gap_fraction=0, threads=1)
# Small enough for a plan within a second, with a gap that nobody closes.
_SIZE = Size(workloads=60, pools=6, periods=12, work_hours_min=500.0, work_hours_max=20_000.0)


@cache
def endless_problem() -> Problem:
    """Return a problem that keeps a solver busy for as long as it may; do not change it."""
    return problem_to_proto(_Drawer("faults", InstanceSpec(_SIZE, 0.6, 1)).problem())


def quick_solve(request_id: str = "", **fields: object) -> CreateSolveRequest:
    """Return a request whose solve takes about a second, most of it the start of a process."""
    return CreateSolveRequest(problem=small_message(), options=QUICK, request_id=request_id, **fields)  # type: ignore[arg-type]


def endless_solve(request_id: str = "", **fields: object) -> CreateSolveRequest:
    """Return a request whose solve runs until it is cancelled."""
    return CreateSolveRequest(problem=endless_problem(), options=ENDLESS, request_id=request_id, **fields)  # type: ignore[arg-type]
