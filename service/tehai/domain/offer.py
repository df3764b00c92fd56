"""Offers: the ways to get capacity in a pool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from tehai.domain.market import UnitPrice


class PaymentTiming(Enum):
    """When a reservation is paid."""

    PREPAID = "prepaid"
    PERIODIC = "periodic"


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Paid by the accelerator-hour used, up to a quota of accelerators."""

    price_per_accelerator_hour: UnitPrice
    quota_accelerators: int
    from_date: date | None
    until_date: date | None


@dataclass(frozen=True, slots=True)
class ReservationTerm:
    """One length of term, in periods, with its price."""

    term_periods: int
    price_per_accelerator_hour: UnitPrice
    payment_timing: PaymentTiming


@dataclass(frozen=True, slots=True)
class Reservation:
    """Blocks for a fixed term; a term may begin in [from_date, until_date), never before the lead time."""

    block_accelerators: int
    blocks_max: int
    lead_time_periods: int
    terms: tuple[ReservationTerm, ...]
    from_date: date | None
    until_date: date | None


@dataclass(frozen=True, slots=True)
class DeliveryStep:
    """Cumulative part of an order that has arrived some periods after the order."""

    periods_after_order: int
    delivered_fraction: float


@dataclass(frozen=True, slots=True)
class Purchase:
    """Accelerators bought: paid when ordered, delivered by steps, kept for ``life_periods`` from the first step."""

    unit_accelerators: int
    units_max: int
    price_per_unit: UnitPrice
    delivery_steps: tuple[DeliveryStep, ...]
    life_periods: int
    residual_fraction: float
    residual_haircut_fraction: float
    metered: bool
    from_date: date | None
    until_date: date | None


@dataclass(frozen=True, slots=True)
class Existing:
    """Capacity already contracted or owned; its price is sunk."""

    accelerators: int
    from_date: date | None
    until_date: date | None
    metered: bool


OfferKind = OnDemand | Reservation | Purchase | Existing


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to get capacity in one pool."""

    id: str
    display_name: str
    pool_id: str
    kind: OfferKind
