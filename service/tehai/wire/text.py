"""Text a person can write, YAML or JSON, as a message: every fault is reported with its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from google.protobuf.message import Message

from tehai.domain.limits import LIMITS
from tehai.domain.violation import Violation
from tehai.wire.fields import (
    READERS,
    FieldPlan,
    FieldValueError,
    Scalar,
    advice_on_unknown,
    kind_of,
    plans_of,
    refuse_null,
)
from tehai.wire.json_tree import tree_from_json
from tehai.wire.reading import SHOWN_CHARACTERS, Reader, member_path, shown
from tehai.wire.tree import DocumentError, Mapping, Node
from tehai.wire.yaml_tree import tree_from_yaml

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class TextDraft(Generic[M]):
    """A message in which every value that could not be read is left out; ``tainted`` has their paths.

    ``message`` is None where the document as a whole cannot be read.
    """

    message: M | None
    violations: tuple[Violation, ...]
    tainted: frozenset[str]


class ParsedText(NamedTuple, Generic[M]):
    """A message, or None and why not."""

    message: M | None
    violations: tuple[Violation, ...]


def _key_path(path: str, key: str) -> str:
    """Return the path of a key that may be anything: shortened and printable."""
    short = key if len(key) <= SHOWN_CHARACTERS else key[:SHOWN_CHARACTERS] + "…"
    return member_path(path, "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in short))


class _MessageBuilder:
    """Fills a message from a tree by walking the descriptor."""

    def __init__(self) -> None:
        self.reader = Reader()

    def _fault(self, fault: FieldValueError, path: str) -> None:
        self.reader.fail(fault.code, path, fault.message, action=fault.action)

    def fill(self, message: Message, node: Node, path: str) -> None:
        """Fill ``message`` from the mapping ``node``."""
        if not isinstance(node, Mapping):
            what = f"{kind_of(node)} stands where a mapping of fields is expected"
            self.reader.fail("E1007" if kind_of(node) == "null" else "E1006", path, what)
            return
        for key in node.duplicates:
            where = _key_path(path, key)
            self.reader.fail("E1004", where, f"{shown(key)} is given again")
        plans = plans_of(message.DESCRIPTOR)
        given: dict[str, str] = {}
        for key, child in node.fields.items():
            plan = plans.get(key)
            if plan is None:
                self._unknown(message, key, path)
            elif plan.oneof and given.setdefault(plan.oneof, key) != key:
                what = f"{key} and {given[plan.oneof]} exclude each other"
                self.reader.fail("E1011", member_path(path, key), what)
            else:
                self._set(message, plan, child, member_path(path, key))

    def _unknown(self, message: Message, key: str, path: str) -> None:
        if self.reader.full:
            return
        descriptor = message.DESCRIPTOR
        what = f"{shown(key)} is not a field of {descriptor.name}"
        self.reader.fail("E1005", _key_path(path, key), what, action=advice_on_unknown(descriptor, key[:80]))

    def _set(self, message: Message, plan: FieldPlan, node: Node, path: str) -> None:
        if plan.repeated:
            self._extend(message, plan, node, path)
        elif plan.message is not None:
            child: Message = getattr(message, plan.name)
            child.SetInParent()
            self.fill(child, node, path)
        else:
            value = self._scalar(plan, node, path)
            if value is not None:
                setattr(message, plan.name, value)

    def _extend(self, message: Message, plan: FieldPlan, node: Node, path: str) -> None:
        if not isinstance(node, list):
            try:
                refuse_null(node)
                self.reader.fail("E1006", path, f"{kind_of(node)} stands where a list is expected")
            except FieldValueError as fault:
                self._fault(fault, path)
            return
        items: Any = getattr(message, plan.name)
        if plan.message is not None:
            for i, child in enumerate(node):
                self.fill(items.add(), child, f"{path}[{i}]")
            return
        for i, child in enumerate(node):
            value = self._scalar(plan, child, f"{path}[{i}]")
            items.append(plan.neutral if value is None else value)

    def _scalar(self, plan: FieldPlan, node: Node, path: str) -> Scalar | None:
        try:
            return READERS[plan.descriptor.type](node, plan)
        except FieldValueError as fault:
            self._fault(fault, path)
            return None


def _tree(data: bytes, source_name: str) -> Node:
    """Return the tree of a document; raises DocumentError where it cannot be read."""
    if len(data) > LIMITS.input_bytes:
        raise DocumentError("E1001", "", f"{len(data):,} bytes; the limit is {LIMITS.input_bytes:,}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError("E1002", f"byte {error.start}", "the bytes are not UTF-8") from error
    if source_name.lower().endswith((".yaml", ".yml")):
        return tree_from_yaml(text)
    if source_name.lower().endswith(".json") or text.lstrip()[:1] == "{":
        return tree_from_json(text)
    return tree_from_yaml(text)


def _mapping(data: bytes, source_name: str) -> Mapping:
    """Return the mapping that a document is; raises DocumentError where it is something else."""
    tree = _tree(data, source_name)
    if isinstance(tree, Mapping):
        return tree
    raise DocumentError("E1006", "", f"{kind_of(tree)} stands where a mapping of fields is expected")


def read_text(data: bytes, message_type: type[M], *, source_name: str) -> TextDraft[M]:
    """Read YAML or JSON, leaving out what cannot be read; see parse_text."""
    builder = _MessageBuilder()
    try:
        tree = _mapping(data, source_name)
    except DocumentError as error:
        place = error.place or "document"
        builder.reader.fail(error.code, place, f"{error.message} ({shown(source_name)})")
        return TextDraft(None, tuple(builder.reader.violations), frozenset())
    message = message_type()
    builder.fill(message, tree, "")
    return TextDraft(message, tuple(builder.reader.violations), frozenset(builder.reader.tainted))


def parse_text(data: bytes, message_type: type[M], *, source_name: str) -> ParsedText[M]:
    """Read YAML 1.2 or JSON with exactly the proto's field names.

    The suffix of ``source_name`` chooses the format, else the first character ("{" is JSON). Every field that is
    unknown, given twice, of the wrong type, null or not finite is reported; the message is None where one is.
    """
    draft = read_text(data, message_type, source_name=source_name)
    return ParsedText(None if draft.violations else draft.message, draft.violations)
