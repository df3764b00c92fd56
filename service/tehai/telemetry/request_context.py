"""What every log line of a call carries: request id, method, trace; the tenant once it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import structlog

from tehai.telemetry.trace_context import TRACEPARENT, TraceParent, parse_traceparent

REQUEST_ID = "x-request-id"
Metadata = Iterable[tuple[str, str | bytes]]
# Safe in a log line, a header and a file name.
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One call as the logs know it."""

    method: str
    # The caller's own where it is fit, else a new one; the answer carries it too.
    request_id: str
    # Where the caller's trace stands; None without one.
    traceparent: TraceParent | None


@contextmanager
def request_context(method: str, metadata: Metadata) -> Iterator[RequestContext]:
    """Bind the call to every log line within the block; nothing of it is left behind."""
    pairs = tuple(metadata)
    traceparent = parse_traceparent(_single(pairs, TRACEPARENT))
    context = RequestContext(method, fit_request_id(_single(pairs, REQUEST_ID)), traceparent)
    fields = {"request_id": context.request_id, "method": method}
    if traceparent is not None:
        fields["trace_id"] = traceparent.trace_id
    before = structlog.contextvars.get_contextvars()
    structlog.contextvars.bind_contextvars(**fields)
    try:
        yield context
    finally:
        # Whatever was bound within goes too, such as the tenant.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**before)


def fit_request_id(text: str | bytes | None) -> str:
    """Return a caller's request id where it may stand in a log, else a new one."""
    if isinstance(text, str) and _REQUEST_ID.fullmatch(text):
        return text
    return uuid4().hex


def _single(pairs: tuple[tuple[str, str | bytes], ...], wanted: str) -> str | bytes | None:
    """Return the value of a key that is given exactly once."""
    found = [value for key, value in pairs if key == wanted]
    return found[0] if len(found) == 1 else None
