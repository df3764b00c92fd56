"""Offers as tables: what is used by the hour as limits, what is ordered as order options (docs/rules.md, "Offers")."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    Offer,
    OnDemand,
    PaymentTiming,
    Purchase,
    QuotaStep,
    Reservation,
    ReservationTerm,
)
from tehai.engine.block_arrays import add_capacity_block
from tehai.engine.market_arrays import FloatArray
from tehai.engine.offer_tables import OfferTables, OrderKey, OrderOption
from tehai.engine.purchase_arrays import add_purchase


def add_offer(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    """Add one offer of a pool; the kind decides how."""
    adders: dict[type, Callable[[OfferTables, int, int, Offer], None]] = {
        OnDemand: _add_on_demand,
        Existing: _add_existing,
        Allocation: _add_allocation,
        Reservation: _add_reservation,
        CapacityBlock: add_capacity_block,
        Purchase: add_purchase,
    }
    adders[type(offer.kind)](tables, index, pool, offer)


def _live(
    tables: OfferTables, accelerators: int, steps: Sequence[QuotaStep], kind: OnDemand | Existing | Allocation
) -> FloatArray:
    """Return the accelerators of each period, with steps, 0 outside the window, (T,)."""
    values = tables.prices.stepped(
        float(accelerators), [(s.from_date, float(s.accelerators)) for s in steps], 0, tables.period_count
    )
    window = tables.calendar.periods_within(kind.from_date, kind.until_date)
    live = np.zeros(tables.period_count)
    live[window.start : window.stop] = values[window.start : window.stop]
    return live


def _add_on_demand(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    kind = offer.kind
    assert isinstance(kind, OnDemand)
    cash = tables.prices.yen_path(kind.price_per_accelerator_hour, 0, tables.period_count)
    live = _live(tables, kind.quota_accelerators, kind.quota_steps, kind)
    tables.note_on_demand(pool, live, cash)
    tables.add_hourly(index, pool, cash, live)


def _add_existing(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    kind = offer.kind
    assert isinstance(kind, Existing)
    cash = tables.power_yen[pool].copy() if kind.metered else np.zeros(tables.period_count)
    paid = kind.reference_price_per_accelerator_hour
    sunk = None if paid is None else tables.prices.yen_path(paid, 0, tables.period_count)
    tables.add_hourly(index, pool, cash, _live(tables, kind.accelerators, kind.accelerator_steps, kind), sunk=sunk)


def _add_allocation(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    kind = offer.kind
    assert isinstance(kind, Allocation)
    cash = tables.prices.yen_path(kind.price_per_accelerator_hour, 0, tables.period_count)
    listed = {quota.fiscal_year: quota.accelerator_hours for quota in kind.quotas}
    quota_hours = np.array([listed.get(year, 0.0) for year in tables.years], dtype=np.float64)
    live = _live(tables, kind.accelerators, kind.accelerator_steps, kind)
    tables.add_hourly(index, pool, cash, live, quota_hours)


def _add_reservation(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    kind = offer.kind
    assert isinstance(kind, Reservation)
    count = tables.period_count
    capacity, unit = np.zeros(count), np.full(count, np.inf)
    window = tables.calendar.periods_within(kind.from_date, kind.until_date)
    for start in (s for s in window if s >= kind.lead_time_periods):
        for term_index, term in enumerate(kind.terms):
            end = min(start + term.term_periods, count)
            capacity[start:end] = kind.block_accelerators * kind.blocks_max
            unit[start:end] = np.minimum(unit[start:end], _paid_per_hour(tables, kind, term, start, end))
            cost, cash = _block_cost(tables, kind, term, start, end)
            live = np.full(end - start, float(kind.block_accelerators))
            key = OrderKey(index, term_index, start)
            tables.add_option(OrderOption(key, start, live, live * tables.hours, cost, cash, np.zeros_like(cash)))
    tables.note_pool(pool, capacity, unit)
    tables.add_committed(index, pool, kind.blocks_max, is_live=True)


def upfront_fraction(term: ReservationTerm) -> float:
    """Return the part of a term's fee that is paid when it is booked."""
    if term.payment_timing is PaymentTiming.PARTIAL:
        return term.upfront_fraction or 0.0
    return 1.0 if term.payment_timing is PaymentTiming.PREPAID else 0.0


def _paid_per_hour(tables: OfferTables, kind: Reservation, term: ReservationTerm, start: int, end: int) -> FloatArray:
    """Return yen per accelerator-hour in each period: the part paid when booked and the part paid in the period."""
    booking, upfront = start - kind.lead_time_periods, upfront_fraction(term)
    price = term.price_per_accelerator_hour
    periodic = tables.prices.yen_path(price, start, end, booking)
    return upfront * tables.prices.yen(price, booking) + (1.0 - upfront) * periodic


def _block_cost(
    tables: OfferTables, kind: Reservation, term: ReservationTerm, start: int, end: int
) -> tuple[float, FloatArray]:
    """Return objective cost and cash by fiscal year of one block."""
    booking, upfront = start - kind.lead_time_periods, upfront_fraction(term)
    price, discount = term.price_per_accelerator_hour, tables.prices.discount
    block_hours = kind.block_accelerators * tables.hours
    fee = upfront * block_hours * term.term_periods * tables.prices.yen(price, booking)
    paid = (1.0 - upfront) * block_hours * tables.prices.yen_path(price, start, end, booking)
    cash = np.zeros(len(tables.years))
    cash[tables.year_of_period[booking]] = fee
    np.add.at(cash, tables.year_of_period[start:end], paid)
    share = (end - start) / term.term_periods
    return float(discount[booking] * fee * share + paid @ discount[start:end]), cash
