"""The build and the machine: which engine is measured, and how fast plain arithmetic is here."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from tehai.engine import _native

# 64 MiB arrays do not fit a core's own caches (a large shared cache may hold them).
MEMORY_ELEMENTS = 8 * 1024 * 1024
MATRIX_SIZE = 768


def debug_build_refusal() -> str | None:
    """Return why this build must not be measured, None for a release build."""
    version, profile = _native.build_info()
    if profile == "release":
        return None
    return f"the engine {version} is a {profile} build: run `make setup`, which builds it for release"


def memory_bytes_per_second() -> float:
    """Return bytes read and written a second by a copy that does not fit a core's own caches, one thread."""
    source, target = np.ones(MEMORY_ELEMENTS), np.zeros(MEMORY_ELEMENTS)
    return 2.0 * source.nbytes / _best_seconds(lambda: np.copyto(target, source), 5, 1)


def peak_flops_per_second() -> float:
    """Return additions and multiplications a second of a product of matrices, with the threads that numpy takes."""
    left, right = np.ones((MATRIX_SIZE, MATRIX_SIZE)), np.ones((MATRIX_SIZE, MATRIX_SIZE))
    out = np.zeros_like(left)
    return 2.0 * MATRIX_SIZE**3 / _best_seconds(lambda: np.matmul(left, right, out=out), 5, 4)


def _best_seconds(call: Callable[[], object], repeats: int, calls: int) -> float:
    """Return the shortest mean of ``calls`` calls, seconds."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(calls):
            call()
        best = min(best, (time.perf_counter() - started) / calls)
    return best
