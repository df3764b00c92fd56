"""Prices per unit and the mid forward curve of the dollar in yen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

JPY = "JPY"
USD = "USD"
CURRENCY_CODES = (JPY, USD)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price per unit, consumption tax excluded.

    ``amount`` is exact and not negative; ``currency_code`` is ``JPY`` or ``USD``.
    """

    amount: Decimal
    currency_code: str


@dataclass(frozen=True, slots=True)
class Market:
    """Spot rate and two simple annual interest rates (covered interest parity)."""

    usd_jpy_spot: Decimal
    spot_date: date
    yen_interest_rate: Decimal
    dollar_interest_rate: Decimal


@dataclass(frozen=True, slots=True)
class FiscalYearAmount:
    """Whole yen in one Japanese fiscal year (2027 is April 2027 to March 2028)."""

    fiscal_year: int
    amount_yen: int
