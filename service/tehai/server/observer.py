"""What the runner tells of its work, as metrics, and as ages for the status page."""

from __future__ import annotations

import time

from tehai.operations.clock import MICROSECONDS_PER_SECOND
from tehai.operations.records import QueueCounts
from tehai.runner.observer import Outcome, RunnerObserver
from tehai.telemetry import Metrics
from tehai.telemetry.trace_context import parse_traceparent
from tehai.telemetry.tracing import record_span


class SolveObserver:
    """Told of solves by the runner; use it in one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # When the running solves were started, by the monotonic clock.
        self._started: dict[str, float] = {}

    def ages_seconds(self) -> list[float]:
        """Return how long each solve has run that runs on this server."""
        now = time.monotonic()
        return [now - started for started in self._started.values()]

    def solve_started(self, solve_id: str) -> None:
        """See RunnerObserver."""
        self._started[solve_id] = time.monotonic()

    def solve_ended(self, solve_id: str, outcome: Outcome, seconds: float, gap: float | None) -> None:
        """See RunnerObserver."""
        self._started.pop(solve_id, None)
        self._metrics.count("tehai_solves_total", outcome.value)
        self._metrics.observe("tehai_solve_seconds", seconds, outcome.value)
        if gap is not None:
            self._metrics.observe("tehai_solve_gap", gap)

    def solve_left(self, solve_id: str, *, died: bool) -> None:
        """See RunnerObserver."""
        self._started.pop(solve_id, None)
        if died:
            self._metrics.count("tehai_solve_retries_total")

    def phase(self, solve_id: str, name: str, start_ns: int, end_ns: int) -> None:  # noqa: ARG002 - of the protocol
        """See RunnerObserver; the runner itself writes the spans of its solves."""
        self._metrics.observe("tehai_solve_phase_seconds", (end_ns - start_ns) / 1e9, name)

    def phase_of_call(self, traceparent: str, name: str, start_ns: int, end_ns: int) -> None:
        """A phase of a solve is over that a call with this trace ("": none) waits for."""
        self.phase("", name, start_ns, end_ns)
        if traceparent:
            record_span(f"solve.{name}", start_ns, end_ns, parse_traceparent(traceparent))

    def queue(self, counts: QueueCounts) -> None:
        """See RunnerObserver."""
        self._metrics.set("tehai_queue_length", counts.queued)
        self._metrics.set("tehai_solves_running", counts.running)
        oldest = counts.oldest_create_time
        waited = 0.0 if oldest is None else time.time() - oldest / MICROSECONDS_PER_SECOND
        self._metrics.set("tehai_queue_oldest_seconds", max(0.0, waited))


# Checked here, so that mypy sees that the class fits.
_: type[RunnerObserver] = SolveObserver
