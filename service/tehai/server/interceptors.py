"""Around every call, from the outside in: error table, request context, span, metrics, gate, handler.

Requests reach the gate as bytes and are read behind it, so that nobody unknown makes the server parse anything, and a
request that cannot be read ends as the error table says.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio

from tehai.security import Gate, IncomingCall, TenantLimiter
from tehai.security.gate import Admission
from tehai.server.error_details import STATUS_METADATA_KEY, PublicError, shortened
from tehai.server.errors import code_of, public_error
from tehai.server.logs import get_logger
from tehai.telemetry import Metrics, measured_call, request_context
from tehai.telemetry.request_context import REQUEST_ID
from tehai.telemetry.tracing import continued_trace, span

Context = grpc.aio.ServicerContext[Any, Any]
if TYPE_CHECKING:
    Interceptor = grpc.aio.ServerInterceptor[Any, Any]
    Handler = grpc.RpcMethodHandler[Any, Any]
else:
    # Generic in the type stubs only.
    Interceptor = grpc.aio.ServerInterceptor
    Handler = grpc.RpcMethodHandler
Reader = Callable[[bytes], Any]


class _RefusedError(Exception):
    """Carries what the caller is told, and the request id, to the outermost place."""

    def __init__(self, public: PublicError, request_id: str) -> None:
        super().__init__(public.reason)
        self.public = public
        self.request_id = request_id


class CallInterceptor(Interceptor):
    """Wraps each method once and keeps it."""

    def __init__(self, metrics: Metrics, gate: Gate, limiter: TenantLimiter) -> None:
        self._metrics = metrics
        self._gate = gate
        self._limiter = limiter
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Return the wrapped method; gRPC answers UNIMPLEMENTED for one that does not exist."""
        method = str(handler_call_details.method)
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None  # type: ignore[unreachable] # the stubs do not know of methods that do not exist
            wrapped = self._wrapped[method] = self._wrap(handler, method)
        return wrapped

    def _wrap(self, handler: Any, method: str) -> Handler:  # noqa: ANN401 - its stub lacks the four functions
        """Return a handler of the same kind that takes bytes."""
        read: Reader = handler.request_deserializer or (lambda data: data)
        requests = self._stream_reader(read) if handler.request_streaming else self._single_reader(read)
        if handler.response_streaming:
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(self._stream(inner, method, requests), None, handler.response_serializer)
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
        make = (
            grpc.stream_unary_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
        )
        return make(self._single(inner, method, requests), None, handler.response_serializer)

    def _single_reader(self, read: Reader) -> Callable[[Any, Admission], Any]:
        def reader(request: bytes, admission: Admission) -> object:
            self._check_size(request, admission)
            return read(request)

        return reader

    def _stream_reader(self, read: Reader) -> Callable[[Any, Admission], Any]:
        async def reader(requests: AsyncIterator[bytes], admission: Admission) -> AsyncIterator[object]:
            async for request in requests:
                self._check_size(request, admission)
                yield read(request)

        return reader

    def _check_size(self, request: bytes, admission: Admission) -> None:
        if admission.principal is not None:
            self._limiter.check_message(admission.principal.tenant, len(request))

    def _single(
        self, inner: Callable[..., Awaitable[Any]], method: str, read: Callable[[Any, Admission], Any]
    ) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: Context) -> object:  # noqa: ANN401 - bytes, or an iterator of bytes
            try:
                async with self._admitted(context, method) as admission:
                    return await inner(read(request, admission), context)
            except _RefusedError as error:
                await _abort(context, error)

        return call

    def _stream(
        self, inner: Callable[..., Any], method: str, read: Callable[[Any, Admission], Any]
    ) -> Callable[..., AsyncIterator[Any]]:
        async def call(request: Any, context: Context) -> AsyncIterator[object]:  # noqa: ANN401 - as above
            try:
                async with self._admitted(context, method) as admission:
                    answers = inner(read(request, admission), context)
                    if hasattr(answers, "aclose"):
                        async with aclosing(answers):
                            async for answer in answers:
                                yield answer
                    else:
                        # The health service writes to the context itself.
                        await answers
            except _RefusedError as error:
                await _abort(context, error)

        return call

    @asynccontextmanager
    async def _admitted(self, context: Context, method: str) -> AsyncIterator[Admission]:
        """Let a call in for the length of the block; raise _RefusedError in place of any other exception."""
        metadata: Any = context.invocation_metadata() or ()
        started = time.monotonic()
        with request_context(method, metadata) as known:
            context.set_trailing_metadata(((REQUEST_ID, known.request_id),))
            certificates = tuple(context.auth_context().get("x509_pem_cert", ()))
            incoming = IncomingCall(method, metadata, certificates, str(context.peer()), known.request_id)
            code = "OK"
            try:
                with continued_trace(known.traceparent), span(method), measured_call(self._metrics, method, code_of):
                    async with self._gate.admit(incoming) as admission:
                        yield admission
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - the outermost place: everything is mapped
                public = public_error(error)
                code = public.code.name
                if public.code is grpc.StatusCode.INTERNAL:
                    get_logger(__name__).error("call failed", **public.metadata, exc_info=error)
                raise _RefusedError(public, known.request_id) from None
            except BaseException as error:
                code = code_of(error)
                raise
            finally:
                _log_end(code, started)


async def _abort(context: Context, error: _RefusedError) -> NoReturn:
    """End the call with what the caller is told."""
    metadata = ((STATUS_METADATA_KEY, error.public.status().SerializeToString()), (REQUEST_ID, error.request_id))
    await context.abort(error.public.code, shortened(error.public.message), trailing_metadata=metadata)
    raise AssertionError


def _log_end(code: str, started: float) -> None:
    """Log how a call ended; calls that went well only where somebody looks that closely: the audit log has them."""
    level = logging.DEBUG if code == "OK" else logging.INFO
    if logging.getLogger(__name__).isEnabledFor(level):
        get_logger(__name__).log(level, "call", code=code, seconds=round(time.monotonic() - started, 6))
