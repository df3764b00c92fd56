"""A small HTTP server for machines that watch: /metrics, /healthz, /readyz and pages given to it, on a port of its own.

It holds nothing secret, but is for the inside of a network. It takes GET and HEAD, answers once and closes, and no
client can hold it up: lines, time and connections are limited.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from tehai.telemetry.metrics import CONTENT_TYPE, Metrics
from tehai.telemetry.readiness import Readiness

REQUEST_SECONDS = 5.0
HEAD_BYTES_MAX = 8 * 1024
CONNECTIONS_MAX = 32
_PLAIN = "text/plain; charset=utf-8"
_JSON = "application/json"
# A page loads nothing from elsewhere, runs no script and is shown in no frame.
_SAFE = (
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
    "Cache-Control: no-store",
)
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Page:
    """A further page: its content type, and what makes its content anew for each request."""

    content_type: str
    make: Callable[[], Awaitable[bytes]]


class HttpEndpoint:
    """Use it as an async context manager; ``port`` is the one it listens on."""

    def __init__(
        self,
        metrics: Metrics,
        readiness: Readiness,
        host: str,
        port: int,
        request_seconds: float = REQUEST_SECONDS,
        pages: Mapping[str, Page] | None = None,
    ) -> None:
        """Port 0 lets the system choose; ``pages`` are further ones by path."""
        self._metrics = metrics
        self._readiness = readiness
        self._host = host
        self._asked_port = port
        self._request_seconds = request_seconds
        self._further = {path.encode("ascii"): page for path, page in (pages or {}).items()}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> HttpEndpoint:
        """Listen; raise OSError where the address is taken."""
        self._server = await asyncio.start_server(
            self._connected, self._host, self._asked_port, limit=HEAD_BYTES_MAX, backlog=CONNECTIONS_MAX
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and cut off who is still there."""
        assert self._server is not None
        self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*tuple(self._open), return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            # One too many is closed without a word; a probe tries again.
            if len(self._open) <= CONNECTIONS_MAX:
                await asyncio.wait_for(self._serve(reader, writer), self._request_seconds)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Slow, gone or talking nonsense.
            pass
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            code, kind, body = 400, _PLAIN, _text("bad request\n")
        elif words[0] not in (b"GET", b"HEAD"):
            code, kind, body = 405, _PLAIN, _text("GET or HEAD\n")
        else:
            code, kind, body = await self._answer(words[1].split(b"?", 1)[0])
        # No length: the end of the connection is the end of the answer.
        lines = (f"HTTP/1.1 {code} {_REASONS[code]}", f"Content-Type: {kind}", *_SAFE, "Connection: close", "", "")
        writer.write("\r\n".join(lines).encode("ascii"))
        if words[0] != b"HEAD":
            async for part in body:
                writer.write(part)
                await writer.drain()
        await writer.drain()

    async def _answer(self, path: bytes) -> tuple[int, str, AsyncIterator[bytes]]:
        if path == b"/healthz":
            return 200, _PLAIN, _text("ok\n")
        if path == b"/readyz":
            verdict = await self._readiness.verdict()
            said = {"ready": verdict.ready, "failing": list(verdict.failing)}
            return (200 if verdict.ready else 503), _JSON, _text(json.dumps(said) + "\n")
        if path == b"/metrics":
            self._metrics.set("tehai_ready", float((await self._readiness.verdict()).ready))
            return 200, CONTENT_TYPE, self._pages()
        further = self._further.get(path)
        if further is not None:
            return 200, further.content_type, _whole(await further.make())
        return 404, _PLAIN, _text("/metrics, /healthz or /readyz\n")

    async def _pages(self) -> AsyncIterator[bytes]:
        for page in self._metrics.pages():
            yield page
            # A scrape must not keep calls waiting for more than one metric.
            await asyncio.sleep(0)


async def _text(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
