"""The filter's parser: what it reads, and that every error names the bad part and where it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tehai.operations.errors import FilterError
from tehai.operations.filters import Condition, Field, Operator, parse_filter

MICROSECONDS_2027_04_01 = 1_806_537_600_000_000


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("", ()),
        (" \t\n", ()),
        ("state=RUNNING", (Condition(Field.STATE, Operator.EQUAL, "RUNNING"),)),
        ('  state  =  "QUEUED"  ', (Condition(Field.STATE, Operator.EQUAL, "QUEUED"),)),
        ("priority<=3", (Condition(Field.PRIORITY, Operator.LESS_OR_EQUAL, 3),)),
        ('display_name = "AND = \\"x\\" \\\\"', (Condition(Field.DISPLAY_NAME, Operator.EQUAL, 'AND = "x" \\'),)),
        ('display_name = ""', (Condition(Field.DISPLAY_NAME, Operator.EQUAL, ""),)),
        ("display_name = AND", (Condition(Field.DISPLAY_NAME, Operator.EQUAL, "AND"),)),
        (
            'create_time > "2027-04-01T00:00:00Z" AND create_time <= 2027-04-01T09:00:00.5+09:00',
            (
                Condition(Field.CREATE_TIME, Operator.GREATER, MICROSECONDS_2027_04_01),
                Condition(Field.CREATE_TIME, Operator.LESS_OR_EQUAL, MICROSECONDS_2027_04_01 + 500_000),
            ),
        ),
        (
            'create_time = "2027-04-01t00:00:00.123456789z"',
            (Condition(Field.CREATE_TIME, Operator.EQUAL, MICROSECONDS_2027_04_01 + 123_456),),
        ),
    ],
)
def test_what_is_understood(text: str, conditions: tuple[Condition, ...]) -> None:
    """Spaces, quotes, escapes, zones and fractions are read as documented."""
    assert parse_filter(text) == conditions


@pytest.mark.parametrize(
    ("text", "part", "offset", "reason"),
    [
        ("status = RUNNING", "status", 0, "no such field; there are state, priority, display_name, create_time"),
        ("state = WAITING", "WAITING", 8, "no such state; there are QUEUED, RUNNING"),
        ("state = running", "running", 8, "no such state"),
        ("state >= RUNNING", ">=", 6, "state is compared with ="),
        ("state != RUNNING", "!=", 6, "state is compared with ="),
        ("display_name : x", ":", 13, "display_name is compared with ="),
        ("priority == 3", "==", 9, "priority is compared with =, <, <=, >, >="),
        ("priority = 0", "0", 11, "a priority is a whole number, 1 to 9"),
        ("priority = 10", "10", 11, "a priority is a whole number"),
        ("priority = ３", "３", 11, "a priority is a whole number"),
        ("priority = -1", "-1", 11, "a priority is a whole number"),
        ("create_time > 2027-04-01", "2027-04-01", 14, "a time is written like"),
        ('create_time > "2027-04-01T00:00:00"', '"2027-04-01T00:00:00"', 14, "with its zone"),
        ('create_time > "2027-02-30T00:00:00Z"', '"2027-02-30T00:00:00Z"', 14, "a time is written like"),
        ('create_time > "2027-02-03T00:00:60Z"', '"2027-02-03T00:00:60Z"', 14, "a time is written like"),
        ("state", "state", 0, "is followed by one of = and a value"),
        ("state =", "=", 6, "has no value after it"),
        ("state = =", "=", 8, "is not a value"),
        ('display_name = "June', '"June', 15, "a quoted text has no end"),
        ("state = RUNNING OR priority = 1", "OR", 16, "joined by AND"),
        ("state = RUNNING and priority = 1", "and", 16, "joined by AND (in capitals)"),
        ("state = RUNNING priority = 1", "priority", 16, "joined by AND"),
        ('state = RUNNING "AND" priority = 1', '"AND"', 16, "joined by AND"),
        ("state = RUNNING AND", "", 19, "a condition is missing"),
        ("AND state = RUNNING", "AND", 0, "no such field"),
        ("(state = RUNNING)", "(state = RUNNING)", 0, "is not understood here"),
        ("state = RUNNING AND (priority = 1)", "(priority = 1)", 20, "is not understood here"),
        ("x" * 1025, "x", 1024, "1024 characters at most"),
        ("priority = 1" + " AND priority = 1" * 20, "priority", 12 + 19 * 17 + 5, "20 conditions at most"),
    ],
)
def test_errors_name_the_bad_part(text: str, part: str, offset: int, reason: str) -> None:
    """The part, its place and what would be right are in the error and in its text."""
    with pytest.raises(FilterError) as refused:
        parse_filter(text)
    assert (refused.value.part, refused.value.offset) == (part, offset)
    assert reason in refused.value.reason
    assert reason in str(refused.value)


@given(st.text(max_size=60) | st.text('state priority display_name create_time=<>!:"\\()AND 123T-Z', max_size=80))
@example("state\0= RUNNING")
@example('create_time > "9999-12-31T23:59:59-23:59"')
@example('create_time > "0001-01-01T00:00:00+23:59"')
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the parser fail otherwise than by FilterError whose part stands at its offset."""
    refused = None
    try:
        conditions = parse_filter(text)
    except FilterError as error:
        refused = error
    if refused is None:
        assert bool(conditions) == bool(text.strip())
    else:
        assert text[refused.offset :].startswith(refused.part)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=63))
def test_any_display_name_can_be_asked_for(name: str) -> None:
    """Quoted and escaped, every name comes out as it went in."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_filter(f'display_name = "{quoted}"') == (Condition(Field.DISPLAY_NAME, Operator.EQUAL, name),)
