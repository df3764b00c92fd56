"""Orders of a plan that can be billed: of a known offer of the right kind, positive, in the horizon, booked in it."""

from __future__ import annotations

from tehai.domain.offer import (
    CapacityBlock,
    CapacityBlockTerm,
    OfferKind,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.plan import CapacityBlockOrder, PurchaseOrder, ReservationOrder
from tehai.verify.reference import Reference


def kind_of(reference: Reference, offer_id: str) -> OfferKind | None:
    """Return the kind of the offer of this id, None where there is none."""
    index = reference.offer_index.get(offer_id)
    return None if index is None else reference.problem.offers[index].kind


def ordered_term(reference: Reference, order: ReservationOrder) -> tuple[Reservation, ReservationTerm] | None:
    """Return reservation and term of an order that can be billed, None of any other."""
    kind = kind_of(reference, order.offer_id)
    if not isinstance(kind, Reservation) or not 0 <= order.term_index < len(kind.terms) or order.blocks <= 0:
        return None
    if not kind.lead_time_periods <= order.start_period < reference.period_count:
        return None
    return kind, kind.terms[order.term_index]


def ordered_block(reference: Reference, order: CapacityBlockOrder) -> tuple[CapacityBlock, CapacityBlockTerm] | None:
    """Return capacity block and term of an order that can be billed, None of any other."""
    kind = kind_of(reference, order.offer_id)
    if not isinstance(kind, CapacityBlock) or not 0 <= order.term_index < len(kind.terms) or order.blocks <= 0:
        return None
    if not (0 <= order.start_period < reference.period_count and 0 <= order.booking_period < reference.period_count):
        return None
    return kind, kind.terms[order.term_index]


def ordered_purchase(reference: Reference, order: PurchaseOrder) -> Purchase | None:
    """Return the purchase of an order that can be billed, None of any other."""
    kind = kind_of(reference, order.offer_id)
    if not isinstance(kind, Purchase) or order.units <= 0:
        return None
    first = kind.delivery_steps[0].periods_after_order
    return kind if 0 <= order.order_period < reference.period_count - first else None
