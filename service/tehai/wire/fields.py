"""What each field of a message accepts as text; read from the descriptor once per message type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from tehai.wire.reading import shown
from tehai.wire.tree import Mapping, Node, Plain

# The core schema of YAML 1.2; JSON's numbers are a subset.
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?(\.inf|\.Inf|\.INF|Infinity|inf)|\.nan|\.NaN|\.NAN|NaN|nan", re.ASCII)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# String fields that hold a decimal number, by name; a number without quotes is kept as it is written.
_DECIMAL_FIELDS = re.compile(r"amount|.*_rate|.*_spot|.*_spread_yen|.*_per_kwh|.*_per_kg|cost_of_capital")
_PLAIN_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
NUMBER_CHARACTERS_MAX = 400

_INTEGER_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
}

Scalar = str | int | float | bool


class FieldValueError(Exception):
    """Raised where a value does not fit its field; ``code`` is one of FORMAT_CODES."""

    def __init__(self, code: str, message: str, action: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.action = action


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field of a message: its name, its shape and what a single value of it may be."""

    name: str
    repeated: bool
    # Name of the oneof the field belongs to; empty for none (and for `optional`, which excludes nothing).
    oneof: str
    descriptor: FieldDescriptor

    @property
    def neutral(self) -> Scalar:
        """What stands in a list for an item that cannot be read."""
        return "" if self.descriptor.type == FieldDescriptor.TYPE_STRING else 0

    @property
    def message(self) -> Descriptor | None:
        """The message type of the field, None for a scalar."""
        return self.descriptor.message_type


@lru_cache(maxsize=256)
def plans_of(descriptor: Descriptor) -> dict[str, FieldPlan]:
    """Return the fields of a message type by name."""
    plans = {}
    for field in descriptor.fields:
        oneof = field.containing_oneof
        excludes = oneof.name if oneof is not None and len(oneof.fields) > 1 else ""
        plans[field.name] = FieldPlan(field.name, field.is_repeated, excludes, field)
    return plans


@lru_cache(maxsize=1024)
def advice_on_unknown(descriptor: Descriptor, key: str) -> str:
    """Return what to do about a field name that is not known."""
    close = get_close_matches(key[:80], [field.name for field in descriptor.fields], n=1)
    return f"Did you mean {close[0]}?" if close else ""


def kind_of(node: Node) -> str:
    """Return what a node looks like, for a message."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, list):
        return "a list"
    if not isinstance(node, Plain):
        return "quoted text"
    if node in _NULLS:
        return "null"
    if node in _BOOLS:
        return "a truth value"
    return "a number" if _is_number(node) else "text"


def _is_number(text: str) -> bool:
    return bool(_INTEGER.fullmatch(text) or _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text))


def refuse_null(node: Node) -> None:
    """Raise where a node is null."""
    if isinstance(node, Plain) and node in _NULLS:
        raise FieldValueError("E1007", "the value is null")


def _scalar_text(node: Node, expected: str) -> str:
    refuse_null(node)
    if isinstance(node, str):
        return node
    raise FieldValueError("E1006", f"{kind_of(node)} stands where {expected} is expected")


def read_string(node: Node, plan: FieldPlan) -> str:
    """Read text; a number is refused, unless the field holds decimals and the text is one."""
    text = _scalar_text(node, "text")
    if isinstance(text, Plain) and (text in _BOOLS or _is_number(text)):
        if not _DECIMAL_FIELDS.fullmatch(plan.name):
            raise FieldValueError("E1016", f"{text[:40]} without quotes stands where text is expected")
        if not _PLAIN_DECIMAL.fullmatch(text):
            raise FieldValueError("E1016", f"{text[:40]} is not a plain decimal number", 'Write it as "3.99".')
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise FieldValueError("E1018", "the text holds half of a surrogate pair")
    return str(text)


def read_bool(node: Node, plan: FieldPlan) -> bool:  # noqa: ARG001 (all readers have the same signature)
    """Read a truth value."""
    text = _scalar_text(node, "true or false")
    if isinstance(text, Plain) and text in _BOOLS:
        return _BOOLS[text]
    raise FieldValueError("E1006", f"{shown(text)} stands where true or false is expected", "Write true or false.")


def read_integer(node: Node, plan: FieldPlan) -> int:
    """Read a whole number within the range of its field."""
    text = _scalar_text(node, "a whole number")
    smallest, largest = _INTEGER_RANGES[plan.descriptor.type]
    if isinstance(text, Plain) and _INTEGER.fullmatch(text):
        value = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if smallest <= value <= largest:
            return value
    elif not (isinstance(text, Plain) and re.fullmatch(r"[-+]?[0-9]+", text)):
        raise _not_an_integer(text)
    raise FieldValueError("E1009", f"{shown(text)} is not between {smallest} and {largest}")


def _not_an_integer(text: str) -> FieldValueError:
    if isinstance(text, Plain) and _NOT_FINITE.fullmatch(text):
        return FieldValueError("E1012", f"{text} is not a finite number")
    if isinstance(text, Plain) and _FLOAT.fullmatch(text):
        return FieldValueError("E1008", f"{shown(text)} is not a whole number")
    if _INTEGER.fullmatch(text):
        return FieldValueError(
            "E1008", f"{text} in quotes stands where a whole number is expected", "Remove the quotes."
        )
    return FieldValueError("E1006", f"{shown(text)} stands where a whole number is expected")


def read_double(node: Node, plan: FieldPlan) -> float:  # noqa: ARG001 (all readers have the same signature)
    """Read a finite number."""
    text = _scalar_text(node, "a number")
    if _NOT_FINITE.fullmatch(text):
        raise FieldValueError("E1012", f"{text} is not a finite number")
    if not isinstance(text, Plain):
        advice = "Remove the quotes." if _FLOAT.fullmatch(text) else ""
        raise FieldValueError("E1006", f"{shown(text)} in quotes stands where a number is expected", advice)
    if _INTEGER.fullmatch(text) or (len(text) <= NUMBER_CHARACTERS_MAX and _FLOAT.fullmatch(text)):
        value = float(int(text, 0)) if text[:2] in ("0o", "0x") else float(text)
        if math.isfinite(value):
            return value
    elif not _FLOAT.fullmatch(text):
        raise FieldValueError("E1006", f"{shown(text)} stands where a number is expected")
    raise FieldValueError(
        "E1009", f"{shown(text)} is larger than a double can be, or longer than {NUMBER_CHARACTERS_MAX}"
    )


@lru_cache(maxsize=64)
def _numbers_of(enum: EnumDescriptor | None) -> dict[str, int]:
    return {} if enum is None else {value.name: value.number for value in enum.values}


def read_enum(node: Node, plan: FieldPlan) -> int:
    """Read the name of a choice."""
    text = _scalar_text(node, "the name of a choice")
    numbers = _numbers_of(plan.descriptor.enum_type)
    if text in numbers:
        return numbers[text]
    names = ", ".join(name for name, number in numbers.items() if number != 0)
    raise FieldValueError("E1010", f"{shown(text)} is not a choice", f"Write one of {names}.")


READERS: dict[int, Callable[[Node, FieldPlan], Scalar]] = {
    FieldDescriptor.TYPE_STRING: read_string,
    FieldDescriptor.TYPE_BOOL: read_bool,
    FieldDescriptor.TYPE_DOUBLE: read_double,
    FieldDescriptor.TYPE_ENUM: read_enum,
    **dict.fromkeys(_INTEGER_RANGES, read_integer),
}
