"""CheckProblem, GetDemoProblem, health, reflection, limits of size and what the server loads."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CheckProblemRequest, GetDemoProblemRequest
from tests.server.process import ServerProcess, status_of

SERVICE = "tehai.v1.SourcingService"


def test_an_empty_problem_is_refused_by_path(server: ServerProcess) -> None:
    """CheckProblem of nothing answers with violations, not with an error."""
    response = server.stub().CheckProblem(CheckProblemRequest(), timeout=60)
    assert len(response.violations) > 1
    assert response.problem_sha256 == ""


def test_every_demo_problem_is_valid(server: ServerProcess, small_problem: Problem, long_problem: Problem) -> None:
    """What GetDemoProblem gives passes CheckProblem; no name means the large one."""
    stub = server.stub()
    assert stub.GetDemoProblem(GetDemoProblemRequest(), timeout=60).problem == long_problem
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


def test_the_server_process_holds_no_solver(server: ServerProcess, small_problem: Problem) -> None:
    """Having solved and checked, the server's own process has mapped neither OR-Tools nor the engine."""
    server.stub().CheckProblem(CheckProblemRequest(problem=small_problem), timeout=60)
    maps = Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")
    assert "cygrpc" in maps
    assert "ortools" not in maps
    assert "_native" not in maps
