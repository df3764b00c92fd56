"""YAML bytes as a tree: events of libyaml under our own rules.

Read as YAML 1.2 with the core schema, which differs from what PyYAML does by itself: ``yes``, ``no``, ``on``, ``off``
and dates are text, octal is ``0o17``, ``<<`` is an ordinary key. Scalars keep their text; tree.Plain marks those
without quotes. Tags are refused, aliases expand within a limit, and nothing here recurses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from tehai.wire.tree import DEPTH_MAX, DocumentError, Mapping, Node, Plain

# Values that aliases may add to a document; a plan written by hand stays far below.
ALIASED_VALUES_MAX = 200_000


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being read."""

    node: list[Node] | Mapping
    anchor: str | None
    key: str | None = None
    # The value of a key that is given again is read and dropped.
    again: bool = False
    size: int = 1


@dataclass(slots=True)
class _Anchors:
    """What anchors stand for, with the number of values in each; None while it is still open."""

    nodes: dict[str, tuple[Node, int] | None] = field(default_factory=dict)
    expanded: int = 0


def _mark_place(mark: Any) -> str:  # noqa: ANN401 (two classes, one of them compiled)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _place(event: yaml.Event) -> str:
    return _mark_place(event.start_mark)


def _refuse_tag(event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
    if event.tag is not None:
        raise DocumentError("E1013", _place(event), "tags are not read")


def _scalar(event: yaml.ScalarEvent) -> str:
    _refuse_tag(event)
    return Plain(event.value) if event.implicit[0] else event.value


def _alias(event: yaml.AliasEvent, anchors: _Anchors) -> tuple[Node, int]:
    """Return what an alias stands for and its number of values."""
    name = event.anchor or ""
    known = anchors.nodes.get(name)
    if known is None:
        why = "is part of what it stands for" if name in anchors.nodes else "stands for nothing before it"
        raise DocumentError("E1014", _place(event), f"the alias {why}")
    anchors.expanded += known[1]
    if anchors.expanded > ALIASED_VALUES_MAX:
        raise DocumentError("E1014", _place(event), f"aliases add more than {ALIASED_VALUES_MAX:,} values")
    return known


def _add(holder: _Open, node: Node, size: int, event: yaml.Event) -> None:
    """Put a finished value into the list or mapping that holds it; in a mapping keys and values take turns."""
    holder.size += size
    if isinstance(holder.node, list):
        holder.node.append(node)
    elif holder.key is None:
        if not isinstance(node, str):
            raise DocumentError("E1003", _place(event), "a key must be text")
        holder.key = node
        holder.again = node in holder.node.fields
        if holder.again:
            holder.node.duplicates.append(node)
    else:
        if not holder.again:
            holder.node.fields[holder.key] = node
        holder.key = None


class _TreeBuilder:
    """Builds the tree of one document from its events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._stack: list[_Open] = []
        self._anchors = _Anchors()

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self._finish(_scalar(event), 1, event.anchor, event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self._stack.pop()
            self._finish(done.node, done.size, done.anchor, event)
        elif isinstance(event, yaml.AliasEvent):
            node, size = _alias(event, self._anchors)
            self._finish(node, size, None, event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise DocumentError("E1017", _place(event), "a second document begins here")

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        _refuse_tag(event)
        if len(self._stack) >= DEPTH_MAX:
            raise DocumentError("E1015", _place(event), f"more than {DEPTH_MAX} levels")
        if event.anchor is not None:
            self._anchors.nodes[event.anchor] = None
        node: list[Node] | Mapping = Mapping() if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(node, event.anchor))

    def _finish(self, node: Node, size: int, anchor: str | None, event: yaml.Event) -> None:
        if anchor is not None:
            self._anchors.nodes[anchor] = (node, size)
        if self._stack:
            _add(self._stack[-1], node, size, event)
        else:
            self.root = node


def tree_from_yaml(text: str) -> Node:
    """Read one YAML document; raises DocumentError where it is not one."""
    builder = _TreeBuilder()
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise DocumentError("E1003", _mark_place(error.problem_mark), f"this is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise DocumentError("E1003", "", f"this is not YAML: {str(error).splitlines()[0]}") from error
    if builder.root is None:
        raise DocumentError("E1017", "", "the file is empty")
    return builder.root
