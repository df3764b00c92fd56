"""One server for the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import GetDemoProblemRequest
from tests.server.process import ServerProcess


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """Return a running server with default settings."""
    with ServerProcess() as process:
        yield process


@pytest.fixture(scope="session")
def small_problem(server: ServerProcess) -> Problem:
    """Return the small demo problem as the server gives it; do not change it."""
    return server.stub().GetDemoProblem(GetDemoProblemRequest(name="small"), timeout=60).problem


@pytest.fixture(scope="session")
def long_problem(server: ServerProcess) -> Problem:
    """Return the large demo problem, which keeps a solver busy for as long as it may; do not change it."""
    return server.stub().GetDemoProblem(GetDemoProblemRequest(name="team-japan"), timeout=60).problem
