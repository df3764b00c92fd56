"""Quotes: one request for a few workloads, or a stream for many; written once, over either transport."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator

from tehai.client import methods
from tehai.client.caller import SHORT_SECONDS, STREAM_SECONDS, Caller, broken_off, seconds_or
from tehai.client.errors import DeadlineExceededError, ServerError, ServerRefusedError
from tehai.client.failures import MALFORMED
from tehai.client.names import plan_name
from tehai.domain.workload import Workload
from tehai.v1 import quote_pb2, workload_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.wire.workload import workload_to_proto

AnyWorkload = Workload | workload_pb2.Workload


class QuoteCalls:
    """Price workloads against a plan."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def quote(
        self, plan: str, workloads: Iterable[AnyWorkload], placements_max: int, timeout_seconds: float | None
    ) -> tuple[quote_pb2.Quote, ...]:
        """Return one quote for each workload, in order."""
        request = pb.QuoteWorkloadsRequest(
            plan=plan_name(plan),
            workloads=[_message(workload) for workload in workloads],
            placements_max=placements_max,
        )
        answer = await self._caller.unary(methods.QUOTE_WORKLOADS, request, seconds_or(timeout_seconds, SHORT_SECONDS))
        if len(answer.quotes) != len(request.workloads):
            text = f"{len(request.workloads)} workloads were asked for, {len(answer.quotes)} quotes came"
            raise ServerRefusedError(MALFORMED, text)
        return tuple(answer.quotes)

    async def stream_quotes(
        self, plan: str, workloads: Iterable[AnyWorkload], placements_max: int, timeout_seconds: float | None
    ) -> AsyncGenerator[quote_pb2.Quote]:
        """Yield one quote for each workload, in order; where the stream breaks, what is unanswered is sent again.

        A stream is opened anew after STREAM_SECONDS; one that brought no answer at all counts as one that broke.
        """
        caller = self._caller
        attempts = caller.attempts(timeout_seconds, long=True)
        source = _Resendable(plan_name(plan), (_message(workload) for workload in workloads), placements_max)
        try:
            while True:
                failure: ServerError | None = None
                sent = source.opened()
                async with caller.stream(
                    methods.STREAM_QUOTES, sent, attempts.deadline.remaining(STREAM_SECONDS)
                ) as stream:
                    expected = 0
                    while True:
                        try:
                            answer = await stream.read()
                        except ServerError as error:
                            failure = error
                            break
                        if answer is None:
                            break
                        if answer.request_index != expected:
                            text = f"the answer to request {answer.request_index} came in place of {expected}"
                            raise ServerRefusedError(MALFORMED, text)
                        expected += 1
                        source.answered()
                        attempts.succeeded()
                        yield answer.quote
                if source.failure is not None:
                    raise source.failure
                if failure is None and source.done:
                    return
                own = isinstance(failure, DeadlineExceededError) and not failure.details.reason
                if own and not attempts.deadline.passed:
                    # Only this stream has had its time.
                    if expected > 0:
                        continue
                    failure = broken_off("the stream of quotes", f"brought no answer in {STREAM_SECONDS:g} s")
                await caller.pause(attempts, failure or broken_off("the stream of quotes"))
        finally:
            source.close()


class _Resendable:
    """Workloads from a source, each kept until it is answered.

    gRPC reads it in a thread of its own, or in the event loop; a stream that broke may still be reading when the next
    one begins, and what it took from the source is not lost.
    """

    def __init__(self, plan: str, source: Iterator[workload_pb2.Workload], placements_max: int) -> None:
        self._plan = plan
        self._source = source
        self._placements_max = placements_max
        # The source may wait for answers before it gives more, so that nothing else may wait for it.
        self._source_lock = threading.Lock()
        self._lock = threading.Lock()
        self._unanswered: deque[workload_pb2.Workload] = deque()
        self._answered = 0
        self._generation = 0
        self._exhausted = False
        # What the caller's own source raised.
        self.failure: Exception | None = None

    def opened(self) -> Iterator[pb.StreamQuotesRequest]:
        """Return the requests of a new stream, those without an answer first; earlier streams get no more."""
        with self._lock:
            self._generation += 1
            return self._requests(self._generation, self._answered)

    def answered(self) -> None:
        """Let the oldest workload go; raise ServerRefusedError where none waits for an answer."""
        with self._lock:
            if not self._unanswered:
                raise ServerRefusedError(MALFORMED, "a quote came for a workload that was not sent")
            self._unanswered.popleft()
            self._answered += 1

    def close(self) -> None:
        """Give no more to any stream."""
        with self._lock:
            self._generation += 1

    @property
    def done(self) -> bool:
        """Whether every workload of the source is answered."""
        with self._lock:
            return self._exhausted and not self._unanswered

    def _requests(self, generation: int, position: int) -> Iterator[pb.StreamQuotesRequest]:
        plan = self._plan
        while (workload := self._at(generation, position)) is not None:
            yield pb.StreamQuotesRequest(plan=plan, workload=workload, placements_max=self._placements_max)
            # The first message names it for all.
            plan = ""
            position += 1

    def _at(self, generation: int, position: int) -> workload_pb2.Workload | None:
        """Return the workload at a position counted from the first of all; None where there is no more."""
        known = self._known(generation, position)
        if known is not None:
            return known
        with self._source_lock:
            # An earlier stream may have taken it meanwhile.
            known = self._known(generation, position)
            if known is not None or generation != self._generation or self._exhausted:
                return known
            self._take()
        return self._known(generation, position)

    def _known(self, generation: int, position: int) -> workload_pb2.Workload | None:
        with self._lock:
            ahead = position - self._answered
            current = generation == self._generation
            return self._unanswered[ahead] if current and 0 <= ahead < len(self._unanswered) else None

    def _take(self) -> None:
        """Take one more workload from the source."""
        try:
            workload = next(self._source, None)
        except Exception as error:  # noqa: BLE001 - raised again to the caller, whose source it is
            self.failure, workload = error, None
        with self._lock:
            if workload is None:
                self._exhausted = True
            else:
                self._unanswered.append(workload)


def _message(workload: AnyWorkload) -> workload_pb2.Workload:
    return workload_to_proto(workload) if isinstance(workload, Workload) else workload
