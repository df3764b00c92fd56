"""What offers cost: use, terms, blocks, units and their claims."""

from __future__ import annotations

from decimal import Decimal

from tehai.domain.market import JPY
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    CapacityBlockTerm,
    Existing,
    Offer,
    OnDemand,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.plan import BillComponent, CapacityBlockOrder, PurchaseOrder, ReservationOrder
from tehai.verify.case import Case
from tehai.verify.ledger import Ledger
from tehai.verify.offers import block_hours, instalments, life_inside, upfront_fraction
from tehai.verify.orders import ordered_block, ordered_purchase, ordered_term
from tehai.verify.timeline import HOURS_A_DAY


def bill_supply(ledger: Ledger, case: Case) -> None:
    """Bill use and every order that can be read."""
    _bill_use(ledger, case)
    for order in case.plan.reservation_orders:
        found = ordered_term(case.reference, order)
        if found is not None:
            _bill_term(ledger, case, order, *found)
    for block in case.plan.capacity_block_orders:
        known = ordered_block(case.reference, block)
        if known is not None:
            _bill_block(ledger, case, block, *known)
    for bought in case.plan.purchase_orders:
        purchase = ordered_purchase(case.reference, bought)
        if purchase is not None:
            _bill_purchase(ledger, case, bought, purchase)


def _bill_use(ledger: Ledger, case: Case) -> None:
    """Bill accelerator-hours at their price or, of metered offers, their electricity; sunk payments are cash."""
    for o, offer in enumerate(case.problem.offers):
        kind = offer.kind
        if isinstance(kind, Existing):
            for payment in kind.payments:
                if payment.fiscal_year in ledger.cash:
                    ledger.cash[payment.fiscal_year] += payment.amount_yen
        for t in case.use[o].nonzero()[0].tolist():
            hours, year = Decimal(float(case.use[o, t])), ledger.year[t]
            if isinstance(kind, OnDemand | Allocation):
                price = kind.price_per_accelerator_hour
                on_demand = isinstance(kind, OnDemand)
                component = BillComponent.ON_DEMAND if on_demand else BillComponent.ALLOCATION
                amount = hours * ledger.yen(price, t, t)
                ledger.line(component, offer.id, year, price.currency_code, amount * ledger.discount(t))
                ledger.pay(t, amount)
            elif isinstance(kind, Existing | Purchase) and kind.metered:
                amount = hours * _electricity(ledger, case, offer, t)
                ledger.line(BillComponent.ELECTRICITY, offer.id, year, JPY, amount * ledger.discount(t))
                ledger.pay(t, amount)


def _electricity(ledger: Ledger, case: Case, offer: Offer, period: int) -> Decimal:
    """Return yen of electricity for one accelerator-hour in a period."""
    pool = case.reference.pool_index[offer.pool_id]
    site = case.reference.site(pool)
    facility_kw = Decimal(case.reference.accelerator_of_pool[pool].power_kw) * Decimal(site.power_usage_effectiveness)
    return facility_kw * ledger.tariff(site.electricity_yen_per_kwh or Decimal(0), site.electricity_steps, period)


def _bill_term(ledger: Ledger, case: Case, order: ReservationOrder, kind: Reservation, term: ReservationTerm) -> None:
    """Bill the blocks of one term: the part paid when booked, then the periodic part."""
    start, count = order.start_period, case.reference.period_count
    price, booking = term.price_per_accelerator_hour, start - kind.lead_time_periods
    hours = Decimal(order.blocks * kind.block_accelerators * case.reference.period_hours)
    upfront = Decimal(upfront_fraction(term))
    inside = min(term.term_periods, count - start)
    if upfront > 0:
        rate = upfront * hours * ledger.yen(price, booking, booking)
        counted = rate * inside * ledger.discount(booking)
        ledger.line(BillComponent.RESERVATION, order.offer_id, ledger.year[booking], price.currency_code, counted)
        ledger.pay(booking, rate * term.term_periods)
    if upfront < 1:
        for t in range(start, start + term.term_periods):
            amount = (1 - upfront) * hours * ledger.yen(price, booking, t)
            ledger.pay(t, amount)
            if t < count:
                counted = amount * ledger.discount(t)
                ledger.line(BillComponent.RESERVATION, order.offer_id, ledger.year[t], price.currency_code, counted)


def _bill_block(
    ledger: Ledger, case: Case, order: CapacityBlockOrder, kind: CapacityBlock, term: CapacityBlockTerm
) -> None:
    """Bill capacity blocks: paid in full when booked, counted for their hours in the horizon."""
    booking, price = order.booking_period, term.price_per_accelerator_hour
    rate = order.blocks * kind.block_accelerators * ledger.yen(price, booking, booking)
    inside = float(block_hours(case.problem, term)[: case.reference.period_count - order.start_period].sum())
    counted = rate * Decimal(inside) * ledger.discount(booking)
    year = ledger.year[booking]
    ledger.line(BillComponent.CAPACITY_BLOCK, order.offer_id, year, price.currency_code, counted)
    ledger.pay(booking, rate * HOURS_A_DAY * term.term_days)


def _bill_purchase(ledger: Ledger, case: Case, order: PurchaseOrder, kind: Purchase) -> None:
    """Bill the units of one order: instalments, less the book value at the end of horizon or life."""
    period, price = order.order_period, kind.price_per_unit
    annual = None
    if kind.owner_member_id:
        annual = case.reference.member_by_id[kind.owner_member_id].cost_of_capital
    counted = Decimal(0)
    for step in instalments(kind):
        paid_in = period + step.periods_after_order
        amount = order.units * Decimal(step.fraction) * ledger.yen(price, period, paid_in)
        counted += amount * ledger.discount(paid_in, annual)
        ledger.pay(paid_in, amount)
        if paid_in < len(ledger.year):
            ledger.capital[ledger.year[paid_in]] += amount
    inside = life_inside(case.problem, kind, period)
    end = period + kind.delivery_steps[0].periods_after_order + inside
    kept = 1 - Decimal(kind.residual_fraction) * (1 - Decimal(kind.residual_haircut_fraction))
    book = order.units * ledger.yen(price, period, period) * (1 - kept * inside / kind.life_periods)
    counted -= book * ledger.discount(end, annual)
    ledger.line(BillComponent.PURCHASE, order.offer_id, ledger.year[period], price.currency_code, counted)
