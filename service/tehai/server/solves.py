"""The places for solves: how many run at once, and that none outlives its call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerContext

from tehai.server.errors import ShuttingDownError, TooManySolvesError
from tehai.server.logs import get_logger
from tehai.server.settings import ServerSettings
from tehai.server.solve_process import SolveProcess


class Solves:
    """Keeps at most ``solves_max`` solve processes; a place is free again once its process is gone."""

    def __init__(self, context: ForkServerContext, settings: ServerSettings) -> None:
        self._context = context
        self._settings = settings
        self._running: set[SolveProcess] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._open = True

    @asynccontextmanager
    async def start(self, problem: bytes, options: bytes) -> AsyncIterator[SolveProcess]:
        """Start a solve; raise TooManySolvesError or ShuttingDownError. Leaving the block ends the process."""
        if not self._open:
            raise ShuttingDownError
        if len(self._running) >= self._settings.solves_max:
            raise TooManySolvesError(self._settings.solves_max, self._settings.retry_seconds)
        solve = SolveProcess(self._context, self._settings.progress_interval_seconds, self._worker_grace_seconds)
        self._running.add(solve)
        timer = asyncio.get_running_loop().call_later(self._settings.solve_seconds_max, solve.stop)
        try:
            solve.start(problem, options)
            yield solve
        finally:
            timer.cancel()
            # A cancelled call must not wait here, and the place must not be free before the process is gone.
            task = asyncio.create_task(self._close(solve))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def stop_all(self) -> None:
        """Take no more solves and ask the running ones to end with their best plan."""
        self._open = False
        for solve in self._running:
            solve.stop()

    async def end_all(self) -> None:
        """Kill what still runs and wait until every process is gone."""
        self.stop_all()
        for solve in tuple(self._running):
            solve.kill()
        while self._closing:
            await asyncio.gather(*tuple(self._closing))

    @property
    def _worker_grace_seconds(self) -> float:
        # Past every grace that the server itself gives: only for a process whose server was killed.
        return max(self._settings.cancel_grace_seconds, self._settings.shutdown_grace_seconds) + 5.0

    async def _close(self, solve: SolveProcess) -> None:
        try:
            await solve.close(self._settings.cancel_grace_seconds)
        finally:
            self._running.discard(solve)
            get_logger(__name__).debug("place free", running=len(self._running))
