r"""The filter of a list of solves: conditions joined by AND, after AIP-160.

    state = RUNNING AND priority <= 3 AND display_name = "June" AND create_time >= "2027-04-01T00:00:00Z"

Fields: ``state`` and ``display_name`` with ``=``; ``priority`` and ``create_time`` (RFC 3339 with a zone) with
``= < <= > >=``. A value stands in double quotes, with ``\"`` and ``\\`` inside, or is one bare word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tehai.operations.clock import Microseconds
from tehai.operations.errors import FilterError
from tehai.operations.records import PRIORITY_FIRST, PRIORITY_LAST, SolveState

FILTER_CHARACTERS_MAX = 1024
CONDITIONS_MAX = 20
_PART_SHOWN_CHARACTERS = 60

_STATE_NAMES = frozenset(state.value for state in SolveState)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<operator>[<>=!:~]+)|(?P<word>[^\s\"<>=!:~()]+(?::[^\s\"<>=!~()]*)*))"
)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


class Field(StrEnum):
    """What can be filtered by."""

    STATE = "state"
    PRIORITY = "priority"
    DISPLAY_NAME = "display_name"
    CREATE_TIME = "create_time"


class Operator(StrEnum):
    """How a field is compared with a value."""

    EQUAL = "="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; the value of ``create_time`` is in microseconds since 1970 UTC."""

    field: Field
    operator: Operator
    value: str | int


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the filter; ``offset`` is its first character, ``kind`` the group of _TOKEN."""

    text: str
    offset: int
    kind: str

    def error(self, reason: str) -> FilterError:
        return FilterError(self.text[:_PART_SHOWN_CHARACTERS], self.offset, reason)


def parse_filter(text: str) -> tuple[Condition, ...]:
    """Return the conditions of ``text``, none for an empty one; raise FilterError that names the bad part."""
    if len(text) > FILTER_CHARACTERS_MAX:
        part = text[FILTER_CHARACTERS_MAX:][:_PART_SHOWN_CHARACTERS]
        raise FilterError(part, FILTER_CHARACTERS_MAX, f"a filter has {FILTER_CHARACTERS_MAX} characters at most")
    tokens = _tokens(text)
    conditions: list[Condition] = []
    position = 0
    while position < len(tokens):
        if conditions:
            if tokens[position].kind != "word" or tokens[position].text != "AND":
                raise tokens[position].error("conditions are joined by AND (in capitals)")
            position += 1
        conditions.append(_condition(text, tokens[position : position + 3]))
        if len(conditions) > CONDITIONS_MAX:
            raise tokens[position].error(f"a filter has {CONDITIONS_MAX} conditions at most")
        position += 3
    return tuple(conditions)


def _tokens(text: str) -> list[_Token]:
    found = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            rest = text[position:end]
            offset = position + len(rest) - len(rest.lstrip())
            reason = "a quoted text has no end" if text[offset] == '"' else "is not understood here"
            raise FilterError(text[offset:end][:_PART_SHOWN_CHARACTERS], offset, reason)
        found.append(_Token(match[match.lastgroup], match.start(match.lastgroup), match.lastgroup))
        position = match.end()
    return found


def _condition(text: str, tokens: list[_Token]) -> Condition:
    """Read ``field operator value``."""
    if not tokens:
        raise FilterError("", len(text), f"a condition is missing; it begins with one of {_choice(Field)}")
    name = tokens[0]
    if name.kind != "word" or name.text not in _FIELD_NAMES:
        raise name.error(f"no such field; there are {_choice(Field)}")
    field = Field(name.text)
    allowed = _OPERATORS[field]
    if len(tokens) < 2:
        raise name.error(f"is followed by one of {_choice(allowed)} and a value")
    sign = tokens[1]
    if sign.kind != "operator" or sign.text not in allowed:
        raise sign.error(f"{field.value} is compared with {_choice(allowed)}")
    if len(tokens) < 3:
        raise sign.error("has no value after it")
    value = tokens[2]
    if value.kind == "operator":
        raise value.error("is not a value; put a text in double quotes")
    return Condition(field, Operator(sign.text), _READERS[field](value))


def _choice(names: type[StrEnum] | tuple[StrEnum, ...]) -> str:
    return ", ".join(name.value for name in names)


def _text(token: _Token) -> str:
    """Return a value without its quotes."""
    return re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL) if token.kind == "string" else token.text


def _read_state(token: _Token) -> str:
    name = _text(token)
    if name not in _STATE_NAMES:
        raise token.error(f"no such state; there are {_choice(SolveState)}")
    return name


def _read_priority(token: _Token) -> int:
    digits = _text(token)
    if not re.fullmatch(r"[0-9]{1,2}", digits) or not PRIORITY_FIRST <= int(digits) <= PRIORITY_LAST:
        raise token.error(f"a priority is a whole number, {PRIORITY_FIRST} to {PRIORITY_LAST}")
    return int(digits)


def _read_time(token: _Token) -> Microseconds:
    text = _text(token)
    reason = 'a time is written like "2027-04-01T00:00:00Z" (RFC 3339, with its zone)'
    if not _TIME.fullmatch(text):
        raise token.error(reason)
    try:
        # In UTC first would overflow at the ends of the calendar; a difference does not.
        return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise token.error(reason) from None


_ORDERED = tuple(Operator)
_FIELD_NAMES = frozenset(field.value for field in Field)
_OPERATORS: dict[Field, tuple[Operator, ...]] = {
    Field.STATE: (Operator.EQUAL,),
    Field.DISPLAY_NAME: (Operator.EQUAL,),
    Field.PRIORITY: _ORDERED,
    Field.CREATE_TIME: _ORDERED,
}
_READERS: dict[Field, Callable[[_Token], str | int]] = {
    Field.STATE: _read_state,
    Field.DISPLAY_NAME: _text,
    Field.PRIORITY: _read_priority,
    Field.CREATE_TIME: _read_time,
}
