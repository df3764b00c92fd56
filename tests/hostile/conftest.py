"""A server with everything on and no limits on rates, and on it two plans, a failed solve and a stored problem."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from google.longrunning import operations_pb2

from tehai.v1 import solve_pb2
from tehai.v1 import sourcing_service_pb2 as messages
from tests.faults.service import Service, wait_until
from tests.hostile.seeds import OPTIONS, Resources
from tests.wire.small_problem import small_message

SETTINGS = {
    "reflection": "true",
    "solves_max": 2,
    # A solve whose limits were mutated away ends all the same.
    "solve_seconds_max": 20,
    "stop_grace_seconds": 5,
    "cancel_grace_seconds": 1,
    "queue_max": 100_000,
    "limit_solves_queued": 100_000,
    "limit_requests_per_second": 1_000_000,
    "limit_heavy_requests_per_second": 1_000_000,
    "shutdown_grace_seconds": 1,
}
SOLVE_SECONDS = 120.0


@dataclass(frozen=True)
class Target:
    """A server and what is on it."""

    service: Service
    resources: Resources


def _ended(service: Service, request: messages.CreateSolveRequest, *, well: bool) -> str:
    """Run a solve to its end, which is a plan where all is ``well``, and return its id."""
    operation = service.stub().CreateSolve(request, timeout=60)
    operations = service.operations()
    ask = operations_pb2.GetOperationRequest(name=operation.name)
    wait_until(lambda: bool(operations.GetOperation(ask, timeout=60).done), SOLVE_SECONDS, "the solve ends")
    assert operations.GetOperation(ask, timeout=60).HasField("response") == well
    return str(operation.name.rpartition("/")[2])


def _prepared(service: Service) -> Resources:
    problem = small_message()
    data = problem.SerializeToString()
    sha256 = hashlib.sha256(data).hexdigest()
    header = messages.UploadHeader(total_bytes=len(data), content_sha256=sha256)
    parts = [messages.UploadProblemRequest(header=header), messages.UploadProblemRequest(data=data)]
    stored: solve_pb2.StoredProblem = service.stub().UploadProblem(iter(parts), timeout=60)
    good = messages.CreateSolveRequest(problem=problem, options=OPTIONS)
    del problem.workloads[0].gang_options[:]
    bad = messages.CreateSolveRequest(problem=problem, options=OPTIONS)
    first, second = (_ended(service, good, well=True) for _ in range(2))
    failed = _ended(service, bad, well=False)
    return Resources(stored.name.split("/")[1], first, second, failed, sha256)


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a server to attack."""
    with Service(tmp_path_factory.mktemp("hostile"), SETTINGS) as service:
        yield Target(service, _prepared(service))
