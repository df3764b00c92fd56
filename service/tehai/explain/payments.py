"""Nominal payments of a plan, period by period, also after the horizon: what row 6 of docs/rules.md adds up.

``Existing.payments`` are not among them: they have a fiscal year and no period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tehai.domain.calendar import HOURS_PER_DAY
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    Offer,
    OnDemand,
    PaymentStep,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.plan import BillComponent, CapacityBlockOrder, PurchaseOrder, ReservationOrder
from tehai.domain.problem import Problem
from tehai.explain.rates import current_yen, tariff_on, yen
from tehai.explain.reading import Placed, Reading

AT_ONCE = (PaymentStep(0, 1.0),)


@dataclass(frozen=True, slots=True)
class Payment:
    """Yen paid in a period, at its exchange rate, for an offer or a workload."""

    component: BillComponent
    subject_id: str
    period: int
    amount_yen: float


def payments(reading: Reading) -> Iterator[Payment]:
    """Yield every payment of a plan; grants are no payments."""
    for offer in reading.problem.offers:
        yield from _use_payments(reading, offer)
    for order in reading.plan.reservation_orders:
        yield from reservation_payments(reading.problem, reading.offers[order.offer_id], order)
    for block in reading.plan.capacity_block_orders:
        yield capacity_block_payment(reading.problem, reading.offers[block.offer_id], block)
    for bought in reading.plan.purchase_orders:
        yield from purchase_payments(reading.problem, reading.offers[bought.offer_id], bought)
    for placed in reading.placed:
        yield from workload_payments(reading.problem, placed)


def reservation_payments(problem: Problem, offer: Offer, order: ReservationOrder) -> Iterator[Payment]:
    """Yield what is paid when a term is booked, then its periods."""
    kind = offer.kind
    assert isinstance(kind, Reservation)
    term, calendar = kind.terms[order.term_index], problem.calendar
    booked = order.start_period - kind.lead_time_periods
    day = calendar.date_of(booked)
    hours = order.blocks * kind.block_accelerators * calendar.period_hours
    upfront = upfront_part(term)
    price = term.price_per_accelerator_hour
    if upfront > 0:
        fee = upfront * hours * term.term_periods * yen(problem, price, day, booked)
        yield Payment(BillComponent.RESERVATION, offer.id, booked, fee)
    if upfront < 1:
        for t in range(order.start_period, order.start_period + term.term_periods):
            yield Payment(BillComponent.RESERVATION, offer.id, t, (1 - upfront) * hours * yen(problem, price, day, t))


def upfront_part(term: ReservationTerm) -> float:
    """Return the part of a fee that is paid when a term is booked."""
    if term.payment_timing is PaymentTiming.PREPAID:
        return 1.0
    return 0.0 if term.payment_timing is PaymentTiming.PERIODIC else term.upfront_fraction or 0.0


def capacity_block_payment(problem: Problem, offer: Offer, order: CapacityBlockOrder) -> Payment:
    """Return the fee of capacity blocks, paid in full when they are booked."""
    kind = offer.kind
    assert isinstance(kind, CapacityBlock)
    term = kind.terms[order.term_index]
    hours = order.blocks * kind.block_accelerators * HOURS_PER_DAY * term.term_days
    price = current_yen(problem, term.price_per_accelerator_hour, order.booking_period)
    return Payment(BillComponent.CAPACITY_BLOCK, offer.id, order.booking_period, hours * price)


def purchase_payments(problem: Problem, offer: Offer, order: PurchaseOrder) -> Iterator[Payment]:
    """Yield the instalments of an order."""
    kind = offer.kind
    assert isinstance(kind, Purchase)
    day = problem.calendar.date_of(order.order_period)
    for step in kind.payment_steps or AT_ONCE:
        t = order.order_period + step.periods_after_order
        amount = order.units * step.fraction * yen(problem, kind.price_per_unit, day, t)
        yield Payment(BillComponent.PURCHASE, offer.id, t, amount)


def workload_payments(problem: Problem, placed: Placed) -> Iterator[Payment]:
    """Yield what moving the data and porting the code of a placed workload cost when it starts."""
    workload = placed.workload
    if workload.data_site_id is not None and workload.data_site_id != placed.site.id and workload.data_terabytes:
        ends = (workload.data_site_id, placed.site.id)
        route = next(item for item in problem.routes if (item.from_site_id, item.to_site_id) == ends)
        amount = workload.data_terabytes * current_yen(problem, route.price_per_terabyte, placed.start)
        yield Payment(BillComponent.TRANSFER, workload.id, placed.start, amount)
    for porting in workload.porting:
        if porting.accelerator_id == placed.pool.accelerator_id and porting.amount_yen:
            yield Payment(BillComponent.PORTING, workload.id, placed.start, float(porting.amount_yen))


def _use_payments(reading: Reading, offer: Offer) -> Iterator[Payment]:
    """Yield what the use of an offer costs in each period: its price, or its electricity."""
    problem, kind = reading.problem, offer.kind
    used = next((use.accelerator_hours for use in reading.plan.offer_uses if use.offer_id == offer.id), ())
    pool = reading.pools[offer.pool_id]
    site = reading.sites[pool.site_id]
    for t, hours in enumerate(used):
        if not hours:
            continue
        if isinstance(kind, OnDemand | Allocation):
            component = BillComponent.ON_DEMAND if isinstance(kind, OnDemand) else BillComponent.ALLOCATION
            price = current_yen(problem, kind.price_per_accelerator_hour, t)
            yield Payment(component, offer.id, t, hours * price)
        elif isinstance(kind, Existing | Purchase) and kind.metered:
            day = problem.calendar.date_of(t)
            tariff = tariff_on(site.electricity_yen_per_kwh, site.electricity_steps, day)
            amount = hours * reading.facility_kw(pool) * tariff
            yield Payment(BillComponent.ELECTRICITY, offer.id, t, amount)
