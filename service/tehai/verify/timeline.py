"""Periods, dates, windows and the forward curve, derived again from docs/rules.md."""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction

from tehai.domain.market import USD, UnitPrice
from tehai.domain.problem import Problem
from tehai.domain.workload import Workload

HOURS_A_DAY = 24
DAYS_A_YEAR = 365
APRIL = 4


def day_offset(problem: Problem, period: int) -> int:
    """Return the days from ``first_date`` to the first day of ``period``, which may lie after the horizon."""
    return period * problem.calendar.period_hours // HOURS_A_DAY


def first_day(problem: Problem, period: int) -> date:
    """Return the first day of a period of the horizon."""
    return problem.calendar.first_date + timedelta(days=day_offset(problem, period))


def fiscal_year(problem: Problem, period: int) -> int:
    """Return the Japanese fiscal year (April to March) of a period of the horizon."""
    day = first_day(problem, period)
    return day.year - (day.month < APRIL)


def forward_rate(problem: Problem, period: int) -> Fraction:
    """Return the exact yen for a dollar in ``period``; periods after the horizon are allowed."""
    market = problem.market
    days = (problem.calendar.first_date - market.spot_date).days + day_offset(problem, period)
    years = Fraction(days, DAYS_A_YEAR)
    growth_yen = 1 + Fraction(market.yen_interest_rate) * years
    growth_dollar = 1 + Fraction(market.dollar_interest_rate) * years
    return Fraction(market.usd_jpy_spot) * growth_yen / growth_dollar


def yen_price(price: UnitPrice, forward_yen: float) -> float:
    """Return a unit price in yen at a given rate of the dollar."""
    amount = float(price.amount)
    return amount * forward_yen if price.currency_code == USD else amount


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
