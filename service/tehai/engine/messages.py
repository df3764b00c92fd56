"""Serialised messages checked and cut by Rust, without the interpreter's lock and without building them.

A server takes large messages as bytes: it has to know that they are well formed and within limits, and where a part of
them is, and nothing else. A call on a thread leaves the event loop free whatever the size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tehai.engine import _native


class MessageFaultError(ValueError):
    """Raised for bytes that are refused; ``path`` is the field, "" for the message itself."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path or 'the message'}: {text}")
        self.path = path
        self.text = text


class MalformedMessageError(MessageFaultError):
    """Raised where bytes are not a message of the type."""


class TooManyEntriesError(MessageFaultError):
    """Raised where a list is longer than its limit."""


class RestTooLargeError(MessageFaultError):
    """Raised where there are too many bytes beside the field that is split off."""


_ERRORS: Mapping[str, type[MessageFaultError]] = {
    "malformed": MalformedMessageError,
    "too_many": TooManyEntriesError,
    "rest_too_large": RestTooLargeError,
}


@dataclass(frozen=True, slots=True)
class SplitMessage:
    """A message in two: one field's bytes (None: not set) and all other fields."""

    value: bytes | None
    rest: bytes


class MessageScanner:
    """Checks messages of given types."""

    def __init__(self, files: Iterable[bytes], limits: Mapping[str, int]) -> None:
        """``files`` are serialised FileDescriptorProtos; ``limits`` the most entries by full name of a list.

        Raises KeyError for a limit on a list that there is not, ValueError for files that cannot be read.
        """
        # A FileDescriptorSet is its files one after the other, each as field 1.
        descriptors = b"".join(b"\x0a" + varint(len(file)) + file for file in files)
        self._native = _native.MessageScanner(descriptors, dict(limits))

    def check(self, message: str, data: bytes, *, counted: bool) -> None:
        """Raise MessageFaultError where ``data`` is no ``message`` (full name) or, ``counted``, a list is too long."""
        fault = self._native.check(message, data, counted)
        if fault is not None:
            kind, path, text = fault
            raise _ERRORS[kind](path, text)


def split_field(data: bytes, number: int, rest_bytes_max: int) -> SplitMessage:
    """Split a message at the field with ``number``, which holds a message or bytes; raise MessageFaultError."""
    try:
        return SplitMessage(*_native.split_field(data, number, rest_bytes_max))
    except ValueError as error:
        raise _of(error) from None


def field_bytes(data: bytes, number: int) -> bytes | None:
    """Return the bytes of the field with ``number``, None where it is not set; raise MessageFaultError."""
    try:
        return _native.field_bytes(data, number)
    except ValueError as error:
        raise _of(error) from None


def varint(value: int) -> bytes:
    """Return a number that is not negative as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def delimited_field(number: int, value: bytes) -> bytes:
    """Return a message of one field that holds a message, text or bytes."""
    return b"".join((varint(number << 3 | 2), varint(len(value)), value))


def _of(error: ValueError) -> MessageFaultError:
    kind, path, text = error.args
    return _ERRORS[kind](path, text)
