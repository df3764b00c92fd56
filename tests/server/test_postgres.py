"""The server on PostgreSQL: what works with the embedded database works there (make test-services)."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import grpc
import pytest
from google.longrunning import operations_pb2 as lro

from tehai.catalog import demo_problem
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import SolveState
from tehai.wire import problem_to_proto
from tests.operations.servers import PostgresServer, fresh_schema
from tests.server.process import ServerProcess, reason_of, wait_until
from tests.server.waiting import SHORT, cancel, create, ended, get, running, solve_of

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """Return the URL of an empty database."""
    with fresh_schema(PostgresServer().start()) as url:
        yield url


@pytest.fixture(scope="module")
def on_postgres(database_url: str) -> Iterator[ServerProcess]:
    """Return a server on it."""
    with ServerProcess(database_url=database_url, solves_max=1) as process:
        yield process


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Return the small demo problem."""
    return problem_to_proto(demo_problem("small"))


def test_a_solve_from_creation_to_deletion(on_postgres: ServerProcess, problem: Problem) -> None:
    """Create, repeat, watch, read, list and delete."""
    operation = create(on_postgres, problem, SHORT, request_id="once", display_name="June")
    assert create(on_postgres, problem, SHORT, request_id="once", display_name="June").name == operation.name
    with pytest.raises(grpc.RpcError) as caught:
        create(on_postgres, problem, SHORT, request_id="once", display_name="July")
    assert reason_of(caught.value) == "REQUEST_ID_CONFLICT"
    name = solve_of(operation)
    events = list(on_postgres.stub().WatchSolve(pb.WatchSolveRequest(name=name), timeout=120))
    assert events[-1].ended.state == SolveState.SOLVE_STATE_SUCCEEDED
    solve = ended(on_postgres, operation)
    assert on_postgres.stub().GetPlan(pb.GetPlanRequest(name=solve.plan), timeout=30).placements
    quote = pb.QuoteWorkloadsRequest(plan=solve.plan, workloads=problem.workloads[:1])
    assert on_postgres.stub().QuoteWorkloads(quote, timeout=60).quotes
    listed = on_postgres.stub().ListSolves(pb.ListSolvesRequest(filter='display_name = "June"'), timeout=30)
    assert [found.name for found in listed.solves] == [name]
    on_postgres.operations().DeleteOperation(lro.DeleteOperationRequest(name=operation.name), timeout=30)
    with pytest.raises(grpc.RpcError) as caught:
        get(on_postgres, operation)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_two_servers_share_the_work(on_postgres: ServerProcess, database_url: str, problem: Problem) -> None:
    """What one server accepted another one runs, watched from the first; after kill -9 its solve runs again."""
    large = problem_to_proto(demo_problem("team-japan"))
    with ServerProcess(database_url=database_url, solves_max=1) as second:
        first = running(on_postgres, large)
        operation = create(on_postgres, problem, SHORT)
        watch = on_postgres.stub().WatchSolve(pb.WatchSolveRequest(name=solve_of(operation)), timeout=120)
        assert list(watch)[-1].ended.plan
        assert second.lines("solve ended")
        # The second one runs a solve whose operation is cancelled at the first.
        long = running(on_postgres, large)
        cancel(on_postgres, long)
        assert ended(on_postgres, long).plan
        lost = running(on_postgres, large)
        second.signal(signal.SIGKILL)
        second.wait(30)
        cancel(on_postgres, first)
        assert ended(on_postgres, first).plan
        with ServerProcess(database_url=database_url, solves_max=1) as third:

            def runs_again() -> bool:
                solve = get(third, lost)
                return solve.state == SolveState.SOLVE_STATE_RUNNING and solve.attempt_count == 2

            wait_until(runs_again, 90, "the solve of the killed server runs again")
            cancel(third, lost)
            ended(third, lost)
