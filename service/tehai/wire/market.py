"""Prices, the forward curve and amounts by fiscal year, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from google.protobuf.message import Message

from tehai.domain.limits import LIMITS
from tehai.domain.market import CURRENCY_CODES, JPY, FiscalYearAmount, Market, PriceStep, UnitPrice
from tehai.v1 import market_pb2
from tehai.wire.reading import PLACEHOLDER_DATE, PLACEHOLDER_DECIMAL, Reader, member_path, shown

PLACEHOLDER_PRICE = UnitPrice(PLACEHOLDER_DECIMAL, JPY)
PLACEHOLDER_MARKET = Market(PLACEHOLDER_DECIMAL, PLACEHOLDER_DATE, PLACEHOLDER_DECIMAL, PLACEHOLDER_DECIMAL)


def decimal_to_text(value: Decimal) -> str:
    """Return the one canonical text of a decimal: no exponent, no trailing zeros, no minus zero."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def optional_decimal_to_text(value: Decimal | None) -> str | None:
    """Return the text of a decimal, None for None: zero is not the same as unset."""
    return None if value is None else decimal_to_text(value)


def decimal_or_unset(value: Decimal) -> str | None:
    """Return the text of a decimal, None for zero, which is what unset means."""
    return decimal_to_text(value) if value else None


def double_to_wire(value: float) -> float:
    """Return ``value`` with minus zero as zero, so that equal problems have equal bytes."""
    return value + 0.0


def optional_double_to_wire(value: float | None) -> float | None:
    """Return a double, None for None: zero is not the same as unset."""
    return None if value is None else double_to_wire(value)


def double_or_unset(value: float) -> float | None:
    """Return a double, None for zero, which is what unset means."""
    return value or None


def optional_decimal_from_proto(message: Message, reader: Reader, path: str, name: str) -> Decimal | None:
    """Read the decimal field ``name`` of the message at ``path``; None where it is unset."""
    return reader.decimal(getattr(message, name), path, name) if message.HasField(name) else None


def decimal_or_zero_from_proto(message: Message, reader: Reader, path: str, name: str) -> Decimal:
    """Read the decimal field ``name`` of the message at ``path``; 0 where it is unset."""
    return reader.decimal(getattr(message, name), path, name) if message.HasField(name) else Decimal(0)


def optional_number_from_proto(message: Message, reader: Reader, path: str, name: str) -> float | None:
    """Read the double ``name`` of the message at ``path``; None where it is unset."""
    return reader.number(getattr(message, name), path, name) if message.HasField(name) else None


def price_step_from_proto(message: market_pb2.PriceStep, reader: Reader, path: str) -> PriceStep:
    """Read an amount that holds from a day on."""
    return PriceStep(
        from_date=reader.date(message.from_date, path, "from_date"),
        amount=reader.decimal(message.amount, path, "amount"),
    )


def price_steps_to_proto(steps: Iterable[PriceStep]) -> list[market_pb2.PriceStep]:
    """Write amounts that hold from a day on."""
    return [market_pb2.PriceStep(from_date=s.from_date.isoformat(), amount=decimal_to_text(s.amount)) for s in steps]


def unit_price_from_proto(message: market_pb2.UnitPrice, reader: Reader, path: str) -> UnitPrice:
    """Read an amount with its steps and its currency; ``path`` is that of the price."""
    currency_code = message.currency_code
    if currency_code not in CURRENCY_CODES:
        what = f"{shown(currency_code)} is not a known currency" if currency_code else "the currency is missing"
        reader.fail("E1109", member_path(path, "currency_code"), what)
        currency_code = JPY
    return UnitPrice(
        amount=reader.decimal(message.amount, path, "amount"),
        currency_code=currency_code,
        steps=reader.each(price_step_from_proto, message.steps, LIMITS.steps_per_path, path, "steps"),
    )


def unit_price_to_proto(price: UnitPrice) -> market_pb2.UnitPrice:
    """Write an amount with its steps and its currency."""
    return market_pb2.UnitPrice(
        amount=decimal_to_text(price.amount),
        currency_code=price.currency_code,
        steps=price_steps_to_proto(price.steps),
    )


def optional_price_from_proto(message: Message, reader: Reader, path: str, name: str) -> UnitPrice | None:
    """Read the price ``name`` of the message at ``path``; None where it is unset."""
    if not message.HasField(name):
        return None
    return unit_price_from_proto(getattr(message, name), reader, member_path(path, name))


def required_price_from_proto(message: Message, reader: Reader, path: str, name: str) -> UnitPrice:
    """Read the price ``name`` of the message at ``path``, which has to be given."""
    price = optional_price_from_proto(message, reader, path, name)
    if price is None:
        reader.missing(path, name)
        return PLACEHOLDER_PRICE
    return price


def market_from_proto(message: market_pb2.Market, reader: Reader, path: str) -> Market:
    """Read the spot rate, interest and discount rates and the spread; an unset discount rate or spread is 0."""
    return Market(
        usd_jpy_spot=reader.decimal(message.usd_jpy_spot, path, "usd_jpy_spot"),
        spot_date=reader.date(message.spot_date, path, "spot_date"),
        yen_interest_rate=reader.decimal(message.yen_interest_rate, path, "yen_interest_rate"),
        dollar_interest_rate=reader.decimal(message.dollar_interest_rate, path, "dollar_interest_rate"),
        discount_rate=decimal_or_zero_from_proto(message, reader, path, "discount_rate"),
        usd_conversion_spread_yen=decimal_or_zero_from_proto(message, reader, path, "usd_conversion_spread_yen"),
    )


def market_to_proto(market: Market) -> market_pb2.Market:
    """Write the spot rate, interest and discount rates and the spread; a discount rate or spread of 0 is left unset."""
    return market_pb2.Market(
        usd_jpy_spot=decimal_to_text(market.usd_jpy_spot),
        spot_date=market.spot_date.isoformat(),
        yen_interest_rate=decimal_to_text(market.yen_interest_rate),
        dollar_interest_rate=decimal_to_text(market.dollar_interest_rate),
        discount_rate=decimal_or_unset(market.discount_rate),
        usd_conversion_spread_yen=decimal_or_unset(market.usd_conversion_spread_yen),
    )


def fiscal_year_amounts_from_proto(
    messages: Sequence[market_pb2.FiscalYearAmount], reader: Reader, path: str, name: str
) -> tuple[FiscalYearAmount, ...]:
    """Read a list of amounts by fiscal year, in the order given."""
    return tuple(
        FiscalYearAmount(fiscal_year=m.fiscal_year, amount_yen=m.amount_yen)
        for m in reader.limited(messages, LIMITS.fiscal_year_rows_per_list, path, name)
    )


def fiscal_year_amounts_to_proto(amounts: Iterable[FiscalYearAmount]) -> list[market_pb2.FiscalYearAmount]:
    """Write a list of amounts by fiscal year."""
    return [market_pb2.FiscalYearAmount(fiscal_year=a.fiscal_year, amount_yen=a.amount_yen) for a in amounts]
