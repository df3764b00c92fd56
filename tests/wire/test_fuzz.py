"""Whatever a file holds, the answer is a problem or a list of violations, never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tehai.pipeline_check import check_message, check_text
from tehai.v1 import problem_pb2
from tehai.validation import notes
from tehai.wire import problem_sha256, to_yaml
from tests.wire.small_problem import small_document, small_message, small_text

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31 - 1, 2**31, 2**63 - 1, -(2**63), 1e308, 1e-308, float("nan"), float("inf")]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["0", "-1", "1e9", "9" * 40, "2028-01-10", "0001-01-01", "9999-12-31", "JPY", "h200", "JP"]),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), max_size=3),
)


def _places(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every value in a document."""
    found = [path] if path else []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        found += _places(child, (*path, key))
    return found


PLACES = _places(small_document())


@st.composite
def changed_documents(draw: st.DrawFn) -> dict[str, Any]:
    """The small problem with one to four values replaced, removed or doubled."""
    document = small_document()
    for _ in range(draw(st.integers(1, 4))):
        *holders, last = draw(st.sampled_from(PLACES))
        target: Any = document
        try:
            for key in holders:
                target = target[key]
            match draw(st.sampled_from(["replace", "replace", "replace", "remove", "double"])):
                case "replace":
                    target[last] = draw(VALUES)
                case "remove":
                    del target[last]
                case "double" if isinstance(target, list):
                    target.append(target[last])
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took this place away
    return document


@FUZZ
@given(changed_documents())
def test_changed_documents(document: dict[str, Any]) -> None:
    """A document with random changes is valid, and then fully usable, or refused with codes, paths and actions."""
    problem, violations = check_text(json.dumps(document).encode(), source_name="a.json")
    assert (problem is None) == bool(violations)
    assert all(v.code and v.path and v.message and v.action for v in violations)
    if problem is not None:
        assert len(problem_sha256(problem)) == 64
        notes(problem)


@FUZZ
@given(st.data())
def test_changed_text(data: st.DataObject) -> None:
    """Text with a random piece cut out or put in is read or refused."""
    text = small_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    piece = data.draw(st.text(st.sampled_from("{}[]:,-&*!|>'\"%@`#?\n \t~a1.\x00\ufeff<"), max_size=6))
    check_text((text[:start] + piece + text[end:]).encode(), source_name="a.yaml")


@FUZZ
@given(st.binary(max_size=200), st.sampled_from(["a.yaml", "a.json", "-"]))
def test_any_bytes(data: bytes, name: str) -> None:
    """Bytes of any kind are refused, not crashed on."""
    problem, violations = check_text(data, source_name=name)
    assert problem is None
    assert violations


@FUZZ
@given(st.data())
def test_changed_messages(data: st.DataObject) -> None:
    """A message whose bytes were changed, where protobuf still takes them, is checked to the end."""
    raw = bytearray(small_message().SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    message = problem_pb2.Problem()
    try:
        message.ParseFromString(bytes(raw))
    except Exception:  # noqa: BLE001 (protobuf's own errors, before our code begins)
        return
    problem, violations = check_message(message)
    assert (problem is None) == bool(violations)
    if problem is not None:
        assert to_yaml(message)
