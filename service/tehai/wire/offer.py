"""Offers of every kind, between message and domain."""

from __future__ import annotations

from datetime import date
from typing import assert_never

from tehai.domain.limits import LIMITS
from tehai.domain.market import UnitPrice
from tehai.domain.offer import (
    DeliveryStep,
    Existing,
    Offer,
    OfferKind,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.v1 import supply_pb2
from tehai.wire.market import PLACEHOLDER_PRICE, double_to_wire, unit_price_from_proto, unit_price_to_proto
from tehai.wire.reading import Choices, Reader, member_path

PAYMENT_TIMINGS = Choices(PaymentTiming, supply_pb2.PaymentTiming)
KIND_NAMES = tuple(field.name for field in supply_pb2.Offer.DESCRIPTOR.oneofs_by_name["kind"].fields)


Windowed = supply_pb2.OnDemand | supply_pb2.Reservation | supply_pb2.Purchase | supply_pb2.Existing


def _from_date(message: Windowed, reader: Reader, path: str) -> date | None:
    return reader.date(message.from_date, path, "from_date") if message.HasField("from_date") else None


def _until_date(message: Windowed, reader: Reader, path: str) -> date | None:
    return reader.date(message.until_date, path, "until_date") if message.HasField("until_date") else None


def _date_to_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _price_per_hour_from_proto(
    message: supply_pb2.OnDemand | supply_pb2.ReservationTerm, reader: Reader, path: str
) -> UnitPrice:
    name = "price_per_accelerator_hour"
    if not message.HasField("price_per_accelerator_hour"):
        reader.missing(path, name)
        return PLACEHOLDER_PRICE
    return unit_price_from_proto(message.price_per_accelerator_hour, reader, member_path(path, name))


def on_demand_from_proto(message: supply_pb2.OnDemand, reader: Reader, path: str) -> OnDemand:
    """Read capacity paid by the hour used."""
    return OnDemand(
        price_per_accelerator_hour=_price_per_hour_from_proto(message, reader, path),
        quota_accelerators=message.quota_accelerators,
        from_date=_from_date(message, reader, path),
        until_date=_until_date(message, reader, path),
    )


def on_demand_to_proto(kind: OnDemand) -> supply_pb2.OnDemand:
    """Write capacity paid by the hour used."""
    return supply_pb2.OnDemand(
        price_per_accelerator_hour=unit_price_to_proto(kind.price_per_accelerator_hour),
        quota_accelerators=kind.quota_accelerators,
        from_date=_date_to_text(kind.from_date),
        until_date=_date_to_text(kind.until_date),
    )


def reservation_term_from_proto(message: supply_pb2.ReservationTerm, reader: Reader, path: str) -> ReservationTerm:
    """Read one length of term with its price."""
    return ReservationTerm(
        term_periods=message.term_periods,
        price_per_accelerator_hour=_price_per_hour_from_proto(message, reader, path),
        payment_timing=PAYMENT_TIMINGS.from_wire(message.payment_timing, reader, path, "payment_timing"),
    )


def reservation_term_to_proto(term: ReservationTerm) -> supply_pb2.ReservationTerm:
    """Write one length of term with its price."""
    return supply_pb2.ReservationTerm(
        term_periods=term.term_periods,
        price_per_accelerator_hour=unit_price_to_proto(term.price_per_accelerator_hour),
        payment_timing=PAYMENT_TIMINGS.to_wire(term.payment_timing),
    )


def reservation_from_proto(message: supply_pb2.Reservation, reader: Reader, path: str) -> Reservation:
    """Read blocks for a fixed term."""
    terms = reader.limited(message.terms, LIMITS.terms_per_reservation, path, "terms")
    return Reservation(
        block_accelerators=message.block_accelerators,
        blocks_max=message.blocks_max,
        lead_time_periods=message.lead_time_periods,
        terms=tuple(reservation_term_from_proto(m, reader, f"{path}.terms[{i}]") for i, m in enumerate(terms)),
        from_date=_from_date(message, reader, path),
        until_date=_until_date(message, reader, path),
    )


def reservation_to_proto(kind: Reservation) -> supply_pb2.Reservation:
    """Write blocks for a fixed term."""
    return supply_pb2.Reservation(
        block_accelerators=kind.block_accelerators,
        blocks_max=kind.blocks_max,
        lead_time_periods=kind.lead_time_periods,
        terms=[reservation_term_to_proto(term) for term in kind.terms],
        from_date=_date_to_text(kind.from_date),
        until_date=_date_to_text(kind.until_date),
    )


def purchase_from_proto(message: supply_pb2.Purchase, reader: Reader, path: str) -> Purchase:
    """Read accelerators to buy."""
    price = PLACEHOLDER_PRICE
    if message.HasField("price_per_unit"):
        price = unit_price_from_proto(message.price_per_unit, reader, f"{path}.price_per_unit")
    else:
        reader.missing(path, "price_per_unit")
    steps = reader.limited(message.delivery_steps, LIMITS.steps_per_delivery, path, "delivery_steps")
    return Purchase(
        unit_accelerators=message.unit_accelerators,
        units_max=message.units_max,
        price_per_unit=price,
        delivery_steps=tuple(
            DeliveryStep(
                periods_after_order=m.periods_after_order,
                delivered_fraction=reader.number(
                    m.delivered_fraction, f"{path}.delivery_steps[{i}]", "delivered_fraction"
                ),
            )
            for i, m in enumerate(steps)
        ),
        life_periods=message.life_periods,
        residual_fraction=reader.number(message.residual_fraction, path, "residual_fraction"),
        residual_haircut_fraction=reader.number(message.residual_haircut_fraction, path, "residual_haircut_fraction"),
        metered=message.metered,
        from_date=_from_date(message, reader, path),
        until_date=_until_date(message, reader, path),
    )


def purchase_to_proto(kind: Purchase) -> supply_pb2.Purchase:
    """Write accelerators to buy."""
    return supply_pb2.Purchase(
        unit_accelerators=kind.unit_accelerators,
        units_max=kind.units_max,
        price_per_unit=unit_price_to_proto(kind.price_per_unit),
        delivery_steps=[
            supply_pb2.DeliveryStep(
                periods_after_order=step.periods_after_order,
                delivered_fraction=double_to_wire(step.delivered_fraction),
            )
            for step in kind.delivery_steps
        ],
        life_periods=kind.life_periods,
        residual_fraction=double_to_wire(kind.residual_fraction),
        residual_haircut_fraction=double_to_wire(kind.residual_haircut_fraction),
        metered=kind.metered,
        from_date=_date_to_text(kind.from_date),
        until_date=_date_to_text(kind.until_date),
    )


def existing_from_proto(message: supply_pb2.Existing, reader: Reader, path: str) -> Existing:
    """Read capacity already there."""
    return Existing(
        accelerators=message.accelerators,
        from_date=_from_date(message, reader, path),
        until_date=_until_date(message, reader, path),
        metered=message.metered,
    )


def existing_to_proto(kind: Existing) -> supply_pb2.Existing:
    """Write capacity already there."""
    return supply_pb2.Existing(
        accelerators=kind.accelerators,
        from_date=_date_to_text(kind.from_date),
        until_date=_date_to_text(kind.until_date),
        metered=kind.metered,
    )


def _kind_from_proto(message: supply_pb2.Offer, reader: Reader, path: str) -> OfferKind:
    match message.WhichOneof("kind"):
        case "on_demand":
            return on_demand_from_proto(message.on_demand, reader, f"{path}.on_demand")
        case "reservation":
            return reservation_from_proto(message.reservation, reader, f"{path}.reservation")
        case "purchase":
            return purchase_from_proto(message.purchase, reader, f"{path}.purchase")
        case "existing":
            return existing_from_proto(message.existing, reader, f"{path}.existing")
        case None:
            reader.no_alternative(path, KIND_NAMES, taint="existing")
            return Existing(accelerators=1, from_date=None, until_date=None, metered=False)
        case other:
            assert_never(other)


def offer_from_proto(message: supply_pb2.Offer, reader: Reader, path: str) -> Offer:
    """Read an offer of any kind."""
    return Offer(
        id=message.id,
        display_name=message.display_name,
        pool_id=message.pool_id,
        kind=_kind_from_proto(message, reader, path),
    )


def offer_to_proto(offer: Offer) -> supply_pb2.Offer:
    """Write an offer of any kind."""
    message = supply_pb2.Offer(id=offer.id, display_name=offer.display_name, pool_id=offer.pool_id)
    match offer.kind:
        case OnDemand():
            message.on_demand.CopyFrom(on_demand_to_proto(offer.kind))
        case Reservation():
            message.reservation.CopyFrom(reservation_to_proto(offer.kind))
        case Purchase():
            message.purchase.CopyFrom(purchase_to_proto(offer.kind))
        case Existing():
            message.existing.CopyFrom(existing_to_proto(offer.kind))
        case _ as other:
            assert_never(other)
    return message
