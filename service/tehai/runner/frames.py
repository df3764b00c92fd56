"""What a solve process and its server tell each other: messages on two pipes.

A frame is two messages, its kind (one byte) and its payload, so that a result of many megabytes is never copied to take
the kind off. Orders are the number of bytes of the problem, the problem in any number of parts, the options, and then,
at any time, STOP.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import IntEnum
from multiprocessing.connection import Connection

STOP = b"stop"
# Violations in one VIOLATIONS_PART, few enough to be read in a millisecond.
VIOLATIONS_OF_PART = 250


class FrameKind(IntEnum):
    """Kinds of frame; every process sends any number of the first ones and then exactly one terminal frame."""

    PROGRESS = 0
    # A Phase.
    PHASE = 1
    # Bytes of a quote book; before RESULT.
    QUOTE_BOOK = 2
    # A SolveStanding, right before RESULT.
    STANDING = 3
    # A text in UTF-8 for the server's log.
    LOG = 4
    # A ViolationList; those of all parts and of VIOLATIONS are one list.
    VIOLATIONS_PART = 5
    # Terminal from here on. A SolveResult.
    RESULT = 16
    # A ViolationList: the problem or the options are invalid.
    VIOLATIONS = 17
    # A ViolationList of an answer that failed its check.
    UNVERIFIED = 18
    # A traceback in UTF-8, for the server's log.
    FAILED = 19
    # Told to stop before there was a plan; empty.
    CANCELLED = 20
    # There was not enough memory; empty.
    OUT_OF_MEMORY = 21

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows it."""
        return self >= FrameKind.RESULT


@dataclass(frozen=True, slots=True)
class SolveJob:
    """What a solve process is told at its birth. ``memory_mb_max`` is 0 without a limit.

    One that is ``kept`` (its result goes to the store) also sends a quote book and a standing, and CANCELLED where it
    is told to stop before it has begun; any other solve sends only progress, phases and the end. Many violations come
    in parts.
    """

    progress_interval_seconds: float
    threads_max: int
    memory_mb_max: int
    kept: bool


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a solve that is over; nanoseconds since 1970 UTC."""

    name: str
    start_ns: int
    end_ns: int

    def to_bytes(self) -> bytes:
        """Return the payload."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Phase:
        """Read a payload that ``to_bytes`` made."""
        return cls(**json.loads(payload))


def send_frame(frames: Connection, kind: FrameKind, payload: bytes = b"") -> None:
    """Send one frame; blocks until the other side has taken it."""
    frames.send_bytes(bytes((kind,)))
    frames.send_bytes(payload)


def receive_frame(frames: Connection) -> tuple[FrameKind, bytes]:
    """Return the next frame; raise EOFError where the other side is gone."""
    kind = FrameKind(frames.recv_bytes()[0])
    return kind, frames.recv_bytes()
