"""Three hundred watches at once: each gets the end of its solve, and what they cost is said."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc
import grpc.aio
import pytest

from tehai.v1 import solve_pb2
from tehai.v1.sourcing_service_pb2 import WatchSolveRequest
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.faults.conftest import Place
from tests.faults.load import ENDED
from tests.faults.problems import endless_solve, quick_solve
from tests.faults.steps import cancel, created, running

WATCHES = 300
SOLVES = 6
CONNECTIONS = 3
WATCH_SECONDS = 240.0
# For one watch; a stream of gRPC alone takes about as much.
GROWTH_BYTES_PER_WATCH_MAX = 300_000
SETTINGS = {"solves_max": 2, "limit_heavy_requests_per_second": 1_000}


async def _watch(stub: Any, name: str, opened: asyncio.Semaphore) -> solve_pb2.Solve:  # noqa: ANN401 - as sync
    """Watch a solve to its end; ``opened`` is released with the first event."""
    last = 0
    first = True
    async for event in stub.WatchSolve(WatchSolveRequest(name=name), timeout=WATCH_SECONDS):
        assert event.sequence > last
        last = event.sequence
        if first:
            opened.release()
            first = False
        if event.WhichOneof("event") == "ended":
            solve: solve_pb2.Solve = event.ended
            return solve
    raise AssertionError(f"the watch of {name} ended without the last event")


@pytest.mark.timeout(600)
def test_three_hundred_watches(sqlite_place: Place) -> None:
    """All of them open while solves run, wait and are cancelled; each ends with the terminal event of its solve."""
    with sqlite_place.service(**SETTINGS) as service:
        endless = created(service, endless_solve())
        running(service, endless)
        names = [endless, *(created(service, quick_solve(f"watched-{n}", priority=9)) for n in range(SOLVES - 1))]
        before = service.usage()
        started = time.monotonic()

        async def watch_all() -> list[solve_pb2.Solve]:
            channels = [
                grpc.aio.insecure_channel(service.address, options=[("grpc.use_local_subchannel_pool", 1)])
                for _ in range(CONNECTIONS)
            ]
            stubs = [SourcingServiceStub(channel) for channel in channels]
            opened = asyncio.Semaphore(0)
            tasks = [
                asyncio.create_task(_watch(stubs[number % CONNECTIONS], names[number % SOLVES], opened))
                for number in range(WATCHES)
            ]
            for _ in range(WATCHES):
                await opened.acquire()
            during = service.usage()
            grown = during.rss_bytes - before.rss_bytes
            print(f"\n{WATCHES} watches: {grown / 1e6:+.1f} MB, {during.open_files - before.open_files:+d} files")
            assert grown < WATCHES * GROWTH_BYTES_PER_WATCH_MAX
            await asyncio.to_thread(cancel, service, endless)
            found = await asyncio.gather(*tasks)
            for channel in channels:
                await channel.close(None)
            return found

        found = asyncio.run(watch_all())
        after = service.usage()
        seconds = time.monotonic() - started
        print(f"the server took {after.cpu_seconds - before.cpu_seconds:.2f} s of processor time in {seconds:.1f} s")
        assert len(found) == WATCHES
        assert {solve.name for solve in found} == set(names)
        assert all(solve.state in ENDED and solve.HasField("end_time") for solve in found)
        # Watchers of one solve are told the same.
        assert len({solve.SerializeToString(deterministic=True) for solve in found}) == SOLVES
