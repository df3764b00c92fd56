"""Offers: the ways to get capacity in a pool."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from tehai.domain.market import FiscalYearAmount, UnitPrice


class PaymentTiming(Enum):
    """When a reservation is paid."""

    PREPAID = "prepaid"
    PERIODIC = "periodic"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True)
class QuotaStep:
    """A number of accelerators that holds from a day on."""

    from_date: date
    accelerators: int


@dataclass(frozen=True, slots=True)
class OnDemand:
    """Paid by the accelerator-hour used, up to a quota of accelerators."""

    price_per_accelerator_hour: UnitPrice
    quota_accelerators: int
    from_date: date | None
    until_date: date | None
    quota_steps: tuple[QuotaStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ReservationTerm:
    """One length of term, in periods, with its price."""

    term_periods: int
    price_per_accelerator_hour: UnitPrice
    payment_timing: PaymentTiming
    upfront_fraction: float | None = None


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
class PaymentStep:
    """Part of the price of an order that is paid some periods after it."""

    periods_after_order: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Purchase:
    """Accelerators bought: paid by instalments, delivered by steps, kept for ``life_periods`` from the first step.

    Empty ``payment_steps``: all when ordered. Empty ``owner_member_id``: nobody's, so no capital grant.
    """

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
    payment_steps: tuple[PaymentStep, ...] = ()
    owner_member_id: str = ""


@dataclass(frozen=True, slots=True)
class Existing:
    """Capacity already contracted or owned; its price is sunk, ``payments`` only cash.

    ``reference_price_per_accelerator_hour`` is what grants and list bills count for it besides its electricity.
    """

    accelerators: int
    from_date: date | None
    until_date: date | None
    metered: bool
    accelerator_steps: tuple[QuotaStep, ...] = ()
    payments: tuple[FiscalYearAmount, ...] = ()
    reference_price_per_accelerator_hour: UnitPrice | None = None


@dataclass(frozen=True, slots=True)
class FiscalYearHours:
    """Accelerator-hours of one fiscal year."""

    fiscal_year: int
    accelerator_hours: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """Hours granted on a public machine by fiscal year; what is not used by its end lapses."""

    price_per_accelerator_hour: UnitPrice
    accelerators: int
    quotas: tuple[FiscalYearHours, ...]
    from_date: date | None
    until_date: date | None
    accelerator_steps: tuple[QuotaStep, ...] = ()


@dataclass(frozen=True, slots=True)
class CapacityBlockTerm:
    """One length of a capacity block, in days, with its price."""

    term_days: int
    price_per_accelerator_hour: UnitPrice


@dataclass(frozen=True, slots=True)
class CapacityBlock:
    """Blocks for a fixed term of days, booked within a window of periods ahead and paid in full when booked."""

    block_accelerators: int
    blocks_max: int
    booking_periods_min: int
    booking_periods_max: int
    terms: tuple[CapacityBlockTerm, ...]
    from_date: date | None
    until_date: date | None


OfferKind = OnDemand | Reservation | Purchase | Existing | Allocation | CapacityBlock


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to get capacity in one pool."""

    id: str
    display_name: str
    pool_id: str
    kind: OfferKind
