"""What a caller is told where gRPC itself refuses a message, at either end, in words that have no reason with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import grpc
import pytest

from tehai.client import Connection, ServerRefusedError
from tehai.client.caller import too_large
from tehai.client.errors import ErrorDetails
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tests.client.fake import AnyClient, FakeServer, Refusal, client_of, fake_server

KINDS = ("blocking", "loop")
LIMIT_BYTES = 16 * 1024
LARGE = Problem(display_name="x" * 2 * LIMIT_BYTES)


@pytest.fixture
def narrow() -> Iterator[FakeServer]:
    """Return a server that leaves the limit on requests to gRPC."""
    with fake_server(most_bytes=LIMIT_BYTES) as server:
        yield server


def refusal(client: AnyClient, problem: Problem) -> ServerRefusedError:
    """Return the error of a call."""
    with pytest.raises(ServerRefusedError) as caught:
        client.call("check", problem)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_that_the_servers_grpc_refuses(narrow: FakeServer, kind: str) -> None:
    """It has the code and the reason of the server's own refusal."""
    with client_of(kind, narrow.address) as client:
        error = refusal(client, LARGE)
    assert (error.code, error.details.reason) == ("RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE")
    assert str(LIMIT_BYTES) in str(error)
    assert too_large(error)
    assert narrow.requests["CheckProblem"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_that_the_clients_own_grpc_refuses(fake: FakeServer, kind: str) -> None:
    """A request past the connection's limit is too large, and so is an answer; neither is tried again."""
    fake.answers("CheckProblem", pb.CheckProblemResponse(problem_sha256="a" * 2 * LIMIT_BYTES))
    connection = replace(Connection(fake.address), message_bytes_max=LIMIT_BYTES)
    with client_of(kind, connection) as client:
        sent = refusal(client, LARGE)
        assert fake.requests["CheckProblem"] == []
        received = refusal(client, Problem())
    assert len(fake.requests["CheckProblem"]) == 1
    assert (sent.code, sent.details.reason) == ("RESOURCE_EXHAUSTED", "REQUEST_TOO_LARGE")
    assert (received.code, received.details.reason) == ("RESOURCE_EXHAUSTED", "RESULT_TOO_LARGE")


@pytest.mark.parametrize("kind", KINDS)
def test_another_refusal_without_a_reason_is_left_as_it_is(fake: FakeServer, kind: str) -> None:
    """RESOURCE_EXHAUSTED may come from anything in between: without gRPC's words it is not about a message's size."""
    fake.answers("CheckProblem", Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED))
    with client_of(kind, fake.address) as client:
        error = refusal(client, Problem())
    assert error.details.reason == ""
    assert not too_large(error)
    assert len(fake.requests["CheckProblem"]) == 1


def test_a_reason_of_the_server_is_never_replaced() -> None:
    """A limit of the tenant on messages counts as too large by its metadata, another limit does not."""
    limit = ErrorDetails("LIMIT_EXCEEDED", metadata={"limit": "message_bytes"})
    assert too_large(ServerRefusedError("RESOURCE_EXHAUSTED", "message larger than max", limit))
    queue = ErrorDetails("LIMIT_EXCEEDED", metadata={"limit": "solves_queued"})
    assert not too_large(ServerRefusedError("RESOURCE_EXHAUSTED", "message larger than max", queue))
