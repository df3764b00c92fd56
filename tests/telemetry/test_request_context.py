"""Request ids and what every log line of a call carries."""

from __future__ import annotations

import re

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tehai.telemetry.request_context import fit_request_id, request_context
from tehai.telemetry.trace_context import TraceParent, parse_traceparent

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_log_lines_of_a_call_carry_it_and_others_do_not() -> None:
    """Within the block there are id, method and trace; afterwards what was there before, and nothing bound within."""
    structlog.contextvars.bind_contextvars(server="a")
    with request_context("/a.B/C", [("x-request-id", "job-17.a"), ("traceparent", TRACEPARENT)]) as context:
        structlog.contextvars.bind_contextvars(tenant="example")
        bound = structlog.contextvars.get_contextvars()
        assert bound == {
            "server": "a",
            "request_id": "job-17.a",
            "method": "/a.B/C",
            "trace_id": TRACE_ID,
            "tenant": "example",
        }
        assert context.traceparent == TraceParent(TRACE_ID, SPAN_ID, sampled=True)
    assert structlog.contextvars.get_contextvars() == {"server": "a"}
    structlog.contextvars.clear_contextvars()


def test_a_call_without_an_id_gets_one() -> None:
    """Two calls without an id have different ones, and no trace."""
    with request_context("/a.B/C", ()) as one:
        assert "trace_id" not in structlog.contextvars.get_contextvars()
    with request_context("/a.B/C", ()) as other:
        pass
    assert one.request_id != other.request_id
    assert re.fullmatch(r"[0-9a-f]{32}", one.request_id)
    assert one.traceparent is None


@pytest.mark.parametrize("values", [("a", "b"), ("a", "a"), ("",), ("-a",), ("a" * 65,), ("a b",), ("a\n",), (b"a",)])
def test_an_id_that_is_not_fit_is_replaced(values: tuple[str | bytes, ...]) -> None:
    """Given twice, empty, long, with blanks or line ends, or as bytes, it does not reach the log."""
    with request_context("/a.B/C", [("x-request-id", value) for value in values]) as context:
        assert context.request_id not in values
        assert re.fullmatch(r"[0-9a-f]{32}", context.request_id)


@given(st.one_of(st.text(), st.binary(), st.none()))
def test_every_request_id_is_safe(text: str | bytes | None) -> None:
    """Whatever comes in, what stands in the log is short and of harmless characters."""
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fit_request_id(text))


def test_a_traceparent_reads_as_it_is_written() -> None:
    """Parsed and written again it is the same, kept or not; a later version may say more."""
    for text in (TRACEPARENT, TRACEPARENT[:-2] + "00"):
        assert str(parse_traceparent(text)) == text
    later = parse_traceparent(f"cc-{TRACE_ID}-{SPAN_ID}-03-more")
    assert later == TraceParent(TRACE_ID, SPAN_ID, sampled=True)


@pytest.mark.parametrize(
    "text",
    [
        None,
        TRACEPARENT.encode(),
        "",
        TRACEPARENT.upper(),
        TRACEPARENT + "-more",
        "ff" + TRACEPARENT[2:],
        TRACEPARENT.replace(TRACE_ID, "0" * 32),
        TRACEPARENT.replace(SPAN_ID, "0" * 16),
        TRACEPARENT[:-1],
        f" {TRACEPARENT}",
        f"{TRACEPARENT}\n",
        f"cc-{TRACE_ID}-{SPAN_ID}-01-{'a' * 300}",
    ],
)
def test_what_breaks_the_standard_is_no_trace(text: str | bytes | None) -> None:
    """Each rule of W3C trace context that is broken means: begin a new trace."""
    assert parse_traceparent(text) is None


@given(st.one_of(st.text(), st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[a-z]*)?")))
def test_hostile_traceparents_raise_nothing(text: str) -> None:
    """Any text is a trace or none."""
    found = parse_traceparent(text)
    assert found is None or parse_traceparent(str(found)) == found
