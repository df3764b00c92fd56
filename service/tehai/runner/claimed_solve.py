"""One solve that this server has claimed, from its process to its end in the store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

import structlog

from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.operations.clock import Clock
from tehai.operations.errors import StaleClaimError, StoreError, StoreFullError, StoreUnavailableError
from tehai.operations.records import BlobKind, Claim, SolveRecord, SolveState
from tehai.operations.store import Store
from tehai.runner.errors import SolveFailedError, SolveMemoryError, SolveTimeError
from tehai.runner.frames import FrameKind
from tehai.runner.settings import RunnerSettings
from tehai.runner.solve_process import SolveProcess
from tehai.runner.standing import gap_of_standing, standing_of_progress
from tehai.v1 import sourcing_service_pb2
from tehai.wire import violation_from_proto

StatusOf = Callable[[Exception], bytes]
# Of a problem, on its way from the store to the process.
PART_BYTES = 1024 * 1024


class Reason(Enum):
    """Why a solve was told to stop; a later one replaces an earlier one of less weight."""

    TIME = 1
    CANCEL = 2
    DRAIN = 3


@dataclass(slots=True)
class _Answer:
    """What the process has said so far."""

    progress: bytes | None = None
    quote_book: bytes | None = None
    standing: bytes = b""
    violation_parts: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of the solve: its record, or None where somebody else has it; ``gap`` where it has a plan."""

    record: SolveRecord | None
    gap: float | None = None
    # Whether its process died, and whether one could not even be started.
    died: bool = False
    unstarted: bool = False


class ClaimedSolve:
    """Runs one claimed solve. ``run`` returns once its end is in the store, or the claim is lost."""

    def __init__(
        self,
        claim: Claim,
        process: SolveProcess,
        store: Store,
        settings: RunnerSettings,
        status_of: StatusOf,
        clock: Clock,
    ) -> None:
        self.claim = claim
        self._process = process
        self._store = store
        self._settings = settings
        self._status_of = status_of
        self._clock = clock
        self._answer = _Answer()
        self._reason: Reason | None = None
        self._started_at = self._stopped_at = 0.0
        # Set where a sign of life is due at once.
        self._lost = False
        self._storing = False
        self._handed_back = False
        self._died = self._unstarted = False
        # Whether the store had trouble the last time, so that a long one is one line of the log.
        self._troubled = False
        self._log = structlog.stdlib.get_logger(__name__).bind(solve=claim.solve_id, tenant=claim.tenant)

    async def run(self) -> Ended:
        """Run the solve to its end; raises only what is a fault of this program."""
        self._started_at = self._clock.monotonic_seconds()
        heart: asyncio.Task[None] | None = None
        try:
            self._process.start(self._orders())
            heart = asyncio.create_task(self._keep_alive(), name="heartbeat")
            end = await self._listen()
            ended = await self._until_stored(end)
        finally:
            if heart is not None:
                heart.cancel()
                await asyncio.gather(heart, return_exceptions=True)
            self._process.kill()
            await self._process.close(0.0)
        return ended

    @property
    def pid(self) -> int | None:
        """Number of the solve's process; None before it has started."""
        return self._process.pid

    def stop(self, reason: Reason) -> None:
        """Ask the solve to end with its best plan."""
        if self._reason is None:
            self._stopped_at = self._clock.monotonic_seconds()
            self._process.stop()
        if self._reason is None or reason.value > self._reason.value:
            self._reason = reason

    def hand_back(self) -> None:
        """End the process now and give the solve back to the queue."""
        self._handed_back = True
        self.stop(Reason.DRAIN)
        self._process.kill()

    async def renew(self) -> None:
        """Say that the solve is worked on; raise StoreError, but for a lost claim, which ends the process."""
        progress = self._answer.progress
        standing = None if progress is None else standing_of_progress(progress)
        try:
            if await self._store.renew(self.claim, standing):
                self.stop(Reason.CANCEL)
        except StaleClaimError:
            # An end that is being stored finds out by itself.
            if not self._storing:
                self._lose()

    async def _orders(self) -> AsyncIterator[bytes]:
        """Yield the solve's problem, in parts, and options; raise StoreError."""
        record = self.claim.record
        yield str(record.problem_bytes).encode()
        offset = 0
        while offset < record.problem_bytes or offset == 0:
            part = await self._store.read_blob(
                record.tenant, BlobKind.PROBLEM, record.problem_sha256, offset, PART_BYTES
            )
            yield part
            offset += len(part)
            if not part:
                break
        yield record.options

    async def _keep_alive(self) -> None:
        """Tell the store that the solve is worked on, and mind the limits of time, until cancelled."""
        while True:
            await asyncio.sleep(self._settings.heartbeat_seconds)
            self._mind_time()
            with self._trouble_logged("no sign of life to the store"):
                await self.renew()

    def _mind_time(self) -> None:
        """Stop a solve whose time is over, and kill one that was told to stop and did not."""
        now = self._clock.monotonic_seconds()
        if self._reason is None and now - self._started_at >= self._settings.solve_seconds_max:
            self.stop(Reason.TIME)
        # While draining, the runner says when it is over.
        elif (
            self._reason in (Reason.TIME, Reason.CANCEL) and now - self._stopped_at >= self._settings.stop_grace_seconds
        ):
            self._process.kill()

    def _lose(self) -> None:
        if not self._lost:
            self._log.warning("the claim is lost; the solve is stopped here")
        self._lost = True
        self._process.kill()

    async def _listen(self) -> Callable[[], Awaitable[SolveRecord]]:
        """Hear what the process says and return what to tell the store at its end."""
        try:
            async for kind, payload in self._process.frames():
                if kind.is_terminal:
                    return await self._end_of(kind, payload)
                await self._take(kind, payload)
        except SolveMemoryError as error:
            return self._fail_with(error)
        except SolveFailedError as error:
            return self._end_of_death(error)
        message = "a solve process ended its frames without a terminal one"
        raise AssertionError(message)

    async def _take(self, kind: FrameKind, payload: bytes) -> None:
        if kind is FrameKind.QUOTE_BOOK:
            self._answer.quote_book = payload
        elif kind is FrameKind.STANDING:
            self._answer.standing = payload
        elif kind is FrameKind.VIOLATIONS_PART:
            self._answer.violation_parts.append(payload)
        else:
            self._answer.progress = payload
            with self._trouble_logged("progress not stored"):
                await self._record_progress(payload)

    async def _record_progress(self, payload: bytes) -> None:
        try:
            await self._store.record_progress(self.claim, payload)
        except StaleClaimError:
            self._lose()

    @contextlib.contextmanager
    def _trouble_logged(self, event: str) -> Iterator[None]:
        """Log trouble with the store once, until it is over."""
        try:
            yield
        except StoreError as error:
            if not self._troubled:
                self._log.warning(event, error=str(error))
            self._troubled = True
        else:
            self._troubled = False

    async def _end_of(self, kind: FrameKind, payload: bytes) -> Callable[[], Awaitable[SolveRecord]]:
        """Return what to tell the store after a terminal frame."""
        if kind is FrameKind.RESULT:
            answer = self._answer
            return lambda: self._store.succeed(self.claim, payload, answer.quote_book, answer.standing)
        if kind is FrameKind.VIOLATIONS:
            return self._fail_with(InvalidProblemError(await self._violations(payload)))
        if kind is FrameKind.UNVERIFIED:
            violations = await self._violations(payload)
            self._log.error(
                "answer failed its check", violations=[f"{v.code} {v.path}: {v.message}" for v in violations]
            )
            return self._fail_with(UnverifiedAnswerError(violations))
        if kind is FrameKind.CANCELLED:
            return self._end_without_plan()
        return self._fail_with(SolveFailedError(payload.decode("utf-8", "replace")))

    def _end_of_death(self, error: SolveFailedError) -> Callable[[], Awaitable[SolveRecord]]:
        """Return what to tell the store after a process that is gone without an answer."""
        if self._reason is not None:
            return self._end_without_plan()
        trouble = error.__cause__
        if isinstance(trouble, StoreError) and not isinstance(trouble, StoreUnavailableError | StoreFullError):
            # Its problem is not there, or not readable: no other attempt finds it.
            return self._fail_with(trouble)
        self._log.warning(
            "solve process died", error=str(error), attempt=self.claim.record.attempt_count, exc_info=trouble
        )
        # Where it did not even start, or the store could give no problem just now, the solve is not to blame, and
        # nothing is claimed for a while: the same would happen again at once.
        self._died, self._unstarted = trouble is None, trouble is not None
        return lambda: self._store.release(self.claim, died=trouble is None)

    def _end_without_plan(self) -> Callable[[], Awaitable[SolveRecord]]:
        """Return what to tell the store of a solve that was stopped before it had a plan."""
        if self._reason is Reason.CANCEL:
            return lambda: self._store.cancel_done(self.claim)
        if self._reason is Reason.TIME:
            return self._fail_with(SolveTimeError(self._settings.solve_seconds_max))
        # The store knows whether somebody also asked for the end.
        return lambda: self._store.release(self.claim)

    def _fail_with(self, error: Exception) -> Callable[[], Awaitable[SolveRecord]]:
        self._log.warning("solve failed", kind=type(error).__name__, error=str(error))
        status = self._status_of(error)
        return lambda: self._store.fail(self.claim, status)

    async def _violations(self, last: bytes) -> tuple[Violation, ...]:
        """Return the violations of all parts, read in a thread one part at a time: there may be very many."""
        found: list[Violation] = []
        for part in (*self._answer.violation_parts, last):
            found += await asyncio.to_thread(_read_violations, part)
        return tuple(found)

    async def _until_stored(self, end: Callable[[], Awaitable[SolveRecord]]) -> Ended:
        """Tell the store until it has heard; a lost claim changes nothing there.

        The store is asked again after any trouble that may pass. Where the first answer was lost on the way, the second
        attempt meets a claim that no longer holds, and the end is what the first one said.
        """
        self._storing = True
        while not self._lost:
            try:
                record = await end()
            except StaleClaimError:
                self._lose()
            except (StoreUnavailableError, StoreFullError) as error:
                self._log.error("the end of a solve is not stored yet", error=str(error))
                if self._handed_back:
                    # Nothing is lost: the lease runs out, and another server runs the solve again.
                    break
                await asyncio.sleep(self._settings.retry_seconds)
            else:
                return self._ended(record)
        return Ended(None)

    def _ended(self, record: SolveRecord) -> Ended:
        gap = gap_of_standing(record.standing) if record.state is SolveState.SUCCEEDED else None
        return Ended(record, gap, self._died, self._unstarted)


def _read_violations(data: bytes) -> list[Violation]:
    found = sourcing_service_pb2.ViolationList.FromString(data)
    return [violation_from_proto(violation) for violation in found.violations]
