"""Rules on the calendar, E170x."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.validation.registry import Found, rule
from tehai.validation.view import FIRST_DATE_MAX, FIRST_DATE_MIN, HOURS_MAX, YEARS_MAX, ProblemView


@rule("E1701", "the length of a period is out of range", "Give hours from 1 to 8,784; 168 is a week.")
def check_e1701_period_hours_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A period has at least one hour and at most a year."""
    hours = view.problem.calendar.period_hours
    if not 1 <= hours <= LIMITS.period_hours:
        yield Found("calendar.period_hours", f"{hours:,} hours; 1 to {LIMITS.period_hours:,} are allowed")


@rule(
    "E1702",
    "the number of periods is out of range",
    f"Give 1 to {LIMITS.period_count:,} periods; use longer ones for a longer horizon.",
)
def check_e1702_period_count_out_of_range(view: ProblemView) -> Iterator[Found]:
    """There is at least one period."""
    count = view.problem.calendar.period_count
    if not 1 <= count <= LIMITS.period_count:
        yield Found("calendar.period_count", f"{count:,} periods; 1 to {LIMITS.period_count:,} are allowed")


@rule("E1703", "the first date is out of range", "Give a day from 2000 to 2100.")
def check_e1703_first_date_out_of_range(view: ProblemView) -> Iterator[Found]:
    """The horizon begins in a year that can be meant."""
    first = view.problem.calendar.first_date
    if not FIRST_DATE_MIN <= first <= FIRST_DATE_MAX:
        yield Found("calendar.first_date", f"{first} is not between {FIRST_DATE_MIN} and {FIRST_DATE_MAX}")


@rule("E1704", "the horizon is too long", "Give fewer or shorter periods.")
def check_e1704_horizon_too_long(view: ProblemView) -> Iterator[Found]:
    """Hours times periods stay within the longest horizon."""
    calendar = view.problem.calendar
    in_range = 1 <= calendar.period_hours <= LIMITS.period_hours and 1 <= calendar.period_count <= LIMITS.period_count
    if in_range and calendar.period_hours * calendar.period_count > HOURS_MAX:
        hours = calendar.period_hours * calendar.period_count
        message = f"{hours:,} hours in all; {YEARS_MAX} years ({HOURS_MAX:,} hours) are the limit"
        yield Found("calendar.period_count", message, ("calendar.period_hours",))
