"""The judge sees what must not leak, and is silent on what a server has to say."""

from __future__ import annotations

import grpc
import pytest

from tests.hostile.judge import LEAKS, Outcome, faults, leaks

BAD = {
    "a stack trace": "Traceback (most recent call last):",
    "a place in the source": "in app.py, somewhere",
    "a path": "cannot open /var/lib/tehai/tehai.sqlite3",
    "a class of an exception": "internal error: KeyError",
    "an object of Python": "Unexpected <class 'google.x'>: oops",
    "SQL": "UNIQUE constraint failed: solves.tenant",
    "a library": "psycopg: connection refused",
}
GOOD = (
    "the problem breaks 3 rules; the stream's last event lists all of them",
    "internal error (incident 0123456789ab)",
    "type.googleapis.com/google.rpc.ErrorInfo",
    "workloads[3].deadline_date: E1105: is no date; write YYYY-MM-DD",
    "filter, at character 3, 'x': unknown field; one of state, priority, display_name, create_time",
)


@pytest.mark.parametrize("what", sorted(LEAKS))
def test_a_leak_is_seen(what: str) -> None:
    """Each kind of inner text is found, in the details as well as in metadata."""
    assert any(found.startswith(what) for found in leaks(BAD[what]))
    assert faults(Outcome(grpc.StatusCode.INVALID_ARGUMENT, "", ("fine", BAD[what])))


@pytest.mark.parametrize("text", GOOD)
def test_a_message_for_callers_is_no_leak(text: str) -> None:
    """Messages as the server writes them pass."""
    assert leaks(text) == []


@pytest.mark.parametrize("code", [grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_a_status_that_says_that_the_server_broke_is_a_fault(code: grpc.StatusCode) -> None:
    """A handler that raised, or hung, is seen by its status alone."""
    assert faults(Outcome(code, "internal error", ()))
    assert not faults(Outcome(grpc.StatusCode.NOT_FOUND, "no such solve", ()))
