"""What a plan has and uses in each period, read off its placements and orders as docs/rules.md defines them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.plan import Plan, Segment
from tehai.domain.problem import Problem
from tehai.domain.workload import Workload

Hours = NDArray[np.float64]


@dataclass(frozen=True)
class PoolOccupancy:
    """One pool over time; each array has shape (period_count,)."""

    pool_id: str
    # Accelerator-hours of the workloads placed here.
    placed_hours: Hours
    # Accelerators of the gangs that run in a period.
    gang_accelerators: Hours
    # Accelerators that are there whether used or not: existing, reserved and bought.
    committed_accelerators: Hours
    # Accelerator-hours taken from those, and on demand.
    committed_hours_used: Hours
    on_demand_hours: Hours


def segment_hours(segment: Segment, period_hours: int, period_count: int) -> Hours:
    """Return the accelerator-hours of a segment in each period: full ones, then the rest in the last."""
    hours = np.zeros(period_count)
    quotient = segment.run_hours / period_hours
    full = math.floor(quotient + 1e-9)
    rest = (quotient - full) * period_hours if quotient - full > 1e-9 else 0.0
    if full == 0 and rest == 0:
        rest = segment.run_hours
    end = min(segment.start_period + full, period_count)
    hours[segment.start_period : end] = segment.accelerators * period_hours
    if rest > 0 and end < period_count:
        hours[end] += segment.accelerators * rest
    return hours


def work_of(workload: Workload, problem: Problem) -> float:
    """Return the work of a workload in normalised accelerator-hours."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    return (workload.flops or 0.0) / (3600.0 * (problem.reference_sustained_flops or math.inf))


def occupancies(problem: Problem, plan: Plan) -> dict[str, PoolOccupancy]:
    """Return the occupancy of every pool, by id, in the order of the problem."""
    calendar = problem.calendar
    count = calendar.period_count
    result = {pool.id: PoolOccupancy(pool.id, *(np.zeros(count) for _ in range(5))) for pool in problem.pools}
    for placement in plan.placements:
        for segment in placement.segments:
            pool = result[segment.pool_id]
            hours = segment_hours(segment, calendar.period_hours, count)
            pool.placed_hours[:] += hours
            pool.gang_accelerators[:] += np.where(hours > 0, segment.accelerators, 0)
    uses = {use.offer_id: np.asarray(use.accelerator_hours) for use in plan.offer_uses}
    for offer in problem.offers:
        pool, used = result[offer.pool_id], uses.get(offer.id, np.zeros(count))
        if isinstance(offer.kind, OnDemand):
            pool.on_demand_hours[:] += used
        else:
            pool.committed_hours_used[:] += used
            pool.committed_accelerators[:] += live_accelerators(offer, problem, plan)
    return result


def live_accelerators(offer: Offer, problem: Problem, plan: Plan) -> Hours:
    """Return K(o, t) of an offer that is not on demand: accelerators live in each period."""
    calendar, kind = problem.calendar, offer.kind
    live = np.zeros(calendar.period_count)
    if isinstance(kind, Existing):
        for period in calendar.periods_within(kind.from_date, kind.until_date):
            live[period] = kind.accelerators
    elif isinstance(kind, Reservation):
        for order in plan.reservation_orders:
            if order.offer_id == offer.id:
                end = order.start_period + kind.terms[order.term_index].term_periods
                live[order.start_period : end] += order.blocks * kind.block_accelerators
    elif isinstance(kind, Purchase):
        for bought in plan.purchase_orders:
            if bought.offer_id == offer.id:
                live += bought.units * kind.unit_accelerators * _ramp(kind, bought.order_period, calendar.period_count)
    return live


def _ramp(purchase: Purchase, order_period: int, period_count: int) -> Hours:
    """Return the fraction of an order that is delivered and alive in each period."""
    delivered = np.zeros(period_count)
    for step in purchase.delivery_steps:
        delivered[min(order_period + step.periods_after_order, period_count) :] = step.delivered_fraction
    delivered[
        min(order_period + purchase.delivery_steps[0].periods_after_order + purchase.life_periods, period_count) :
    ] = 0
    return delivered


def by_fiscal_year(values: Hours, problem: Problem) -> dict[int, float]:
    """Return the sum of ``values``, shape (period_count,), over the periods of each fiscal year."""
    totals = dict.fromkeys(problem.calendar.fiscal_years(), 0.0)
    for period, value in enumerate(values):
        totals[problem.calendar.fiscal_year(period)] += float(value)
    return totals
