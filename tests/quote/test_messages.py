"""The messages that Rust reads and writes are those of the contract, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tehai.engine import _native
from tehai.v1 import sourcing_service_pb2

NAMES = ("QuoteWorkloadsRequest", "QuoteWorkloadsResponse", "StreamQuotesRequest", "StreamQuotesResponse")
FIELD_COUNT_MIN = {"QuoteWorkloadsRequest": 30, "QuoteWorkloadsResponse": 22}


def _value(field: Any, seed: int) -> object:  # noqa: ANN401
    """Return a value that no other field has, so that two that change places are noticed."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return f"text {seed}"
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return seed + 0.25
    return -seed


def _fill(message: Message, choice: int, seed: int = 1) -> int:
    """Set every field, of alternatives the one of ``choice``; returns the next seed."""
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1 and oneof.fields[choice % len(oneof.fields)] != field:
            continue
        if field.message_type is not None:
            inner = getattr(message, field.name)
            for part in [inner.add(), inner.add()] if field.is_repeated else [inner]:
                seed = _fill(part, choice, seed)
        elif field.is_repeated:
            getattr(message, field.name).extend([_value(field, seed), _value(field, seed + 1)])
            seed += 2
        else:
            setattr(message, field.name, _value(field, seed))
            seed += 1
    return seed


def _fields(descriptor: Descriptor) -> Iterator[str]:
    for field in descriptor.fields:
        yield field.full_name
        if field.message_type is not None:
            yield from _fields(field.message_type)


@pytest.mark.parametrize("choice", range(2))
@pytest.mark.parametrize("name", NAMES)
def test_every_field_survives_rust(name: str, choice: int) -> None:
    """A message with every field set is decoded and encoded by Rust without loss: tags and types agree."""
    message = getattr(sourcing_service_pb2, name)()
    _fill(message, choice)
    assert len(list(_fields(message.DESCRIPTOR))) >= FIELD_COUNT_MIN.get(name, 1)
    again = type(message).FromString(_native.recode_quote_message(name, message.SerializeToString()))
    assert again == message
    assert again.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


def test_unset_fields_stay_unset() -> None:
    """What is optional and not given is not made up."""
    for name in NAMES:
        assert _native.recode_quote_message(name, b"") == b""


def test_bytes_that_are_no_message_are_refused() -> None:
    """Truncated and mistyped bytes are a ValueError, an unknown name a KeyError."""
    for data in (b"\x0a\xff", b"\x0a\x02\xff\xfe", b"\x08"):
        with pytest.raises(ValueError, match=r"[Pp]rotobuf|invalid"):
            _native.recode_quote_message("QuoteWorkloadsRequest", data)
    with pytest.raises(KeyError):
        _native.recode_quote_message("Problem", b"")
