"""A real grpc.aio server whose every call goes through a gate; its interceptor shows how to put one together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from tehai.security.errors import (
    CredentialsUnavailableError,
    LimitExceededError,
    PermissionDeniedError,
    SecurityError,
    UnauthenticatedError,
)
from tehai.security.gate import Gate, IncomingCall, current_admission

SERVICE = "tehai.v1.SourcingService"
CODES: dict[type[SecurityError], grpc.StatusCode] = {
    UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    LimitExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    CredentialsUnavailableError: grpc.StatusCode.UNAVAILABLE,
}


def incoming(method: str, context: Any) -> IncomingCall:  # noqa: ANN401 - a servicer context
    """Return what is known of a call."""
    return IncomingCall(
        method,
        context.invocation_metadata() or (),
        tuple(context.auth_context().get("x509_pem_cert", ())),
        context.peer(),
        "request-1",
    )


class GateInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic in the stubs only
    """Runs each handler inside of the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:  # noqa: ANN401 - a handler
        """Wrap a handler of one or of many answers."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)

        async def one(request: bytes, context: Any) -> bytes:  # noqa: ANN401 - as above
            try:
                async with self._gate.admit(incoming(method, context)):
                    answer: bytes = await handler.unary_unary(request, context)
                    return answer
            except SecurityError as error:
                await context.abort(CODES[type(error)], str(error))
                raise AssertionError from error

        async def many(request: bytes, context: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 - as above
            try:
                async with self._gate.admit(incoming(method, context)):
                    async for answer in handler.unary_stream(request, context):
                        yield answer
            except SecurityError as error:
                await context.abort(CODES[type(error)], str(error))

        if handler is None:
            return None
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(one)
        return grpc.unary_stream_rpc_method_handler(many)


async def _who(request: bytes, _: object) -> bytes:
    """Answer with the caller's tenant."""
    admission = current_admission()
    admission.resource = f"tenants/{admission.tenant}/plans/{request.decode()}"
    return admission.tenant.encode()


async def _count(request: bytes, _: object) -> AsyncIterator[bytes]:
    """Answer with the caller's tenant, over and over."""
    for _ in range(int(request)):
        yield current_admission().tenant.encode()


@asynccontextmanager
async def serving(gate: Gate, credentials: grpc.ServerCredentials | None = None) -> AsyncIterator[str]:
    """Serve GetPlan, GetLimits and WatchSolve on a free port of localhost; yield HOST:PORT."""
    server = grpc.aio.server(interceptors=[GateInterceptor(gate)])
    handlers = {
        "GetPlan": grpc.unary_unary_rpc_method_handler(_who),
        "GetLimits": grpc.unary_unary_rpc_method_handler(_who),
        "WatchSolve": grpc.unary_stream_rpc_method_handler(_count),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if credentials is None:
        port = server.add_insecure_port("localhost:0")
    else:
        port = server.add_secure_port("localhost:0", credentials)
    await server.start()
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(None)


async def call(channel: grpc.aio.Channel, method: str = "GetPlan", key: str | None = None) -> bytes:
    """Call a method of one answer on a channel."""
    metadata = () if key is None else (("authorization", f"Bearer {key}"),)
    answer: bytes = await channel.unary_unary(f"/{SERVICE}/{method}", None, None)(b"a", timeout=10, metadata=metadata)
    return answer
