"""Random damage to the small problem: as a document of plain values, as lines of text and as a message.

Each change is one that files and clients make in practice, or an attacker: a value left out, doubled, of another type,
of extreme size, swapped with another, nested too deeply, a list far too long.
"""

from __future__ import annotations

import copy
import json
import math
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from tehai.v1 import problem_pb2
from tests.wire.filling import descriptor_of
from tests.wire.small_problem import small_document, small_message, small_text

CHANGES_MAX = 4
INTEGERS = [0, 1, -1, 2, 7, 24, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63), 2**64, 10**15, 10**40]
DOUBLES = [0.0, -0.0, 5e-324, 1e-308, 1e308, -1e308, 1e12, 0.1, math.nan, math.inf, -math.inf]
TEXTS = [
    *("", " ", "0", "-0", "0.00", "-1", "1e9", "9" * 40, "9" * 41, "NaN", "0x1f", "null", "true", "~"),
    *("0001-01-01", "9999-12-31", "2000-02-29", "2028-01-10", "2028-02-30", "2028-13-01", "2028-1-1"),
    *("JP", "jp", "JPY", "USD", "EUR", "tokyo", "h200", "picking", "robot-grant", "car-maker-b", "world-model"),
    *("小さな例", "e\u0301", "\u202eabc", "\ufeff", "\x00", "\x1b[31m", "🗼" * 3, "ａ", "a" * 64, "b" * 2_001, "../x"),
]
# One above most of the limits on lists, and the largest of them.
LENGTHS = [0, 2, 3, 33, 65, 101, 201, 1_001, 2_001]
LENGTH_MAX = 20_000
KEYS = ["id", "kind", "steps", "calendar", "北", "\x00", "k" * 200, "period_count", "existing", "on_demand", "<<"]
# Unknown, of every wire type, and one whose bytes are those of a known field of another type.
UNKNOWN_FIELDS = [b"\xa2\x06\x03abc", b"\xa0\x06\x01", b"\xa5\x06\x00\x00\x00\x00", b"\x08\x96\x01"]
Place = tuple[Any, ...]

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(INTEGERS),
    st.sampled_from(DOUBLES),
    st.sampled_from(TEXTS),
    st.sampled_from([[], {}, [[]], [{}], [None], {"": None}, [1, "a"]]),
)


def places(node: object, place: Place = ()) -> list[Place]:
    """Return the place of every value in a document."""
    found = [place] if place else []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        found += places(child, (*place, key))
    return found


PLACES = places(small_document())


def _other_type(draw: st.DrawFn, value: Any) -> Any:  # noqa: ANN401 (values of a document)
    """Return a value as something that people confuse it with."""
    as_text = str(value)[:100]
    forms: list[Any] = [as_text, [value], {"value": value}, {as_text: value}]
    if isinstance(value, list):
        forms += [value[0] if value else None, dict(enumerate(map(str, value)))]
    if isinstance(value, dict):
        forms += [list(value.values()), [value, value], list(value.items())]
    if isinstance(value, int | float):
        forms += [float(value), -value, value * 1_000_000]
    return draw(st.sampled_from(forms))


def _nested(draw: st.DrawFn, value: Any) -> Any:  # noqa: ANN401 (values of a document)
    for _ in range(draw(st.sampled_from([1, 5, 31, 33, 60]))):
        value = [value] if draw(st.booleans()) else {"a": value}
    return value


def _change_list(draw: st.DrawFn, items: list[Any], lengths: list[int] = LENGTHS) -> None:
    """Double, drop, turn around or repeat rows in place."""
    match draw(st.sampled_from(["double", "reverse", "repeat", "empty", "rotate"])):
        case "double" if items:
            items.append(copy.deepcopy(draw(st.sampled_from(items))))
        case "repeat" if items:
            length = draw(st.sampled_from(lengths))
            items[:] = (items * (length // len(items) + 1))[:length]
        case "reverse":
            items.reverse()
        case "rotate":
            items[:] = items[1:] + items[:1]
        case _:
            items.clear()


def _change_document(draw: st.DrawFn, document: dict[str, Any]) -> None:
    """Make one change at a place of the document; raises LookupError or TypeError where it is gone already."""
    *holders, last = draw(st.sampled_from(PLACES))
    target: Any = document
    for key in holders:
        target = target[key]
    value = target[last]
    match draw(st.sampled_from(["replace", "replace", "remove", "list", "list", "retype", "swap", "nest", "rename"])):
        case "replace":
            # A copy: later changes are made in place, and the strategy hands out the same lists again.
            target[last] = copy.deepcopy(draw(VALUES))
        case "remove":
            del target[last]
        case "list" if isinstance(value, list):
            _change_list(draw, value)
        case "rename" if isinstance(target, dict):
            target[draw(st.sampled_from(KEYS))] = target.pop(last)
        case "nest":
            target[last] = _nested(draw, value)
        case "retype":
            target[last] = _other_type(draw, value)
        case _:
            *others, other_last = draw(st.sampled_from(PLACES))
            other: Any = document
            for key in others:
                other = other[key]
            target[last], other[other_last] = copy.deepcopy(other[other_last]), copy.deepcopy(value)


@st.composite
def changed_documents(draw: st.DrawFn) -> bytes:
    """The small problem as JSON (which YAML reads too) with one to four changes."""
    document = small_document()
    for _ in range(draw(st.integers(1, CHANGES_MAX))):
        try:
            _change_document(draw, document)
        except (LookupError, TypeError):
            continue  # an earlier change took this place away
    return json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@st.composite
def changed_lines(draw: st.DrawFn) -> bytes:
    """The small problem as YAML with lines left out, doubled, moved, indented otherwise or cut."""
    lines = small_text().splitlines()
    position = st.integers(0, len(lines) - 1)
    for _ in range(draw(st.integers(1, CHANGES_MAX))):
        i, j = draw(position) % len(lines), draw(position) % len(lines)
        line = lines[i]
        match draw(st.sampled_from(["drop", "double", "swap", "indent", "value", "key", "cut", "repeat"])):
            case "drop":
                lines[i] = ""
            case "double":
                lines.insert(i, line)
            case "swap":
                lines[i], lines[j] = lines[j], lines[i]
            case "indent":
                lines[i] = " " * draw(st.integers(0, 8)) + line.lstrip()
            case "value":
                lines[i] = line.partition(":")[0] + ": " + str(draw(VALUES))
            case "key":
                lines[i] = draw(st.sampled_from(KEYS)) + ":" + line.partition(":")[2]
            case "cut":
                lines[i] = line[: draw(st.integers(0, len(line)))]
            case _:
                first = min(i, j)
                lines[first:first] = lines[first : first + draw(st.integers(1, 30))] * draw(st.sampled_from([1, 2, 40]))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _messages(message: Message) -> list[Message]:
    """Return a message and the messages in it."""
    found = [message]
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in value if field.is_repeated else [value]:
                found += _messages(child)
    return found


def _scalar(draw: st.DrawFn, field: FieldDescriptor) -> object:
    """Return an extreme or random value that protobuf takes for a field."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return draw(st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)))
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return draw(st.one_of(st.sampled_from(DOUBLES), st.floats()))
    if field.type == FieldDescriptor.TYPE_BOOL:
        return draw(st.booleans())
    if field.type == FieldDescriptor.TYPE_ENUM:
        return draw(st.sampled_from([0, 1, 2, 99]))
    bits = 63 if field.type == FieldDescriptor.TYPE_INT64 else 31
    fitting = [n for n in INTEGERS if -(2**bits) <= n < 2**bits]
    return draw(st.one_of(st.sampled_from(fitting), st.integers(-(2**bits), 2**bits - 1)))


def _change_rows(draw: st.DrawFn, rows: Any) -> None:  # noqa: ANN401 (two classes of protobuf without a common one)
    """Drop, double, turn around or repeat the rows of a repeated field."""
    kept = [copy.deepcopy(row) for row in rows]
    _change_list(draw, kept, [*LENGTHS, LENGTH_MAX])
    del rows[:]
    rows.extend(kept)


def _change_field(draw: st.DrawFn, message: Message, everywhere: list[Message]) -> None:
    """Change one field of one message, set or not."""
    field = draw(st.sampled_from(list(descriptor_of(message).fields)))
    if draw(st.integers(0, 3)) == 0:
        message.ClearField(field.name)
    elif field.message_type is not None:
        likely = [m for m in everywhere if descriptor_of(m).full_name == field.message_type.full_name]
        source = draw(st.sampled_from(likely)) if likely else None
        if field.is_repeated and draw(st.booleans()):
            _change_rows(draw, getattr(message, field.name))
            return
        target = getattr(message, field.name).add() if field.is_repeated else getattr(message, field.name)
        target.SetInParent()
        if source is not None and source is not target:
            target.CopyFrom(copy.deepcopy(source))
    elif field.is_repeated:
        rows = getattr(message, field.name)
        rows.append(_scalar(draw, field))
        _change_rows(draw, rows)
    else:
        setattr(message, field.name, _scalar(draw, field))


def _swap_field(draw: st.DrawFn, message: Message, everywhere: list[Message]) -> None:
    """Swap a scalar with that of another message of the same type: an id, a date, a number."""
    scalars = [f for f in descriptor_of(message).fields if not f.is_repeated and f.message_type is None]
    same = [m for m in everywhere if descriptor_of(m).full_name == descriptor_of(message).full_name]
    if not scalars:
        return
    name = draw(st.sampled_from(scalars)).name
    other = draw(st.sampled_from(same))
    mine, theirs = getattr(message, name), getattr(other, name)
    setattr(message, name, theirs)
    setattr(other, name, mine)


@st.composite
def changed_messages(draw: st.DrawFn) -> problem_pb2.Problem:
    """The small problem as a message with one to four changes of fields."""
    problem = small_message()
    for _ in range(draw(st.integers(1, CHANGES_MAX))):
        everywhere = _messages(problem)
        message = draw(st.sampled_from(everywhere))
        match draw(st.sampled_from(["change", "change", "change", "swap", "unknown"])):
            case "change":
                _change_field(draw, message, everywhere)
            case "swap":
                _swap_field(draw, message, everywhere)
            case _:
                message.MergeFromString(draw(st.sampled_from(UNKNOWN_FIELDS)))
    return problem
