"""Prices, exchange rate and discounting over time, from docs/rules.md ("Time and money over time")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tehai.domain.calendar import HOURS_PER_DAY, Calendar
from tehai.domain.market import JPY, Market, UnitPrice
from tehai.domain.problem import Problem

DAYS_PER_YEAR = 365.0
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PricesOverTime:
    """What an amount costs in yen in any period, and what a payment of any day counts in the objective."""

    calendar: Calendar
    market: Market

    @cached_property
    def forward(self) -> FloatArray:
        """Mid forward curve in yen per dollar, without the conversion spread, (period_count,)."""
        return self.forward_between(0, self.calendar.period_count)

    @cached_property
    def discount(self) -> FloatArray:
        """Part of a payment in each period that counts in the objective, (period_count,)."""
        return np.array([self.discount_in(t) for t in range(self.calendar.period_count)], dtype=np.float64)

    def forward_between(self, first: int, last: int) -> FloatArray:
        """Return the mid forward rate of each period in [first, last); periods may lie after the horizon."""
        to_spot = (self.calendar.first_date - self.market.spot_date).days
        days = np.arange(first, last) * self.calendar.period_hours // HOURS_PER_DAY + to_spot
        years = days / DAYS_PER_YEAR
        yen, dollar = float(self.market.yen_interest_rate), float(self.market.dollar_interest_rate)
        rates: FloatArray = float(self.market.usd_jpy_spot) * (1.0 + yen * years) / (1.0 + dollar * years)
        return rates

    def discount_in(self, period: int, annual_rate: Decimal | None = None) -> float:
        """Return what a payment in a period counts, at the market's discount rate unless another is given."""
        return self.discount_after(period * self.calendar.period_hours // HOURS_PER_DAY, annual_rate)

    def discount_after(self, days: int, annual_rate: Decimal | None = None) -> float:
        """Return what a payment so many days after the first date counts."""
        rate = float(self.market.discount_rate if annual_rate is None else annual_rate)
        return float((1.0 + rate) ** (-days / DAYS_PER_YEAR))

    def yen(self, price: UnitPrice, period: int, priced_in: int | None = None) -> float:
        """Return a price paid in ``period``, in yen: the amount in force on the first day of ``priced_in``."""
        return float(self.yen_path(price, period, period + 1, priced_in)[0])

    def yen_path(self, price: UnitPrice, first: int, last: int, priced_in: int | None = None) -> FloatArray:
        """Return the price in yen as paid in each period of [first, last), shape (last - first,).

        The amount is that of each period's own first day, or of one period ``priced_in`` for all of them.
        """
        if priced_in is None:
            steps = [(step.from_date, float(step.amount)) for step in price.steps]
            amounts = self.stepped(float(price.amount), steps, first, last)
        else:
            amounts = np.full(last - first, float(price.amount_on(self.calendar.date_of(priced_in))))
        if price.currency_code == JPY:
            return amounts
        return amounts * (self.forward_between(first, last) + float(self.market.usd_conversion_spread_yen))

    def stepped(self, base: float, steps: Iterable[tuple[date, float]], first: int, last: int) -> FloatArray:
        """Return the value in force on the first day of each period of [first, last): of the last step, else base."""
        values = np.full(last - first, base)
        for from_date, value in steps:
            values[max(self.calendar.first_period_from(from_date) - first, 0) :] = value
        return values


def prices_over_time(problem: Problem) -> PricesOverTime:
    """Return the prices of a problem over its calendar."""
    return PricesOverTime(problem.calendar, problem.market)
