"""What an answer to a hostile request may be: a proper status, and nothing of the inside of the server in any text."""

from __future__ import annotations

import re
from dataclasses import dataclass

import grpc

# An input may be wrong, missing, too much or too late; that the server broke on it (INTERNAL, UNKNOWN, DATA_LOSS) or
# lost it (UNAVAILABLE) is no answer.
ALLOWED = frozenset(
    {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.CANCELLED,
    }
)
LEAKS: dict[str, re.Pattern[str]] = {
    what: re.compile(pattern)
    for what, pattern in {
        "a stack trace": r"Traceback|most recent call|stack backtrace|panicked at",
        "a place in the source": r"\.py\b|\.rs:\d|\.so\b|\bline \d+, in |File \"|site-packages",
        "a path": r"/(?:work|tmp|home|root|usr|var|opt|proc|etc|lib)/",
        "a class of an exception": r"\b[A-Z][A-Za-z]+(?:Error|Exception|Warning)\b",
        "an object of Python": r"<class |object at 0x|\b0x[0-9a-f]{6,}|NoneType|\bbytearray\(|\bb'\\x",
        "SQL": r"\b(?:SELECT|INSERT INTO|DELETE FROM|PRAGMA|UPDATE \w+ SET)\b|UNIQUE constraint|no such table",
        "a library": r"(?i:sqlite|psycopg|postgres|pydantic|asyncio|cygrpc|protobuf|ortools|numpy|pyo3)",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended; ``texts`` is everything that a caller can read: details, metadata, responses."""

    code: grpc.StatusCode
    details: str
    texts: tuple[str, ...]


def leaks(text: str) -> list[str]:
    """Return what of the inside of the server stands in a text."""
    return [f"{what}: {found[0]!r}" for what, pattern in LEAKS.items() if (found := pattern.search(text))]


def faults(outcome: Outcome, sent: str = "") -> list[str]:
    """Return what is wrong with an outcome; what the caller itself ``sent`` may come back."""
    found = [] if outcome.code in ALLOWED else [f"status {outcome.code.name}: {outcome.details}"]
    for text in outcome.texts:
        found += [leak for leak in leaks(text) if leak.rpartition(": ")[2].strip("'\"") not in sent]
    return found
