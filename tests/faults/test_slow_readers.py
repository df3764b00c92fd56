"""Callers that open a stream and do not read: the server keeps little for them, and serves the others."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any

import pytest

from tehai.operations.records import Claim
from tehai.operations.store import Store
from tehai.v1.sourcing_service_pb2 import (
    DownloadSolveResultRequest,
    GetLimitsRequest,
    Progress,
    WatchSolveRequest,
)
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.faults.conftest import Place
from tests.faults.store_steps import running_solve, solve_with_result, with_store

READERS = 20
RESULT_BYTES = 48_000_000
# Far below the sum of what they do not read (nearly 1 GB), above what connections buffer.
GROWTH_BYTES_MAX = 200_000_000
EVENTS = 4_000
STALLED_SECONDS = 3.0
SETTINGS = {"limit_heavy_requests_per_second": 1_000}


def test_downloads_that_nobody_reads(sqlite_place: Place) -> None:
    """Twenty stalled downloads of 48 MB cost a fraction of one; a reader that comes later gets every byte."""
    service = sqlite_place.service(**SETTINGS)
    result = random.Random(1).randbytes(RESULT_BYTES)
    name = solve_with_result(service, "large", result)
    request = DownloadSolveResultRequest(name=name)
    with service:
        # One in full, so that what a download needs is there before memory is compared.
        whole = hashlib.sha256(result).hexdigest()
        assert _downloaded(service.stub().DownloadSolveResult(request, timeout=120)) == whole
        before = service.usage()
        stalled: list[Any] = [
            SourcingServiceStub(service.channel()).DownloadSolveResult(request, timeout=120) for _ in range(READERS)
        ]
        first_parts = [next(call) for call in stalled]
        assert all(part.total_bytes == RESULT_BYTES for part in first_parts)
        time.sleep(STALLED_SECONDS)
        grown = service.usage().rss_bytes - before.rss_bytes
        print(f"\n{READERS} stalled downloads: {grown / 1e6:+.1f} MB")
        assert grown < GROWTH_BYTES_MAX
        service.stub().GetLimits(GetLimitsRequest(), timeout=10)
        # A slow reader loses nothing.
        assert _downloaded(stalled.pop(), first_parts.pop().data) == whole
        for call in stalled:
            call.cancel()


def _downloaded(call: Any, first: bytes = b"") -> str:  # noqa: ANN401 - a call is untyped in gRPC
    """Read a download to its end and return the SHA-256 of what came."""
    hasher = hashlib.sha256(first)
    for part in call:
        hasher.update(part.data)
    return hasher.hexdigest()


@pytest.mark.parametrize("events", [EVENTS])
def test_watches_that_nobody_reads(sqlite_place: Place, events: int) -> None:
    """Twenty watches of a solve with thousands of events that nobody reads keep next to nothing in memory.

    One that reads again gets the end.
    """
    service = sqlite_place.service(**SETTINGS)
    name, claim = running_solve(service, "busy")
    request = WatchSolveRequest(name=name)
    with service:
        small_windows = (("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0))
        stalled: list[Any] = [
            SourcingServiceStub(service.channel(options=small_windows)).WatchSolve(request, timeout=300)
            for _ in range(READERS)
        ]
        for call in stalled:
            next(call)
        before = service.usage()
        with_store(service, lambda store: _progress(store, claim, events))
        time.sleep(STALLED_SECONDS)
        grown = service.usage().rss_bytes - before.rss_bytes
        print(f"\n{READERS} stalled watches, {events} events: {grown / 1e6:+.1f} MB")
        assert grown < GROWTH_BYTES_MAX / 4
        with_store(service, lambda store: _end(store, claim))
        for call in stalled:
            *_, last = call
            assert last.WhichOneof("event") == "ended"


async def _progress(store: Store, claim: Claim, count: int) -> None:
    for number in range(count):
        progress = Progress(elapsed_seconds=number, objective_yen=10**15 - number, lower_bound_yen=number, gap=0.5)
        await store.record_progress(claim, progress.SerializeToString())


async def _end(store: Store, claim: Claim) -> None:
    await store.succeed(claim, b"", None, b"")
