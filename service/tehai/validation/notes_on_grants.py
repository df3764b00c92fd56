"""Notes on programmes of a valid problem: what cannot be claimed, and what is claimed up already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tehai.domain.offer import Purchase
from tehai.domain.problem import Problem
from tehai.domain.programme import CapitalGrant, Programme, UsageGrant
from tehai.domain.supply import Pool, Site
from tehai.domain.workload import Member
from tehai.validation.view import by_id


def programmes_outside(problem: Problem) -> Iterator[str]:
    """Yield programmes that no period of the horizon lies in."""
    for programme in problem.programmes:
        if not problem.calendar.periods_within(programme.from_date, programme.until_date):
            yield f"programmes/{programme.id} has no period of the horizon in its window"


def flags_of_nobody(problem: Problem) -> Iterator[str]:
    """Yield flags that a rate asks for and no member carries."""
    carried = {flag for member in problem.members for flag in member.flags}
    for programme in problem.programmes:
        asked = dict.fromkeys(rate.required_member_flag for rate in programme.kind.rates)
        for flag in asked:
            if flag and flag not in carried:
                yield f"programmes/{programme.id} has a rate for members with flag {flag}, which no member carries"


def capital_grants_without_orders(problem: Problem) -> Iterator[str]:
    """Yield capital programmes that are open to no purchase."""
    pools, sites, members = by_id(problem.pools), by_id(problem.sites), by_id(problem.members)
    owned = [
        (members[offer.kind.owner_member_id], pools[offer.pool_id])
        for offer in problem.offers
        if isinstance(offer.kind, Purchase) and offer.kind.owner_member_id
    ]
    for programme in problem.programmes:
        if isinstance(programme.kind, CapitalGrant) and not any(
            _open_to(programme.kind, owner, pool, sites[pool.site_id]) for owner, pool in owned
        ):
            yield f"programmes/{programme.id} is open to no purchase: none with an eligible owner in an eligible pool"


def _open_to(grant: CapitalGrant, owner: Member, pool: Pool, site: Site) -> bool:
    has_rate = any(
        rate.size_class is owner.size_class
        and (not rate.required_member_flag or rate.required_member_flag in owner.flags)
        for rate in grant.rates
    )
    in_pool = not grant.eligible_pool_ids or pool.id in grant.eligible_pool_ids
    return has_rate and in_pool and grant.eligible_countries.accepts(site.country_code, site.operator_country_code)


def claims_over_limits(problem: Problem) -> Iterator[str]:
    """Yield limits of programmes that claims made before the horizon exceed; what is left then is 0."""
    for programme in problem.programmes:
        made_of_year: dict[int, int] = defaultdict(int)
        made_by_member: dict[tuple[str, int], int] = defaultdict(int)
        made_for_project: dict[str, int] = defaultdict(int)
        for claim in programme.claims_made:
            made_of_year[claim.fiscal_year] += claim.amount_yen
            made_by_member[claim.member_id, claim.fiscal_year] += claim.amount_yen
            if claim.project_id:
                made_for_project[claim.project_id] += claim.amount_yen
        path = f"programmes/{programme.id}"
        for budget in programme.budgets:
            what = f"its budget of fiscal year {budget.fiscal_year}"
            yield from _over(path, what, made_of_year[budget.fiscal_year], budget.amount_yen)
        for (member_id, year), made in made_by_member.items():
            what = f"the cap of member {member_id} in fiscal year {year}"
            yield from _over(path, what, made, programme.member_cap_yen)
        for project_id, made in made_for_project.items():
            yield from _over(path, f"the cap of project {project_id}", made, _project_cap(programme))


def _project_cap(programme: Programme) -> int | None:
    return programme.kind.project_cap_yen if isinstance(programme.kind, UsageGrant) else None


def _over(path: str, what: str, made: int, limit: int | None) -> Iterator[str]:
    if limit is not None and made > limit:
        yield f"{path} has claims of {made:,} yen before the horizon, above {what} of {limit:,}: nothing is left"
