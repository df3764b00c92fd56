"""CheckProblem, GetDemoProblem, health, reflection, limits of size and what the server loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning.operations_pb2 import Operation
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.evaluation_pb2 import OfferPriceFactor, ScenarioChange
from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CheckProblemRequest, GetDemoProblemRequest
from tests.server.process import ServerProcess, field_faults, status_of
from tests.server.waiting import get

SERVICE = "tehai.v1.SourcingService"


def test_an_empty_problem_is_refused_by_path(server: ServerProcess) -> None:
    """CheckProblem of nothing answers with violations, not with an error."""
    response = server.stub().CheckProblem(CheckProblemRequest(), timeout=60)
    assert len(response.violations) > 1
    assert response.problem_sha256 == ""


def test_every_demo_problem_is_valid(server: ServerProcess, small_problem: Problem, long_problem: Problem) -> None:
    """GetDemoProblem gives the problems of the catalogue, which pass CheckProblem; no name means the large one."""
    stub = server.stub()
    for name, expected in (("", long_problem), ("team-japan", long_problem), ("small", small_problem)):
        assert stub.GetDemoProblem(GetDemoProblemRequest(name=name), timeout=60).problem == expected
    for problem in (small_problem, long_problem):
        assert list(stub.CheckProblem(CheckProblemRequest(problem=problem), timeout=60).violations) == []


def test_an_unknown_demo_names_the_valid_ones(server: ServerProcess) -> None:
    """A wrong name is NOT_FOUND, and message and ErrorInfo name what there is."""
    with pytest.raises(grpc.RpcError) as caught:
        server.stub().GetDemoProblem(GetDemoProblemRequest(name="no-such"), timeout=60)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert "team-japan, small" in str(caught.value.details())
    info = error_details_pb2.ErrorInfo()
    assert status_of(caught.value).details[0].Unpack(info)
    assert info.metadata["valid_names"] == "team-japan,small"


@pytest.mark.parametrize("name", ["", SERVICE])
def test_health_is_served(server: ServerProcess, name: str) -> None:
    """grpc.health.v1 says SERVING for the server and for the service."""
    stub = health_pb2_grpc.HealthStub(server.channel())
    response = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
    assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_health_can_be_watched(server: ServerProcess) -> None:
    """A watch of health says SERVING at once and stays open."""
    call = health_pb2_grpc.HealthStub(server.channel()).Watch(
        health_pb2.HealthCheckRequest(service=SERVICE), timeout=30
    )
    assert next(call).status == health_pb2.HealthCheckResponse.SERVING
    assert call.is_active()
    call.cancel()


def services(server: ServerProcess) -> list[str]:
    """Return the services that reflection lists."""
    stub = reflection_pb2_grpc.ServerReflectionStub(server.channel())
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    response = next(iter(stub.ServerReflectionInfo(iter([request]), timeout=10)))
    return [service.name for service in response.list_services_response.service]


def test_reflection_is_off_unless_it_is_wanted(server: ServerProcess) -> None:
    """A server does not say what it serves; with the setting it does."""
    with pytest.raises(grpc.RpcError) as caught:
        services(server)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    with ServerProcess(reflection=True) as open_server:
        assert SERVICE in services(open_server)


def test_a_message_past_the_limit_is_refused(server: ServerProcess) -> None:
    """A request over 64 MiB is RESOURCE_EXHAUSTED, and the server goes on."""
    problem = Problem(display_name="x" * (64 * 1024 * 1024))
    with pytest.raises(grpc.RpcError) as caught:
        server.stub().CheckProblem(CheckProblemRequest(problem=problem), timeout=60)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.stub().CheckProblem(CheckProblemRequest(), timeout=60).violations


def test_the_server_process_holds_no_solver(server: ServerProcess, done_solve: Operation) -> None:
    """Having solved, checked and quoted, the server's own process has not mapped OR-Tools."""
    assert done_solve.name
    server.stub().CheckProblem(CheckProblemRequest(), timeout=60)
    maps = Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")
    assert "cygrpc" in maps
    assert "_native" in maps
    assert "ortools" not in maps


def test_plans_are_compared_and_evaluated(server: ServerProcess, done_solve: Operation, small_problem: Problem) -> None:
    """A plan differs from itself in nothing; at higher prices its bill is higher, and an unknown offer is named."""
    plan = get(server, done_solve).plan
    stub = server.stub()
    difference = stub.DiffPlans(pb.DiffPlansRequest(from_plan=plan, to_plan=plan), timeout=60)
    assert difference.objective_difference_yen == 0
    assert not difference.placements
    factors = [
        OfferPriceFactor(offer_id=offer.id, factor=2)
        for offer in small_problem.offers
        if offer.WhichOneof("kind") == "reservation"
    ]
    change = ScenarioChange(offer_price_factors=factors)
    evaluation = stub.EvaluatePlan(pb.EvaluatePlanRequest(plan=plan, change=change), timeout=60)
    assert evaluation.plan == plan
    assert evaluation.objective_yen == stub.GetPlan(pb.GetPlanRequest(name=plan), timeout=60).objective_yen
    assert evaluation.changed_objective_yen > evaluation.objective_yen
    wrong = ScenarioChange(offer_price_factors=[OfferPriceFactor(offer_id="no-such", factor=2)])
    with pytest.raises(grpc.RpcError) as caught:
        stub.EvaluatePlan(pb.EvaluatePlanRequest(plan=plan, change=wrong), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert any("offer_price_factors" in field for field in field_faults(caught.value))


def test_workloads_are_quoted(server: ServerProcess, done_solve: Operation, small_problem: Problem) -> None:
    """A workload of the problem has a price under the plan; the stream gives the same; a bad one names its fields."""
    plan = get(server, done_solve).plan
    workload = small_problem.workloads[0]
    request = pb.QuoteWorkloadsRequest(plan=plan, workloads=[workload])
    quotes = server.stub().QuoteWorkloads(request, timeout=60).quotes
    assert [quote.workload_id for quote in quotes] == [workload.id]
    assert quotes[0].indicative
    assert quotes[0].placements[0].price_yen > 0
    streamed = list(
        server.stub().StreamQuotes(
            iter([pb.StreamQuotesRequest(plan=plan, workload=workload), pb.StreamQuotesRequest(workload=workload)]),
            timeout=60,
        )
    )
    assert [answer.request_index for answer in streamed] == [0, 1]
    assert [answer.quote for answer in streamed] == [quotes[0]] * 2
    with pytest.raises(grpc.RpcError) as caught:
        server.stub().QuoteWorkloads(pb.QuoteWorkloadsRequest(plan=plan), timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "workloads" in field_faults(caught.value)


def test_a_request_id_comes_back(server: ServerProcess) -> None:
    """A caller's request id is in the trailing metadata, of answers and of errors; without one there is a new one."""
    call: Any = server.stub().GetLimits
    _, answered = call.with_call(pb.GetLimitsRequest(), timeout=30, metadata=[("x-request-id", "mine-1")])
    assert dict(answered.trailing_metadata())["x-request-id"] == "mine-1"
    with pytest.raises(grpc.RpcError) as caught:
        server.stub().GetSolve(pb.GetSolveRequest(), timeout=30, metadata=(("x-request-id", "not/fit for a log"),))
    error: Any = caught.value
    assert len(dict(error.trailing_metadata())["x-request-id"]) == 32


def test_metrics_and_status_page_are_served(server: ServerProcess, done_solve: Operation) -> None:
    """The HTTP endpoint tells of calls and solves; the page loads nothing and names no tenant's thing."""
    metrics = server.http_get("/metrics")
    assert 'tehai_requests_total{code="OK",method="/tehai.v1.SourcingService/CreateSolve"}' in metrics
    assert 'tehai_solves_total{outcome="succeeded"}' in metrics
    assert 'tehai_store_seconds_count{operation="create_solve"}' in metrics
    assert 'tehai_solve_phase_seconds_count{phase="search"}' in metrics
    assert server.http_get("/healthz") == "ok\n"
    assert '"ready": true' in server.http_get("/readyz")
    page = server.http_get("/console")
    assert "succeeded" in page
    assert "reachable" in page
    for foreign in ("<script", "http:", "https:", "src=", "local", done_solve.name.rpartition("/")[2]):
        assert foreign not in page
