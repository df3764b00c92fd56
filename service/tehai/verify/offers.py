"""What each kind of offer can do alone: allowed periods, ramps, largest capacity, lowest unit cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tehai.domain.offer import Existing, Offer, OnDemand, PaymentTiming, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.verify.timeline import window, yen_price

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def allowed_term_starts(problem: Problem, reservation: Reservation) -> tuple[int, ...]:
    """Return the periods in which a term may begin: in the window and not before the lead time."""
    periods = window(problem, reservation.from_date, reservation.until_date)
    return tuple(s for s in periods if s >= reservation.lead_time_periods)


def allowed_order_periods(problem: Problem, purchase: Purchase) -> tuple[int, ...]:
    """Return the periods in which units may be ordered: in the window, with a delivery before the end."""
    periods = window(problem, purchase.from_date, purchase.until_date)
    first = purchase.delivery_steps[0].periods_after_order
    return tuple(s for s in periods if s + first < problem.calendar.period_count)


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
            most[list(window(problem, kind.from_date, kind.until_date))] = kind.quota_accelerators
        case Existing():
            most[list(window(problem, kind.from_date, kind.until_date))] = kind.accelerators
        case Reservation():
            longest = max(term.term_periods for term in kind.terms)
            for start in allowed_term_starts(problem, kind):
                most[start : start + longest] = kind.block_accelerators * kind.blocks_max
        case Purchase():
            live = ramp(kind, count)
            for order in allowed_order_periods(problem, kind):
                np.maximum(most[order:], live[: count - order], out=most[order:])
            most *= kind.units_max * kind.unit_accelerators
    return most


def lowest_unit_cost(
    problem: Problem, offer: Offer, forward: FloatArray, electricity_yen_per_hour: float
) -> FloatArray:
    """Return the lowest yen per accelerator-hour in each period, inf where the offer cannot serve.

    ``electricity_yen_per_hour`` is that of one accelerator and counts for metered offers only.
    """
    count = problem.calendar.period_count
    cost = np.full(count, np.inf)
    kind = offer.kind
    match kind:
        case OnDemand():
            for t in window(problem, kind.from_date, kind.until_date):
                cost[t] = yen_price(kind.price_per_accelerator_hour, forward[t])
        case Existing():
            inside = list(window(problem, kind.from_date, kind.until_date))
            cost[inside] = electricity_yen_per_hour if kind.metered else 0.0
        case Reservation():
            _lower_to_terms(cost, problem, kind, forward)
        case Purchase():
            _lower_to_orders(cost, problem, kind, forward, electricity_yen_per_hour if kind.metered else 0.0)
    cost[largest_capacity(problem, offer) <= 0.0] = np.inf
    return cost


def _lower_to_terms(cost: FloatArray, problem: Problem, reservation: Reservation, forward: FloatArray) -> None:
    """Lower ``cost`` (period_count,) in place to the price of every allowed term that covers a period."""
    for term in reservation.terms:
        price = term.price_per_accelerator_hour
        paid = np.array([yen_price(price, rate) for rate in forward])
        for start in allowed_term_starts(problem, reservation):
            covered = cost[start : start + term.term_periods]
            if term.payment_timing is PaymentTiming.PREPAID:
                np.minimum(covered, paid[start - reservation.lead_time_periods], out=covered)
            else:
                np.minimum(covered, paid[start : start + term.term_periods], out=covered)


def _lower_to_orders(
    cost: FloatArray, problem: Problem, purchase: Purchase, forward: FloatArray, electricity_yen_per_hour: float
) -> None:
    """Lower ``cost`` (period_count,) in place to the levelised cost of every allowed order that is live."""
    count = problem.calendar.period_count
    live = ramp(purchase, count) > 0.0
    hours = purchase.unit_accelerators * problem.calendar.period_hours * ramp_total(purchase)
    if hours <= 0.0:
        return
    for order in allowed_order_periods(problem, purchase):
        price = yen_price(purchase.price_per_unit, forward[order]) * net_price_fraction(purchase)
        level = price / hours + electricity_yen_per_hour
        tail = cost[order:]
        tail[live[: count - order]] = np.minimum(tail[live[: count - order]], level)
