"""How late the event loop is: what a caller waits for while something else holds the interpreter."""

from __future__ import annotations

import asyncio

from tehai.telemetry.metrics import Metrics

INTERVAL_SECONDS = 0.1


async def watch_loop_lag(metrics: Metrics, interval_seconds: float = INTERVAL_SECONDS) -> None:
    """Put the loop's lateness into tehai_loop_lag_seconds until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + interval_seconds
        await asyncio.sleep(interval_seconds)
        metrics.observe("tehai_loop_lag_seconds", max(0.0, loop.time() - due))
