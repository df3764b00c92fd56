"""Programmes of a random problem: on use and on purchases, alone, exclusive or stacked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tehai.domain.offer import Purchase
from tehai.domain.problem import Problem
from tehai.domain.programme import ClaimMade, Programme, SizeClassRate, UsageGrant
from tehai.domain.workload import CountryRule, SizeClass
from tests import builders as make
from tests.oracle_numbers import Numbers
from tests.random_draw import FLAG, Draw
from tests.random_workloads import TAGS, value_of

GROUP = "either-or"
STACKED_RATE_MAX = 0.5


def programmes_of(draw: Draw, draft: Problem) -> tuple[Programme, ...]:
    """Return programmes for a problem that has none yet."""
    pairs = draw.on["exclusivity"] + draw.on["stacking"]
    count = max(draw.random.choice((0, 1, 1, 1, 2)), 1 + pairs if pairs else 0)
    programmes = [_usage(draw, draft, number) for number in range(count)]
    if draw.on["stacking"]:
        programmes[0], programmes[1] = _stacked(programmes[0], programmes[1])
    if draw.on["exclusivity"]:
        programmes[-2:] = _exclusive(draw, programmes[-2:])
    if draw.on["capital grant"]:
        programmes += [_capital(draw, draft, number) for number in range(draw.random.choice((1, 1, 2)))]
        if draw.on["exclusivity"]:
            programmes = [replace(p, exclusivity_group=GROUP) if "capital" in p.id else p for p in programmes]
    projects = sorted({w.project_id for w in draft.workloads} - {""}) or [draft.workloads[0].id]
    return tuple(_with_claims_made(draw, p, projects) for p in programmes)


def _rates(draw: Draw, sme: float, large: float) -> tuple[SizeClassRate, ...]:
    rates = [SizeClassRate(SizeClass.SME, sme)]
    if not draw.happens(0.2):
        rates.append(SizeClassRate(SizeClass.LARGE, large))
    if draw.on["flags"]:
        rates.append(SizeClassRate(SizeClass.SME, min(0.9, round(sme * 1.7, 4)), FLAG))
    return tuple(rates)


def _lag(draw: Draw) -> int:
    return draw.random.choice((30, 90, 200, 400)) if draw.on["payment lag"] and draw.happens(0.7) else 0


def _usage(draw: Draw, draft: Problem, number: int) -> Programme:
    bill = sum(value_of(w) for w in draft.workloads)
    from_date, until_date = draw.window(0.5)
    pool_ids = [p.pool.id for p in draw.places if draw.happens(0.6)] if draw.happens(0.5) else []
    cap = round(bill * draw.between(0.002, 0.03)) if draw.happens(0.7) else None
    budgets = {}
    if draw.happens(0.5):
        budgets = {year: round(bill * draw.between(0.004, 0.05)) for year in draw.calendar.fiscal_years()}
    member_cap = round(bill * draw.between(0.002, 0.025)) if draw.on["member cap"] and draw.happens(0.5) else None
    return make.make_programme(
        f"grant-{number}",
        _rates(draw, draw.random.choice((0.5, 0.6667)), draw.random.choice((0.3333, 0.5))),
        from_date or date(2027, 4, 1),
        until_date or date(2029, 4, 1),
        pool_ids,
        CountryRule(("JP",), ()) if draw.happens(0.35) else make.ANY_COUNTRY,
        [draw.random.choice(TAGS)] if draw.happens(0.4) else [],
        cap,
        budgets,
        member_cap,
        _lag(draw),
    )


def _stacked(one: Programme, other: Programme) -> tuple[Programme, Programme]:
    """Return two programmes that name each other and pay at most all of a bill together."""

    def lowered(programme: Programme, partner: Programme) -> Programme:
        rates = tuple(replace(r, rate_fraction=min(r.rate_fraction, STACKED_RATE_MAX)) for r in programme.kind.rates)
        kind = replace(programme.kind, rates=rates)
        return replace(programme, kind=kind, stackable_programme_ids=(partner.id,))

    return lowered(one, other), lowered(other, one)


def _exclusive(draw: Draw, programmes: list[Programme]) -> list[Programme]:
    """Return programmes of one group, now and then each for a tag of its own, so that a project would like both."""
    grouped = [replace(p, exclusivity_group=GROUP) for p in programmes]
    if not draw.happens(0.5):
        return grouped
    return [
        replace(p, kind=replace(p.kind, eligible_tags=(tag,))) if isinstance(p.kind, UsageGrant) else p
        for p, tag in zip(grouped, TAGS, strict=True)
    ]


def _capital(draw: Draw, draft: Problem, number: int) -> Programme:
    prices = _unit_prices(draft)
    smallest = min(prices, default=1e9)
    budgets, cap = {}, None
    if draw.happens(0.5):
        budgets = {year: round(smallest * draw.between(0.05, 0.5)) for year in draw.calendar.fiscal_years()}
    if draw.on["member cap"] and draw.happens(0.7):
        cap = round(smallest * draw.between(0.05, 0.3))
    from_date, until_date = draw.window(0.3)
    return make.make_capital_programme(
        f"capital-{number}",
        _rates(draw, round(draw.random.uniform(0.1, 0.25), 3), round(draw.random.uniform(0.1, 0.25), 3)),
        from_date or date(2027, 4, 1),
        until_date or date(2029, 4, 1),
        budgets=budgets,
        member_cap_yen=cap,
        lag_days=_lag(draw),
    )


def _unit_prices(draft: Problem) -> list[float]:
    numbers = Numbers(draft)
    kinds = [offer.kind for offer in draft.offers]
    return [numbers.yen(kind.price_per_unit, 0) for kind in kinds if isinstance(kind, Purchase)]


def _with_claims_made(draw: Draw, programme: Programme, projects: list[str]) -> Programme:
    """Return a programme whose limits are partly used up, where it has limits."""
    if not draw.on["claims made"]:
        return programme
    year, member = draw.calendar.fiscal_years()[0], draw.random.choice(draw.members)
    project_cap = programme.kind.project_cap_yen if isinstance(programme.kind, UsageGrant) else None
    limits = [programme.member_cap_yen, *(b.amount_yen for b in programme.budgets if b.fiscal_year == year)]
    made = [
        ClaimMade("", member.id, year, round(limit * draw.between(0.2, 0.9))) for limit in limits if limit is not None
    ]
    if project_cap is not None:
        project = draw.random.choice(projects)
        made.append(ClaimMade(project, member.id, year - 1, round(project_cap * draw.between(0.2, 0.9))))
    return replace(programme, claims_made=tuple(made))
