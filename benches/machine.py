"""The build and the machine: which engine is measured, and how fast plain arithmetic is here."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tehai.engine import _native

# 64 MiB arrays do not fit the caches of a core; three arrays of 2,048 numbers do.
MEMORY_ELEMENTS = 8 * 1024 * 1024
CACHE_ELEMENTS = 2_048


def debug_build_refusal() -> str | None:
    """Return why this build must not be measured, None for a release build."""
    version, profile = _native.build_info()
    if profile == "release":
        return None
    return f"the engine {version} is a {profile} build: run `make setup`, which builds it for release"


def memory_bytes_per_second() -> float:
    """Return bytes read and written a second by a copy that does not fit the caches, one thread."""
    source, target = np.ones(MEMORY_ELEMENTS), np.zeros(MEMORY_ELEMENTS)
    return 2.0 * source.nbytes / _best_seconds(lambda: np.copyto(target, source), 5, 1)


def cached_flops_per_second() -> float:
    """Return additions a second of arrays that stay in the first two caches, one thread, calls included."""
    left, right, out = np.ones(CACHE_ELEMENTS), np.ones(CACHE_ELEMENTS), np.zeros(CACHE_ELEMENTS)
    return CACHE_ELEMENTS / _best_seconds(lambda: np.add(left, right, out=out), 20, 1_000)


def _best_seconds(call: Callable[[], object], repeats: int, calls: int) -> float:
    """Return the shortest mean of ``calls`` calls, seconds."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        best = min(best, (time.perf_counter() - started) / calls)
    return best
