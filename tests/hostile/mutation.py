"""Random damage to requests of any kind: to their fields, and to the bytes that they are sent as.

Fields are changed as ``tests.wire.mutation`` changes those of a problem, bytes as ``damage`` does.
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message
from hypothesis import strategies as st

from tests.hostile.damage import HypothesisChoices, damaged
from tests.hostile.methods import Method
from tests.wire.mutation import (
    CHANGES_MAX,
    UNKNOWN_FIELDS,
    _change_field,
    _messages,
    _swap_field,
)

# A request, or several where the caller streams.
Stream = tuple[Message, ...]


def _changed_message(draw: st.DrawFn, seed: Message) -> Message:
    """Return a copy with one to four changes of fields, swaps or unknown fields."""
    message = type(seed)()
    message.CopyFrom(seed)
    for _ in range(draw(st.integers(1, CHANGES_MAX))):
        everywhere = _messages(message)
        target = draw(st.sampled_from(everywhere))
        try:
            match draw(st.sampled_from(["change", "change", "change", "swap", "unknown"])):
                case "change" if target.DESCRIPTOR.fields:
                    _change_field(draw, target, everywhere)
                case "swap":
                    _swap_field(draw, target, everywhere)
                case _:
                    target.MergeFromString(draw(st.sampled_from(UNKNOWN_FIELDS)))
        except (TypeError, ValueError):
            # A field of a type, or of a range, that a problem does not have: left as it is.
            continue
    return message


@st.composite
def hostile_streams(draw: st.DrawFn, method: Method, seeds: Sequence[Stream]) -> tuple[bytes, ...]:
    """Return the bytes of the requests of one call: of a seed, changed in its fields, in its bytes, or in both."""
    stream = list(draw(st.sampled_from(seeds)))
    if method.client_streams:
        match draw(st.sampled_from(["keep", "keep", "drop", "double", "turn"])):
            case "drop" if stream:
                del stream[draw(st.integers(0, len(stream) - 1))]
            case "double" if stream:
                stream.append(stream[draw(st.integers(0, len(stream) - 1))])
            case "turn":
                stream.reverse()
    where = draw(st.integers(0, max(0, len(stream) - 1)))
    how = draw(st.sampled_from(["fields", "fields", "bytes", "both"]))
    raw = []
    for position, message in enumerate(stream):
        if position == where and how != "bytes":
            message = _changed_message(draw, message)
        data = message.SerializeToString()
        if position == where and how != "fields":
            data = damaged(HypothesisChoices(draw), data)
        raw.append(data)
    return tuple(raw)
