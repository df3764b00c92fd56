"""The largest capacity that can be live in each pool and period: Kmax and Amax of docs/rules.md."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tehai.domain.calendar import Calendar
from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.problem import Problem

Accelerators = npt.NDArray[np.float64]


def _in_window(calendar: Calendar, kind: OnDemand | Existing, accelerators: int) -> Accelerators:
    live = np.zeros(calendar.period_count)
    window = calendar.periods_within(kind.from_date, kind.until_date)
    live[window.start : window.stop] = accelerators
    return live


def _reserved(calendar: Calendar, kind: Reservation) -> Accelerators:
    """Starts are a range, so the longest term covers whatever a shorter one covers."""
    live = np.zeros(calendar.period_count)
    window = calendar.periods_within(kind.from_date, kind.until_date)
    first = max(window.start, kind.lead_time_periods)
    if first < window.stop and kind.terms:
        longest = max(term.term_periods for term in kind.terms)
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


def largest_capacity_of(calendar: Calendar, offer: Offer) -> Accelerators:
    """Return Kmax of one offer of a valid problem, shape (period_count,), in accelerators."""
    match offer.kind:
        case OnDemand():
            return _in_window(calendar, offer.kind, offer.kind.quota_accelerators)
        case Existing():
            return _in_window(calendar, offer.kind, offer.kind.accelerators)
        case Reservation():
            return _reserved(calendar, offer.kind)
        case Purchase():
            return _purchased(calendar, offer.kind)


def largest_capacities(problem: Problem) -> dict[str, Accelerators]:
    """Return Amax by pool id of a valid problem, shape (period_count,) each, in accelerators."""
    totals = {pool.id: np.zeros(problem.calendar.period_count) for pool in problem.pools}
    for offer in problem.offers:
        totals[offer.pool_id] += largest_capacity_of(problem.calendar, offer)
    return totals
