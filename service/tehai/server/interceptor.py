"""The outermost interceptor: one log line per call, and no exception text ever reaches a client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from tehai.server.errors import STATUS_METADATA_KEY, public_error
from tehai.server.logs import get_logger

Context = grpc.aio.ServicerContext[Any, Any]
if TYPE_CHECKING:
    Interceptor = grpc.aio.ServerInterceptor[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    # Generic in the type stubs only.
    Interceptor = grpc.aio.ServerInterceptor
    Handler = grpc.RpcMethodHandler


class ErrorInterceptor(Interceptor):
    """Maps exceptions by the table in ``errors`` and logs how each call ended."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wrap the two kinds of call that Tehai has; health and reflection streams pass."""
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            # A method that does not exist; gRPC answers UNIMPLEMENTED.
            return None  # type: ignore[return-value]
        method = str(handler_call_details.method)
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                _wrap_unary(handler.unary_unary, method), handler.request_deserializer, handler.response_serializer
            )
        if handler.unary_stream is not None and method.startswith("/tehai."):
            return grpc.unary_stream_rpc_method_handler(
                _wrap_stream(handler.unary_stream, method), handler.request_deserializer, handler.response_serializer
            )
        passed: Handler = handler
        return passed


def _wrap_unary(inner: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
    async def call(request: object, context: Context) -> object:
        started = time.monotonic()
        try:
            answer = await inner(request, context)
        except Exception as error:
            await _abort(context, method, started, error)
            raise AssertionError from error
        _log_end(method, started, "OK")
        return answer

    return call


def _wrap_stream(inner: Callable[..., AsyncIterator[Any]], method: str) -> Callable[..., AsyncIterator[Any]]:
    async def call(request: object, context: Context) -> AsyncIterator[object]:
        started = time.monotonic()
        try:
            async for event in inner(request, context):
                yield event
        except Exception as error:  # noqa: BLE001 - the outermost place: everything is mapped
            await _abort(context, method, started, error)
        else:
            _log_end(method, started, "OK")

    return call


async def _abort(context: Context, method: str, started: float, error: Exception) -> None:
    """End the call with the public form of ``error``; log the rest where it is the server's fault."""
    if isinstance(error, grpc.aio.AbortError):
        raise error
    public = public_error(error)
    if public.code is grpc.StatusCode.INTERNAL:
        get_logger(__name__).error("call failed", method=method, **public.metadata, exc_info=error)
    _log_end(method, started, public.code.name)
    metadata = ((STATUS_METADATA_KEY, public.status().SerializeToString()),)
    await context.abort(public.code, public.message, trailing_metadata=metadata)


def _log_end(method: str, started: float, code: str) -> None:
    seconds = round(time.monotonic() - started, 3)
    get_logger(__name__).info("call", method=method, code=code, seconds=seconds)
