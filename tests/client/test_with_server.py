"""Both clients against the real server on each database: what a caller does in a day, from creation to deletion."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tehai.client import Connection, ServerRefusedError, SolveFailedError, require_plan, solve_of_operation
from tehai.domain.evaluation import ScenarioChange
from tehai.domain.plan import SolveOptions
from tehai.pipeline import run
from tehai.v1 import solve_pb2
from tehai.v1.plan_pb2 import SolveResult
from tehai.v1.problem_pb2 import Problem
from tehai.wire import result_to_proto
from tests.client.fake import AnyClient, client_of
from tests.security.material import Authority, write_pair
from tests.server.databases import NewDatabase
from tests.server.process import ROOT, ServerProcess, package_environment

SHORT = SolveOptions(work_limit=4, threads=1)
# Smaller than the small problem and than its result.
MESSAGE_BYTES = 8 * 1024
ENDLESS = SolveOptions(time_limit_seconds=600.0, gap_fraction=0.0, threads=1)


@pytest.fixture(scope="module")
def server(new_database: NewDatabase) -> Iterator[ServerProcess]:
    """Return a running server."""
    with new_database() as url, ServerProcess(database_url=url) as process:
        yield process


@pytest.fixture(scope="module")
def small_server(new_database: NewDatabase) -> Iterator[ServerProcess]:
    """Return a server whose messages are smaller than the small problem's result."""
    with new_database() as url, ServerProcess(database_url=url, message_bytes_max=MESSAGE_BYTES) as process:
        yield process


@pytest.fixture(params=["blocking", "loop"])
def client(request: pytest.FixtureRequest, server: ServerProcess) -> Iterator[AnyClient]:
    """Return each client in turn."""
    with client_of(request.param, server.address) as connected:
        yield connected


@pytest.fixture(scope="module")
def problem(server: ServerProcess) -> Problem:
    """Return the small demo problem; do not change it."""
    with client_of("blocking", server.address) as client:
        found: Problem = client.call("demo_problem", "small")
    return found


def test_a_day(client: AnyClient, problem: Problem) -> None:
    """Create, watch, list, read, compare, evaluate, quote and delete; figures are those of a solve in process."""
    assert not client.call("check", problem).violations
    request_id = uuid4().hex
    operation = client.call("create_solve", problem, SHORT, display_name="a day", request_id=request_id)
    again = client.call("create_solve", problem, SHORT, display_name="a day", request_id=request_id)
    assert again.name == operation.name
    solve = solve_of_operation(operation)
    events = client.call("watch", solve.name, timeout_seconds=120)
    assert [event.ended for event in events] == [False] * (len(events) - 1) + [True]
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    ended = require_plan(events[-1].solve)
    assert client.call("wait_for_solve", operation.name) == ended
    assert client.call("wait_operation", solve.name).done
    assert ended.name in [found.name for found in client.call("list_solves", 'display_name = "a day"', page_size=1)]
    result = client.call("result", solve.name)
    expected = run(problem, SHORT)
    assert (result.objective_yen, result.lower_bound_yen) == (expected.objective_yen, expected.lower_bound_yen)
    assert client.call("plan", ended.plan) == result.plan
    assert SolveResult.FromString(client.call("download_result", solve.name)) == result_to_proto(result)
    assert client.call("diff", ended.plan, ended.plan).placements == ()
    evaluation = client.call("evaluate", ended.plan, ScenarioChange(electricity_factor=2.0))
    assert evaluation.objective_yen == result.objective_yen
    assert evaluation.changed_objective_yen >= evaluation.objective_yen
    client.call("delete_solve", solve.name)
    with pytest.raises(ServerRefusedError, match="NOT_FOUND"):
        client.call("get_solve", solve.name)


def test_quotes(client: AnyClient, problem: Problem) -> None:
    """Each workload of the problem is quoted alike, one by one in a stream and together."""
    operation = client.call("create_solve", problem, SHORT)
    assert client.call("wait_operation", operation.name, timeout_seconds=120).done
    quotes = client.call("quote", operation.name, problem.workloads)
    assert [quote.workload_id for quote in quotes] == [workload.id for workload in problem.workloads]
    assert all(quote.indicative and (quote.placements or quote.reason) for quote in quotes)
    assert list(quotes) == client.call("stream_quotes", operation.name, problem.workloads)


def test_a_solve_is_cancelled(client: AnyClient) -> None:
    """A solve that would go on is ended, and keeps the plan that it has."""
    large = client.call("demo_problem", "team-japan")
    operation = client.call("create_solve", large, ENDLESS, priority=1)
    client.call("cancel_operation", operation.name)
    done = client.call("wait_operation", operation.name, timeout_seconds=120)
    assert done.done
    solve = solve_of_operation(done)
    assert solve.cancel_requested
    assert solve.state in (solve_pb2.SOLVE_STATE_SUCCEEDED, solve_pb2.SOLVE_STATE_CANCELLED)


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_large_messages_go_in_parts(small_server: ServerProcess, problem: Problem, kind: str) -> None:
    """Problem and result that do not fit a message go up and come down in parts, and the hashes are right."""
    with client_of(kind, small_server.address) as client:
        assert client.call("limits")["message_bytes"] == MESSAGE_BYTES < problem.ByteSize()
        # Sent whole it is refused, and then uploaded.
        operation = client.call("create_solve", problem, SHORT)
        assert client.call("wait_operation", operation.name, timeout_seconds=120).done
        assert client.call("get_solve", operation.name).problem_bytes == problem.ByteSize()
        assert len(client.call("download_result", operation.name)) > MESSAGE_BYTES
        result = client.call("result", operation.name)
        assert client.call("plan", operation.name) == result.plan


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_a_wrong_credential_is_refused(server: ServerProcess, kind: str) -> None:
    """A key that the server does not know is UNAUTHENTICATED with its reason, and not tried again."""
    with client_of(kind, Connection(server.address, credential="tehai_0123456789abcdef_" + "a" * 43)) as client:
        with pytest.raises(ServerRefusedError, match="UNAUTHENTICATED") as caught:
            client.call("limits")
        assert caught.value.details.reason
        with pytest.raises(ServerRefusedError, match="UNAUTHENTICATED"):
            client.call("upload_problem", b"x" * 100)


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_a_key_over_tls(tmp_path: Path, new_database: NewDatabase, kind: str) -> None:
    """With roots and a key of the server's own making a tenant sees its solves, and without the key nobody does."""
    authority = Authority()
    certificate, key = write_pair(tmp_path, authority.issue("server"))
    settings: dict[str, Any] = {"tls_certificate_file": certificate, "tls_key_file": key}
    with (
        new_database() as url,
        ServerProcess(authority.pem, anonymous_on_loopback=False, database_url=url, **settings) as server,
    ):
        command = [sys.executable, "-m", "tehai.cli.main", "keys", "create", "--tenant", "acme", "--scope", "all"]
        environment = package_environment(**server.settings)
        made = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
        connection = Connection(server.address, made.stdout.strip(), root_certificates=authority.pem)
        connection = replace(connection, server_name="localhost")
        with client_of(kind, connection) as client:
            operation = client.call("create_solve", Problem(schema_version=1), SHORT)
            assert operation.name.startswith("tenants/acme/operations/")
            # An invalid problem is an operation that ends with everything that is wrong.
            ended = client.call("wait_for_solve", operation.name, timeout_seconds=120)
            with pytest.raises(SolveFailedError, match="INVALID_ARGUMENT") as caught:
                require_plan(ended)
            assert caught.value.details.reason == "INVALID_PROBLEM"
            assert any("calendar" in fault.field for fault in caught.value.details.faults)
        with client_of(kind, replace(connection, credential=None)) as client:
            with pytest.raises(ServerRefusedError, match="UNAUTHENTICATED") as refused:
                client.call("get_solve", operation.name)
            assert refused.value.details.reason == "CREDENTIALS_MISSING"
