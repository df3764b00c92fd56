"""Claims solves from the store, as many as there are places, and sees each to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from tehai.operations.clock import Clock, SystemClock
from tehai.operations.errors import StoreError
from tehai.operations.records import Claim, SolveState
from tehai.operations.store import Store
from tehai.runner.claimed_solve import ClaimedSolve, Ended, Reason, StatusOf
from tehai.runner.frames import Phase
from tehai.runner.observer import NoObserver, Outcome, RunnerObserver
from tehai.runner.owners import gone, new_owner
from tehai.runner.places import Place, Places
from tehai.runner.settings import RunnerSettings
from tehai.runner.traces import TracesOfSolves
from tehai.telemetry.job_spans import JobSpans

_OUTCOMES = {
    SolveState.SUCCEEDED: Outcome.SUCCEEDED,
    SolveState.FAILED: Outcome.FAILED,
    SolveState.CANCELLED: Outcome.CANCELLED,
}


class Runner:
    """Runs the solves of a store in this server's places; use it in one event loop.

    Several runners, of one server or of many, may work on one store: a claim is one runner's, and a result is stored
    only by who holds the claim.
    """

    def __init__(
        self,
        store: Store,
        places: Places,
        settings: RunnerSettings,
        status_of: StatusOf,
        observer: RunnerObserver | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Take the parts; ``status_of`` turns an error into the google.rpc.Status that is kept with a failed solve."""
        self._store = store
        self._places = places
        self._settings = settings
        self._status_of = status_of
        self._observer = observer or NoObserver()
        self._clock = clock or SystemClock()
        self.owner = new_owner()
        self._running: dict[asyncio.Task[None], ClaimedSolve] = {}
        self._traces = TracesOfSolves()
        self._spans = JobSpans("solve", self._traces.get)
        # Set where there may be something to claim.
        self._woken = asyncio.Event()
        self._draining = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._paused_until = self._next_count = float("-inf")
        self._log = structlog.stdlib.get_logger(__name__)

    @property
    def running(self) -> int:
        """How many solves of the store this runner works on."""
        return len(self._running)

    @property
    def pids(self) -> dict[str, int]:
        """Numbers of the processes of the running solves, by solve."""
        return {solve.claim.solve_id: pid for solve in self._running.values() if (pid := solve.pid) is not None}

    async def start(self) -> None:
        """Take up what servers of this machine left that are dead, and begin to claim; raise StoreError."""
        await self._recover(gone(await self._store.running_owners()))
        self._places.on_free = self._woken.set
        self._woken.set()
        self._loops = [
            asyncio.create_task(self._claim_always(), name="claim solves"),
            asyncio.create_task(self._recover_always(), name="recover solves"),
        ]

    def wake(self, solve_id: str, traceparent: str = "") -> None:
        """A solve was created, in that trace: look for it at once."""
        if traceparent:
            self._traces.keep(solve_id, traceparent)
        self._woken.set()

    def cancel(self, tenant: str, solve_id: str) -> None:
        """Ask a solve to end with its best plan, if this runner works on it; the store must know of it already."""
        for solve in self._running.values():
            if (solve.claim.tenant, solve.claim.solve_id) == (tenant, solve_id):
                solve.stop(Reason.CANCEL)

    async def drain(self, grace_seconds: float) -> None:
        """Claim no more, and end what runs: with its best plan within ``grace_seconds``, else back to the queue.

        May be called again, with another grace.
        """
        self._draining.set()
        self._woken.set()
        self._stop_all()
        # May take as long as the store does, and claim one more.
        await asyncio.gather(*self._loops)
        self._stop_all()
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=grace_seconds)
        for solve in tuple(self._running.values()):
            solve.hand_back()
        while self._running:
            await asyncio.wait(tuple(self._running))

    def _stop_all(self) -> None:
        for solve in tuple(self._running.values()):
            if self._settings.drain_requeues:
                solve.hand_back()
            else:
                solve.stop(Reason.DRAIN)

    async def _claim_always(self) -> None:
        """Claim whenever there is something new, and every now and then; until draining."""
        while not self._draining.is_set():
            woken = await self._wait_for_news()
            if self._draining.is_set():
                return
            try:
                await self._look(woken=woken)
            except StoreError as error:
                self._log.warning("no solves claimed", error=str(error))
                await self._rest(self._settings.retry_seconds)
            except Exception:  # noqa: BLE001 - one bad look must not be the last
                self._log.exception("no solves claimed")
                await self._rest(self._settings.retry_seconds)

    async def _wait_for_news(self) -> bool:
        """Return True once something may have come, or False when it is time to look anyway."""
        try:
            await asyncio.wait_for(self._woken.wait(), self._settings.claim_poll_seconds)
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _look(self, *, woken: bool) -> None:
        """Claim while there are places and solves; count every now and then, and claim where solves wait."""
        if woken:
            await self._claim_all()
        now = asyncio.get_running_loop().time()
        if now < self._next_count:
            return
        self._next_count = now + self._settings.claim_poll_seconds
        counts = await self._store.counts()
        self._observer.queue(counts)
        if counts.queued:
            await self._claim_all()

    async def _claim_all(self) -> None:
        """Claim while there are places and solves."""
        if self._clock.monotonic_seconds() < self._paused_until:
            return
        while not self._draining.is_set() and await self._claim_one():
            pass

    async def _claim_one(self) -> bool:
        """Claim one solve and begin it; return False where there is no place or nothing to claim."""
        settings = self._settings
        async with self._places.maybe() as take:
            if take is None:
                return False
            claim = await self._store.claim_next(self.owner, settings.lease_seconds, settings.solves_per_tenant_max)
            if claim is None:
                return False
            place = take()
        if self._draining.is_set():
            place.release()
            await self._store.release(claim)
            return False
        try:
            self._begin(claim, place)
        except Exception:
            # Nothing ran, so it counts as no attempt.
            await self._store.release(claim)
            raise
        return True

    def _begin(self, claim: Claim, place: Place) -> None:
        try:
            process = self._places.new_process(kept=True, on_phase=self._on_phase(claim.solve_id))
        except BaseException:
            # Out of file descriptors, perhaps.
            place.release()
            raise
        solve = ClaimedSolve(claim, process, self._store, self._settings, self._status_of, self._clock)
        task = asyncio.create_task(self._run(solve, place), name=f"solve {claim.solve_id}")
        self._running[task] = solve
        task.add_done_callback(lambda done: self._running.pop(done, None))

    async def _run(self, solve: ClaimedSolve, place: Place) -> None:
        """See one solve to its end."""
        solve_id = solve.claim.solve_id
        started = self._clock.monotonic_seconds()
        self._observer.solve_started(solve_id)
        self._spans.started(solve_id, solve.claim.record.attempt_count, solve.claim.record.create_time * 1_000)
        ended = Ended(None)
        try:
            ended = await solve.run()
        except Exception:  # noqa: BLE001 - its lease gives the solve back
            self._log.exception("a solve was left to its lease", solve=solve_id)
            # With a pause: what befell this one may befall every other.
            ended = Ended(None, unstarted=True)
        finally:
            if ended.unstarted:
                self._paused_until = self._clock.monotonic_seconds() + self._settings.retry_seconds
            self._tell(solve_id, ended, self._clock.monotonic_seconds() - started)
            place.release()

    def _tell(self, solve_id: str, ended: Ended, seconds: float) -> None:
        """Tell the observer what became of a solve."""
        outcome = None if ended.record is None else _OUTCOMES.get(ended.record.state)
        self._spans.ended(solve_id, outcome, failed=ended.died or outcome is Outcome.FAILED)
        if outcome is None:
            self._observer.solve_left(solve_id, died=ended.died)
            return
        self._observer.solve_ended(solve_id, outcome, seconds, ended.gap)
        self._traces.drop(solve_id)
        self._log.info("solve ended", solve=solve_id, outcome=outcome.value, seconds=round(seconds, 3), gap=ended.gap)

    def _on_phase(self, solve_id: str) -> Callable[[Phase], None]:
        """Return what is called with every phase of a solve."""

        def tell(phase: Phase) -> None:
            self._observer.phase(solve_id, phase.name, phase.start_ns, phase.end_ns)
            self._spans.phase(solve_id, phase.name, phase.start_ns, phase.end_ns)

        return tell

    async def _recover_always(self) -> None:
        """Give back the solves of servers that are gone, regularly, until draining.

        This server says first that it lives. After trouble with the store all servers are given the time to say so, as
        no lease could be kept up meanwhile.
        """
        healthy = True
        while not self._draining.is_set():
            await self._rest(self._settings.lease_seconds / 3)
            if self._draining.is_set():
                return
            try:
                for solve in tuple(self._running.values()):
                    await solve.renew()
                if not healthy:
                    await self._rest(self._settings.lease_seconds / 3)
                await self._recover()
                healthy = True
            except StoreError as error:
                healthy = False
                self._log.warning("no leases looked at", error=str(error))
            except Exception:  # noqa: BLE001 - one bad look must not be the last
                self._log.exception("no leases looked at")

    async def _recover(self, owners_gone: frozenset[str] = frozenset()) -> None:
        report = await self._store.recover(owners_gone)
        for record in (*report.requeued, *report.failed, *report.cancelled):
            self._log.warning("the worker of a solve is gone", solve=record.solve_id, state=record.state.value)
        if report.requeued:
            self._woken.set()

    async def _rest(self, seconds: float) -> None:
        """Wait, but not while draining."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._draining.wait(), seconds)
