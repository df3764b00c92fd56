"""The features of the example, each with what the example is without it, and facts read off a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.plan import BillComponent, Plan
from tehai.domain.problem import Problem
from tehai.domain.workload import CountryRule

FloatArray = npt.NDArray[np.float64]
ANY_COUNTRY = CountryRule((), ())


def _keep_offers(problem: Problem, keep: Callable[[Offer], bool]) -> Problem:
    """Return the problem with the offers that ``keep`` accepts; notes go, as some are about offers that are gone."""
    return replace(problem, offers=tuple(offer for offer in problem.offers if keep(offer)), source_notes=())


def _without_kind(kind: type) -> Callable[[Problem], Problem]:
    return lambda problem: _keep_offers(problem, lambda offer: not isinstance(offer.kind, kind))


def pool_countries(problem: Problem) -> dict[str, str]:
    """Return the country of each pool's site."""
    sites = {site.id: site.country_code for site in problem.sites}
    return {pool.id: sites[pool.site_id] for pool in problem.pools}


def _without_imports(problem: Problem) -> Problem:
    country = pool_countries(problem)
    return _keep_offers(problem, lambda offer: country[offer.pool_id] == "JP")


def _without_domestic_2nm(problem: Problem) -> Problem:
    pools = {pool.id for pool in problem.pools if pool.accelerator_id == "domestic-2nm"}
    return _keep_offers(problem, lambda offer: offer.pool_id not in pools)


def _without_lateness(problem: Problem) -> Problem:
    return replace(problem, workloads=tuple(replace(w, late_start_yen_per_period=0) for w in problem.workloads))


def _without_sovereignty(problem: Problem) -> Problem:
    return replace(problem, workloads=tuple(replace(w, sovereignty=ANY_COUNTRY) for w in problem.workloads))


def _without_power_limits(problem: Problem) -> Problem:
    return replace(problem, sites=tuple(replace(site, power_limit_kw=None) for site in problem.sites))


DROPS: dict[str, Callable[[Problem], Problem]] = {
    "reservations": _without_kind(Reservation),
    "purchases": _without_kind(Purchase),
    "on demand": _without_kind(OnDemand),
    "existing": _without_kind(Existing),
    "imports": _without_imports,
    "domestic 2 nm": _without_domestic_2nm,
    "grants": lambda problem: replace(problem, programmes=(), source_notes=()),
    "budget": lambda problem: replace(problem, rules=replace(problem.rules, portfolio_budgets=())),
    "share": lambda problem: replace(problem, rules=replace(problem.rules, minimum_domestic_shares=())),
    "power": _without_power_limits,
    "sovereignty": _without_sovereignty,
    "lateness": _without_lateness,
}


def live_accelerators(problem: Problem, plan: Plan) -> dict[str, FloatArray]:
    """Return K of docs/rules.md summed over each pool's offers; shape (period_count,) by pool id."""
    periods = problem.calendar.period_count
    live = {pool.id: np.zeros(periods) for pool in problem.pools}
    offers = {offer.id: offer for offer in problem.offers}
    for offer in problem.offers:
        if isinstance(offer.kind, OnDemand | Existing):
            count = offer.kind.quota_accelerators if isinstance(offer.kind, OnDemand) else offer.kind.accelerators
            for t in problem.calendar.periods_within(offer.kind.from_date, offer.kind.until_date):
                live[offer.pool_id][t] += count
    for order in plan.reservation_orders:
        offer = offers[order.offer_id]
        assert isinstance(offer.kind, Reservation)
        end = order.start_period + offer.kind.terms[order.term_index].term_periods
        live[offer.pool_id][order.start_period : end] += offer.kind.block_accelerators * order.blocks
    for bought in plan.purchase_orders:
        offer = offers[bought.offer_id]
        assert isinstance(offer.kind, Purchase)
        first = bought.order_period + offer.kind.delivery_steps[0].periods_after_order
        steps = [
            (bought.order_period + step.periods_after_order, step.delivered_fraction)
            for step in offer.kind.delivery_steps
        ]
        for t in range(first, min(periods, first + offer.kind.life_periods)):
            delivered = max(fraction for begin, fraction in steps if begin <= t)
            live[offer.pool_id][t] += offer.kind.unit_accelerators * delivered * bought.units
    return live


def placed_hours(problem: Problem, plan: Plan) -> dict[str, FloatArray]:
    """Return the accelerator-hours placed in each pool; shape (period_count,) by pool id."""
    hours = {pool.id: np.zeros(problem.calendar.period_count) for pool in problem.pools}
    length = problem.calendar.period_hours
    for placement in plan.placements:
        for segment in placement.segments:
            left, period = segment.run_hours, segment.start_period
            while left > 1e-6:
                run = min(left, float(length))
                hours[segment.pool_id][period] += run * segment.accelerators
                left, period = left - run, period + 1
    return hours


def full_weeks(problem: Problem, plan: Plan, fraction: float) -> dict[str, int]:
    """Return in how many periods each pool is at least ``fraction`` full; a period without capacity does not count."""
    live, hours = live_accelerators(problem, plan), placed_hours(problem, plan)
    length = problem.calendar.period_hours
    return {
        pool: int(((live[pool] > 0) & (hours[pool] >= fraction * length * live[pool] - 1e-6)).sum()) for pool in live
    }


def domestic_shares(problem: Problem, plan: Plan) -> dict[int, float]:
    """Return the part of each fiscal year's normalised work that is placed in pools of the domestic rule."""
    sites, calendar = {site.id: site for site in problem.sites}, problem.calendar
    domestic = {
        pool.id: problem.rules.domestic.accepts(
            sites[pool.site_id].country_code, sites[pool.site_id].operator_country_code
        )
        for pool in problem.pools
    }
    flops_per_hour = 3600.0 * (problem.reference_sustained_flops or 1.0)
    works = {w.id: w.normalised_accelerator_hours or (w.flops or 0.0) / flops_per_hour for w in problem.workloads}
    done: dict[int, list[float]] = {year: [0.0, 0.0] for year in calendar.fiscal_years()}
    for placement in plan.placements:
        alone = placed_hours(problem, replace(plan, placements=(placement,)))
        pool = placement.segments[0].pool_id
        total = float(alone[pool].sum())
        for t in np.flatnonzero(alone[pool]):
            work = works[placement.workload_id] * float(alone[pool][t]) / total
            done[calendar.fiscal_year(int(t))][0 if domestic[pool] else 1] += work
    return {year: inside / (inside + outside) for year, (inside, outside) in done.items()}


def grants_by_year(plan: Plan) -> dict[tuple[str, int], int]:
    """Return the yen claimed from each programme in each fiscal year."""
    claimed: dict[tuple[str, int], int] = {}
    for line in plan.bill_lines:
        if line.component is BillComponent.GRANT:
            key = line.subject_id, line.fiscal_year
            claimed[key] = claimed.get(key, 0) - line.amount_yen
    return claimed
