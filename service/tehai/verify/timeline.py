"""Periods, dates, windows, exchange rates, price steps and discounting, derived again from docs/rules.md.

Days are counted from ``first_date`` as whole numbers, so that no period, however late, leaves the calendar of Python.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tehai.domain.market import USD, PriceStep, UnitPrice
from tehai.domain.offer import QuotaStep
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.workload import Workload

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

HOURS_A_DAY = 24
DAYS_A_YEAR = 365
APRIL = 4
MARCH = 3


def day_offset(problem: Problem, period: int) -> int:
    """Return the days from ``first_date`` to the first day of ``period``, which may lie after the horizon."""
    return period * problem.calendar.period_hours // HOURS_A_DAY


def date_at(problem: Problem, offset: int) -> date:
    """Return the date some days after ``first_date``, at most the last one there is."""
    return date.fromordinal(min(problem.calendar.first_date.toordinal() + offset, date.max.toordinal()))


def first_day(problem: Problem, period: int) -> date:
    """Return the first day of a period of the horizon."""
    return date_at(problem, day_offset(problem, period))


def fiscal_year_of_day(day: date) -> int:
    """Return the Japanese fiscal year (April to March) of a day."""
    return day.year - (day.month < APRIL)


def fiscal_year(problem: Problem, period: int) -> int:
    """Return the fiscal year of the first day of a period."""
    return fiscal_year_of_day(first_day(problem, period))


def payment_offset(problem: Problem, programme: Programme, year: int) -> int:
    """Return the days from ``first_date`` to the payment of the claims of a fiscal year."""
    closing = date(year + 1, MARCH, 31)
    return (closing - problem.calendar.first_date).days + programme.payment_lag_days


def payment_year(problem: Problem, programme: Programme, year: int) -> int:
    """Return the fiscal year in which the claims of a fiscal year are paid."""
    return fiscal_year_of_day(date_at(problem, payment_offset(problem, programme, year)))


def forward_rate(problem: Problem, period: int) -> Fraction:
    """Return the exact yen for a dollar in ``period``, without spread; periods after the horizon are allowed."""
    market = problem.market
    days = (problem.calendar.first_date - market.spot_date).days + day_offset(problem, period)
    years = Fraction(days, DAYS_A_YEAR)
    growth_yen = 1 + Fraction(market.yen_interest_rate) * years
    growth_dollar = 1 + Fraction(market.dollar_interest_rate) * years
    return Fraction(market.usd_jpy_spot) * growth_yen / growth_dollar


def dollar_cost(problem: Problem, period: int) -> Fraction:
    """Return the exact yen that a dollar paid in ``period`` costs: forward rate and spread."""
    return forward_rate(problem, period) + Fraction(problem.market.usd_conversion_spread_yen)


def step_value(problem: Problem, base: Decimal, steps: Sequence[PriceStep], offset: int) -> Decimal:
    """Return the amount of the last step on or before a day, the base before the first."""
    found = base
    for step in steps:
        if (step.from_date - problem.calendar.first_date).days <= offset:
            found = step.amount
    return found


def step_path(problem: Problem, base: Decimal, steps: Sequence[PriceStep]) -> FloatArray:
    """Return the amount in force on the first day of every period, shape (period_count,)."""
    values = np.full(problem.calendar.period_count, float(base))
    offsets = day_offsets(problem)
    for step in steps:
        values[offsets >= (step.from_date - problem.calendar.first_date).days] = float(step.amount)
    return values


def accelerator_path(problem: Problem, base: int, steps: Sequence[QuotaStep]) -> FloatArray:
    """Return the accelerators in force on the first day of every period, shape (period_count,)."""
    values = np.full(problem.calendar.period_count, float(base))
    offsets = day_offsets(problem)
    for step in steps:
        values[offsets >= (step.from_date - problem.calendar.first_date).days] = float(step.accelerators)
    return values


def day_offsets(problem: Problem) -> IntArray:
    """Return the day on which every period begins, counted from ``first_date``, shape (period_count,)."""
    periods = np.arange(problem.calendar.period_count, dtype=np.int64)
    return periods * problem.calendar.period_hours // HOURS_A_DAY


def window(problem: Problem, from_date: date | None, until_date: date | None) -> tuple[int, ...]:
    """Return the periods of the horizon whose first day lies in [from_date, until_date); None is no edge."""
    origin = problem.calendar.first_date
    low = -math.inf if from_date is None else (from_date - origin).days
    high = math.inf if until_date is None else (until_date - origin).days
    count = problem.calendar.period_count
    return tuple(t for t in range(count) if low <= day_offset(problem, t) < high)


def release_period(problem: Problem, workload: Workload) -> int:
    """Return the first period that begins at or after 00:00 of the release date, at least 0."""
    hours = (workload.release_date - problem.calendar.first_date).days * HOURS_A_DAY
    return max(0, math.ceil(Fraction(hours, problem.calendar.period_hours)))


def deadline_period(problem: Problem, workload: Workload) -> int:
    """Return the number of periods that end at or before 00:00 of the deadline date, at most the horizon."""
    hours = (workload.deadline_date - problem.calendar.first_date).days * HOURS_A_DAY
    return min(problem.calendar.period_count, math.floor(Fraction(hours, problem.calendar.period_hours)))


class Money:
    """Prices in yen and discount factors in doubles, for references and bound; the bill has its own in decimals."""

    def __init__(self, problem: Problem) -> None:
        """Compute the curve of the horizon; later periods when they are asked for."""
        self.problem = problem
        count = problem.calendar.period_count
        self.forward = np.array([float(forward_rate(problem, t)) for t in range(count)], dtype=np.float64)
        self.dollar = np.array([float(dollar_cost(problem, t)) for t in range(count)], dtype=np.float64)
        self.discount = np.array([self.discount_of(t) for t in range(count)], dtype=np.float64)
        self._later: dict[int, float] = {}

    def path(self, price: UnitPrice) -> FloatArray:
        """Return cur(price, t), shape (period_count,)."""
        amounts = self.amounts(price)
        return amounts * self.dollar if price.currency_code == USD else amounts

    def amounts(self, price: UnitPrice) -> FloatArray:
        """Return the amount in force in every period in the price's own currency, shape (period_count,)."""
        return step_path(self.problem, price.amount, price.steps)

    def yen(self, price: UnitPrice, decided: int, paid: int) -> float:
        """Return cur(price, day(decided), paid); both are periods, ``paid`` may lie after the horizon."""
        amount = float(step_value(self.problem, price.amount, price.steps, day_offset(self.problem, decided)))
        return amount * self._dollar(paid) if price.currency_code == USD else amount

    def discount_of(self, period: int, annual: Decimal | None = None) -> float:
        """Return D of the first day of any period, at the market's rate unless another is given."""
        return self.discount_on(day_offset(self.problem, period), annual)

    def discount_on(self, offset: int, annual: Decimal | None = None) -> float:
        """Return D of a day, counted from ``first_date``."""
        rate = self.problem.market.discount_rate if annual is None else annual
        return float((1.0 + float(rate)) ** (-offset / DAYS_A_YEAR))

    def _dollar(self, period: int) -> float:
        if 0 <= period < len(self.dollar):
            return float(self.dollar[period])
        if period not in self._later:
            self._later[period] = float(dollar_cost(self.problem, period))
        return self._later[period]
