"""What a solve process tells its server: one byte of kind, then a protobuf message or a text for the log."""

from __future__ import annotations

from enum import IntEnum


class FrameKind(IntEnum):
    """Kinds of frame; every process sends any number of PROGRESS and then exactly one of the others."""

    PROGRESS = 0
    # A SolveResult.
    RESULT = 1
    # A ViolationList: the problem or the options are invalid.
    VIOLATIONS = 2
    # A ViolationList of an answer that failed its check.
    UNVERIFIED = 3
    # A traceback in UTF-8, for the server's log.
    FAILED = 4


def pack(kind: FrameKind, payload: bytes) -> bytes:
    """Return the bytes of one frame."""
    return bytes((kind,)) + payload


def unpack(frame: bytes) -> tuple[FrameKind, bytes]:
    """Return kind and payload of one frame."""
    return FrameKind(frame[0]), frame[1:]
