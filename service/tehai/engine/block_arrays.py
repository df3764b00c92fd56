"""Capacity blocks as order options: (term, start, booking) without those that no plan and no price could prefer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.calendar import HOURS_PER_DAY
from tehai.domain.offer import CapacityBlock, CapacityBlockTerm, Offer
from tehai.engine.market_arrays import FloatArray
from tehai.engine.offer_tables import OfferTables, OrderKey, OrderOption


@dataclass(frozen=True)
class Booking:
    """A booking of one block: its period, fee in yen (cash), objective cost, and the year its cash is limited in."""

    period: int
    fee: float
    cost: float
    # -1: the portfolio budget of that fiscal year has no limit, so its cash counts for nothing.
    limited_year: int


def block_hours(kind: CapacityBlock, term: CapacityBlockTerm, period_hours: float, periods: int) -> FloatArray:
    """Return the hours of one block in its periods, of at most ``periods``: full ones, and the rest in the last."""
    hours = float(HOURS_PER_DAY * term.term_days)
    length = -int(-hours // period_hours)
    offered = np.full(length, period_hours)
    offered[-1] = hours - period_hours * (length - 1)
    return kind.block_accelerators * offered[:periods]


def kept_bookings(bookings: list[Booking]) -> list[Booking]:
    """Drop every booking that another one undercuts in cost and in limited cash alike.

    Within a fiscal year fees are cash of the same row, so cost and fee decide; between two years with budgets no
    booking undercuts another, as either row can be the scarce one. What remains holds the best booking at any prices
    and of any plan.
    """
    kept: list[Booking] = []
    least_cost_free = min((b.cost for b in bookings if b.limited_year < 0), default=np.inf)
    least_fee: dict[int, float] = {}
    for booking in sorted(bookings, key=lambda b: (b.cost, b.fee, b.period)):
        if booking.limited_year < 0:
            if booking.cost <= least_cost_free and -1 not in least_fee:
                least_fee[-1] = booking.fee
                kept.append(booking)
            continue
        if booking.cost >= least_cost_free or booking.fee >= least_fee.get(booking.limited_year, np.inf):
            continue
        least_fee[booking.limited_year] = booking.fee
        kept.append(booking)
    return sorted(kept, key=lambda b: b.period)


def add_capacity_block(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    """Add every option (term, start, booking) of a capacity block that can be worth choosing."""
    kind = offer.kind
    assert isinstance(kind, CapacityBlock)
    count = tables.period_count
    capacity, unit = np.zeros(count), np.full(count, np.inf)
    budgets = {row.fiscal_year for row in tables.problem.rules.portfolio_budgets}
    for term_index, term in enumerate(kind.terms):
        price = tables.prices.yen_path(term.price_per_accelerator_hour, 0, count)
        for start in tables.calendar.periods_within(kind.from_date, kind.until_date):
            first_booking, last_booking = max(0, start - kind.booking_periods_max), start - kind.booking_periods_min
            if last_booking < first_booking:
                continue
            hours = block_hours(kind, term, tables.hours, count - start)
            end = start + len(hours)
            capacity[start:end] = kind.block_accelerators * kind.blocks_max
            unit[start:end] = np.minimum(unit[start:end], price[first_booking : last_booking + 1].min())
            whole = kind.block_accelerators * HOURS_PER_DAY * term.term_days
            bookings = [
                Booking(
                    b,
                    fee=float(whole * price[b]),
                    cost=float(tables.prices.discount[b] * price[b] * hours.sum()),
                    limited_year=int(tables.year_of_period[b]) if tables.calendar.fiscal_year(b) in budgets else -1,
                )
                for b in range(first_booking, last_booking + 1)
            ]
            for booking in kept_bookings(bookings):
                cash = np.zeros(len(tables.years))
                cash[tables.year_of_period[booking.period]] = booking.fee
                live = np.full(len(hours), float(kind.block_accelerators))
                key = OrderKey(index, term_index, start, booking.period)
                tables.add_option(OrderOption(key, start, live, hours, booking.cost, cash, np.zeros_like(cash)))
    tables.note_pool(pool, capacity, unit)
    tables.add_committed(index, pool, kind.blocks_max, is_live=True)
