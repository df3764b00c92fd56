"""Finds fields that a message carries and its contract does not know."""

from __future__ import annotations

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from tehai.wire.reading import Reader, member_path

# One of them is enough to refuse a message; a flood is not read to its end.
FIELDS_LOOKED_AT_MAX = 1_000


def report_unknown_fields(message: Message, reader: Reader, path: str = "") -> None:
    """Record every unknown field of ``message``, which stands at ``path``, and of the messages in it."""
    known_only = type(message)()
    known_only.CopyFrom(message)
    known_only.DiscardUnknownFields()
    # Comparing sizes costs milliseconds for any message; the walk in Python is needed for the rare bad one only.
    if known_only.ByteSize() != message.ByteSize():
        _walk(message, reader, path)


def _walk(message: Message, reader: Reader, path: str) -> None:
    unknown = UnknownFieldSet(message)
    numbers = sorted({unknown[i].field_number for i in range(min(len(unknown), FIELDS_LOOKED_AT_MAX))})
    for number in numbers:
        where = member_path(path, str(number))
        reader.fail("E1110", where, f"field number {number} of {message.DESCRIPTOR.full_name} is not known")
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        where = member_path(path, field.name)
        if isinstance(value, Message):
            _walk(value, reader, where)
        else:
            for i, item in enumerate(value):
                _walk(item, reader, f"{where}[{i}]")
