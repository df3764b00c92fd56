"""Prices, the forward curve and amounts by fiscal year, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from tehai.domain.market import CURRENCY_CODES, JPY, FiscalYearAmount, Market, UnitPrice
from tehai.v1 import market_pb2
from tehai.wire.reading import PLACEHOLDER_DATE, PLACEHOLDER_DECIMAL, Reader, member_path, shown

PLACEHOLDER_PRICE = UnitPrice(PLACEHOLDER_DECIMAL, JPY)
PLACEHOLDER_MARKET = Market(PLACEHOLDER_DECIMAL, PLACEHOLDER_DATE, PLACEHOLDER_DECIMAL, PLACEHOLDER_DECIMAL)
# More years than any horizon has: one amount per year and list.
FISCAL_YEARS_MAX = 1_000


def decimal_to_text(value: Decimal) -> str:
    """Return the one canonical text of a decimal: no exponent, no trailing zeros, no minus zero."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def double_to_wire(value: float) -> float:
    """Return ``value`` with minus zero as zero, so that equal problems have equal bytes."""
    return value + 0.0


def unit_price_from_proto(message: market_pb2.UnitPrice, reader: Reader, path: str) -> UnitPrice:
    """Read an amount and its currency; ``path`` is that of the price."""
    currency_code = message.currency_code
    if currency_code not in CURRENCY_CODES:
        what = f"{shown(currency_code)} is not a known currency" if currency_code else "the currency is missing"
        reader.fail("E1109", member_path(path, "currency_code"), what)
        currency_code = JPY
    return UnitPrice(amount=reader.decimal(message.amount, path, "amount"), currency_code=currency_code)


def unit_price_to_proto(price: UnitPrice) -> market_pb2.UnitPrice:
    """Write an amount and its currency."""
    return market_pb2.UnitPrice(amount=decimal_to_text(price.amount), currency_code=price.currency_code)


def market_from_proto(message: market_pb2.Market, reader: Reader, path: str) -> Market:
    """Read the spot rate and the two interest rates."""
    return Market(
        usd_jpy_spot=reader.decimal(message.usd_jpy_spot, path, "usd_jpy_spot"),
        spot_date=reader.date(message.spot_date, path, "spot_date"),
        yen_interest_rate=reader.decimal(message.yen_interest_rate, path, "yen_interest_rate"),
        dollar_interest_rate=reader.decimal(message.dollar_interest_rate, path, "dollar_interest_rate"),
    )


def market_to_proto(market: Market) -> market_pb2.Market:
    """Write the spot rate and the two interest rates."""
    return market_pb2.Market(
        usd_jpy_spot=decimal_to_text(market.usd_jpy_spot),
        spot_date=market.spot_date.isoformat(),
        yen_interest_rate=decimal_to_text(market.yen_interest_rate),
        dollar_interest_rate=decimal_to_text(market.dollar_interest_rate),
    )


def fiscal_year_amounts_from_proto(
    messages: Sequence[market_pb2.FiscalYearAmount], reader: Reader, path: str, name: str
) -> tuple[FiscalYearAmount, ...]:
    """Read a list of amounts by fiscal year, in the order given."""
    return tuple(
        FiscalYearAmount(fiscal_year=m.fiscal_year, amount_yen=m.amount_yen)
        for m in reader.limited(messages, FISCAL_YEARS_MAX, path, name)
    )


def fiscal_year_amounts_to_proto(amounts: Iterable[FiscalYearAmount]) -> list[market_pb2.FiscalYearAmount]:
    """Write a list of amounts by fiscal year."""
    return [market_pb2.FiscalYearAmount(fiscal_year=a.fiscal_year, amount_yen=a.amount_yen) for a in amounts]
