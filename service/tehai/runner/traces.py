"""The trace of the call that created a solve, so that the phases of the solve become spans of it."""

from __future__ import annotations

from collections import OrderedDict

from tehai.telemetry.trace_context import TraceParent, parse_traceparent

# Solves that wait: past this an old one loses its link to its trace, and nothing else.
KEPT_MAX = 10_000


class TracesOfSolves:
    """Keeps traceparents in memory: a solve that another server runs, or that outlives its server, has none.

    That is enough for what traces are for; the store need not keep them.
    """

    def __init__(self) -> None:
        self._parents: OrderedDict[str, TraceParent] = OrderedDict()

    def keep(self, solve_id: str, traceparent: str) -> None:
        """Keep the trace of a solve; what is no traceparent is not kept."""
        parent = parse_traceparent(traceparent)
        if parent is None:
            return
        self._parents[solve_id] = parent
        if len(self._parents) > KEPT_MAX:
            self._parents.popitem(last=False)

    def get(self, solve_id: str) -> TraceParent | None:
        """Return the trace of a solve."""
        return self._parents.get(solve_id)

    def drop(self, solve_id: str) -> None:
        """Forget the trace of a solve that has ended."""
        self._parents.pop(solve_id, None)
