"""Spans of jobs that wait and then run in processes of their own, below the span of the call that asked for them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from tehai.telemetry.trace_context import TraceParent
from tehai.telemetry.tracing import OpenSpan, begin_span, record_span

# Jobs that went back to wait: past this the next wait of an old one seems to begin at its creation, and nothing else.
LEFT_MAX = 10_000


@dataclass(slots=True)
class _Run:
    """A job whose process runs; its span is opened once the trace is known, which may be a little later."""

    waiting_since_ns: int
    start_ns: int
    attempt: int
    span: OpenSpan | None = None


class JobSpans:
    """Writes ``<kind>.wait``, ``<kind>.process`` and ``<kind>.<phase>`` of jobs; use it in one thread.

    A job without a trace has no spans. Times are nanoseconds since 1970 UTC.
    """

    def __init__(
        self, kind: str, parent_of: Callable[[str], TraceParent | None], now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """``parent_of`` returns the trace of a job, None where it has none, or none yet."""
        self._kind = kind
        self._parent_of = parent_of
        self._now_ns = now_ns
        self._runs: dict[str, _Run] = {}
        # When the process of a job that waits again was gone.
        self._left_ns: OrderedDict[str, int] = OrderedDict()

    def started(self, job: str, attempt: int, create_ns: int) -> None:
        """A job that was created then waits no more: its process starts, for the ``attempt``-th time."""
        now_ns = self._now_ns()
        # The clock that told the creation may have been set since.
        waiting_since_ns = min(self._left_ns.pop(job, create_ns), now_ns)
        self._runs[job] = _Run(waiting_since_ns, now_ns, attempt)
        self._span_of(job)

    def phase(self, job: str, name: str, start_ns: int, end_ns: int) -> None:
        """A phase of a job is over."""
        process = self._span_of(job)
        if process is not None:
            record_span(f"{self._kind}.{name}", start_ns, end_ns, process.here, **{self._kind: job})

    def ended(self, job: str, outcome: str | None, *, failed: bool) -> None:
        """The process of a job is gone; ``outcome`` None: and the job waits again, here or elsewhere."""
        process = self._span_of(job)
        self._runs.pop(job, None)
        if process is None:
            return
        process.end(failed=failed, outcome=outcome or "left")
        if outcome is None:
            self._left_ns[job] = self._now_ns()
            if len(self._left_ns) > LEFT_MAX:
                self._left_ns.popitem(last=False)

    def _span_of(self, job: str) -> OpenSpan | None:
        """Return the span of a job's process, opened after that of its waiting; None without a trace."""
        run = self._runs.get(job)
        if run is None or run.span is not None:
            return None if run is None else run.span
        # A job may be claimed before the call that created it has told of its trace.
        parent = self._parent_of(job)
        if parent is not None:
            about: dict[str, str | int] = {self._kind: job, "attempt": run.attempt}
            record_span(f"{self._kind}.wait", run.waiting_since_ns, run.start_ns, parent, **about)
            run.span = begin_span(f"{self._kind}.process", run.start_ns, parent, **about)
        return run.span
