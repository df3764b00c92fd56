"""Creating solves on a server and waiting for them, for the tests that only need one."""

from __future__ import annotations

from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration

from tehai.v1.plan_pb2 import SolveOptions
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import Solve, SolveState
from tehai.v1.sourcing_service_pb2 import CreateSolveRequest, GetSolveRequest
from tests.server.process import ServerProcess, wait_until

# Ends by itself after moments.
SHORT = SolveOptions(work_limit=5, seed=7, threads=1)
# Ends when it is told to.
ENDLESS = SolveOptions(time_limit_seconds=300, gap_fraction=0, threads=1)
# On a machine that is busy with much else.
WAIT_SECONDS = 200.0


def create(
    server: ServerProcess, problem: Problem, options: SolveOptions = SHORT, bearer: str = "", **more: object
) -> operations_pb2.Operation:
    """Create a solve."""
    request = CreateSolveRequest(problem=problem, options=options, **more)  # type: ignore[arg-type]
    return server.stub(bearer).CreateSolve(request, timeout=60)


def solve_of(operation: operations_pb2.Operation) -> str:
    """Return the name of the solve of an operation."""
    return str(operation.name).replace("/operations/", "/solves/")


def ended(server: ServerProcess, operation: operations_pb2.Operation, bearer: str = "") -> Solve:
    """Return a solve once it has ended."""
    wait = operations_pb2.WaitOperationRequest(name=operation.name, timeout=Duration(seconds=int(WAIT_SECONDS)))
    done = server.operations(bearer).WaitOperation(wait, timeout=WAIT_SECONDS + 10)
    assert done.done, done
    return get(server, operation, bearer)


def get(server: ServerProcess, operation: operations_pb2.Operation, bearer: str = "") -> Solve:
    """Return a solve as it is."""
    return server.stub(bearer).GetSolve(GetSolveRequest(name=solve_of(operation)), timeout=30)


def running(server: ServerProcess, problem: Problem, bearer: str = "", **more: object) -> operations_pb2.Operation:
    """Create a solve that goes on until it is told to stop, and return once it has a plan."""
    operation = create(server, problem, ENDLESS, bearer, **more)

    def has_plan() -> bool:
        solve = get(server, operation, bearer)
        assert solve.state in (SolveState.SOLVE_STATE_QUEUED, SolveState.SOLVE_STATE_RUNNING), solve
        return solve.standing.HasField("objective_yen")

    wait_until(has_plan, WAIT_SECONDS, "there is a plan")
    return operation


def cancel(server: ServerProcess, operation: operations_pb2.Operation, bearer: str = "") -> None:
    """Ask for the end of a solve."""
    server.operations(bearer).CancelOperation(operations_pb2.CancelOperationRequest(name=operation.name), timeout=30)
