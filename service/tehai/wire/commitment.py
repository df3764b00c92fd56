"""Offers that are committed to - reservation, capacity block and purchase - between message and domain."""

from __future__ import annotations

from tehai.domain.limits import LIMITS
from tehai.domain.offer import (
    CapacityBlock,
    CapacityBlockTerm,
    DeliveryStep,
    PaymentStep,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.v1 import supply_pb2
from tehai.wire.market import (
    double_to_wire,
    optional_double_to_wire,
    optional_number_from_proto,
    required_price_from_proto,
    unit_price_to_proto,
)
from tehai.wire.offer_fields import date_to_text, from_date_from_proto, until_date_from_proto
from tehai.wire.reading import Choices, Reader

PAYMENT_TIMINGS = Choices(PaymentTiming, supply_pb2.PaymentTiming)


def reservation_term_from_proto(message: supply_pb2.ReservationTerm, reader: Reader, path: str) -> ReservationTerm:
    """Read one length of term with its price."""
    return ReservationTerm(
        term_periods=message.term_periods,
        price_per_accelerator_hour=required_price_from_proto(message, reader, path, "price_per_accelerator_hour"),
        payment_timing=PAYMENT_TIMINGS.from_wire(message.payment_timing, reader, path, "payment_timing"),
        upfront_fraction=optional_number_from_proto(message, reader, path, "upfront_fraction"),
    )


def reservation_term_to_proto(term: ReservationTerm) -> supply_pb2.ReservationTerm:
    """Write one length of term with its price."""
    return supply_pb2.ReservationTerm(
        term_periods=term.term_periods,
        price_per_accelerator_hour=unit_price_to_proto(term.price_per_accelerator_hour),
        payment_timing=PAYMENT_TIMINGS.to_wire(term.payment_timing),
        upfront_fraction=optional_double_to_wire(term.upfront_fraction),
    )


def reservation_from_proto(message: supply_pb2.Reservation, reader: Reader, path: str) -> Reservation:
    """Read blocks for a fixed term."""
    limit = LIMITS.terms_per_reservation
    return Reservation(
        block_accelerators=message.block_accelerators,
        blocks_max=message.blocks_max,
        lead_time_periods=message.lead_time_periods,
        terms=reader.each(reservation_term_from_proto, message.terms, limit, path, "terms"),
        from_date=from_date_from_proto(message, reader, path),
        until_date=until_date_from_proto(message, reader, path),
    )


def reservation_to_proto(kind: Reservation) -> supply_pb2.Reservation:
    """Write blocks for a fixed term."""
    return supply_pb2.Reservation(
        block_accelerators=kind.block_accelerators,
        blocks_max=kind.blocks_max,
        lead_time_periods=kind.lead_time_periods,
        terms=[reservation_term_to_proto(term) for term in kind.terms],
        from_date=date_to_text(kind.from_date),
        until_date=date_to_text(kind.until_date),
    )


def capacity_block_term_from_proto(
    message: supply_pb2.CapacityBlockTerm, reader: Reader, path: str
) -> CapacityBlockTerm:
    """Read one length of a capacity block with its price."""
    return CapacityBlockTerm(
        term_days=message.term_days,
        price_per_accelerator_hour=required_price_from_proto(message, reader, path, "price_per_accelerator_hour"),
    )


def capacity_block_term_to_proto(term: CapacityBlockTerm) -> supply_pb2.CapacityBlockTerm:
    """Write one length of a capacity block with its price."""
    return supply_pb2.CapacityBlockTerm(
        term_days=term.term_days,
        price_per_accelerator_hour=unit_price_to_proto(term.price_per_accelerator_hour),
    )


def capacity_block_from_proto(message: supply_pb2.CapacityBlock, reader: Reader, path: str) -> CapacityBlock:
    """Read blocks for a short term booked ahead."""
    limit = LIMITS.terms_per_reservation
    return CapacityBlock(
        block_accelerators=message.block_accelerators,
        blocks_max=message.blocks_max,
        booking_periods_min=message.booking_periods_min,
        booking_periods_max=message.booking_periods_max,
        terms=reader.each(capacity_block_term_from_proto, message.terms, limit, path, "terms"),
        from_date=from_date_from_proto(message, reader, path),
        until_date=until_date_from_proto(message, reader, path),
    )


def capacity_block_to_proto(kind: CapacityBlock) -> supply_pb2.CapacityBlock:
    """Write blocks for a short term booked ahead."""
    return supply_pb2.CapacityBlock(
        block_accelerators=kind.block_accelerators,
        blocks_max=kind.blocks_max,
        booking_periods_min=kind.booking_periods_min,
        booking_periods_max=kind.booking_periods_max,
        terms=[capacity_block_term_to_proto(term) for term in kind.terms],
        from_date=date_to_text(kind.from_date),
        until_date=date_to_text(kind.until_date),
    )


def _delivery_step_from_proto(message: supply_pb2.DeliveryStep, reader: Reader, path: str) -> DeliveryStep:
    fraction = reader.number(message.delivered_fraction, path, "delivered_fraction")
    return DeliveryStep(periods_after_order=message.periods_after_order, delivered_fraction=fraction)


def _payment_step_from_proto(message: supply_pb2.PaymentStep, reader: Reader, path: str) -> PaymentStep:
    fraction = reader.number(message.fraction, path, "fraction")
    return PaymentStep(periods_after_order=message.periods_after_order, fraction=fraction)


def purchase_from_proto(message: supply_pb2.Purchase, reader: Reader, path: str) -> Purchase:
    """Read accelerators to buy."""
    limit = LIMITS.steps_per_delivery
    return Purchase(
        unit_accelerators=message.unit_accelerators,
        units_max=message.units_max,
        price_per_unit=required_price_from_proto(message, reader, path, "price_per_unit"),
        delivery_steps=reader.each(_delivery_step_from_proto, message.delivery_steps, limit, path, "delivery_steps"),
        life_periods=message.life_periods,
        residual_fraction=reader.number(message.residual_fraction, path, "residual_fraction"),
        residual_haircut_fraction=reader.number(message.residual_haircut_fraction, path, "residual_haircut_fraction"),
        metered=message.metered,
        from_date=from_date_from_proto(message, reader, path),
        until_date=until_date_from_proto(message, reader, path),
        payment_steps=reader.each(_payment_step_from_proto, message.payment_steps, limit, path, "payment_steps"),
        owner_member_id=message.owner_member_id,
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
        from_date=date_to_text(kind.from_date),
        until_date=date_to_text(kind.until_date),
        payment_steps=[
            supply_pb2.PaymentStep(periods_after_order=step.periods_after_order, fraction=double_to_wire(step.fraction))
            for step in kind.payment_steps
        ],
        owner_member_id=kind.owner_member_id,
    )
