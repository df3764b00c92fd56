"""Encryption, credentials and what ends with a connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from tehai.client import AsyncSourcingClient, Connection, ServerUnreachableError, SourcingClient
from tehai.client.connection import is_loopback
from tehai.domain.plan import SolveOptions
from tehai.domain.result import Progress
from tehai.domain.violation import InvalidProblemError
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1 import workload_pb2
from tehai.v1.problem_pb2 import Problem
from tests.client.fake import PLAN, QUICK, SOLVE, AnyClient, FakeServer, Refusal, client_of, fake_server
from tests.security.material import Authority

Code = grpc.StatusCode
KEY = "tehai_0123456789abcdef_secret"


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_a_credential_goes_with_each_call(fake: FakeServer, kind: str) -> None:
    """An API key is sent as the bearer of each call; a function is asked each time."""
    fake.answers("GetLimits", pb.GetLimitsResponse())
    tokens = iter(["first", "second"])
    for credential in (KEY, lambda: next(tokens)):
        with client_of(kind, Connection(fake.address, credential=credential)) as client:
            client.call("limits")
            client.call("limits")
    sent = [metadata["authorization"] for metadata in fake.metadata["GetLimits"]]
    assert sent == [f"Bearer {KEY}", f"Bearer {KEY}", "Bearer first", "Bearer second"]


@pytest.mark.parametrize("kind", ["blocking", "loop"])
@pytest.mark.parametrize("mutual", [False, True])
def test_tls_with_and_without_a_certificate_of_the_client(kind: str, mutual: bool) -> None:
    """Roots turn TLS on; a server that wants to see a certificate is shown it, and refuses who has none."""
    authority = Authority()
    key, chain = authority.issue("localhost")
    roots = authority.pem if mutual else None
    with fake_server(grpc.ssl_server_credentials([(key, chain)], roots, mutual)) as fake:
        fake.answers("GetLimits", pb.GetLimitsResponse())
        client_key, client_chain = authority.issue("buyer")
        plain = Connection(fake.address, credential=KEY, root_certificates=authority.pem, server_name="localhost")
        shown = replace(plain, client_certificate=client_chain, client_key=client_key)
        with client_of(kind, shown if mutual else plain) as client:
            assert client.call("limits") == {}
        if mutual:
            with pytest.raises(ServerUnreachableError):
                _limits_at_once(plain)


@pytest.mark.parametrize("roots", [Authority("another").pem])
def test_a_server_of_another_authority_is_not_talked_to(roots: bytes) -> None:
    """A certificate that the roots do not vouch for ends the connection before anything is sent."""
    with fake_server(grpc.ssl_server_credentials([Authority().issue("localhost")])) as fake:
        connection = Connection(fake.address, credential=KEY, root_certificates=roots, server_name="localhost")
        with pytest.raises(ServerUnreachableError):
            _limits_at_once(connection)
        assert not fake.metadata["GetLimits"]


def _limits_at_once(connection: Connection) -> None:
    """Call without waiting for the connection first."""
    client = SourcingClient(connection, QUICK)
    try:
        client.limits(timeout_seconds=20)
    finally:
        client.close()


def test_encryption_is_the_rule_off_this_machine() -> None:
    """Plain text only to loopback or when told so; a credential never goes unencrypted to another machine."""
    assert not Connection("127.0.0.1:1").encrypted
    assert not Connection("[::1]:1").encrypted
    assert Connection("plans.example:443").encrypted
    assert Connection("plans.example:443").channel_credentials() is not None
    assert Connection("127.0.0.1:1", encryption="on").encrypted
    assert not Connection("10.0.0.7:1", encryption="off").encrypted
    with pytest.raises(ValueError, match="credential: is sent over TLS only"):
        Connection("10.0.0.7:1", encryption="off", credential=KEY)
    assert [is_loopback(target) for target in ("localhost:1", "unix:/run/tehai", "10.0.0.7:1", "host")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_connection_names_all_that_does_not_fit() -> None:
    """Every fault is in the error, and no secret."""
    with pytest.raises(ValueError, match=r"encryption: .* client_certificate and client_key go together") as caught:
        Connection("127.0.0.1:1", encryption="some", client_key=b"secret")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
    assert KEY not in repr(Connection("127.0.0.1:1", credential=KEY))


def test_a_connection_from_the_environment(tmp_path: Path) -> None:
    """Key and files come from variables; an empty one is as none."""
    for name in ("roots", "chain", "key"):
        (tmp_path / name).write_bytes(name.encode())
    environment = {
        "TEHAI_API_KEY": f"{KEY}\n",
        "TEHAI_CLIENT_ROOTS_FILE": str(tmp_path / "roots"),
        "TEHAI_CLIENT_CERTIFICATE_FILE": str(tmp_path / "chain"),
        "TEHAI_CLIENT_KEY_FILE": str(tmp_path / "key"),
        "TEHAI_CLIENT_SERVER_NAME": "plans.example",
        "TEHAI_CLIENT_TLS": "on",
    }
    expected = Connection("h:1", KEY, "on", b"roots", b"chain", b"key", "plans.example")
    assert Connection.from_environment("h:1", environment) == expected
    empty = dict.fromkeys(environment, "")
    assert Connection.from_environment("127.0.0.1:1", empty) == Connection("127.0.0.1:1")
    with pytest.raises(FileNotFoundError):
        Connection.from_environment("h:1", {"TEHAI_CLIENT_KEY_FILE": str(tmp_path / "missing")})


def test_progress_and_violations_of_a_streamed_solve(fake: FakeServer, client: AnyClient) -> None:
    """Both clients read progress on the way and raise the full list of an invalid problem."""
    shown = pb.StreamSolveResponse(progress=pb.Progress(phase=pb.SOLVE_PHASE_BUILD))
    wrong = pb.ViolationList(violations=[pb.Violation(code="E1204", path="a"), pb.Violation(code="E1205", path="b")])
    last = pb.StreamSolveResponse(violations=wrong)
    fake.answers("StreamSolve", [shown, last, Refusal(Code.INVALID_ARGUMENT, "INVALID_PROBLEM")])
    seen: list[Progress] = []
    with pytest.raises(InvalidProblemError) as caught:
        client.call("solve", Problem(), SolveOptions(), seen.append)
    assert [violation.code for violation in caught.value.violations] == ["E1204", "E1205"]
    assert len(seen) == 1
    assert len(fake.requests["StreamSolve"]) == 1


def _held_until_gone(fake: FakeServer, method: str, *first: object) -> threading.Event:
    """Let ``method`` answer ``first`` and then nothing; return an event that is set when the client is gone."""
    gone = threading.Event()

    def answer(_: object, context: grpc.ServicerContext) -> Iterator[object]:
        context.add_callback(gone.set)
        yield from first
        gone.wait(30)

    fake.answers(method, answer)
    return gone


def test_a_cancelled_task_ends_its_call(fake: FakeServer) -> None:
    """Watch, stream of quotes and solve leave the server alone when their task is cancelled."""
    watch = _held_until_gone(fake, "WatchSolve", pb.WatchSolveResponse(sequence=1))
    quotes = _held_until_gone(fake, "StreamQuotes", pb.StreamQuotesResponse())
    solve = _held_until_gone(fake, "StreamSolve")

    async def work() -> None:
        async with AsyncSourcingClient(fake.address, QUICK) as client:
            events, priced = client.watch(SOLVE), client.stream_quotes(PLAN, [workload_pb2.Workload()] * 2)
            async with aclosing(events), aclosing(priced):
                await anext(events)
                await anext(priced)
                waiting = [
                    asyncio.ensure_future(anext(events)),
                    asyncio.ensure_future(anext(priced)),
                    asyncio.create_task(client.solve(Problem(), SolveOptions())),
                ]
                await asyncio.sleep(0.1)
                assert not any(task.done() for task in waiting)
                for task in waiting:
                    task.cancel()
                ended = await asyncio.gather(*waiting, return_exceptions=True)
                assert all(isinstance(end, asyncio.CancelledError) for end in ended)
                for gone in (watch, quotes, solve):
                    assert await asyncio.to_thread(gone.wait, 30)

    asyncio.run(work())


def test_a_cancelled_upload_ends_its_call(fake: FakeServer) -> None:
    """An upload whose task is cancelled is broken off at the server too."""
    begun, gone = threading.Event(), threading.Event()

    def answer(_: object, context: grpc.ServicerContext) -> object:
        context.add_callback(gone.set)
        begun.set()
        gone.wait(30)
        return Refusal(Code.CANCELLED)

    fake.answers("UploadProblem", answer)

    async def work() -> None:
        async with AsyncSourcingClient(fake.address, QUICK) as client:
            task = asyncio.create_task(client.upload_problem(b"x" * 100))
            assert await asyncio.to_thread(begun.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(gone.wait, 30)

    asyncio.run(work())


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_no_server_is_told_when_connecting(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entering a client whose server is not there ends in time."""
    from tehai.client import async_sourcing_client, sourcing_client

    for module in (async_sourcing_client, sourcing_client):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.2)
    with (
        pytest.raises(ServerUnreachableError, match=r"no Tehai server answers at 127\.0\.0\.1:1, or "),
        client_of(kind, "127.0.0.1:1"),
    ):
        pass


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_encryption_that_does_not_fit_is_told_when_connecting(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text to a server of TLS, and roots that do not know it: the error says what was spoken and what sets it."""
    from tehai.client import async_sourcing_client, sourcing_client

    for module in (async_sourcing_client, sourcing_client):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.5)
    with fake_server(grpc.ssl_server_credentials([Authority().issue("localhost")])) as fake:
        other = Authority("another").pem
        for connection, spoken in (
            (Connection(fake.address), "plain text"),
            (Connection(fake.address, encryption="on"), "TLS with its own roots"),
            (Connection(fake.address, root_certificates=other), "TLS with the given roots"),
        ):
            with (
                pytest.raises(
                    ServerUnreachableError, match=rf"speaks {spoken}; see TEHAI_CLIENT_TLS and TEHAI_.*ROOTS"
                ),
                client_of(kind, connection),
            ):
                pass


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("broken")])
def test_a_channel_is_closed_whatever_ends_the_connecting(
    fake: FakeServer, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt while the client waits for its server leaves no open channel behind."""

    def interrupted(_: grpc.Channel) -> None:
        raise error

    client = SourcingClient(fake.address)
    monkeypatch.setattr(grpc, "channel_ready_future", interrupted)
    with pytest.raises(type(error)), client:
        pass
    with pytest.raises(ValueError, match="closed channel"):
        client.limits()


def test_a_channel_is_closed_where_the_connecting_task_is_cancelled() -> None:
    """Cancelling a task that waits for its server closes the channel, and stays a cancellation."""

    async def work() -> grpc.ChannelConnectivity:
        client = AsyncSourcingClient("127.0.0.1:1", QUICK)
        task = asyncio.create_task(client.__aenter__())
        await asyncio.sleep(0.05)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return client._transport.channel.get_state()

    assert asyncio.run(work()) is grpc.ChannelConnectivity.SHUTDOWN
