"""Drops of what prices, grants, members, capacity and the order of work add to the first model."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tehai.domain.market import UnitPrice
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    FiscalYearHours,
    OfferKind,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
)
from tehai.domain.problem import CurrentPlan, Problem, Route
from tehai.domain.programme import CapitalGrant, Programme
from tehai.domain.supply import Pool
from tehai.domain.workload import Pausing, Workload
from tests.feature_changes import (
    Drop,
    each_kind,
    each_member,
    each_pool,
    each_programme,
    each_purchase,
    each_site,
    each_workload,
    with_market,
    with_rules,
)

# Prices and quotas


def _flat(price: UnitPrice) -> UnitPrice:
    return replace(price, steps=())


def _flat_kind(kind: OfferKind) -> OfferKind:
    if isinstance(kind, (OnDemand, Allocation)):
        return replace(kind, price_per_accelerator_hour=_flat(kind.price_per_accelerator_hour))
    if isinstance(kind, Purchase):
        return replace(kind, price_per_unit=_flat(kind.price_per_unit))
    if isinstance(kind, Reservation):
        terms = tuple(replace(t, price_per_accelerator_hour=_flat(t.price_per_accelerator_hour)) for t in kind.terms)
        return replace(kind, terms=terms)
    if isinstance(kind, CapacityBlock):
        days = tuple(replace(t, price_per_accelerator_hour=_flat(t.price_per_accelerator_hour)) for t in kind.terms)
        return replace(kind, terms=days)
    return kind


def _without_quota_steps(kind: OfferKind) -> OfferKind:
    if isinstance(kind, OnDemand):
        return replace(kind, quota_steps=())
    return replace(kind, accelerator_steps=()) if isinstance(kind, (Existing, Allocation)) else kind


# Offers


def _without_kind(problem: Problem, gone: type[Allocation] | type[CapacityBlock]) -> Problem:
    return each_kind(problem, lambda kind: None if isinstance(kind, gone) else kind)


def _unlimited_quota(problem: Problem) -> Problem:
    """Let an allocation be used all the time."""
    calendar = problem.calendar

    def widen(kind: OfferKind) -> OfferKind:
        if not isinstance(kind, Allocation):
            return kind
        most = max([kind.accelerators, *(step.accelerators for step in kind.accelerator_steps)])
        hours = float(most * calendar.period_hours * calendar.period_count)
        return replace(kind, quotas=tuple(FiscalYearHours(year, hours) for year in calendar.fiscal_years()))

    return each_kind(problem, widen)


def _booked_when_they_begin(kind: OfferKind) -> OfferKind:
    return replace(kind, booking_periods_min=0, booking_periods_max=0) if isinstance(kind, CapacityBlock) else kind


def _partial_as_periodic(kind: OfferKind) -> OfferKind:
    """Pay the whole term period by period where a part is paid when it is booked."""
    if not isinstance(kind, Reservation):
        return kind
    terms = tuple(
        replace(term, payment_timing=PaymentTiming.PERIODIC, upfront_fraction=None)
        if term.payment_timing is PaymentTiming.PARTIAL
        else term
        for term in kind.terms
    )
    return replace(kind, terms=terms)


def _without_payments(kind: OfferKind) -> OfferKind:
    return replace(kind, payments=()) if isinstance(kind, Existing) else kind


def _without_reference(kind: OfferKind) -> OfferKind:
    return replace(kind, reference_price_per_accelerator_hour=None) if isinstance(kind, Existing) else kind


# Grants


def _without_flags(programme: Programme) -> Programme:
    rates = tuple(rate for rate in programme.kind.rates if not rate.required_member_flag)
    return replace(programme, kind=replace(programme.kind, rates=rates))


def _usage_only(programme: Programme) -> Programme | None:
    return None if isinstance(programme.kind, CapitalGrant) else programme


# Data and order of work


def _without_data(workload: Workload) -> Workload:
    return replace(workload, data_site_id=None, data_terabytes=0.0)


def _every_route(problem: Problem) -> Problem:
    """Add the routes that are missing, at the price of the first one."""
    if not problem.routes:
        return problem
    known = {(route.from_site_id, route.to_site_id) for route in problem.routes}
    price = problem.routes[0].price_per_terabyte
    ends = [(a.id, b.id) for a in problem.sites for b in problem.sites if a is not b]
    added = tuple(Route(*pair, price) for pair in ends if pair not in known)
    return replace(problem, routes=problem.routes + added)


def _free_changes(plan: CurrentPlan) -> CurrentPlan:
    return CurrentPlan(0, tuple(replace(placement, change_yen=None) for placement in plan.placements))


def _unlocked(plan: CurrentPlan) -> CurrentPlan:
    return replace(plan, placements=tuple(replace(placement, locked=False) for placement in plan.placements))


def _without_overhead(workload: Workload) -> Workload:
    pausing = workload.pausing
    return workload if pausing is None else replace(workload, pausing=Pausing(pausing.pauses_max, 0.0))


def _one_node(pool: Pool) -> Pool:
    return replace(pool, node_accelerators=1)


ECONOMIC_FEATURES: dict[str, Drop] = {
    "price steps": Drop(lambda p: each_kind(p, _flat_kind)),
    "quota steps": Drop(lambda p: each_kind(p, _without_quota_steps)),
    "electricity steps": Drop(lambda p: each_site(p, lambda s: replace(s, electricity_steps=()))),
    "conversion spread": Drop(lambda p: with_market(p, usd_conversion_spread_yen=Decimal(0))),
    "discount": Drop(lambda p: with_market(p, discount_rate=Decimal(0))),
    "cost of capital": Drop(lambda p: each_member(p, lambda m: replace(m, cost_of_capital=None))),
    "node granularity": Drop(lambda p: each_pool(p, _one_node)),
    "grant override": Drop(lambda p: each_pool(p, lambda s: replace(s, grant_reference=None))),
    "charge override": Drop(lambda p: each_pool(p, lambda s: replace(s, charge_reference=None))),
    "operator concentration": Drop(lambda p: with_rules(p, concentration_limits=())),
    "carbon price": Drop(lambda p: with_rules(p, carbon_price_yen_per_kg=Decimal(0))),
    "carbon limit": Drop(lambda p: with_rules(p, carbon_limits=())),
    "capital ceiling": Drop(lambda p: with_rules(p, capital_ceilings=())),
    "member budget": Drop(lambda p: each_member(p, lambda m: replace(m, budgets=()))),
    "member cap": Drop(lambda p: each_programme(p, lambda r: replace(r, member_cap_yen=None))),
    "payment lag": Drop(lambda p: each_programme(p, lambda r: replace(r, payment_lag_days=0))),
    "claims made": Drop(lambda p: each_programme(p, lambda r: replace(r, claims_made=()))),
    "flag-dependent rate": Drop(lambda p: each_programme(p, _without_flags)),
    "exclusivity": Drop(lambda p: each_programme(p, lambda r: replace(r, exclusivity_group=""))),
    "stacking": Drop(lambda p: each_programme(p, lambda r: replace(r, stackable_programme_ids=()))),
    "capital grant": Drop(lambda p: each_programme(p, _usage_only)),
    "instalments": Drop(lambda p: each_purchase(p, lambda k: replace(k, payment_steps=()))),
    "partial upfront": Drop(lambda p: each_kind(p, _partial_as_periodic)),
    "allocation": Drop(lambda p: _without_kind(p, Allocation)),
    "allocation quota": Drop(_unlimited_quota),
    "capacity block": Drop(lambda p: _without_kind(p, CapacityBlock)),
    "booking window": Drop(lambda p: each_kind(p, _booked_when_they_begin)),
    "existing payments": Drop(lambda p: each_kind(p, _without_payments)),
    "existing reference": Drop(lambda p: each_kind(p, _without_reference)),
    "transfer": Drop(lambda p: each_workload(p, _without_data)),
    "missing route": Drop(_every_route),
    "porting": Drop(lambda p: each_workload(p, lambda w: replace(w, porting=()))),
    "change price": Drop(lambda p: replace(p, current_plan=_free_changes(p.current_plan))),
    "lock": Drop(lambda p: replace(p, current_plan=_unlocked(p.current_plan))),
    "precedence": Drop(lambda p: each_workload(p, lambda w: replace(w, after_workload_ids=()))),
    "waiting ceiling": Drop(lambda p: with_rules(p, total_waiting_periods_max=None)),
    "pausing": Drop(lambda p: each_workload(p, lambda w: replace(w, pausing=None))),
    "resume overhead": Drop(lambda p: each_workload(p, _without_overhead)),
}
