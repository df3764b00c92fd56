"""Yen per accelerator-hour of each offer, and what grants and list bills count for an hour of a pool."""

from __future__ import annotations

import numpy as np

from tehai.domain.market import USD
from tehai.domain.offer import Allocation, CapacityBlock, Existing, OnDemand, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.verify.offers import (
    allowed_block_starts,
    allowed_order_periods,
    allowed_term_starts,
    block_length,
    booking_periods,
    net_price_fraction,
    ramp,
    ramp_total,
    upfront_fraction,
)
from tehai.verify.timeline import FloatArray, Money


def unit_costs(
    problem: Problem, money: Money, pool_of_offer: tuple[int, ...], electricity: FloatArray, capacity_max: FloatArray
) -> FloatArray:
    """Return unit(o, t), inf where an offer cannot serve, shape (offers, period_count).

    ``electricity`` (pools, period_count) is yen per accelerator-hour, ``capacity_max`` (offers, period_count).
    """
    cost = np.full(capacity_max.shape, np.inf)
    for o, offer in enumerate(problem.offers):
        kind = offer.kind
        match kind:
            case OnDemand() | Allocation():
                cost[o] = money.path(kind.price_per_accelerator_hour)
            case Existing():
                cost[o] = electricity[pool_of_offer[o]] if kind.metered else 0.0
                if kind.reference_price_per_accelerator_hour is not None:
                    cost[o] += money.path(kind.reference_price_per_accelerator_hour)
            case Reservation():
                _lower_to_terms(cost[o], problem, money, kind)
            case CapacityBlock():
                _lower_to_blocks(cost[o], problem, money, kind)
            case Purchase():
                _lower_to_orders(cost[o], problem, money, kind)
                if kind.metered:
                    cost[o] += electricity[pool_of_offer[o]]
    cost[capacity_max <= 0.0] = np.inf
    return cost


def grant_references(problem: Problem, money: Money, pool_of_offer: tuple[int, ...], costs: FloatArray) -> FloatArray:
    """Return gref(p, t) from the ``unit_costs``, shape (pools, period_count)."""
    lowest = np.full((len(problem.pools), problem.calendar.period_count), np.inf)
    np.minimum.at(lowest, list(pool_of_offer), costs)
    served = np.isfinite(lowest)
    for p, pool in enumerate(problem.pools):
        if pool.grant_reference is not None:
            np.minimum(lowest[p], money.path(pool.grant_reference), out=lowest[p])
    return np.where(served, lowest, 0.0)


def charge_references(problem: Problem, money: Money, pool_of_offer: tuple[int, ...], costs: FloatArray) -> FloatArray:
    """Return cref(p, t) from the ``unit_costs``, shape (pools, period_count)."""
    shape = (len(problem.pools), problem.calendar.period_count)
    listed, highest = np.full(shape, np.inf), np.zeros(shape)
    for o, offer in enumerate(problem.offers):
        p = pool_of_offer[o]
        if isinstance(offer.kind, OnDemand):
            np.minimum(listed[p], costs[o], out=listed[p])
        np.maximum(highest[p], np.where(np.isfinite(costs[o]), costs[o], 0.0), out=highest[p])
    charged = np.where(np.isfinite(listed), listed, highest)
    for p, pool in enumerate(problem.pools):
        if pool.charge_reference is not None:
            charged[p] = money.path(pool.charge_reference)
    return charged


def _lower_to_terms(cost: FloatArray, problem: Problem, money: Money, kind: Reservation) -> None:
    """Lower ``cost`` (period_count,) in place to the price of every allowed term that covers a period."""
    for term in kind.terms:
        price, upfront = term.price_per_accelerator_hour, upfront_fraction(term)
        amounts = money.amounts(price)
        rate = money.dollar if price.currency_code == USD else np.ones(len(cost))
        for start in allowed_term_starts(problem, kind):
            booking = start - kind.lead_time_periods
            covered = cost[start : start + term.term_periods]
            later = rate[start : start + term.term_periods]
            paid = amounts[booking] * (upfront * rate[booking] + (1.0 - upfront) * later)
            np.minimum(covered, paid, out=covered)


def _lower_to_blocks(cost: FloatArray, problem: Problem, money: Money, kind: CapacityBlock) -> None:
    """Lower ``cost`` (period_count,) in place to the cheapest booking of every block that covers a period."""
    for term in kind.terms:
        paid, length = money.path(term.price_per_accelerator_hour), block_length(problem, term)
        for start in allowed_block_starts(problem, kind):
            bookings = booking_periods(kind, start)
            covered = cost[start : start + length]
            np.minimum(covered, paid[bookings.start : bookings.stop].min(), out=covered)


def _lower_to_orders(cost: FloatArray, problem: Problem, money: Money, kind: Purchase) -> None:
    """Lower ``cost`` (period_count,) in place to the levelised price of every allowed order that is live."""
    count = problem.calendar.period_count
    live = ramp(kind, count) > 0.0
    hours = kind.unit_accelerators * problem.calendar.period_hours * ramp_total(kind)
    if hours <= 0.0:
        return
    level = money.path(kind.price_per_unit) * net_price_fraction(kind) / hours
    for order in allowed_order_periods(problem, kind):
        tail = cost[order:]
        alive = live[: count - order]
        tail[alive] = np.minimum(tail[alive], level[order])
