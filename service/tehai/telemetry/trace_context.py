"""W3C trace context: the one line of text that carries a trace over gRPC and into a solver's process."""

from __future__ import annotations

import re
from dataclasses import dataclass

TRACEPARENT = "traceparent"
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 1


@dataclass(frozen=True, slots=True)
class TraceParent:
    """Which trace, which span of it, and whether it is kept."""

    trace_id: str
    span_id: str
    sampled: bool

    def __str__(self) -> str:
        """Return it as metadata carries it."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


def parse_traceparent(text: str | bytes | None) -> TraceParent | None:
    """Return what ``text`` says; None for anything that is not right, as the standard wants it."""
    if not isinstance(text, str) or len(text) > 256:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    # Version 00 has nothing more; ff is forbidden; later ones may say more.
    if version == "ff" or (version == "00" and more is not None):
        return None
    if not (trace_id.strip("0") and span_id.strip("0")):
        return None
    return TraceParent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))
