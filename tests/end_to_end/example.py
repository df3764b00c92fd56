"""What a plan of the example does to its pools, budgets and shares; read from the plan, not from the solver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tehai.domain.market import USD
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.domain.workload import CountryRule
from tehai.verify.case import build_case

FloatArray = NDArray[np.float64]


def used_offers(problem: Problem, plan: Plan) -> list[Offer]:
    """Return the offers of which any hour is used."""
    used = {use.offer_id for use in plan.offer_uses if sum(use.accelerator_hours) > 0.0}
    return [offer for offer in problem.offers if offer.id in used]


def domestic_pool_ids(problem: Problem) -> set[str]:
    """Return the pools whose site the problem's domestic rule accepts."""
    rule = problem.rules.domestic
    home = {site.id for site in problem.sites if rule.accepts(site.country_code, site.operator_country_code)}
    return {pool.id for pool in problem.pools if pool.site_id in home}


def full_periods(problem: Problem, plan: Plan, least_fraction: float) -> dict[str, int]:
    """Return in how many periods each pool has at least ``least_fraction`` of its live hours placed."""
    hours = np.zeros((len(problem.pools), problem.calendar.period_count))
    index = {pool.id: p for p, pool in enumerate(problem.pools)}
    for placement in plan.placements:
        for segment in placement.segments:
            left, t = segment.run_hours, segment.start_period
            while left > 1e-9:
                hours[index[segment.pool_id], t] += segment.accelerators * min(left, problem.calendar.period_hours)
                left, t = left - problem.calendar.period_hours, t + 1
    live = live_hours(problem, plan)
    full = (live > 0.0) & (hours >= least_fraction * live)
    return {pool.id: int(full[p].sum()) for p, pool in enumerate(problem.pools)}


def live_hours(problem: Problem, plan: Plan) -> FloatArray:
    """Return the accelerator-hours live in each pool and period under the plan's commitments, (P, T)."""
    live = build_case(problem, plan.problem_sha256, plan).live
    hours = np.zeros((len(problem.pools), problem.calendar.period_count))
    index = {pool.id: p for p, pool in enumerate(problem.pools)}
    for offer, row in zip(problem.offers, live, strict=True):
        hours[index[offer.pool_id]] += row * problem.calendar.period_hours
    return hours


def claims_by_programme(plan: Plan) -> dict[tuple[str, int], int]:
    """Return yen claimed by programme and fiscal year."""
    claimed: dict[tuple[str, int], int] = defaultdict(int)
    for placement in plan.placements:
        for claim in placement.claims:
            claimed[claim.programme_id, claim.fiscal_year] += claim.amount_yen
    return claimed


def feature_drops(problem: Problem) -> Iterator[tuple[str, Problem]]:
    """Yield each feature by name with the problem that lacks it; source notes would point at what is gone."""
    problem = replace(problem, source_notes=())
    for kind in (Reservation, Purchase, Existing, Allocation, CapacityBlock):
        kept = tuple(offer for offer in problem.offers if not isinstance(offer.kind, kind))
        yield kind.__name__.lower(), replace(problem, offers=kept)
    home = domestic_pool_ids(problem)
    yield "imports", replace(problem, offers=tuple(offer for offer in problem.offers if offer.pool_id in home))
    dollars = tuple(
        offer
        for offer in problem.offers
        if not (isinstance(offer.kind, OnDemand) and offer.kind.price_per_accelerator_hour.currency_code == USD)
    )
    yield "on demand in dollars", replace(problem, offers=dollars)
    yield "grants", replace(problem, programmes=())
    uncapped = tuple(replace(programme, budgets=()) for programme in problem.programmes)
    yield "programme budgets", replace(problem, programmes=uncapped)
    yield "portfolio budget", replace(problem, rules=replace(problem.rules, portfolio_budgets=()))
    yield "domestic share", replace(problem, rules=replace(problem.rules, minimum_domestic_shares=()))
    yield "power limits", replace(problem, sites=tuple(replace(site, power_limit_kw=None) for site in problem.sites))
    anywhere = tuple(replace(workload, sovereignty=CountryRule((), ())) for workload in problem.workloads)
    yield "sovereignty", replace(problem, workloads=anywhere)
    free = tuple(replace(workload, late_start_yen_per_period=0) for workload in problem.workloads)
    yield "lateness", replace(problem, workloads=free)
    apart = tuple(replace(workload, after_workload_ids=()) for workload in problem.workloads)
    yield "precedence", replace(problem, workloads=apart)
    spread_free = replace(problem.market, usd_conversion_spread_yen=Decimal(0))
    yield "conversion spread", replace(problem, market=spread_free)
    yield "discounting", replace(problem, market=replace(problem.market, discount_rate=Decimal(0)))
