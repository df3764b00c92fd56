"""Changes of a document that break one rule, and the case that such a change makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

Document = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A change of a document at a path."""

    path: str
    apply: Callable[[Document], object]


class Case(NamedTuple):
    """One broken rule; it is reported ``at`` a path, that of the change where none is given."""

    name: str
    code: str
    change: Change
    at: str = ""


def _at(document: Document, path: str) -> tuple[Any, Any]:
    """Return the holder and the key of a path such as "offers[1].id"."""
    *holders, last = [int(part) if part.isdecimal() else part for part in re.findall(r"\w+", path)]
    target: Any = document
    for part in holders:
        target = target[part]
    return target, last


def put(path: str, value: object) -> Change:
    """Return a change that puts a value at a path."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        holder[last] = value

    return Change(path, apply)


def drop(path: str) -> Change:
    """Return a change that removes what is at a path."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        del holder[last]

    return Change(path, apply)


def add(path: str, value: object) -> Change:
    """Return a change that appends to a list."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        holder[last].append(value)

    return Change(path, apply)


def again(path: str, position: int) -> Change:
    """Return a change that repeats an entry at the end of a list."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        holder[last].append(dict(holder[last][position]))

    return Change(path, apply)


def both(*changes: Change) -> Change:
    """Return several changes as one, at the path of the first."""

    def apply(document: Document) -> None:
        for change in changes:
            change.apply(document)

    return Change(changes[0].path, apply)
