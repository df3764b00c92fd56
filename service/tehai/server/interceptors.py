"""Around every call, from the outside in: error table, request context, span, metrics, gate, handler.

Requests are received and read behind the gate, so that nobody unknown makes the server hold or parse anything, and a
request that is too large or cannot be read ends as the error table says.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import grpc.aio

from tehai.security import Gate, IncomingCall, LimitExceededError, TenantLimiter
from tehai.security.gate import Admission
from tehai.server.error_details import STATUS_METADATA_KEY, PublicError, shortened
from tehai.server.errors import code_of, public_error
from tehai.server.handlers import SMALL_REQUEST_BYTES_MAX
from tehai.server.logs import get_logger
from tehai.server.request_errors import MalformedRequestError, RequestTooLargeError
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
# From the stream of a call to its request, or to an iterator of its requests.
Requests = Callable[[AsyncIterator[bytes], Context, Admission], Awaitable[Any]]
# Requests of health checks that are not here yet, and how long they may take: they are small and come at once.
PUBLIC_RECEIVING_MAX = 32
PUBLIC_RECEIVING_SECONDS = 5.0
# Where gRPC itself has refused one as too large, the caller is told so by gRPC; this stands in log and audit.
NO_REQUEST = "no request came with the call, or one that is far too large"
PARTS_ADVICE = "; send a larger problem in parts, with UploadProblem"


class _RefusedError(Exception):
    """Carries what the caller is told, and the request id, to the outermost place."""

    def __init__(self, public: PublicError, request_id: str) -> None:
        super().__init__(public.reason)
        self.public = public
        self.request_id = request_id


class CallInterceptor(Interceptor):
    """Wraps each method once and keeps it."""

    def __init__(self, metrics: Metrics, gate: Gate, limiter: TenantLimiter, message_bytes_max: int) -> None:
        """``message_bytes_max`` is the largest request of anybody; gRPC itself must let a little more through."""
        self._message_bytes_max = message_bytes_max
        self._public_receiving = 0
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
        """Return a handler of the same method that takes bytes, and none of them before the gate has let the call in.

        On the wire a single request is a stream of one, and gRPC reads a stream only when it is asked to; a single
        request it would read, and hold, before it calls the handler.
        """
        read: Reader = handler.request_deserializer or (lambda data: data)
        requests = self._stream_reader(read) if handler.request_streaming else self._single_reader(read)
        if handler.response_streaming:
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
            streaming = self._stream(inner, method, requests)
            return grpc.stream_stream_rpc_method_handler(streaming, None, handler.response_serializer)
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
        single = self._single(inner, method, requests)
        return grpc.stream_unary_rpc_method_handler(single, None, handler.response_serializer)

    def _single_reader(self, read: Reader) -> Requests:
        async def reader(_: AsyncIterator[bytes], context: Context, admission: Admission) -> object:
            # Not by the iterator: one that is left before its end costs a task.
            request = await (context.read() if admission.principal is not None else self._read_public(context))
            if not isinstance(request, bytes):
                raise MalformedRequestError(NO_REQUEST)
            try:
                self._check_size(len(request), admission)
            except BaseException:
                # The error keeps this frame until the next collection: not the megabytes that were too many.
                request = None
                raise
            return read(request)

        return reader

    async def _read_public(self, context: Context) -> object:
        """Receive a request of a method that is open to everybody, which nobody is charged for; None: it never came.

        Only so many at once and for so long, as gRPC may hold as much of each as of any request.
        """
        if self._public_receiving >= PUBLIC_RECEIVING_MAX:
            text = f"{PUBLIC_RECEIVING_MAX} requests of callers without a credential are on their way already"
            raise LimitExceededError("public_requests_receiving", PUBLIC_RECEIVING_MAX, text, PUBLIC_RECEIVING_SECONDS)
        self._public_receiving += 1
        try:
            return await asyncio.wait_for(context.read(), PUBLIC_RECEIVING_SECONDS)
        except TimeoutError:
            return None
        finally:
            self._public_receiving -= 1

    def _stream_reader(self, read: Reader) -> Requests:
        async def messages(requests: AsyncIterator[bytes], admission: Admission) -> AsyncIterator[object]:
            async for request in requests:
                try:
                    self._check_size(len(request), admission)
                except BaseException:
                    # As for a single request.
                    request = b""
                    raise
                yield read(request)

        async def reader(requests: AsyncIterator[bytes], _: Context, admission: Admission) -> object:
            return messages(requests, admission)

        return reader

    def _check_size(self, size_bytes: int, admission: Admission) -> None:
        """Raise for a request larger than this server or its tenant takes; who is nobody sends small ones only."""
        if admission.principal is None:
            if size_bytes > SMALL_REQUEST_BYTES_MAX:
                raise RequestTooLargeError(size_bytes, SMALL_REQUEST_BYTES_MAX)
            return
        if size_bytes > self._message_bytes_max:
            raise RequestTooLargeError(size_bytes, self._message_bytes_max, PARTS_ADVICE)
        self._limiter.check_message(admission.principal.tenant, size_bytes)

    def _single(
        self, inner: Callable[..., Awaitable[Any]], method: str, read: Requests
    ) -> Callable[..., Awaitable[Any]]:
        async def call(requests: AsyncIterator[bytes], context: Context) -> object:
            try:
                async with self._admitted(context, method, answers_later=True) as admission:
                    return await inner(await read(requests, context, admission), context)
            except _RefusedError as error:
                await _abort(context, error)

        return call

    def _stream(self, inner: Callable[..., Any], method: str, read: Requests) -> Callable[..., AsyncIterator[Any]]:
        async def call(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[object]:
            try:
                async with self._admitted(context, method) as admission:
                    answers = inner(await read(requests, context, admission), context)
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
    async def _admitted(
        self, context: Context, method: str, *, answers_later: bool = False
    ) -> AsyncIterator[Admission]:
        """Let a call in for the length of the block; raise _RefusedError in place of any other exception.

        With ``answers_later`` gRPC sends the answer after the block, and until then the call counts as open.
        """
        metadata: Any = context.invocation_metadata() or ()
        started = time.monotonic()
        with request_context(method, metadata) as known:
            context.set_trailing_metadata(((REQUEST_ID, known.request_id),))
            certificates = tuple(context.auth_context().get("x509_pem_cert", ()))
            # The stub of gRPC asks for a callback of more than grpc.aio gives it.
            call: Any = context
            after = (lambda done: call.add_done_callback(lambda _: done())) if answers_later else None
            incoming = IncomingCall(method, metadata, certificates, str(context.peer()), known.request_id, after)
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
