"""Programmes as arrays: rates, windows, what is left of caps and budgets, payment, and sets that stack."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tehai.domain.calendar import fiscal_year_of
from tehai.domain.problem import Problem
from tehai.domain.programme import UsageGrant
from tehai.engine.eligibility import is_pool_eligible, rate_of_member
from tehai.engine.market_arrays import FloatArray, PricesOverTime
from tehai.engine.rule_arrays import by_year

ClaimSets = tuple[tuple[int, ...], ...]


def payment_day(payment_lag_days: int, fiscal_year: int) -> date:
    """Return the day on which claims of a fiscal year are paid: so many days after its 31 March."""
    closing = date(fiscal_year + 1, 3, 31)
    # Later than the last date there is counts as that date: after every horizon.
    return closing + timedelta(days=min(payment_lag_days, (date.max - closing).days))


def programme_arrays(
    problem: Problem, prices: PricesOverTime, projects: tuple[str, ...], rates: FloatArray, sets: ClaimSets
) -> dict[str, Any]:
    """Return the table of programmes; ``rates`` are (W, R), ``sets`` the claim sets of columns."""
    calendar, programmes = problem.calendar, problem.programmes
    years, count = calendar.fiscal_years(), len(problem.programmes)
    window = np.zeros((count, calendar.period_count), dtype=np.bool_)
    discount, pay_year = np.ones((count, len(years))), np.full((count, len(years)), -1, dtype=np.int64)
    for r, programme in enumerate(programmes):
        inside = calendar.periods_within(programme.from_date, programme.until_date)
        window[r, inside.start : inside.stop] = True
        for y, year in enumerate(years):
            paid_on = payment_day(programme.payment_lag_days, year)
            closing = date(year + 1, 3, 31)
            discount[r, y] = prices.discount_after((closing - calendar.first_date).days + programme.payment_lag_days)
            paid_in = fiscal_year_of(paid_on)
            pay_year[r, y] = years.index(paid_in) if paid_in in years else -1
    groups = tuple(dict.fromkeys(p.exclusivity_group for p in programmes if p.exclusivity_group))
    group_of = [groups.index(p.exclusivity_group) if p.exclusivity_group else -1 for p in programmes]
    return {
        "programme_window": window,
        "programme_pool": programme_pools(problem),
        "programme_group": np.array(group_of, dtype=np.int64),
        "claim_discount": discount,
        "claim_pay_year": pay_year,
        "rate": rates,
        "claim_set_offset": np.cumsum([0] + [len(programmes_of_set) for programmes_of_set in sets]),
        "claim_set_programmes": np.array([r for programmes_of_set in sets for r in programmes_of_set], dtype=np.int64),
    } | _limits_left(problem, projects)


def programme_pools(problem: Problem) -> NDArray[np.bool_]:
    """Return whether each pool is eligible in each programme, (R, P)."""
    eligible = [is_pool_eligible(problem, r, pool) for r in problem.programmes for pool in problem.pools]
    return np.array(eligible, dtype=np.bool_).reshape(len(problem.programmes), len(problem.pools))


def _limits_left(problem: Problem, projects: tuple[str, ...]) -> dict[str, Any]:
    """Caps of projects (R, projects) and members (R, M, Y) and budgets (R, Y) less claims made, at least 0."""
    years, members = problem.calendar.fiscal_years(), [member.id for member in problem.members]
    count = len(problem.programmes)
    project_cap = np.full((count, len(projects)), np.inf)
    budget = np.full((count, len(years)), np.inf)
    member_cap = np.full((count, len(members), len(years)), np.inf)
    for r, programme in enumerate(problem.programmes):
        if isinstance(programme.kind, UsageGrant) and programme.kind.project_cap_yen is not None:
            project_cap[r] = float(programme.kind.project_cap_yen)
        if programme.member_cap_yen is not None:
            member_cap[r] = float(programme.member_cap_yen)
        budget[r] = by_year(programme.budgets, years)
        for made in programme.claims_made:
            if made.project_id in projects:
                project_cap[r, projects.index(made.project_id)] -= made.amount_yen
            if made.fiscal_year in years:
                y = years.index(made.fiscal_year)
                budget[r, y] -= made.amount_yen
                member_cap[r, members.index(made.member_id), y] -= made.amount_yen
    return {
        "project_cap_yen": np.maximum(project_cap, 0.0),
        "programme_budget_yen": np.maximum(budget, 0.0),
        "member_cap_yen": np.maximum(member_cap, 0.0),
    }


def usage_rates(problem: Problem) -> FloatArray:
    """Return the rate of each workload in each usage programme, 0 where it is not eligible or in others, (W, R)."""
    members = {member.id: member for member in problem.members}
    rates = np.zeros((len(problem.workloads), len(problem.programmes)))
    for r, programme in enumerate(problem.programmes):
        if not isinstance(programme.kind, UsageGrant):
            continue
        of_member = {member_id: rate_of_member(programme, member) for member_id, member in members.items()}
        tags = set(programme.kind.eligible_tags)
        for w, workload in enumerate(problem.workloads):
            if not tags or tags.intersection(workload.tags):
                rates[w, r] = of_member[workload.member_id]
    return rates


def claim_sets(problem: Problem, rates: FloatArray) -> ClaimSets:
    """Return the sets that one column may claim from: single usage programmes, and those that stack pairwise.

    Of the latter only those that some workload could claim in some pool.
    """
    programmes = problem.programmes
    usage = [r for r, programme in enumerate(programmes) if isinstance(programme.kind, UsageGrant)]
    named = [set(programme.stackable_programme_ids) for programme in programmes]
    pools, open_to = programme_pools(problem), rates > 0.0

    def can_join(members: tuple[int, ...], r: int) -> bool:
        stacks = all(programmes[r].id in named[q] and programmes[q].id in named[r] for q in members)
        every = [*members, r]
        return stacks and bool(pools[every].all(axis=0).any()) and bool(open_to[:, every].all(axis=1).any())

    grown: list[tuple[int, ...]] = [(r,) for r in usage]
    found = list(grown)
    while grown:
        grown = [(*s, r) for s in grown for r in usage if r > s[-1] and can_join(s, r)]
        found += grown
    return tuple(found)
