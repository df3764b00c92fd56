"""The answer: what to do, and the bill that follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from tehai.domain.market import FiscalYearAmount


class StopReason(Enum):
    """Why a solve ended."""

    GAP_REACHED = "gap_reached"
    TIME_LIMIT = "time_limit"
    WORK_LIMIT = "work_limit"
    CANCELLED = "cancelled"
    OPTIMAL = "optimal"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """Limits of one solve.

    With ``work_limit`` (units of deterministic effort) no clock is read for decisions and ``time_limit_seconds``
    is ignored. The solve stops once both gaps are at or under ``gap_fraction``.
    """

    time_limit_seconds: float = 60.0
    gap_fraction: float = 0.001
    work_limit: int | None = None
    seed: int = 1
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch without interruption: ``run_hours`` from the first hour of ``start_period`` on."""

    pool_id: str
    accelerators: int
    start_period: int
    start_date: date
    run_hours: float


@dataclass(frozen=True, slots=True)
class Claim:
    """Whole yen claimed from a programme for one fiscal year."""

    programme_id: str
    fiscal_year: int
    amount_yen: int


@dataclass(frozen=True, slots=True)
class Placement:
    """A workload with its segments in order of time, one unless it pauses, and what it claims."""

    workload_id: str
    segments: tuple[Segment, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class ReservationOrder:
    """Blocks of one term (position in the offer, from 0) whose term begins in ``start_period``."""

    offer_id: str
    term_index: int
    start_period: int
    start_date: date
    blocks: int


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """Units ordered in ``order_period``, with claims from at most one programme for its fiscal year."""

    offer_id: str
    order_period: int
    order_date: date
    units: int
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class CapacityBlockOrder:
    """Blocks of one term (position in the offer, from 0) that begin in one period and are booked in another."""

    offer_id: str
    term_index: int
    start_period: int
    start_date: date
    booking_period: int
    booking_date: date
    blocks: int


@dataclass(frozen=True, slots=True)
class OfferUse:
    """Accelerator-hours of one offer used in each period; shape (period_count,)."""

    offer_id: str
    accelerator_hours: tuple[float, ...]


class BillComponent(Enum):
    """What a bill line is for."""

    ON_DEMAND = "on_demand"
    RESERVATION = "reservation"
    PURCHASE = "purchase"
    ELECTRICITY = "electricity"
    GRANT = "grant"
    LATENESS = "lateness"
    NOT_RUN = "not_run"
    ALLOCATION = "allocation"
    CAPACITY_BLOCK = "capacity_block"
    TRANSFER = "transfer"
    PORTING = "porting"
    CARBON = "carbon"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class BillLine:
    """Whole yen, rounded half-even once; positive is cost, negative is income."""

    component: BillComponent
    subject_id: str
    fiscal_year: int
    currency_code: str
    amount_yen: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Placements, commitments, use and claims; ``objective_yen`` is the sum of the bill lines."""

    schema_version: int
    problem_sha256: str
    tehai_version: str
    options: SolveOptions
    stop_reason: StopReason
    placements: tuple[Placement, ...]
    not_run_workload_ids: tuple[str, ...]
    reservation_orders: tuple[ReservationOrder, ...]
    purchase_orders: tuple[PurchaseOrder, ...]
    offer_uses: tuple[OfferUse, ...]
    forward_usd_jpy: tuple[float, ...]
    bill_lines: tuple[BillLine, ...]
    cash: tuple[FiscalYearAmount, ...]
    obligation_after_horizon_yen: int
    objective_yen: int
    capacity_block_orders: tuple[CapacityBlockOrder, ...] = ()
    claims_receivable_after_horizon_yen: int = 0
