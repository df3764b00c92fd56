"""What has to be signed, when, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rich.table import Table

from tehai.domain.calendar import HOURS_PER_DAY
from tehai.domain.offer import CapacityBlock, PaymentTiming, Purchase, Reservation, ReservationTerm
from tehai.domain.plan import CapacityBlockOrder, Plan, PurchaseOrder, ReservationOrder
from tehai.report.formats import MILLION, million, new_table, percent
from tehai.report.names import Names, shown


@dataclass(frozen=True)
class Commitment:
    """One order to sign: by when, from when, what, and the full fee in the offer's currency."""

    sign_by: date
    offer: str
    what: str
    capacity_from: date
    accelerators: int
    fee: Decimal
    currency_code: str
    payment: str


def commitments(names: Names, plan: Plan) -> list[Commitment]:
    """Return every reservation, capacity block and purchase of the plan, the first to sign first."""
    found = [_reservation(names, order) for order in plan.reservation_orders]
    found += [_capacity_block(names, order) for order in plan.capacity_block_orders]
    found += [_purchase(names, order) for order in plan.purchase_orders]
    return sorted(found, key=lambda commitment: (commitment.sign_by, commitment.offer, commitment.capacity_from))


def commitments_table(names: Names, plan: Plan) -> Table | None:
    """Return the commitments to sign, in order of the date to sign by; None where there are none."""
    rows = commitments(names, plan)
    if not rows:
        return None
    caption = "Fees are those in force on the day of booking, for the whole term, also past the horizon."
    texts = ("Book on", "Offer", "What", "Capacity from", "Payment")
    table = new_table("Commitments to sign, fees in millions", texts, ("Accelerators", "Fee"), caption)
    for row in rows:
        day, start = row.sign_by.isoformat(), row.capacity_from.isoformat()
        fee = f"{row.currency_code} {row.fee / MILLION:,.2f}"
        table.add_row(day, row.offer, row.what, start, row.payment, f"{row.accelerators:,}", fee)
    table.add_section()
    for currency in sorted({row.currency_code for row in rows}):
        fees = [row.fee for row in rows if row.currency_code == currency]
        table.add_row(
            "", f"{len(fees)} in {currency}", "", "", "", "", f"{currency} {sum(fees) / MILLION:,.2f}", style="bold"
        )
    return table


def _reservation(names: Names, order: ReservationOrder) -> Commitment:
    offer, calendar = names.offers[order.offer_id], names.problem.calendar
    kind = offer.kind
    if not isinstance(kind, Reservation):
        message = f"offer {offer.id} is not a reservation"
        raise TypeError(message)
    term = kind.terms[order.term_index]
    accelerators = order.blocks * kind.block_accelerators
    price = term.price_per_accelerator_hour
    booked = calendar.date_of(order.start_period - kind.lead_time_periods)
    fee = price.amount_on(booked) * accelerators * term.term_periods * calendar.period_hours
    what = f"{order.blocks} × {kind.block_accelerators} for {term.term_periods} periods"
    start = calendar.date_of(order.start_period)
    return Commitment(booked, shown(offer), what, start, accelerators, fee, price.currency_code, _timing(term))


def _timing(term: ReservationTerm) -> str:
    """Return when a term is paid, in words."""
    if term.payment_timing is PaymentTiming.PREPAID:
        return "all when booked"
    if term.payment_timing is PaymentTiming.PERIODIC:
        return "each period"
    return f"{percent(term.upfront_fraction)} when booked, the rest each period"


def _capacity_block(names: Names, order: CapacityBlockOrder) -> Commitment:
    offer = names.offers[order.offer_id]
    kind = offer.kind
    if not isinstance(kind, CapacityBlock):
        message = f"offer {offer.id} is not a capacity block"
        raise TypeError(message)
    term = kind.terms[order.term_index]
    accelerators = order.blocks * kind.block_accelerators
    price = term.price_per_accelerator_hour
    fee = price.amount_on(order.booking_date) * accelerators * HOURS_PER_DAY * term.term_days
    what = f"{order.blocks} × {kind.block_accelerators} for {term.term_days} days"
    return Commitment(
        order.booking_date,
        shown(offer),
        what,
        order.start_date,
        accelerators,
        fee,
        price.currency_code,
        "all when booked",
    )


def _purchase(names: Names, order: PurchaseOrder) -> Commitment:
    offer, calendar = names.offers[order.offer_id], names.problem.calendar
    kind = offer.kind
    if not isinstance(kind, Purchase):
        message = f"offer {offer.id} is not a purchase"
        raise TypeError(message)
    accelerators = order.units * kind.unit_accelerators
    price = kind.price_per_unit
    owner = f" for {names.member(kind.owner_member_id)}" if kind.owner_member_id else ""
    what = f"buy {order.units} × {kind.unit_accelerators}{owner}"
    for claim in order.claims:
        what += f", claim JPY {million(claim.amount_yen)} million from {shown(names.programmes[claim.programme_id])}"
    first = calendar.date_of(order.order_period + kind.delivery_steps[0].periods_after_order)
    ordered = calendar.date_of(order.order_period)
    fee = price.amount_on(ordered) * order.units
    steps = kind.payment_steps
    parts = [f"{percent(step.fraction)} after {step.periods_after_order} periods" for step in steps]
    timing = "; ".join(parts).replace("after 0 periods", "when ordered") or "all when ordered"
    return Commitment(ordered, shown(offer), what, first, accelerators, fee, price.currency_code, timing)
