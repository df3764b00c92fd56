"""A client that measures: latencies at a steady rate, and answers a second at full load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import grpc.aio

QUOTE_METHOD = "/tehai.v1.SourcingService/QuoteWorkloads"
ECHO_METHOD = "/bench.Echo/Echo"
ECHO_BYTES = 1024
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from sending a request to its answer, ascending."""

    seconds: tuple[float, ...]

    def milliseconds(self, fraction: float) -> float:
        """Return the latency that this fraction of the requests stays within."""
        return 1000.0 * self.seconds[min(int(fraction * len(self.seconds)), len(self.seconds) - 1)]


class Caller:
    """Sends ready bytes to one method, in turn."""

    def __init__(self, address: str, method: str, requests: Sequence[bytes]) -> None:
        """Open a channel of its own."""
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self._call: Any = self._channel.unary_unary(method, None, None)
        self._requests, self._next = requests, 0

    async def once(self) -> bytes:
        """Return the answer to the next request."""
        request = self._requests[self._next % len(self._requests)]
        self._next += 1
        answer: bytes = await self._call(request, timeout=30)
        return answer

    async def at_rate(self, per_second: float, seconds: float) -> Latencies:
        """Send at a steady rate, whether answers come or not, so that a slow answer delays no other request."""
        found: list[float] = []

        async def timed() -> None:
            started = time.perf_counter()
            await self.once()
            found.append(time.perf_counter() - started)

        begin, tasks = time.perf_counter(), []
        for i in range(round(per_second * seconds)):
            await asyncio.sleep(max(begin + i / per_second - time.perf_counter(), 0.0))
            tasks.append(asyncio.create_task(timed()))
        await asyncio.gather(*tasks)
        return Latencies(tuple(sorted(found)))

    async def full_load(self, concurrency: int, seconds: float) -> float:
        """Return answers a second with so many requests always under way."""
        until, count = time.perf_counter() + seconds, 0

        async def loop() -> None:
            nonlocal count
            while time.perf_counter() < until:
                await self.once()
                count += 1

        started = time.perf_counter()
        await asyncio.gather(*(loop() for _ in range(concurrency)))
        return count / (time.perf_counter() - started)

    async def close(self) -> None:
        """Close the channel."""
        await self._channel.close(None)


async def ratio_of(caller: Caller, other: Caller, rounds: int, concurrency: int, seconds: float) -> dict[str, float]:
    """Return answers a second of both, taken in turn, and the median of their ratios."""
    own, others = [], []
    for _ in range(rounds):
        others.append(await other.full_load(concurrency, seconds))
        own.append(await caller.full_load(concurrency, seconds))
    ratios = [a / b for a, b in zip(own, others, strict=True)]
    return {"per_second": median(own), "echo_per_second": median(others), "ratio_to_echo": median(ratios)}
