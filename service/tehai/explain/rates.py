"""What a price costs in yen on the day it is paid; docs/rules.md, "Time and money over time"."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from tehai.domain.market import USD, Market, PriceStep, UnitPrice
from tehai.domain.problem import Problem

DAYS_A_YEAR = 365


@lru_cache(maxsize=16_384)
def dollar_yen(market: Market, day: date) -> float:
    """Return what a dollar that is paid on ``day`` costs in yen, conversion spread included."""
    years = Fraction((day - market.spot_date).days, DAYS_A_YEAR)
    growth = (1 + Fraction(market.yen_interest_rate) * years) / (1 + Fraction(market.dollar_interest_rate) * years)
    return float(Fraction(market.usd_jpy_spot) * growth + Fraction(market.usd_conversion_spread_yen))


def yen(problem: Problem, price: UnitPrice, day: date, period: int) -> float:
    """Return the yen paid in ``period``, also after the horizon, for one unit at the price in force on ``day``."""
    amount = float(price.amount_on(day))
    if price.currency_code != USD:
        return amount
    return amount * dollar_yen(problem.market, problem.calendar.date_of(period))


def current_yen(problem: Problem, price: UnitPrice, period: int) -> float:
    """Return the yen paid in ``period`` for one unit at the price in force then."""
    return yen(problem, price, problem.calendar.date_of(period), period)


def tariff_on(base: Decimal | None, steps: tuple[PriceStep, ...], day: date) -> float:
    """Return the price of a kWh in force on ``day``, 0 where the site has none."""
    amount = next((step.amount for step in reversed(steps) if step.from_date <= day), base)
    return 0.0 if amount is None else float(amount)
