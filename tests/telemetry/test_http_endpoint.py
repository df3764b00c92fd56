"""The HTTP endpoint, through real sockets: its three pages, and clients that are slow, rude or many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tehai.telemetry.http_endpoint import CONNECTIONS_MAX, HttpEndpoint
from tehai.telemetry.metrics import Metrics
from tehai.telemetry.readiness import Readiness


@asynccontextmanager
async def endpoint(readiness: Readiness | None = None, request_seconds: float = 5.0) -> AsyncIterator[HttpEndpoint]:
    """Serve on a free port of loopback."""
    metrics = Metrics(["/a.B/C"], "1.2.3")
    async with HttpEndpoint(metrics, readiness or Readiness(), "127.0.0.1", 0, request_seconds) as made:
        yield made


async def send(port: int, request: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def get(port: int, path: str, method: str = "GET") -> tuple[int, str]:
    """Return code and body of one request."""
    answer = await send(port, f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


def test_the_three_pages() -> None:
    """Health is a word, readiness an object, metrics what Prometheus reads; anything else is not there."""

    async def make() -> None:
        async with endpoint() as made:
            assert await get(made.port, "/healthz") == (200, "ok\n")
            code, body = await get(made.port, "/readyz")
            assert (code, json.loads(body)) == (200, {"ready": True, "failing": []})
            code, body = await get(made.port, "/metrics?x=1")
            assert code == 200
            assert len(list(text_string_to_metric_families(body))) > 20
            assert await get(made.port, "/metrics", "HEAD") == (200, "")
            for path in ("/", "/metrics/", "/../etc/passwd"):
                assert (await get(made.port, path))[0] == 404
            assert (await get(made.port, "/metrics", "POST"))[0] == 405

    asyncio.run(make())


def test_readiness_names_what_is_not_well_and_nothing_more() -> None:
    """A check that raises or hangs is named, with 503 and none of its text; draining is unready at once."""

    async def well() -> None:
        return None

    async def broken() -> None:
        message = "password of 10.0.0.5 refused"
        raise OSError(message)

    async def hanging() -> None:
        await asyncio.sleep(60)

    async def make() -> None:
        readiness = Readiness(check_seconds=0.05)
        for name, check in (("store", broken), ("well", well), ("quotes", hanging)):
            readiness.add(name, check)
        async with endpoint(readiness) as made:
            code, body = await get(made.port, "/readyz")
            assert (code, json.loads(body)) == (503, {"ready": False, "failing": ["store", "quotes"]})
            assert (await get(made.port, "/healthz"))[0] == 200
            readiness.drain()
            code, body = await get(made.port, "/readyz")
            assert (code, json.loads(body)["failing"]) == (503, ["draining"])

    asyncio.run(make())


def test_a_slow_client_is_cut_off() -> None:
    """One that sends half a request and waits is closed after the time that it has; others are served meanwhile."""

    async def make() -> None:
        async with endpoint(request_seconds=0.2) as made:
            slow = asyncio.create_task(send(made.port, b"GET /metrics HTTP/1.1\r\n"))
            assert (await get(made.port, "/healthz"))[0] == 200
            assert await slow == b""

    asyncio.run(make())


def test_many_clients_are_bounded() -> None:
    """Beyond the most connections a client is closed without an answer, and there is room again later."""

    async def make() -> None:
        async with endpoint(request_seconds=1.0) as made:
            idle = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(CONNECTIONS_MAX)]
            await asyncio.sleep(0.05)
            assert await send(made.port, b"GET /healthz HTTP/1.1\r\n\r\n") == b""
            for _, writer in idle:
                writer.close()
            await asyncio.sleep(0.05)
            assert (await get(made.port, "/healthz"))[0] == 200

    asyncio.run(make())


def test_the_end_does_not_wait_for_clients() -> None:
    """Closing cuts off whoever is still there."""

    async def make() -> None:
        async with asyncio.timeout(2):
            async with endpoint(request_seconds=60) as made:
                reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
                await asyncio.sleep(0.05)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(make())


def test_an_address_that_is_taken_is_an_error() -> None:
    """Two endpoints on one port do not share it."""

    async def make() -> None:
        async with endpoint() as made:
            with pytest.raises(OSError, match="address already in use"):
                await HttpEndpoint(Metrics(), Readiness(), "127.0.0.1", made.port).__aenter__()

    asyncio.run(make())


REQUEST = st.one_of(
    st.binary(max_size=200),
    st.binary(max_size=60).map(lambda data: data + b"\r\n\r\n"),
    st.builds(lambda a, b, c: b" ".join((a, b, c)) + b"\r\n\r\n", *([st.binary(max_size=20)] * 3)),
    st.just(b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n"),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(REQUEST, min_size=1, max_size=10))
def test_hostile_bytes_do_no_harm(requests: list[bytes]) -> None:
    """Whatever is sent gets an error or silence, and the next client its answer."""

    async def make() -> None:
        async with endpoint(request_seconds=0.05) as made:
            for answer in await asyncio.gather(*(send(made.port, request) for request in requests)):
                assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
            assert await get(made.port, "/healthz") == (200, "ok\n")

    asyncio.run(make())
