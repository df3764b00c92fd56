"""JSON bytes as a tree; numbers keep their text, duplicate keys are remembered."""

from __future__ import annotations

import json
from typing import Any

from tehai.wire.tree import DEPTH_MAX, DocumentError, Mapping, Node, Plain


def _mapping(pairs: list[tuple[str, Node]]) -> Mapping:
    mapping = Mapping()
    for key, value in pairs:
        if key in mapping.fields:
            mapping.duplicates.append(key)
        else:
            mapping.fields[key] = value
    return mapping


class _Decoder(json.JSONDecoder):
    """A decoder that builds our tree; NaN and Infinity stay text, to be refused at their field."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_mapping, parse_float=Plain, parse_int=Plain, parse_constant=Plain)


def _finished(node: Any, depth: int) -> Node:  # noqa: ANN401 (what json hands over)
    """Write None, True and False, for which json has no hook, as text, in place, and refuse deep nesting."""
    if isinstance(node, str):
        return node
    if node is None:
        return Plain("null")
    if isinstance(node, bool):
        return Plain("true" if node else "false")
    if depth > DEPTH_MAX:
        raise DocumentError("E1015", "", f"more than {DEPTH_MAX} levels")
    if isinstance(node, Mapping):
        for key, item in node.fields.items():
            if not isinstance(item, str):
                node.fields[key] = _finished(item, depth + 1)
        return node
    if isinstance(node, list):
        for i, item in enumerate(node):
            if not isinstance(item, str):
                node[i] = _finished(item, depth + 1)
        return node
    raise TypeError(f"json handed over a {type(node).__name__}")


def tree_from_json(text: str) -> Node:
    """Read one JSON document; raises DocumentError where it is not one."""
    try:
        tree = _Decoder().decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise DocumentError("E1003", place, f"this is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise DocumentError("E1015", "", f"more than {DEPTH_MAX} levels") from error
    return _finished(tree, 1)
