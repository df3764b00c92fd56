"""What each kind of offer can do alone: allowed periods, ramps, largest capacity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    CapacityBlockTerm,
    Existing,
    Offer,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import Problem
from tehai.verify.timeline import HOURS_A_DAY, FloatArray, accelerator_path, window


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of the price of a purchase and the periods after the order when it is paid."""

    periods_after_order: int
    fraction: float


def allowed_term_starts(problem: Problem, reservation: Reservation) -> tuple[int, ...]:
    """Return the periods in which a term may begin: in the window and not before the lead time."""
    periods = window(problem, reservation.from_date, reservation.until_date)
    return tuple(s for s in periods if s >= reservation.lead_time_periods)


def upfront_fraction(term: ReservationTerm) -> float:
    """Return the part of a term that is paid when it is booked."""
    match term.payment_timing:
        case PaymentTiming.PREPAID:
            return 1.0
        case PaymentTiming.PERIODIC:
            return 0.0
        case PaymentTiming.PARTIAL:
            return term.upfront_fraction or 0.0


def booking_periods(block: CapacityBlock, start: int) -> range:
    """Return the periods in which a block that begins in ``start`` may be booked, maybe none."""
    return range(max(0, start - block.booking_periods_max), start - block.booking_periods_min + 1)


def allowed_block_starts(problem: Problem, block: CapacityBlock) -> tuple[int, ...]:
    """Return the periods in which a block may begin: in the window, with a period to book it in."""
    periods = window(problem, block.from_date, block.until_date)
    return tuple(s for s in periods if booking_periods(block, s))


def block_length(problem: Problem, term: CapacityBlockTerm) -> int:
    """Return the periods that a block touches."""
    return -(-HOURS_A_DAY * term.term_days // problem.calendar.period_hours)


def block_hours(problem: Problem, term: CapacityBlockTerm) -> FloatArray:
    """Return the hours that a block offers in each period it touches, shape (block_length,)."""
    length, period_hours = block_length(problem, term), problem.calendar.period_hours
    hours = np.full(length, float(period_hours))
    hours[-1] = HOURS_A_DAY * term.term_days - (length - 1) * period_hours
    return hours


def allowed_order_periods(problem: Problem, purchase: Purchase) -> tuple[int, ...]:
    """Return the periods in which units may be ordered: in the window, with a delivery before the end."""
    periods = window(problem, purchase.from_date, purchase.until_date)
    first = purchase.delivery_steps[0].periods_after_order
    return tuple(s for s in periods if s + first < problem.calendar.period_count)


def instalments(purchase: Purchase) -> tuple[Instalment, ...]:
    """Return the instalments of an order; all at once where none are listed."""
    steps = tuple(Instalment(step.periods_after_order, step.fraction) for step in purchase.payment_steps)
    return steps or (Instalment(0, 1.0),)


def delivered_fraction(purchase: Purchase, age: int) -> float:
    """Return the part of an order that is live ``age`` periods after the order."""
    first = purchase.delivery_steps[0].periods_after_order
    if not first <= age < first + purchase.life_periods:
        return 0.0
    return [step.delivered_fraction for step in purchase.delivery_steps if step.periods_after_order <= age][-1]


def ramp(purchase: Purchase, period_count: int) -> FloatArray:
    """Return the live part of an order by age, shape (period_count,)."""
    return np.array([delivered_fraction(purchase, age) for age in range(period_count)], dtype=np.float64)


def ramp_total(purchase: Purchase) -> float:
    """Return the sum of the live part over the whole life of an order, beyond the horizon too."""
    steps = purchase.delivery_steps
    first = steps[0].periods_after_order
    end = first + purchase.life_periods
    ends = [step.periods_after_order for step in steps[1:]] + [end]
    spans = [(min(until, end) - step.periods_after_order, step) for step, until in zip(steps, ends, strict=True)]
    return float(sum(max(0, periods) * step.delivered_fraction for periods, step in spans))


def life_inside(problem: Problem, purchase: Purchase, order: int) -> int:
    """Return the periods of life that lie in the horizon of an order in period ``order``."""
    first = purchase.delivery_steps[0].periods_after_order
    return min(purchase.life_periods, problem.calendar.period_count - order - first)


def net_price_fraction(purchase: Purchase) -> float:
    """Return the part of the price that is not recovered as residual value."""
    return 1.0 - purchase.residual_fraction * (1.0 - purchase.residual_haircut_fraction)


def largest_capacity(problem: Problem, offer: Offer) -> FloatArray:
    """Return Kmax(o, t), the most accelerators that can be live, shape (period_count,)."""
    count = problem.calendar.period_count
    most = np.zeros(count)
    kind = offer.kind
    match kind:
        case OnDemand():
            inside = list(window(problem, kind.from_date, kind.until_date))
            most[inside] = accelerator_path(problem, kind.quota_accelerators, kind.quota_steps)[inside]
        case Existing() | Allocation():
            inside = list(window(problem, kind.from_date, kind.until_date))
            most[inside] = accelerator_path(problem, kind.accelerators, kind.accelerator_steps)[inside]
        case Reservation() | CapacityBlock():
            for start, length in _covered(problem, kind):
                most[start : start + length] = kind.block_accelerators * kind.blocks_max
        case Purchase():
            live = ramp(kind, count)
            for order in allowed_order_periods(problem, kind):
                np.maximum(most[order:], live[: count - order], out=most[order:])
            most *= kind.units_max * kind.unit_accelerators
    return most


def _covered(problem: Problem, kind: Reservation | CapacityBlock) -> Iterator[tuple[int, int]]:
    """Yield (start, periods) of the longest term from every allowed start."""
    if isinstance(kind, Reservation):
        longest = max(term.term_periods for term in kind.terms)
        starts = allowed_term_starts(problem, kind)
    else:
        longest = max(block_length(problem, term) for term in kind.terms)
        starts = allowed_block_starts(problem, kind)
    yield from ((start, longest) for start in starts)
