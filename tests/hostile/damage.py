"""Random damage to bytes: cut, doubled, nested, and turned into what no writer of protobuf makes.

Where the choices come from is open: hypothesis for tests, plain random numbers for the mutator of atheris.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from tehai.engine.messages import delimited_field, varint
from tests.wire.mutation import UNKNOWN_FIELDS

T = TypeVar("T")

TAG_END_OF_GROUP, TAG_GROUP = b"\x0c", b"\x0b"
RAW_PIECES = [
    *(b"", b"\x00", b"\xff", b"\xff" * 10, b"\x80" * 12, b"\x08", b"\x0a", b"\x0a\xff\xff\xff\xff\x0f"),
    # Lengths that no message has, groups without an end and ends without a group, types 6 and 7.
    *(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", TAG_GROUP, TAG_END_OF_GROUP, b"\x0e", b"\x0f"),
    # Field 0, the largest field number and one above it.
    *(b"\x00\x01", b"\xf8\xff\xff\xff\x0f\x01", b"\xf8\xff\xff\xff\x1f\x01"),
    # No UTF-8, half of a surrogate pair, a text with NUL.
    *(b"\x0a\x02\xff\xfe", b"\x0a\x03\xed\xa0\x80", b"\x0a\x03a\x00b", b"\x12\x02\xc3\x28"),
    *UNKNOWN_FIELDS,
]
# Around the 100 levels that protobuf reads, and far above.
DEPTHS = [1, 2, 99, 101, 1_000, 5_000]
LENGTHS = [0, 1, 127, 2**31 - 1, 2**31, 2**32, 2**63, 2**64 - 1]
PIECE_BYTES_MAX = 200
RANDOM_BYTES_MAX = 64


class Choices(Protocol):
    """Where choices come from."""

    def integer(self, least: int, most: int) -> int:
        """Return a number of a range, both ends included."""
        ...

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of some things."""
        ...


class HypothesisChoices:
    """Choices of hypothesis."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def integer(self, least: int, most: int) -> int:
        """Return a number of a range, both ends included."""
        return self._draw(st.integers(least, most))

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of some things."""
        return self._draw(st.sampled_from(options))


class RandomChoices:
    """Choices of a random source."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def integer(self, least: int, most: int) -> int:
        """Return a number of a range, both ends included."""
        return self._source.randint(least, most)

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of some things."""
        return self._source.choice(options)


def _other_bytes(choices: Choices, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(choices.integer(1, 4)):
        if changed:
            changed[choices.integer(0, len(changed) - 1)] = choices.integer(0, 255)
    return bytes(changed)


def _nested(choices: Choices, raw: bytes) -> bytes:
    """Return the bytes inside a field inside a field, and so on; or after as many groups that begin."""
    depth = choices.one_of(DEPTHS)
    if choices.integer(0, 1):
        return TAG_GROUP * depth + raw + TAG_END_OF_GROUP * choices.one_of([0, depth])
    number = choices.integer(1, 15)
    for _ in range(depth):
        raw = delimited_field(number, raw)
    return raw


def damaged(choices: Choices, raw: bytes) -> bytes:
    """Return bytes with one piece of damage."""
    start = choices.integer(0, len(raw))
    end = choices.integer(start, min(len(raw), start + PIECE_BYTES_MAX))
    match choices.one_of(["other", "cut", "drop", "double", "insert", "nest", "unknown", "random", "length"]):
        case "other":
            return _other_bytes(choices, raw)
        case "cut":
            return raw[:start]
        case "drop":
            return raw[:start] + raw[end:]
        case "double":
            return raw[:end] + raw[start:end] * choices.one_of([1, 2, 300]) + raw[end:]
        case "insert":
            return raw[:start] + choices.one_of(RAW_PIECES) + raw[start:]
        case "nest":
            return _nested(choices, raw)
        case "unknown":
            return raw + choices.one_of(UNKNOWN_FIELDS) * choices.one_of([1, 100])
        case "length":
            tag = varint(choices.integer(1, 20) << 3 | 2)
            return raw[:start] + tag + varint(choices.one_of(LENGTHS)) + raw[start:]
        case _:
            return bytes(choices.integer(0, 255) for _ in range(choices.integer(0, RANDOM_BYTES_MAX)))
