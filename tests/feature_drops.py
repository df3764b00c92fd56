"""What it means that a feature binds: dropping it from the problem moves the oracle's optimum.

``FEATURES`` maps the name of each feature to its drop. A drop returns the problem without the feature (or with its
limit wide open); two rows that no field of the problem can open are left out of the oracle's model instead. A feature
*binds* in a problem when the optimum moves by more than ``BINDING_TOLERANCE``, relatively, or when feasibility itself
changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta

from tehai.domain.market import USD
from tehai.domain.offer import (
    DeliveryStep,
    Existing,
    OfferKind,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Accelerator, FamilyThroughput
from tehai.domain.workload import CountryRule, GangOption, SizeClass, Workload
from tests.feature_changes import (
    Drop,
    each_kind,
    each_pool,
    each_programme,
    each_purchase,
    each_reservation,
    each_site,
    each_usage_grant,
    each_workload,
    with_market,
    with_rules,
)
from tests.feature_drops_economics import ECONOMIC_FEATURES
from tests.linear_model import SolverFailedError
from tests.oracle import Row, optimum_yen

BINDING_TOLERANCE = 1e-7
DROP_SECONDS_MAX = 10.0
WIDE_OPEN = 4
LONG_AGO = date(2000, 1, 1)
FAR_AHEAD = date(2100, 1, 1)
ANY_COUNTRY = CountryRule((), ())


def features(problem: Problem) -> tuple[str, ...]:
    """Return the features that a problem has, binding or not."""
    return tuple(name for name, drop in FEATURES.items() if drop.touches(problem))


def binding_features(problem: Problem, names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the features that bind, all or those of ``names``; one oracle solve for each feature the problem has.

    A drop whose optimum is not proven within ``DROP_SECONDS_MAX`` counts as not binding.
    """
    wanted = set(names or FEATURES)
    present = [name for name in features(problem) if name in wanted]
    base = optimum_yen(problem)
    return tuple(name for name in present if _moves(base, problem, FEATURES[name]))


def _moves(base: float | None, problem: Problem, drop: Drop) -> bool:
    try:
        dropped = optimum_yen(drop.problem(problem), drop.without, DROP_SECONDS_MAX)
    except SolverFailedError:
        return False
    if base is None or dropped is None:
        return (base is None) != (dropped is None)
    return abs(dropped - base) > BINDING_TOLERANCE * max(1.0, abs(base))


# Offers


def _without_on_demand(problem: Problem, in_dollars: bool) -> Problem:
    def keep(kind: OfferKind) -> OfferKind | None:
        gone = isinstance(kind, OnDemand) and (kind.price_per_accelerator_hour.currency_code == USD) == in_dollars
        return None if gone else kind

    return each_kind(problem, keep)


def _keep_terms(kind: Reservation, keep: Callable[[ReservationTerm], bool]) -> Reservation | None:
    terms = tuple(term for term in kind.terms if keep(term))
    return replace(kind, terms=terms) if terms else None


def _without_timing(problem: Problem, timing: PaymentTiming) -> Problem:
    return each_reservation(problem, lambda kind: _keep_terms(kind, lambda term: term.payment_timing is not timing))


def _terms_within_horizon(problem: Problem) -> Problem:
    """Let terms begin only while the longest one still ends within the horizon; longer ones go."""
    calendar = problem.calendar

    def keep(kind: Reservation) -> Reservation | None:
        shorter = _keep_terms(kind, lambda term: term.term_periods <= calendar.period_count)
        if shorter is None:
            return None
        last = calendar.period_count - max(term.term_periods for term in shorter.terms)
        until = calendar.date_of(last + 1)
        if shorter == kind and (kind.until_date is None and last == calendar.period_count - 1):
            return kind
        return replace(shorter, until_date=min(until, kind.until_date or until))

    return each_reservation(problem, keep)


def _delivered_at_once(kind: Purchase) -> Purchase:
    first = kind.delivery_steps[0].periods_after_order
    return replace(kind, delivery_steps=(DeliveryStep(first, 1.0),))


def _living_to_the_end(problem: Problem) -> Problem:
    """Let lives that can end within the horizon last to its end, at the same cost for each period of life."""

    def prolong(kind: Purchase) -> Purchase:
        first = kind.delivery_steps[0].periods_after_order
        if first + kind.life_periods >= problem.calendar.period_count:
            return kind
        factor = math.ceil(problem.calendar.period_count / kind.life_periods)
        price = replace(kind.price_per_unit, amount=kind.price_per_unit.amount * factor)
        return replace(kind, life_periods=kind.life_periods * factor, price_per_unit=price)

    return each_purchase(problem, prolong)


def _unmetered(kind: OfferKind) -> OfferKind:
    return replace(kind, metered=False) if isinstance(kind, (Purchase, Existing)) else kind


def _open_windows(kind: OfferKind) -> OfferKind:
    return replace(kind, from_date=None, until_date=None)


# Places and workloads


def _every_family_everywhere(problem: Problem) -> Problem:
    families = sorted({f.software_family for a in problem.accelerators for f in a.throughputs})

    def complete(accelerator: Accelerator) -> Accelerator:
        known = {f.software_family for f in accelerator.throughputs}
        speed = accelerator.throughputs[0].normalised_throughput
        added = tuple(FamilyThroughput(family, speed) for family in families if family not in known)
        return replace(accelerator, throughputs=accelerator.throughputs + added)

    return replace(problem, accelerators=tuple(complete(a) for a in problem.accelerators))


def _perfect_scaling(workload: Workload) -> Workload:
    options = tuple(GangOption(option.accelerators, 1.0) for option in workload.gang_options)
    return replace(workload, gang_options=options)


def _one_gang(workload: Workload) -> Workload:
    return replace(workload, gang_options=workload.gang_options[:1])


def _open_deadlines(problem: Problem) -> Problem:
    calendar = problem.calendar
    end = calendar.first_date + timedelta(days=math.ceil(calendar.period_hours * calendar.period_count / 24))
    return each_workload(problem, lambda w: replace(w, deadline_date=max(end, w.deadline_date)))


def _without_lateness(workload: Workload) -> Workload:
    return replace(workload, late_start_yen_per_period=0)


def _must_run(workload: Workload) -> Workload:
    return replace(workload, cost_not_run_yen=None)


def _optional(problem: Problem) -> Problem:
    """Give mandatory workloads the cost of not running, per unit of work, of the cheapest optional one."""

    def hours(workload: Workload) -> float:
        flops = workload.flops or 0.0
        return workload.normalised_accelerator_hours or flops / (3600 * (problem.reference_sustained_flops or 1.0))

    rates = [w.cost_not_run_yen / hours(w) for w in problem.workloads if w.cost_not_run_yen is not None]
    rate = min(rates, default=0.0)
    return each_workload(problem, lambda w: replace(w, cost_not_run_yen=round(rate * hours(w))) if w.mandatory else w)


# Programmes and rules


def _one_rate(kind: UsageGrant) -> UsageGrant:
    rate = max(r.rate_fraction for r in kind.rates if not r.required_member_flag)
    flagged = tuple(r for r in kind.rates if r.required_member_flag)
    return replace(kind, rates=(*(SizeClassRate(size_class, rate) for size_class in SizeClass), *flagged))


def _always_open(problem: Problem) -> Problem:
    def widen(programme: Programme) -> Programme:
        return replace(programme, from_date=LONG_AGO, until_date=FAR_AHEAD)

    return replace(problem, programmes=tuple(widen(p) for p in problem.programmes))


def _every_pool(kind: UsageGrant) -> UsageGrant:
    return replace(kind, eligible_pool_ids=(), eligible_countries=ANY_COUNTRY)


def _own_projects(problem: Problem) -> Problem:
    """Make each workload a project of its own, where a programme caps projects."""
    usage = (p.kind for p in problem.programmes if isinstance(p.kind, UsageGrant))
    if all(kind.project_cap_yen is None for kind in usage):
        return problem
    return each_workload(problem, lambda w: replace(w, project_id=""))


FEATURES: dict[str, Drop] = {
    "on demand in yen": Drop(lambda p: _without_on_demand(p, in_dollars=False)),
    "on demand in dollars": Drop(lambda p: _without_on_demand(p, in_dollars=True)),
    "offer window": Drop(lambda p: each_kind(p, _open_windows)),
    "reservation prepaid": Drop(lambda p: _without_timing(p, PaymentTiming.PREPAID)),
    "reservation periodic": Drop(lambda p: _without_timing(p, PaymentTiming.PERIODIC)),
    "several terms": Drop(lambda p: each_reservation(p, lambda k: replace(k, terms=k.terms[:1]))),
    "term past the horizon": Drop(_terms_within_horizon),
    "overlap limit": Drop(lambda p: each_reservation(p, lambda k: replace(k, blocks_max=k.blocks_max * WIDE_OPEN))),
    "lead time": Drop(lambda p: each_reservation(p, lambda k: replace(k, lead_time_periods=0))),
    "purchase": Drop(lambda p: each_purchase(p, lambda _: None)),
    "delivery steps": Drop(lambda p: each_purchase(p, _delivered_at_once)),
    "life ends in the horizon": Drop(_living_to_the_end),
    "residual": Drop(lambda p: each_purchase(p, lambda k: replace(k, residual_fraction=0.0))),
    "units limit": Drop(lambda p: each_purchase(p, lambda k: replace(k, units_max=k.units_max * WIDE_OPEN))),
    "metered electricity": Drop(lambda p: each_kind(p, _unmetered)),
    "existing": Drop(lambda p: each_kind(p, lambda k: None if isinstance(k, Existing) else k)),
    "power limit": Drop(lambda p: each_site(p, lambda s: replace(s, power_limit_kw=None))),
    "sovereignty": Drop(lambda p: each_workload(p, lambda w: replace(w, sovereignty=ANY_COUNTRY))),
    "domestic share": Drop(lambda p: with_rules(p, minimum_domestic_shares=())),
    "portfolio budget": Drop(lambda p: with_rules(p, portfolio_budgets=())),
    "grant": Drop(lambda p: replace(p, programmes=())),
    "grant rate by size class": Drop(lambda p: each_usage_grant(p, _one_rate)),
    "grant window": Drop(_always_open),
    "grant pools": Drop(lambda p: each_usage_grant(p, _every_pool)),
    "grant tags": Drop(lambda p: each_usage_grant(p, lambda k: replace(k, eligible_tags=()))),
    "project cap": Drop(lambda p: each_usage_grant(p, lambda k: replace(k, project_cap_yen=None))),
    "project of several workloads": Drop(_own_projects),
    "programme budget": Drop(lambda p: each_programme(p, lambda r: replace(r, budgets=()))),
    "capacity row": Drop(lambda p: p, frozenset({Row.QUOTA})),
    "gang row": Drop(lambda p: p, frozenset({Row.GANG})),
    "largest gang": Drop(lambda p: each_pool(p, lambda s: replace(s, gang_accelerators_max=10**6))),
    "memory": Drop(lambda p: each_workload(p, lambda w: replace(w, memory_gb=1.0))),
    "software family": Drop(_every_family_everywhere),
    "gang choice": Drop(lambda p: each_workload(p, _one_gang)),
    "scaling efficiency": Drop(lambda p: each_workload(p, _perfect_scaling)),
    "lateness": Drop(lambda p: each_workload(p, _without_lateness)),
    "not run": Drop(lambda p: each_workload(p, _must_run)),
    "release": Drop(lambda p: each_workload(p, lambda w: replace(w, release_date=p.calendar.first_date))),
    "deadline": Drop(_open_deadlines),
    "mandatory": Drop(_optional),
    "forward curve": Drop(lambda p: with_market(p, dollar_interest_rate=p.market.yen_interest_rate)),
    **ECONOMIC_FEATURES,
}
