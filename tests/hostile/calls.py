"""Calls with raw bytes, whatever kind of method it is, and all that a caller can read of the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import grpc

from tests.hostile.judge import Outcome

CALL_SECONDS = 60.0
RESPONSES_MAX = 200
# Of a response only so much is looked at; plans of megabytes say nothing new.
TEXT_BYTES_MAX = 100_000
_RUNS = re.compile(rb"[\x20-\x7e]{6,}")


def readable(data: bytes) -> str:
    """Return the texts in bytes, each on a line, as the program strings does: numbers by chance look like anything."""
    return "\n".join(run.decode() for run in _RUNS.findall(data[:TEXT_BYTES_MAX]))


def call(
    channel: grpc.Channel,
    path: str,
    requests: Sequence[bytes],
    metadata: Iterable[tuple[str, str]] = (),
    responses_max: int = RESPONSES_MAX,
) -> Outcome:
    """Send ``requests`` and return how the call ended; one with more than ``responses_max`` answers is cancelled.

    A call that does not end within CALL_SECONDS has the status DEADLINE_EXCEEDED.
    """
    started: Any
    sent = tuple(metadata)
    if len(requests) == 1:
        started = channel.unary_stream(path, None, None)(requests[0], timeout=CALL_SECONDS, metadata=sent)
    else:
        started = channel.stream_stream(path, None, None)(iter(requests), timeout=CALL_SECONDS, metadata=sent)
    responses: list[bytes] = []
    try:
        for response in started:
            responses.append(response)
            if len(responses) >= responses_max:
                started.cancel()
                break
    except grpc.RpcError:
        pass
    code: grpc.StatusCode = started.code()
    details = started.details() or ""
    trailing = [
        value if isinstance(value, str) else readable(value)
        for key, value in (*started.initial_metadata(), *started.trailing_metadata())
    ]
    return Outcome(code, details, (details, *trailing, *map(readable, responses)))
