"""Reads scalars of a message and remembers everything that is wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from tehai.domain.violation import Violation
from tehai.wire.codes import FORMAT_CODES
from tehai.wire.taint import TaintedPaths

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=Enum)
V = TypeVar("V", bound=int)

SHOWN_CHARACTERS = 60
# A person corrects a few and checks again; more would not fit into a message.
FORMAT_VIOLATIONS_MAX = 5_000
PLACEHOLDER_DATE = date(2000, 1, 1)
PLACEHOLDER_DECIMAL = Decimal(1)
PLACEHOLDER_NUMBER = 1.0
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def shown(value: object) -> str:
    """Return ``value`` quoted for a message, shortened and free of control characters."""
    text = str(value)
    short = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
    return '"' + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short) + '"'


def member_path(path: str, name: str) -> str:
    """Return the path of field ``name`` of the object at ``path`` (empty: the document)."""
    return f"{path}.{name}" if path else name


class Reader:
    """Collects violations; a value that cannot be read becomes a placeholder and its path is tainted.

    Whatever reads a tainted path later must stay silent about it: the cause is reported already.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        """Start with nothing found; faults at or under the paths ``known`` are reported already and not repeated."""
        self.violations: list[Violation] = []
        self.tainted: set[str] = set(known)
        self._known = TaintedPaths(self.tainted)

    @property
    def full(self) -> bool:
        """Whether so much is wrong already that nothing more is recorded."""
        return len(self.violations) > FORMAT_VIOLATIONS_MAX

    def fail(self, code: str, path: str, message: str, *, action: str = "", taint: str | None = None) -> None:
        """Record a violation; ``taint`` (default: ``path``) is the path whose value is a placeholder."""
        if self.full:
            return
        placeholder = path if taint is None else taint
        self.tainted.add(placeholder)
        if self._known.covers(placeholder):
            return
        if len(self.violations) == FORMAT_VIOLATIONS_MAX:
            code, path, action = "E1199", "document", ""
            message = f"more than {FORMAT_VIOLATIONS_MAX:,} violations of form; the others are not listed"
        self.violations.append(Violation(code, path, message, action or FORMAT_CODES[code].action))

    def date(self, text: str, path: str, name: str) -> date:
        """Read a date written YYYY-MM-DD."""
        if _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass  # reported below with every other form that is not a date
        what = f"{shown(text)} is not a date" if text else "the date is missing"
        self.fail("E1105", member_path(path, name), what)
        return PLACEHOLDER_DATE

    def decimal(self, text: str, path: str, name: str) -> Decimal:
        """Read a decimal string: digits with an optional minus and point, no exponent."""
        if _DECIMAL.fullmatch(text):
            return Decimal(text)
        what = f"{shown(text)} is not a decimal number" if text else "the decimal number is missing"
        self.fail("E1104", member_path(path, name), what)
        return PLACEHOLDER_DECIMAL

    def number(self, value: float, path: str, name: str) -> float:
        """Read a double, refusing NaN and infinities."""
        if math.isfinite(value):
            return value
        self.fail("E1106", member_path(path, name), f"{value} is not a finite number")
        return PLACEHOLDER_NUMBER

    def numbers(self, values: Sequence[float], limit: int, path: str, name: str) -> tuple[float, ...]:
        """Read a list of doubles, refusing NaN and infinities."""
        read = tuple(self.limited(values, limit, path, name))
        for i, value in enumerate(read):
            if not math.isfinite(value):
                self.fail("E1106", f"{member_path(path, name)}[{i}]", f"{value} is not a finite number")
        return read

    def limited(self, items: Sequence[T], limit: int, path: str, name: str) -> Sequence[T]:
        """Return ``items``, or nothing where there are more than ``limit``."""
        if len(items) <= limit:
            return items
        self.fail("E1111", member_path(path, name), f"{len(items):,} entries; the limit is {limit:,}")
        return ()

    def each(
        self, read: Callable[[T, Reader, str], D], messages: Sequence[T], limit: int, path: str, name: str
    ) -> tuple[D, ...]:
        """Read a list of messages, each with ``read``; nothing where there are more than ``limit``."""
        where = member_path(path, name)
        items = self.limited(messages, limit, path, name)
        return tuple(read(item, self, f"{where}[{i}]") for i, item in enumerate(items))

    def missing(self, path: str, name: str) -> None:
        """Record that a message field is not given."""
        self.fail("E1103", member_path(path, name), f"{name} is missing")

    def no_alternative(self, path: str, names: Sequence[str], taint: str) -> None:
        """Record that no member of a oneof is given in the message at ``path``."""
        self.fail("E1107", path, f"none of {', '.join(names)} is given", taint=member_path(path, taint))

    def schema_version(self, value: int, newest: int, path: str) -> int:
        """Read a schema version between 1 and ``newest``."""
        where = member_path(path, "schema_version")
        if value < 1:
            self.fail("E1101", where, f"{value} is below 1" if value else "the schema version is missing")
        elif value > newest:
            self.fail("E1102", where, f"version {value} is newer than {newest}, the newest this Tehai reads")
        return newest


class Choices(Generic[E, V]):
    """A domain enum and its wire enum, matched by name; every wire name but UNSPECIFIED has one domain member."""

    def __init__(self, domain: type[E], wire: _EnumTypeWrapper[V]) -> None:
        unspecified = wire.keys()[0]
        prefix = unspecified.removesuffix("UNSPECIFIED")
        if {prefix + member.name for member in domain} | {unspecified} != set(wire.keys()):
            raise TypeError(f"{domain.__name__} and {wire.DESCRIPTOR.full_name} do not have the same members")
        self._wire_of: dict[E, V] = {member: wire.Value(prefix + member.name) for member in domain}
        self._domain_of: dict[int, E] = {number: member for member, number in self._wire_of.items()}
        self._names = ", ".join(prefix + member.name for member in domain)

    def from_wire(self, value: int, reader: Reader, path: str, name: str) -> E:
        """Return the domain member of a wire number."""
        found = self._domain_of.get(value)
        if found is not None:
            return found
        what = f"{value} is not a known choice" if value else "nothing is chosen"
        reader.fail("E1108", member_path(path, name), f"{what}; choices are {self._names}")
        return next(iter(self._wire_of))

    def to_wire(self, member: E) -> V:
        """Return the wire number of a domain member."""
        return self._wire_of[member]
