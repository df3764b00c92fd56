"""A server in this process that answers, and fails, as a test tells it to; and both clients behind one face."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any, Protocol

import grpc
from google.longrunning import operations_pb2 as lro
from google.longrunning import operations_pb2_grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tehai.client import AsyncSourcingClient, Connection, RetryPolicy, SourcingClient
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceServicer, add_SourcingServiceServicer_to_server

TENANT = "tenants/local"
SOLVE, PLAN, OPERATION = f"{TENANT}/solves/s1", f"{TENANT}/plans/s1", f"{TENANT}/operations/s1"
# No test waits for real.
QUICK = RetryPolicy(initial_seconds=0.001, pause_seconds_max=0.002)
Answer = Callable[[Any, grpc.ServicerContext], Any]


class Refusal:
    """An answer that is an error with details of google.rpc."""

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str = "",
        retry_seconds: float | None = None,
        fields: dict[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status = status_pb2.Status(code=code.value[0], message="refused on purpose")
        details: list[Message] = []
        if reason:
            details.append(error_details_pb2.ErrorInfo(reason=reason, domain="tehai", metadata={"limit": "7"}))
        if retry_seconds is not None:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(round(retry_seconds * 1000))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        if fields:
            bad = error_details_pb2.BadRequest()
            for field, description in fields.items():
                bad.field_violations.add(field=field, description=description)
            details.append(bad)
        for detail in details:
            packed = any_pb2.Any()
            packed.Pack(detail)
            self.status.details.append(packed)
        self.trailing: list[tuple[str, str | bytes]] = [("x-request-id", "server-id")]
        if details:
            self.trailing.append(("grpc-status-details-bin", self.status.SerializeToString()))

    def raise_in(self, context: grpc.ServicerContext) -> None:
        """End the call."""
        context.set_trailing_metadata(tuple(self.trailing))
        context.abort(self.code, "refused on purpose")


UNAVAILABLE = Refusal(grpc.StatusCode.UNAVAILABLE)


class FakeServer:
    """What each method answers, in order; the last answer is given again and again.

    An answer is a message, a list of messages and Refusals (of a stream), a Refusal, or a function of request and
    context that returns one of them.
    """

    def __init__(self) -> None:
        self.script: dict[str, deque[Any]] = defaultdict(deque)
        # By method: every request that came, of a stream of requests the list of them, and the metadata of each call.
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.metadata: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.address = ""

    def answers(self, method: str, *answers: Any) -> None:  # noqa: ANN401 - see the class
        """Say what ``method`` answers from now on."""
        self.script[method] = deque(answers)

    def answer(self, method: str, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ANN401
        """Return the answer of a call, or end it."""
        self.requests[method].append(request)
        self.metadata[method].append(dict(context.invocation_metadata()))
        queue = self.script[method]
        assert queue, f"nothing was said of {method}"
        answer = queue.popleft() if len(queue) > 1 else queue[0]
        if callable(answer):
            answer = answer(request, context)
        if isinstance(answer, Refusal):
            answer.raise_in(context)
        return answer


def _servicer(server: FakeServer, base: type, names: set[str]) -> Any:  # noqa: ANN401 - generated class
    def single(name: str) -> Answer:
        return lambda _, request, context: server.answer(name, request, context)  # type: ignore[misc,return-value]

    def streamed(name: str) -> Answer:
        def call(_: object, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: ANN401
            for item in server.answer(name, request, context):
                if isinstance(item, Refusal):
                    item.raise_in(context)
                yield item

        return call  # type: ignore[return-value]

    def uploaded(name: str) -> Answer:
        return lambda _, requests, context: server.answer(name, list(requests), context)  # type: ignore[misc,return-value]

    kinds = {"WatchSolve": streamed, "DownloadSolveResult": streamed, "StreamSolve": streamed, "StreamQuotes": streamed}
    made = {name: {"UploadProblem": uploaded}.get(name, kinds.get(name, single))(name) for name in names}
    return type("Fake", (base,), made)()


@contextmanager
def fake_server(credentials: grpc.ServerCredentials | None = None, most_bytes: int = -1) -> Iterator[FakeServer]:
    """Run a fake server on a port of its own."""
    fake = FakeServer()
    server = grpc.server(
        futures.ThreadPoolExecutor(16),
        options=[
            ("grpc.max_receive_message_length", most_bytes),
            ("grpc.http2.min_ping_interval_without_data_ms", 1000),
        ],
    )
    names = {name for name in vars(SourcingServiceServicer) if name[0].isupper()}
    add_SourcingServiceServicer_to_server(_servicer(fake, SourcingServiceServicer, names), server)
    operations = {name for name in vars(operations_pb2_grpc.OperationsServicer) if name[0].isupper()}
    operations_pb2_grpc.add_OperationsServicer_to_server(
        _servicer(fake, operations_pb2_grpc.OperationsServicer, operations), server
    )
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    fake.address = f"127.0.0.1:{port}"
    server.start()
    try:
        yield fake
    finally:
        server.stop(None).wait()


class AnyClient(Protocol):
    """Either client: ``call`` returns what a method returns, of an iterator the list of its items."""

    # Of the transport, so that a test can look at pauses.
    transport: Any

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - of the method
        """Call a method."""


class _Blocking:
    def __init__(self, client: SourcingClient) -> None:
        self.client = client
        self.transport = client._transport

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - of the method
        result = getattr(self.client, method)(*arguments, **named)
        return list(result) if isinstance(result, Iterator) else result


class _InLoop:
    def __init__(self, client: AsyncSourcingClient, runner: asyncio.Runner) -> None:
        self.client = client
        self.transport = client._transport
        self._runner = runner

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - of the method
        async def work() -> Any:  # noqa: ANN401 - as above
            result = getattr(self.client, method)(*arguments, **named)
            return [item async for item in result] if isinstance(result, AsyncIterator) else await result

        return self._runner.run(work())


@contextmanager
def client_of(kind: str, target: str | Connection, policy: RetryPolicy = QUICK) -> Iterator[AnyClient]:
    """Connect a client of one kind, "blocking" or "loop"."""
    if kind == "blocking":
        with SourcingClient(target, policy) as client:
            yield _Blocking(client)
        return

    async def opened() -> AsyncSourcingClient:
        return await AsyncSourcingClient(target, policy).__aenter__()

    with asyncio.Runner() as runner:
        in_loop = runner.run(opened())
        try:
            yield _InLoop(in_loop, runner)
        finally:
            runner.run(in_loop.close())


def operation(done: bool = False) -> lro.Operation:
    """Return an operation."""
    return lro.Operation(name=OPERATION, done=done)
