"""A document as a tree of three shapes, before its fields are known: text, lists and mappings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

# No contract nests this deep; deeper input is refused before it costs anything.
DEPTH_MAX = 32


class Plain(str):
    """A scalar without quotes, as written: its type follows from the field it stands in."""

    __slots__ = ()


@dataclass(slots=True)
class Mapping:
    """Keys with their values; ``duplicates`` are keys that were given again (the first value is kept)."""

    fields: dict[str, Node] = field(default_factory=dict)
    duplicates: list[str] = field(default_factory=list)


Node: TypeAlias = str | list["Node"] | Mapping


class DocumentError(Exception):
    """Raised where a document cannot be read at all; ``code`` is one of FORMAT_CODES, ``place`` where it stopped."""

    def __init__(self, code: str, place: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.place = place
        self.message = message
