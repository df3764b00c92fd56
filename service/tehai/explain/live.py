"""Accelerators that are there in each period: K(o, t) of docs/rules.md under the orders of a plan."""

from __future__ import annotations

from datetime import date

import numpy as np

from tehai.domain.calendar import HOURS_PER_DAY
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    Offer,
    OnDemand,
    Purchase,
    QuotaStep,
    Reservation,
)
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.explain.reading import FloatArray


def live_accelerators(offer: Offer, problem: Problem, plan: Plan) -> FloatArray:
    """Return K(o, t), accelerators live in each period, shape (period_count,)."""
    live = np.zeros(problem.calendar.period_count)
    kind = offer.kind
    match kind:
        case OnDemand():
            live = _standing(problem, kind.quota_accelerators, kind.quota_steps, kind.from_date, kind.until_date)
        case Existing() | Allocation():
            live = _standing(problem, kind.accelerators, kind.accelerator_steps, kind.from_date, kind.until_date)
        case Reservation():
            for order in plan.reservation_orders:
                if order.offer_id == offer.id:
                    end = order.start_period + kind.terms[order.term_index].term_periods
                    live[order.start_period : end] += order.blocks * kind.block_accelerators
        case CapacityBlock():
            for block in plan.capacity_block_orders:
                if block.offer_id == offer.id:
                    length = block_periods(kind.terms[block.term_index].term_days, problem.calendar.period_hours)
                    live[block.start_period : block.start_period + length] += block.blocks * kind.block_accelerators
        case Purchase():
            for bought in plan.purchase_orders:
                if bought.offer_id == offer.id:
                    ages = range(problem.calendar.period_count - bought.order_period)
                    part = np.array([delivered_fraction(kind, age) for age in ages])
                    live[bought.order_period :] += bought.units * kind.unit_accelerators * part
    return live


def hours_offered(offer: Offer, problem: Problem, plan: Plan) -> FloatArray:
    """Return U(o, t), the accelerator-hours offered in each period, shape (period_count,)."""
    calendar, kind = problem.calendar, offer.kind
    if not isinstance(kind, CapacityBlock):
        return live_accelerators(offer, problem, plan) * calendar.period_hours
    hours = np.zeros(calendar.period_count)
    for order in plan.capacity_block_orders:
        if order.offer_id == offer.id:
            each = block_hours(kind.terms[order.term_index].term_days, calendar.period_hours)
            inside = each[: calendar.period_count - order.start_period]
            hours[order.start_period : order.start_period + len(inside)] += (
                order.blocks * kind.block_accelerators * inside
            )
    return hours


def block_periods(term_days: int, period_hours: int) -> int:
    """Return how many periods a capacity block of so many days touches."""
    return -(-HOURS_PER_DAY * term_days // period_hours)


def block_hours(term_days: int, period_hours: int) -> FloatArray:
    """Return the hours of each period that a capacity block covers: full ones, then what is left."""
    hours = np.full(block_periods(term_days, period_hours), float(period_hours))
    hours[-1] = HOURS_PER_DAY * term_days - period_hours * (len(hours) - 1)
    return hours


def delivered_fraction(purchase: Purchase, age: int) -> float:
    """Return the part of an order that has arrived and is alive ``age`` periods after the order."""
    first = purchase.delivery_steps[0].periods_after_order
    if not first <= age < first + purchase.life_periods:
        return 0.0
    return [step.delivered_fraction for step in purchase.delivery_steps if step.periods_after_order <= age][-1]


def _standing(
    problem: Problem, base: int, steps: tuple[QuotaStep, ...], from_date: date | None, until_date: date | None
) -> FloatArray:
    """Return a number of accelerators with its steps in its window, shape (period_count,)."""
    live = np.zeros(problem.calendar.period_count)
    for t in problem.calendar.periods_within(from_date, until_date):
        day = problem.calendar.date_of(t)
        live[t] = next((step.accelerators for step in reversed(steps) if step.from_date <= day), base)
    return live
