"""The two ways to send a call: blocking, or in an event loop.

Everything above this file is written once, as coroutines. Over BlockingTransport they never wait for a loop, so that
``run_blocking`` can step them to their end in any thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from tehai.client.connection import Connection
from tehai.client.methods import Answer, Method, Request

T = TypeVar("T")
Metadata = tuple[tuple[str, str], ...]
_END = object()
# Missing in its type stubs.
_EOF: Any = getattr(grpc.aio, "EOF")  # noqa: B009


class Stream(Protocol):
    """A stream of answers that is open."""

    async def read(self) -> Any:  # noqa: ANN401 - the answer of the method
        """Return the next message, None at the end; raise grpc.RpcError."""

    def cancel(self) -> None:
        """End it; may be called from any thread."""


class Transport(Protocol):
    """Sends calls; each raises grpc.RpcError. ``seconds`` is its deadline, None: no end."""

    async def unary(
        self, method: Method[Request, Answer], request: Request, seconds: float | None, metadata: Metadata
    ) -> Answer:
        """Send one message, return the answer."""

    async def upload(
        self, method: Method[Request, Answer], requests: Iterable[Request], seconds: float | None, metadata: Metadata
    ) -> Answer:
        """Send messages in order, return the answer."""

    def stream(
        self,
        method: Method[Request, Answer],
        request: Request | Iterable[Request],
        seconds: float | None,
        metadata: Metadata,
    ) -> Stream:
        """Send one message, or messages in order, and return the stream of answers."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def compute(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - of ``function``
        """Return ``function(*arguments)``, which may take long."""


def write_message(message: Message) -> bytes:
    """Return the bytes of a request: the same for the same content, as idempotency by content needs."""
    return message.SerializeToString(deterministic=True)


class BlockingTransport:
    """Calls that hold the thread; safe to share among threads."""

    def __init__(self, connection: Connection) -> None:
        credentials, options = connection.channel_credentials(), connection.channel_options()
        self.channel = (
            grpc.insecure_channel(connection.target, options=options)
            if credentials is None
            else grpc.secure_channel(connection.target, credentials, options=options)
        )

    async def unary(
        self, method: Method[Request, Answer], request: Request, seconds: float | None, metadata: Metadata
    ) -> Answer:
        """Send one message, return the answer."""
        call: Any = self.channel.unary_unary(method.path, write_message, method.answer.FromString)
        answer: Answer = call(request, timeout=seconds, metadata=metadata)
        return answer

    async def upload(
        self, method: Method[Request, Answer], requests: Iterable[Request], seconds: float | None, metadata: Metadata
    ) -> Answer:
        """Send messages in order, return the answer."""
        call: Any = self.channel.stream_unary(method.path, write_message, method.answer.FromString)
        answer: Answer = call(iter(requests), timeout=seconds, metadata=metadata)
        return answer

    def stream(
        self,
        method: Method[Request, Answer],
        request: Request | Iterable[Request],
        seconds: float | None,
        metadata: Metadata,
    ) -> Stream:
        """Send one message, or messages in order, and return the stream of answers."""
        if isinstance(request, Message):
            single: Any = self.channel.unary_stream(method.path, write_message, method.answer.FromString)
            return _BlockingStream(single(request, timeout=seconds, metadata=metadata))
        many: Any = self.channel.stream_stream(method.path, write_message, method.answer.FromString)
        return _BlockingStream(many(iter(request), timeout=seconds, metadata=metadata))

    async def sleep(self, seconds: float) -> None:
        """Wait in this thread."""
        time.sleep(seconds)  # noqa: ASYNC251 - there is no loop that it could hold up

    async def compute(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - of ``function``
        """Return ``function(*arguments)``."""
        return function(*arguments)


class _BlockingStream:
    def __init__(self, call: Any) -> None:  # noqa: ANN401 - gRPC's own class has no public name
        self._call = call

    async def read(self) -> Any:  # noqa: ANN401 - as in Stream
        return next(self._call, None)

    def cancel(self) -> None:
        self._call.cancel()


class LoopTransport:
    """Calls within the running event loop; use it there only.

    Calls that send many messages go over a blocking channel of their own, in threads: grpc.aio (1.81) answers INTERNAL
    in place of the server's status where a message is being written when the server ends the call.
    """

    def __init__(self, connection: Connection) -> None:
        credentials, options = connection.channel_credentials(), connection.channel_options()
        self._connection = connection
        self._sender: BlockingTransport | None = None
        self.channel = (
            grpc.aio.insecure_channel(connection.target, options=options)
            if credentials is None
            else grpc.aio.secure_channel(connection.target, credentials, options=options)
        )

    async def close(self) -> None:
        """Close the connections; calls under way end."""
        await self.channel.close(None)
        if self._sender is not None:
            self._sender.channel.close()

    async def unary(
        self, method: Method[Request, Answer], request: Request, seconds: float | None, metadata: Metadata
    ) -> Answer:
        """Send one message, return the answer."""
        call: Any = self.channel.unary_unary(method.path, write_message, method.answer.FromString)
        answer: Answer = await call(request, timeout=seconds, metadata=metadata)
        return answer

    async def upload(
        self, method: Method[Request, Answer], requests: Iterable[Request], seconds: float | None, metadata: Metadata
    ) -> Answer:
        """Send messages in order, return the answer."""
        make: Any = self._sending().channel.stream_unary(method.path, write_message, method.answer.FromString)
        call = make.future(iter(requests), timeout=seconds, metadata=metadata)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended.set)

        call.add_done_callback(wake)
        try:
            await ended.wait()
        except asyncio.CancelledError:
            call.cancel()
            raise
        answer: Answer = call.result()
        return answer

    def stream(
        self,
        method: Method[Request, Answer],
        request: Request | Iterable[Request],
        seconds: float | None,
        metadata: Metadata,
    ) -> Stream:
        """Send one message, or messages in order, and return the stream of answers."""
        if not isinstance(request, Message):
            return _ThreadStream(self._sending().stream(method, request, seconds, metadata))
        call: Any = self.channel.unary_stream(method.path, write_message, method.answer.FromString)
        return _LoopStream(call(request, timeout=seconds, metadata=metadata))

    def _sending(self) -> BlockingTransport:
        """Return the channel for calls that send many messages."""
        if self._sender is None:
            self._sender = BlockingTransport(self._connection)
        return self._sender

    async def sleep(self, seconds: float) -> None:
        """Let the loop do other things meanwhile."""
        await asyncio.sleep(seconds)

    async def compute(self, function: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401 - of ``function``
        """Return ``function(*arguments)``, done in a thread."""
        return await asyncio.to_thread(function, *arguments)


class _LoopStream:
    def __init__(self, call: Any) -> None:  # noqa: ANN401 - gRPC's own class has no public name
        self._call = call

    async def read(self) -> Any:  # noqa: ANN401 - as in Stream
        message = await self._call.read()
        return None if message is _EOF else message

    def cancel(self) -> None:
        self._call.cancel()


class _ThreadStream:
    """A blocking stream that is read in a thread of its own: it may wait for long, and must not hold up others."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tehai-stream")

    async def read(self) -> Any:  # noqa: ANN401 - as in Stream
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: run_blocking(self._reading()))

    async def _reading(self) -> Any:  # noqa: ANN401 - as in Stream
        return await self._stream.read()

    def cancel(self) -> None:
        self._stream.cancel()
        self._thread.shutdown(wait=False)


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine over BlockingTransport returns."""
    try:
        work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    work.close()
    message = "a coroutine over a blocking transport waited for an event loop"
    raise RuntimeError(message)


def iterate_blocking(items: AsyncGenerator[T]) -> Iterator[T]:
    """Yield what an asynchronous generator over BlockingTransport yields; closed early, it is closed too."""

    async def following() -> Any:  # noqa: ANN401 - T or _END
        return await anext(items, _END)

    async def close() -> None:
        if hasattr(items, "aclose"):
            await items.aclose()

    try:
        while (item := run_blocking(following())) is not _END:
            yield item
    finally:
        run_blocking(close())
