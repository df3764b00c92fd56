"""One server on each database for the tests that leave it as they found it, and one solve that has ended on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.longrunning.operations_pb2 import Operation

from tehai.catalog import demo_problem
from tehai.v1.problem_pb2 import Problem
from tehai.wire import problem_to_proto
from tests.server.databases import NewDatabase, new_database
from tests.server.process import ServerProcess
from tests.server.waiting import create, ended

# A fixture of this folder too.
__all__ = ["new_database"]


@pytest.fixture(scope="session")
def server(new_database: NewDatabase) -> Iterator[ServerProcess]:
    """Return a running server with default settings and the HTTP endpoint."""
    with new_database() as url, ServerProcess(database_url=url, telemetry_port=0, console=True) as process:
        yield process


@pytest.fixture(scope="session")
def small_problem() -> Problem:
    """Return the small demo problem; do not change it."""
    return problem_to_proto(demo_problem("small"))


@pytest.fixture(scope="session")
def long_problem() -> Problem:
    """Return the large demo problem, which keeps a solver busy for as long as it may; do not change it."""
    return problem_to_proto(demo_problem("team-japan"))


@pytest.fixture(scope="session")
def done_solve(server: ServerProcess, small_problem: Problem) -> Operation:
    """Return the operation of a solve of the small problem that has ended with a plan; do not delete it."""
    operation = create(server, small_problem, display_name="done")
    assert ended(server, operation).plan
    return operation
