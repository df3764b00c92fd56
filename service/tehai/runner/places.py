"""The places for solves: how many run at once, whoever asked for them, and that none outlives its call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.context import ForkServerContext

from tehai.runner.errors import ShuttingDownError, TooManySolvesError
from tehai.runner.frames import SolveJob
from tehai.runner.settings import RunnerSettings
from tehai.runner.solve_process import OnPhase, SolveProcess, orders_of


class Place:
    """One of the places, taken until it is given back."""

    def __init__(self, places: Places) -> None:
        self._places: Places | None = places

    def release(self) -> None:
        """Give the place back; a second time changes nothing."""
        places, self._places = self._places, None
        if places is not None:
            places.give_back()


class Places:
    """Keeps at most ``solves_max`` solve processes; a place is free again once its process is gone."""

    def __init__(self, context: ForkServerContext, settings: RunnerSettings) -> None:
        self._context = context
        self._settings = settings
        self._taken = 0
        # Solves of calls, each with its tenant.
        self._running: dict[SolveProcess, str] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._open = True
        # Set while no place is taken that may not be used.
        self._sure = asyncio.Event()
        self._sure.set()
        # Called whenever a place becomes free.
        self.on_free: Callable[[], None] | None = None

    @property
    def free(self) -> int:
        """How many places are free."""
        return self._settings.solves_max - self._taken

    def reserve(self) -> Place | None:
        """Take a place, or return None where there is none."""
        if self.free < 1:
            return None
        self._taken += 1
        return Place(self)

    @asynccontextmanager
    async def maybe(self) -> AsyncIterator[Callable[[], Place] | None]:
        """Hold a place while it is found out whether it is needed; None where there is none.

        Calling what is given takes the place; else it is free again after the block. Calls that find every other place
        taken wait that long.
        """
        place = self.reserve()
        if place is None:
            yield None
            return
        taken: list[Place] = []

        def take() -> Place:
            taken.append(place)
            return place

        self._sure.clear()
        try:
            yield take
        finally:
            if not taken:
                self._taken -= 1
            self._sure.set()

    def new_process(self, *, kept: bool, on_phase: OnPhase | None = None) -> SolveProcess:
        """Return a process that is not started yet; whoever calls has a place for it."""
        settings = self._settings
        job = SolveJob(
            progress_interval_seconds=settings.progress_interval_seconds,
            threads_max=settings.solve_threads_max,
            memory_mb_max=settings.solve_memory_mb_max,
            kept=kept,
        )
        return SolveProcess(self._context, job, on_phase)

    @asynccontextmanager
    async def start(
        self, problem: bytes, options: bytes, on_phase: OnPhase | None = None, tenant: str = ""
    ) -> AsyncIterator[SolveProcess]:
        """Start a solve that ends with the block; raise TooManySolvesError or ShuttingDownError.

        A tenant has at most ``solves_per_tenant_max`` of these at once.
        """
        most = self._settings.solves_per_tenant_max
        if sum(owner == tenant for owner in self._running.values()) >= most:
            raise TooManySolvesError(most, self._settings.retry_seconds)
        place = self.reserve()
        while place is None and not self._sure.is_set():
            await self._sure.wait()
            place = self.reserve()
        if not self._open:
            if place is not None:
                place.release()
            raise ShuttingDownError
        if place is None:
            raise TooManySolvesError(self._settings.solves_max, self._settings.retry_seconds)
        try:
            solve = self.new_process(kept=False, on_phase=on_phase)
        except BaseException:
            place.release()
            raise
        self._running[solve] = tenant
        loop, seconds = asyncio.get_running_loop(), self._settings.solve_seconds_max
        timer = loop.call_later(seconds, solve.stop)
        killer = loop.call_later(seconds + self._settings.stop_grace_seconds, solve.kill)
        freed: asyncio.Task[None] | None = None
        try:
            solve.start(orders_of(problem, options))
            # Not only with the block: a caller who does not read the answer would keep a place that nobody uses.
            freed = asyncio.create_task(_release_when_gone(solve, place), name="free place")
            yield solve
        finally:
            timer.cancel()
            killer.cancel()
            if freed is not None:
                freed.cancel()
            # A cancelled call must not wait here, and the place must not be free before the process is gone.
            task = asyncio.create_task(self._close(solve, place), name="close solve")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def stop_all(self) -> None:
        """Take no more solves of calls and ask those that run to end with their best plan."""
        self._open = False
        for solve in self._running:
            solve.stop()

    async def end_all(self) -> None:
        """Kill the solves of calls that still run and wait until every process is gone."""
        self.stop_all()
        for solve in tuple(self._running):
            solve.kill()
        while self._closing:
            await asyncio.gather(*tuple(self._closing))

    async def _close(self, solve: SolveProcess, place: Place) -> None:
        try:
            await solve.close(self._settings.cancel_grace_seconds)
        finally:
            self._running.pop(solve, None)
            place.release()

    def give_back(self) -> None:
        """Count a place as free again; for ``Place``."""
        self._taken -= 1
        if self.on_free is not None:
            self.on_free()


async def _release_when_gone(solve: SolveProcess, place: Place) -> None:
    await solve.wait_gone()
    place.release()
