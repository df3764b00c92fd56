"""Who may claim from a programme, and for what pool (docs/rules.md, "Claims")."""

from __future__ import annotations

from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Pool
from tehai.domain.workload import Member


def rate_of_member(programme: Programme, member: Member) -> float:
    """Return the largest rate that holds for the member's size class and flags, 0 where none does."""
    return max(
        (
            row.rate_fraction
            for row in programme.kind.rates
            if row.size_class is member.size_class
            and (not row.required_member_flag or row.required_member_flag in member.flags)
        ),
        default=0.0,
    )


def is_pool_eligible(problem: Problem, programme: Programme, pool: Pool) -> bool:
    """Return whether the pool's id and its site's two countries are eligible."""
    site = next(site for site in problem.sites if site.id == pool.site_id)
    grant = programme.kind
    named = not grant.eligible_pool_ids or pool.id in grant.eligible_pool_ids
    return named and grant.eligible_countries.accepts(site.country_code, site.operator_country_code)
