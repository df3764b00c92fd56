"""Messages as text: the proto's field names, unset fields left out, every number exact."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value]"

# Text that every reader of YAML takes as text without quotes. Dates and numbers are always quoted.
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*( [A-Za-z0-9_/.-]+)*", re.ASCII)
# Our reader refuses these without quotes, so that a number that is none is never taken for text.
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Fields of a message that is written on one line where nothing else of it is set.
FLOW_FIELDS_MAX = 3


def _values(message: Message) -> dict[str, Value]:
    """Return the fields that are set, in the order of the proto."""
    return {field.name: _value(field, getattr(message, field.name)) for field, _ in message.ListFields()}


def _value(field: FieldDescriptor, value: object) -> Value:
    if field.is_repeated:
        return [_single(field, item) for item in value]  # type: ignore[attr-defined]
    return _single(field, value)


def _single(field: FieldDescriptor, value: object) -> Value:
    if isinstance(value, Message):
        return _values(value)
    if field.enum_type is not None and isinstance(value, int):
        known = field.enum_type.values_by_number.get(value)
        return str(value) if known is None else str(known.name)
    if isinstance(value, str | int | float):
        return value
    raise TypeError(f"{field.full_name} holds a {type(value).__name__}, which has no text form")


def to_json(message: Message) -> str:
    """Return a message as JSON, indented by two; raises ValueError where a double is not finite."""
    return json.dumps(_values(message), ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def to_yaml(message: Message) -> str:
    """Return a message as YAML, alike for readers of 1.1 and 1.2; raises ValueError where a double is not finite."""
    lines = list(_message_lines(message, ""))
    return "\n".join(lines) + "\n" if lines else "{}\n"


@lru_cache(maxsize=256)
def _scalar_names(descriptor: Descriptor) -> frozenset[str]:
    """Return the names of the fields of a type that are one scalar."""
    return frozenset(f.name for f in descriptor.fields if not f.is_repeated and f.message_type is None)


def _fits_one_line(message: Message) -> bool:
    """Return whether a message is of a type with few scalars and holds nothing but them, best read on one line."""
    scalars = _scalar_names(message.DESCRIPTOR)
    return len(scalars) <= FLOW_FIELDS_MAX and all(field.name in scalars for field, _ in message.ListFields())


def _message_lines(message: Message, indent: str) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.message_type is None:
            yield f"{indent}{field.name}: {_inline(_value(field, value))}"
        elif not field.is_repeated:
            yield from _child_lines(f"{indent}{field.name}:", value, indent + "  ")
        else:
            yield f"{indent}{field.name}:"
            for item in value:
                yield from _item_lines(item, indent + "  ")


def _child_lines(head: str, message: Message, indent: str) -> Iterator[str]:
    if _fits_one_line(message) or not message.ListFields():
        yield f"{head} {_inline(_values(message))}"
    else:
        yield head
        yield from _message_lines(message, indent)


def _item_lines(message: Message, indent: str) -> Iterator[str]:
    if _fits_one_line(message) or not message.ListFields():
        yield f"{indent}- {_inline(_values(message))}"
        return
    first, *others = _message_lines(message, indent + "  ")
    yield f"{indent}- {first.lstrip(' ')}"
    yield from others


def _inline(value: Value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return _text(value) if isinstance(value, str) else _number(value)


def _text(value: str) -> str:
    if _BARE.fullmatch(value) and value.lower() not in _RESERVED and value.lower() not in _NOT_FINITE:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", quoted)


def _number(value: float) -> str:
    text = json.dumps(value, allow_nan=False)
    # Readers of YAML 1.1 take 1e+16 for text; they want a point.
    return text.replace("e", ".0e") if "e" in text and "." not in text and isinstance(value, float) else text
