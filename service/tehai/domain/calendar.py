"""Periods of equal length, their dates and their fiscal years (Asia/Tokyo)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

HOURS_PER_DAY = 24
FISCAL_YEAR_FIRST_MONTH = 4


def fiscal_year_of(day: date) -> int:
    """Return the Japanese fiscal year of ``day``: April to March, named by its April."""
    return day.year if day.month >= FISCAL_YEAR_FIRST_MONTH else day.year - 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods 0 .. period_count-1 of ``period_hours`` each, from ``first_date`` on."""

    first_date: date
    period_hours: int
    period_count: int

    def date_of(self, period: int) -> date:
        """Return the day on which ``period`` begins; any integer is allowed."""
        return self.first_date + timedelta(days=period * self.period_hours // HOURS_PER_DAY)

    def fiscal_year(self, period: int) -> int:
        """Return the fiscal year of the period's first day."""
        return fiscal_year_of(self.date_of(period))

    def first_period_from(self, day: date) -> int:
        """Return the first period that begins at or after 00:00 of ``day``; may be negative or past the horizon."""
        hours = (day - self.first_date).days * HOURS_PER_DAY
        return -(-hours // self.period_hours)

    def last_end_by(self, day: date) -> int:
        """Return how many periods end at or before 00:00 of ``day``: the half-open end of a window."""
        hours = (day - self.first_date).days * HOURS_PER_DAY
        return hours // self.period_hours

    def periods_within(self, from_date: date | None, until_date: date | None) -> range:
        """Return the periods of the horizon whose first day lies in [from_date, until_date); None is no edge."""
        days = [self.date_of(t) for t in range(self.period_count)]
        inside = [
            t
            for t, day in enumerate(days)
            if (from_date is None or day >= from_date) and (until_date is None or day < until_date)
        ]
        return range(inside[0], inside[-1] + 1) if inside else range(0)

    def fiscal_years(self) -> tuple[int, ...]:
        """Return the fiscal years of the horizon, ascending."""
        return tuple(range(self.fiscal_year(0), self.fiscal_year(self.period_count - 1) + 1))
