"""Prices per unit and the mid forward curve of the dollar in yen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

JPY = "JPY"
USD = "USD"
CURRENCY_CODES = (JPY, USD)


@dataclass(frozen=True, slots=True)
class PriceStep:
    """An amount that holds from a day on."""

    from_date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price per unit, consumption tax excluded.

    ``amount`` is exact and not negative; ``currency_code`` is ``JPY`` or ``USD``. ``steps`` are later amounts,
    ascending by date.
    """

    amount: Decimal
    currency_code: str
    steps: tuple[PriceStep, ...] = ()

    def amount_on(self, day: date) -> Decimal:
        """Return the amount in force on ``day``: of the last step on or before it, else the base amount."""
        return next((step.amount for step in reversed(self.steps) if step.from_date <= day), self.amount)


@dataclass(frozen=True, slots=True)
class Market:
    """Spot rate, two simple annual interest rates (covered interest parity), discount rate and conversion spread.

    ``discount_rate`` is annual and compounded; ``usd_conversion_spread_yen`` is added to the rate of every dollar paid.
    """

    usd_jpy_spot: Decimal
    spot_date: date
    yen_interest_rate: Decimal
    dollar_interest_rate: Decimal
    discount_rate: Decimal = Decimal(0)
    usd_conversion_spread_yen: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class FiscalYearAmount:
    """Whole yen in one Japanese fiscal year (2027 is April 2027 to March 2028)."""

    fiscal_year: int
    amount_yen: int
