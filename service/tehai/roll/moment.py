"""The day on which a problem is rolled, seen from the problem and plan before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum

from tehai.domain.calendar import HOURS_PER_DAY, fiscal_year_of
from tehai.domain.market import FiscalYearAmount
from tehai.explain.payments import Payment, payments
from tehai.explain.reading import FloatArray, Placed, Reading, segment_end
from tehai.explain.references import References, references


class Stage(Enum):
    """How far a placed workload is."""

    FINISHED = "finished"
    RUNNING = "running"
    PLANNED = "planned"


@dataclass(frozen=True)
class Moment:
    """The first hour of ``period``, which is 00:00 of ``day``; payments and claims before it are made."""

    reading: Reading
    period: int
    day: date = field(init=False)
    fiscal_year: int = field(init=False)
    paid: tuple[Payment, ...] = field(init=False)
    references: References = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "day", self.reading.problem.calendar.date_of(self.period))
        put(self, "fiscal_year", fiscal_year_of(self.day))
        put(self, "paid", tuple(item for item in payments(self.reading) if item.period < self.period))
        put(self, "references", references(self.reading.problem))

    def stage(self, placed: Placed) -> Stage:
        """Return how far a placed workload is."""
        if placed.start >= self.period:
            return Stage.PLANNED
        end = segment_end(placed.placement.segments[-1], self.reading.period_hours)
        return Stage.FINISHED if end <= self.period else Stage.RUNNING

    def before(self, values: FloatArray) -> float:
        """Return the sum of ``values``, (period_count,), over the running fiscal year's periods before the moment."""
        years = self.reading.fiscal_years[: self.period]
        return float(values[: self.period][years == self.fiscal_year].sum())

    def paid_in_running_year(self, item: Payment) -> bool:
        """Return whether a payment made belongs to the running fiscal year."""
        return self.reading.problem.calendar.fiscal_year(item.period) == self.fiscal_year

    def first_day_from(self, period: int) -> date:
        """Return the first day on which a period from ``period`` on begins and no earlier one does."""
        calendar = self.reading.problem.calendar
        if calendar.period_hours >= HOURS_PER_DAY:
            return calendar.date_of(period)
        return calendar.first_date + timedelta(days=-(-period * calendar.period_hours // HOURS_PER_DAY))

    def still_to_come(self, amounts: tuple[FiscalYearAmount, ...]) -> tuple[FiscalYearAmount, ...]:
        """Return the amounts of the running and later fiscal years."""
        return tuple(item for item in amounts if item.fiscal_year >= self.fiscal_year)
