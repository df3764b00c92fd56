"""Measures the store on this machine: python -m tests.operations.measure [--url URL | --path FILE].

Prints one JSON object with medians and 99th percentiles in milliseconds; every creation and claim is flushed to disk.
It measures SQLite in a new folder of the current one, unless told otherwise: a temporary file system may have no disk.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tehai.operations.store import Store, open_store
from tests.operations.solves import new_solve

PROBLEM_BYTES = 2_400_000
QUEUE_MAX = 1_000_000
AT_ONCE = 64


def summary(seconds: list[float]) -> dict[str, float]:
    """Return median and 99th percentile in milliseconds."""
    return {
        "median_ms": round(statistics.median(seconds) * 1e3, 2),
        "p99_ms": round(statistics.quantiles(seconds, n=100)[98] * 1e3, 2),
    }


async def timed(count: int, call: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Call ``count`` times one after the other."""
    seconds = []
    for _ in range(count):
        started = time.perf_counter()
        await call()
        seconds.append(time.perf_counter() - started)
    return summary(seconds)


async def measure(store: Store) -> dict[str, object]:
    """Return all figures."""
    numbers = random.Random(0)
    prefix = f"{time.time_ns()}"

    async def create(size: int) -> None:
        problem = numbers.randbytes(size)
        new = new_solve(f"{prefix}-{numbers.getrandbits(64)}", problem=problem)
        await store.create_solve(new, problem, QUEUE_MAX)

    async def make_large() -> float:
        problem = numbers.randbytes(PROBLEM_BYTES)
        new = new_solve(f"{prefix}-{numbers.getrandbits(64)}", problem=problem)
        # Hash and random bytes are made by others.
        started = time.perf_counter()
        await store.create_solve(new, problem, QUEUE_MAX)
        return time.perf_counter() - started

    async def claim() -> None:
        assert await store.claim_next("measure", 30.0, QUEUE_MAX) is not None

    figures: dict[str, object] = {
        "create_2400_kb": summary([await make_large() for _ in range(60)]),
        "create_small": await timed(200, lambda: create(100)),
    }
    started = time.perf_counter()
    await asyncio.gather(*(create(100) for _ in range(10 * AT_ONCE)))
    figures["create_small_at_once_per_second"] = round(10 * AT_ONCE / (time.perf_counter() - started))
    figures["claim_next"] = await timed(200, claim)
    claimed = await store.claim_next("measure", 30.0, QUEUE_MAX)
    assert claimed is not None
    figures["renew"] = await timed(100, lambda: store.renew(claimed, b"x" * 60))
    figures["record_progress"] = await timed(100, lambda: store.record_progress(claimed, b"x" * 60))
    figures["get_solve"] = await timed(500, lambda: store.get_solve(claimed.tenant, claimed.solve_id))
    return figures


async def main(arguments: list[str]) -> None:
    """Open the store, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="measure PostgreSQL there (its database is written to)")
    parser.add_argument("--path", type=Path, help="measure SQLite in this new file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        store = await open_store(options.url, options.path or Path(folder) / "tehai.db")
        try:
            print(json.dumps(await measure(store), indent=2))
        finally:
            await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
