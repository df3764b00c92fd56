"""The largest capacity that can be live in each pool and period: Kmax and Amax of docs/rules.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from tehai.domain.calendar import HOURS_PER_DAY, Calendar
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OnDemand, Purchase, QuotaStep, Reservation
from tehai.domain.problem import Problem

Accelerators = npt.NDArray[np.float64]


def _in_window(
    calendar: Calendar, window: tuple[date | None, date | None], accelerators: int, steps: Sequence[QuotaStep]
) -> Accelerators:
    """Return what the last step on or before each period's first day gives, 0 outside the window."""
    days = np.array([calendar.date_of(t).toordinal() for t in range(calendar.period_count)])
    amounts = np.array([accelerators, *(step.accelerators for step in steps)], dtype=np.float64)
    from_days = np.array([step.from_date.toordinal() for step in steps], dtype=np.int64)
    live: Accelerators = amounts[np.searchsorted(from_days, days, side="right")]
    periods = calendar.periods_within(*window)
    live[: periods.start] = 0.0
    live[periods.stop :] = 0.0
    return live


def _blocks(calendar: Calendar, kind: Reservation | CapacityBlock, lead: int, longest: int) -> Accelerators:
    """Starts are a range, so the longest term covers whatever a shorter one covers."""
    live = np.zeros(calendar.period_count)
    window = calendar.periods_within(kind.from_date, kind.until_date)
    first = max(window.start, lead)
    if first < window.stop and longest > 0:
        live[first : window.stop - 1 + longest] = kind.block_accelerators * kind.blocks_max
    return live


def _purchased(calendar: Calendar, kind: Purchase) -> Accelerators:
    """Orders are a range and the ramp never falls within a life, so the oldest living order is the best."""
    window = calendar.periods_within(kind.from_date, kind.until_date)
    after = np.array([step.periods_after_order for step in kind.delivery_steps])
    delivered = np.array([0.0, *(step.delivered_fraction for step in kind.delivery_steps)])
    last_order = min(window.stop, calendar.period_count - int(after[0])) - 1
    periods = np.arange(calendar.period_count)
    if window.start > last_order:
        return np.zeros(calendar.period_count)
    age = np.minimum(periods - window.start, after[0] + kind.life_periods - 1)
    ordered = age >= periods - last_order
    fraction: Accelerators = np.where(ordered, delivered[np.searchsorted(after, age, side="right")], 0.0)
    return kind.units_max * kind.unit_accelerators * fraction


def block_periods(calendar: Calendar, term_days: int) -> int:
    """Return how many periods a capacity block of ``term_days`` touches."""
    return -(-term_days * HOURS_PER_DAY // calendar.period_hours)


def largest_capacity_of(calendar: Calendar, offer: Offer) -> Accelerators:
    """Return Kmax of one offer of a valid problem, shape (period_count,), in accelerators."""
    kind = offer.kind
    window = (kind.from_date, kind.until_date)
    match kind:
        case OnDemand():
            return _in_window(calendar, window, kind.quota_accelerators, kind.quota_steps)
        case Existing() | Allocation():
            return _in_window(calendar, window, kind.accelerators, kind.accelerator_steps)
        case Reservation():
            longest = max((term.term_periods for term in kind.terms), default=0)
            return _blocks(calendar, kind, kind.lead_time_periods, longest)
        case CapacityBlock():
            longest = max((block_periods(calendar, term.term_days) for term in kind.terms), default=0)
            return _blocks(calendar, kind, kind.booking_periods_min, longest)
        case Purchase():
            return _purchased(calendar, kind)


def largest_capacities(problem: Problem) -> dict[str, Accelerators]:
    """Return Amax by pool id of a valid problem, shape (period_count,) each, in accelerators."""
    totals = {pool.id: np.zeros(problem.calendar.period_count) for pool in problem.pools}
    for offer in problem.offers:
        totals[offer.pool_id] += largest_capacity_of(problem.calendar, offer)
    return totals
