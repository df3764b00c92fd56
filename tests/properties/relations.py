"""Changes of a problem of which it is known what they do to the optimum, and to the best bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import TypeVar

from tehai.domain.market import FiscalYearAmount, PriceStep, UnitPrice
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    Offer,
    OfferKind,
    OnDemand,
    Purchase,
    QuotaStep,
    Reservation,
)
from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.programme import Programme, UsageGrant
from tehai.domain.workload import Workload
from tests import builders as make
from tests.feature_changes import (
    each_kind,
    each_member,
    each_pool,
    each_programme,
    each_purchase,
    each_site,
    each_usage_grant,
    each_workload,
    with_rules,
)

T = TypeVar("T")


def permuted(problem: Problem, seed: int = 1) -> Problem:
    """Return the problem with workloads, pools, offers, programmes, sites and members in another order."""
    random = Random(seed)

    def shuffled(items: Sequence[T]) -> tuple[T, ...]:
        return tuple(random.sample(list(items), len(items)))

    return replace(
        problem,
        workloads=shuffled(problem.workloads),
        pools=shuffled(problem.pools),
        offers=shuffled(problem.offers),
        programmes=shuffled(problem.programmes),
        sites=shuffled(problem.sites),
        members=shuffled(problem.members),
    )


# Money


def scaled(problem: Problem, factor: int) -> Problem:
    """Return the problem with every amount of money multiplied by a whole number."""

    def steps(found: tuple[PriceStep, ...]) -> tuple[PriceStep, ...]:
        return tuple(replace(step, amount=step.amount * factor) for step in found)

    def price(found: UnitPrice) -> UnitPrice:
        return replace(found, amount=found.amount * factor, steps=steps(found.steps))

    def yen(found: tuple[FiscalYearAmount, ...]) -> tuple[FiscalYearAmount, ...]:
        return tuple(replace(entry, amount_yen=entry.amount_yen * factor) for entry in found)

    changed = each_kind(problem, lambda kind: _scaled_kind(kind, price, yen))
    changed = each_workload(changed, lambda workload: _scaled_workload(workload, factor))
    changed = each_programme(changed, lambda programme: _scaled_programme(programme, factor, yen))
    changed = each_member(changed, lambda member: replace(member, budgets=yen(member.budgets)))
    changed = each_pool(
        changed,
        lambda pool: replace(
            pool,
            grant_reference=None if pool.grant_reference is None else price(pool.grant_reference),
            charge_reference=None if pool.charge_reference is None else price(pool.charge_reference),
        ),
    )
    changed = each_site(
        changed,
        lambda site: replace(
            site,
            electricity_yen_per_kwh=(site.electricity_yen_per_kwh or Decimal(0)) * factor,
            electricity_steps=steps(site.electricity_steps),
        ),
    )
    rules = changed.rules
    return replace(
        with_rules(
            changed,
            portfolio_budgets=yen(rules.portfolio_budgets),
            capital_ceilings=yen(rules.capital_ceilings),
            carbon_price_yen_per_kg=rules.carbon_price_yen_per_kg * factor,
        ),
        routes=tuple(replace(route, price_per_terabyte=price(route.price_per_terabyte)) for route in changed.routes),
        current_plan=_scaled_plan(changed.current_plan, factor),
    )


def _scaled_kind(
    kind: OfferKind,
    price: Callable[[UnitPrice], UnitPrice],
    yen: Callable[[tuple[FiscalYearAmount, ...]], tuple[FiscalYearAmount, ...]],
) -> OfferKind:
    if isinstance(kind, (OnDemand, Allocation)):
        return replace(kind, price_per_accelerator_hour=price(kind.price_per_accelerator_hour))
    if isinstance(kind, Purchase):
        return replace(kind, price_per_unit=price(kind.price_per_unit))
    if isinstance(kind, Existing):
        paid = kind.reference_price_per_accelerator_hour
        reference = None if paid is None else price(paid)
        return replace(kind, payments=yen(kind.payments), reference_price_per_accelerator_hour=reference)
    terms = [replace(term, price_per_accelerator_hour=price(term.price_per_accelerator_hour)) for term in kind.terms]
    return replace(kind, terms=tuple(terms))  # type: ignore[arg-type]


def _scaled_workload(workload: Workload, factor: int) -> Workload:
    not_run = workload.cost_not_run_yen
    return replace(
        workload,
        late_start_yen_per_period=workload.late_start_yen_per_period * factor,
        cost_not_run_yen=None if not_run is None else not_run * factor,
        porting=tuple(replace(entry, amount_yen=entry.amount_yen * factor) for entry in workload.porting),
    )


def _scaled_programme(
    programme: Programme,
    factor: int,
    yen: Callable[[tuple[FiscalYearAmount, ...]], tuple[FiscalYearAmount, ...]],
) -> Programme:
    kind = programme.kind
    if isinstance(kind, UsageGrant) and kind.project_cap_yen is not None:
        kind = replace(kind, project_cap_yen=kind.project_cap_yen * factor)
    cap = programme.member_cap_yen
    return replace(
        programme,
        kind=kind,
        budgets=yen(programme.budgets),
        member_cap_yen=None if cap is None else cap * factor,
        claims_made=tuple(replace(made, amount_yen=made.amount_yen * factor) for made in programme.claims_made),
    )


def _scaled_plan(plan: CurrentPlan, factor: int) -> CurrentPlan:
    placements = tuple(
        replace(entry, change_yen=None if entry.change_yen is None else entry.change_yen * factor)
        for entry in plan.placements
    )
    return CurrentPlan(plan.change_yen * factor, placements)


# Offers


def with_new_pool(problem: Problem) -> Problem:
    """Return the problem with one more pool of a known kind and a cheap offer in it."""
    pool = replace(problem.pools[0], id="pool-new", display_name="pool-new", charge_reference=None)
    offer = make.make_offer(make.on_demand(make.yen(350), quota=20_000), "offer-new", pool.id)
    return replace(problem, pools=(*problem.pools, pool), offers=(*problem.offers, offer))


def without_references(problem: Problem) -> Problem:
    """Return the problem without grants and member budgets: the rest does not depend on reference prices."""
    return each_member(replace(problem, programmes=()), lambda member: replace(member, budgets=()))


def with_new_offer(problem: Problem) -> Problem:
    """Return the problem with a cheap offer more in its first pool; reference prices change with it."""
    offer = make.make_offer(make.on_demand(make.yen(350), quota=10_000), "offer-new", problem.pools[0].id)
    return replace(problem, offers=(*problem.offers, offer))


def with_split_on_demand(problem: Problem) -> Problem:
    """Return the problem with each on-demand offer in two halves at the same price."""
    offers: list[Offer] = []
    for offer in problem.offers:
        if isinstance(offer.kind, OnDemand):
            for name, upper in (("lower", False), ("upper", True)):
                offers.append(replace(offer, id=f"{offer.id}-{name}", kind=_half(offer.kind, upper)))
        else:
            offers.append(offer)
    return replace(problem, offers=tuple(offers))


def _half(kind: OnDemand, upper: bool) -> OnDemand:
    def half(accelerators: int) -> int:
        return accelerators - accelerators // 2 if upper else accelerators // 2

    return replace(
        kind,
        quota_accelerators=half(kind.quota_accelerators),
        quota_steps=tuple(QuotaStep(step.from_date, half(step.accelerators)) for step in kind.quota_steps),
    )


# Limits


def _more(found: tuple[FiscalYearAmount, ...]) -> tuple[FiscalYearAmount, ...]:
    return tuple(replace(entry, amount_yen=entry.amount_yen * 2) for entry in found)


def _more_blocks(kind: OfferKind) -> OfferKind:
    return replace(kind, blocks_max=kind.blocks_max + 1) if isinstance(kind, (Reservation, CapacityBlock)) else kind


def _more_hours(kind: OfferKind) -> OfferKind:
    if not isinstance(kind, Allocation):
        return kind
    return replace(kind, quotas=tuple(replace(q, accelerator_hours=q.accelerator_hours * 1.5) for q in kind.quotas))


def _wider_project_cap(kind: UsageGrant) -> UsageGrant:
    return kind if kind.project_cap_yen is None else replace(kind, project_cap_yen=kind.project_cap_yen * 2)


def _wider_member_cap(programme: Programme) -> Programme:
    cap = programme.member_cap_yen
    return programme if cap is None else replace(programme, member_cap_yen=cap * 2)


def _shares(problem: Problem) -> Problem:
    listed = problem.rules.minimum_domestic_shares
    lower = tuple(replace(entry, share_fraction=entry.share_fraction * 0.8) for entry in listed)
    return with_rules(problem, minimum_domestic_shares=lower)


def _concentration(problem: Problem) -> Problem:
    listed = problem.rules.concentration_limits
    wider = tuple(replace(entry, share_fraction=min(1.0, entry.share_fraction * 1.3)) for entry in listed)
    return with_rules(problem, concentration_limits=wider)


def _carbon(problem: Problem) -> Problem:
    wider = tuple(replace(entry, mass_kg=entry.mass_kg * 1.3) for entry in problem.rules.carbon_limits)
    return with_rules(problem, carbon_limits=wider)


def _waiting(problem: Problem) -> Problem:
    most = problem.rules.total_waiting_periods_max
    return problem if most is None else with_rules(problem, total_waiting_periods_max=most + 2)


def _power(problem: Problem) -> Problem:
    return each_site(
        problem,
        lambda site: site if site.power_limit_kw is None else replace(site, power_limit_kw=site.power_limit_kw * 1.3),
    )


# every limit that can be loosened, by name
LOOSENED: dict[str, Callable[[Problem], Problem]] = {
    "power": _power,
    "domestic share": _shares,
    "concentration": _concentration,
    "portfolio budget": lambda p: with_rules(p, portfolio_budgets=_more(p.rules.portfolio_budgets)),
    "member budget": lambda p: each_member(p, lambda m: replace(m, budgets=_more(m.budgets))),
    "capital ceiling": lambda p: with_rules(p, capital_ceilings=_more(p.rules.capital_ceilings)),
    "carbon": _carbon,
    "waiting": _waiting,
    "programme budget": lambda p: each_programme(p, lambda r: replace(r, budgets=_more(r.budgets))),
    "member cap": lambda p: each_programme(p, _wider_member_cap),
    "project cap": lambda p: each_usage_grant(p, _wider_project_cap),
    "blocks": lambda p: each_kind(p, _more_blocks),
    "units": lambda p: each_purchase(p, lambda k: replace(k, units_max=k.units_max + 1)),
    "allocation quota": lambda p: each_kind(p, _more_hours),
}
