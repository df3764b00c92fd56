"""One server for the tests that leave it as they found it, and one solve that has ended on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.longrunning.operations_pb2 import Operation

from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import GetDemoProblemRequest
from tests.server.process import ServerProcess
from tests.server.waiting import create, ended


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """Return a running server with default settings and the HTTP endpoint."""
    with ServerProcess(telemetry_port=0, console=True) as process:
        yield process


@pytest.fixture(scope="session")
def small_problem(server: ServerProcess) -> Problem:
    """Return the small demo problem as the server gives it; do not change it."""
    return server.stub().GetDemoProblem(GetDemoProblemRequest(name="small"), timeout=60).problem


@pytest.fixture(scope="session")
def long_problem(server: ServerProcess) -> Problem:
    """Return the large demo problem, which keeps a solver busy for as long as it may; do not change it."""
    return server.stub().GetDemoProblem(GetDemoProblemRequest(name="team-japan"), timeout=60).problem


@pytest.fixture(scope="session")
def done_solve(server: ServerProcess, small_problem: Problem) -> Operation:
    """Return the operation of a solve of the small problem that has ended with a plan; do not delete it."""
    operation = create(server, small_problem, display_name="done")
    assert ended(server, operation).plan
    return operation
