"""Exchange rate and prices over time, from docs/rules.md ("Exchange rate")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tehai.domain.market import JPY, UnitPrice
from tehai.domain.problem import Problem

DAYS_PER_YEAR = 365.0
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class PricesOverTime:
    """Mid forward curve in yen per dollar, ``forward`` of shape (period_count + tail,)."""

    forward: FloatArray

    def yen(self, price: UnitPrice, period: int) -> float:
        """Return the price in yen at the rate of one period."""
        amount = float(price.amount)
        return amount if price.currency_code == JPY else amount * float(self.forward[period])

    def yen_path(self, price: UnitPrice, first: int, last: int) -> FloatArray:
        """Return the price in yen at the rate of each period in [first, last), shape (last - first,)."""
        amount = float(price.amount)
        if price.currency_code == JPY:
            return np.full(last - first, amount)
        return amount * self.forward[first:last]


def prices_over_time(problem: Problem, tail_periods: int) -> PricesOverTime:
    """Return the forward curve of the horizon and ``tail_periods`` beyond it (terms may pass the horizon)."""
    market, calendar = problem.market, problem.calendar
    count = calendar.period_count + tail_periods
    days = np.array([(calendar.date_of(t) - market.spot_date).days for t in range(count)], dtype=np.float64)
    years = days / DAYS_PER_YEAR
    yen, dollar = float(market.yen_interest_rate), float(market.dollar_interest_rate)
    return PricesOverTime(float(market.usd_jpy_spot) * (1.0 + yen * years) / (1.0 + dollar * years))
