"""The server on PostgreSQL: every call of the contract, two servers on one database (make test-services).

Most tests of the server, of the clients and of the commands run on both databases; these need PostgreSQL alone.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import grpc
import pytest
from google.longrunning import operations_pb2 as lro
from prometheus_client.parser import text_string_to_metric_families

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.evaluation_pb2 import ScenarioChange
from tehai.v1.plan_pb2 import SolveResult
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import SolveState
from tests.operations.servers import fresh_schema, shared_server
from tests.server.process import ServerProcess, reason_of, wait_until
from tests.server.test_bytes import parts_of
from tests.server.waiting import SHORT, WAIT_SECONDS, cancel, create, ended, get, running, solve_of

SERVICES = (pb.DESCRIPTOR.services_by_name["SourcingService"], lro.DESCRIPTOR.services_by_name["Operations"])

pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """Return the URL of an empty database."""
    with shared_server() as server_url, fresh_schema(server_url) as url:
        yield url


@pytest.fixture(scope="module")
def on_postgres(database_url: str) -> Iterator[ServerProcess]:
    """Return a server on it."""
    with ServerProcess(database_url=database_url, solves_max=1, telemetry_port=0) as process:
        yield process


def watched(server: ServerProcess, operation: lro.Operation) -> list[pb.WatchSolveResponse]:
    """Return what a watch tells to the end of a solve; one that does not end says with its error how the solve is."""
    request = pb.WatchSolveRequest(name=solve_of(operation))
    try:
        return list(server.stub().WatchSolve(request, timeout=WAIT_SECONDS))
    except grpc.RpcError as error:
        error.add_note(f"the solve is: {get(server, operation)}")
        raise


def solved_from_parts(server: ServerProcess, problem: Problem) -> lro.Operation:
    """Return a solve of an uploaded problem, checked, watched to its end, and found by every way to look at it."""
    stub, operations = server.stub(), server.operations()
    assert not stub.CheckProblem(pb.CheckProblemRequest(problem=problem), timeout=60).violations
    stored = stub.UploadProblem(parts_of(problem.SerializeToString(), 1_000), timeout=60)
    request = pb.CreateSolveRequest(
        stored_problem=stored.name, options=SHORT, request_id="once", display_name="June", priority=3
    )
    operation = stub.CreateSolve(request, timeout=60)
    assert stub.CreateSolve(request, timeout=60).name == operation.name
    name = solve_of(operation)
    events = watched(server, operation)
    assert events[-1].ended.state == SolveState.SOLVE_STATE_SUCCEEDED
    # Taken up again where it broke off, it tells the rest: of what has ended, the end.
    again = list(stub.WatchSolve(pb.WatchSolveRequest(name=name, after_sequence=events[0].sequence), timeout=30))
    assert again[-1] == events[-1]
    assert all(event.sequence > events[0].sequence for event in again)
    assert ended(server, operation) == events[-1].ended
    assert operations.GetOperation(lro.GetOperationRequest(name=operation.name), timeout=30).done
    condition = 'display_name = "June" AND priority = 3'
    assert list(stub.ListSolves(pb.ListSolvesRequest(filter=condition), timeout=30).solves) == [events[-1].ended]
    listed = operations.ListOperations(lro.ListOperationsRequest(filter=condition), timeout=30).operations
    assert [found.name for found in listed] == [operation.name]
    return operation


def plan_of(server: ServerProcess, operation: lro.Operation) -> str:
    """Return the name of the plan of a solve; whole and in parts, what can be read of it is the same."""
    stub, name = server.stub(), solve_of(operation)
    result = stub.GetSolveResult(pb.GetSolveResultRequest(name=name), timeout=30)
    download = pb.DownloadSolveResultRequest(name=name, offset=0)
    data = b"".join(part.data for part in stub.DownloadSolveResult(download, timeout=30))
    assert SolveResult.FromString(data) == result
    plan = str(get(server, operation).plan)
    assert stub.GetPlan(pb.GetPlanRequest(name=plan), timeout=30) == result.plan
    return plan


def check_answers_from(server: ServerProcess, plan: str, problem: Problem) -> None:
    """Fail where a plan is not compared, evaluated and quoted as it should be."""
    stub = server.stub()
    assert not stub.DiffPlans(pb.DiffPlansRequest(from_plan=plan, to_plan=plan), timeout=60).placements
    change = ScenarioChange(electricity_factor=2.0)
    evaluation = stub.EvaluatePlan(pb.EvaluatePlanRequest(plan=plan, change=change), timeout=60)
    assert evaluation.changed_objective_yen >= evaluation.objective_yen > 0
    quotes = stub.QuoteWorkloads(pb.QuoteWorkloadsRequest(plan=plan, workloads=problem.workloads), timeout=60).quotes
    assert [quote.workload_id for quote in quotes] == [workload.id for workload in problem.workloads]
    asked = (pb.StreamQuotesRequest(plan=plan, workload=workload) for workload in problem.workloads)
    streamed = sorted(stub.StreamQuotes(asked, timeout=60), key=lambda answer: answer.request_index)
    assert [answer.quote for answer in streamed] == list(quotes)


def succeeded(server: ServerProcess) -> set[str]:
    """Return the full names of the methods that have answered, by the server's own count."""
    families = text_string_to_metric_families(server.http_get("/metrics"))
    samples = (sample for family in families for sample in family.samples)
    counts = (sample for sample in samples if sample.name == "tehai_requests_total" and sample.value > 0)
    return {sample.labels["method"] for sample in counts if sample.labels["code"] == "OK"}


def test_every_call_of_the_contract(on_postgres: ServerProcess, small_problem: Problem, long_problem: Problem) -> None:
    """Each RPC of both services, by their descriptors, answers as it should; the server has counted them all."""
    stub, operations = on_postgres.stub(), on_postgres.operations()
    assert stub.GetLimits(pb.GetLimitsRequest(), timeout=30).limits
    assert stub.GetDemoProblem(pb.GetDemoProblemRequest(name="small"), timeout=60).problem == small_problem
    operation = solved_from_parts(on_postgres, small_problem)
    plan = plan_of(on_postgres, operation)
    check_answers_from(on_postgres, plan, small_problem)
    streamed = list(stub.StreamSolve(pb.StreamSolveRequest(problem=small_problem, options=SHORT), timeout=WAIT_SECONDS))
    assert streamed[-1].result.plan == stub.GetPlan(pb.GetPlanRequest(name=plan), timeout=30)
    with pytest.raises(grpc.RpcError) as caught:
        create(on_postgres, small_problem, SHORT, request_id="once", display_name="July")
    assert reason_of(caught.value) == "REQUEST_ID_CONFLICT"
    second = running(on_postgres, long_problem)
    cancel(on_postgres, second)
    assert ended(on_postgres, second).cancel_requested
    stub.DeleteSolve(pb.DeleteSolveRequest(name=solve_of(operation)), timeout=30)
    operations.DeleteOperation(lro.DeleteOperationRequest(name=second.name), timeout=30)
    for deleted in (operation, second):
        with pytest.raises(grpc.RpcError) as caught:
            get(on_postgres, deleted)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    contract = {f"/{service.full_name}/{method.name}" for service in SERVICES for method in service.methods}
    assert contract <= succeeded(on_postgres)


def test_two_servers_share_the_work(
    on_postgres: ServerProcess, database_url: str, small_problem: Problem, long_problem: Problem
) -> None:
    """What one server accepted another one runs, watched from the first; after kill -9 its solve runs again."""
    with ServerProcess(database_url=database_url, solves_max=1) as second:
        first = running(on_postgres, long_problem)
        operation = create(on_postgres, small_problem, SHORT)
        assert watched(on_postgres, operation)[-1].ended.plan
        # The watch may hear of the end before the log of the server that ran it does.
        wait_until(lambda: bool(second.lines("solve ended")), 10, "the second server tells that it ran the solve")
        # The second one runs a solve whose operation is cancelled at the first.
        long = running(on_postgres, long_problem)
        cancel(on_postgres, long)
        assert ended(on_postgres, long).plan
        lost = running(on_postgres, long_problem)
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
