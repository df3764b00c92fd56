"""The metrics of one call, around its handler."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tehai.telemetry.metrics import Metrics


@contextmanager
def measured_call(metrics: Metrics, method: str, code_of: Callable[[BaseException], str]) -> Iterator[None]:
    """Count the call and its time; ``code_of`` names the gRPC code of a call that raised."""
    label = metrics.method(method)
    started = time.monotonic()
    code = "OK"
    metrics.add("tehai_requests_in_progress", 1, label)
    try:
        yield
    except BaseException as error:
        code = code_of(error)
        raise
    finally:
        metrics.add("tehai_requests_in_progress", -1, label)
        metrics.count("tehai_requests_total", label, code)
        metrics.observe("tehai_request_seconds", time.monotonic() - started, label)
