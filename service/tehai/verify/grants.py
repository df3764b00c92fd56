"""Who may claim from which programme, what is left of its limits, and which programmes go together."""

from __future__ import annotations

from tehai.domain.offer import Purchase
from tehai.domain.problem import Problem
from tehai.domain.programme import CapitalGrant, Programme, UsageGrant
from tehai.domain.workload import Member, Workload
from tehai.verify.reference import Reference, accepts
from tehai.verify.timeline import window


def member_rate(programme: Programme, member: Member) -> float:
    """Return the largest rate that holds for the member's size class and flags, 0 where none does."""
    rates = (
        rate.rate_fraction
        for rate in programme.kind.rates
        if rate.size_class is member.size_class
        and (rate.required_member_flag == "" or rate.required_member_flag in member.flags)
    )
    return max(rates, default=0.0)


def usage_rate(reference: Reference, programme: Programme, workload: int) -> float:
    """Return the rate for the workload's member and tags, 0 where use of it is not eligible anywhere."""
    grant = programme.kind
    if not isinstance(grant, UsageGrant):
        return 0.0
    tags = reference.problem.workloads[workload].tags
    if grant.eligible_tags and not set(grant.eligible_tags) & set(tags):
        return 0.0
    return member_rate(programme, reference.member_of_workload[workload])


def order_rate(reference: Reference, programme: Programme, purchase: Purchase, pool: int) -> float:
    """Return the rate for the owner of a purchase in a pool, 0 where its orders may not claim."""
    if not isinstance(programme.kind, CapitalGrant) or purchase.owner_member_id == "":
        return 0.0
    if not covers_pool(reference, programme, pool):
        return 0.0
    return member_rate(programme, reference.member_by_id[purchase.owner_member_id])


def covers_pool(reference: Reference, programme: Programme, pool: int) -> bool:
    """Return whether a programme accepts the pool by its id and by its site's two countries."""
    grant = programme.kind
    named = not grant.eligible_pool_ids or reference.problem.pools[pool].id in grant.eligible_pool_ids
    return named and accepts(grant.eligible_countries, reference.site(pool))


def programme_periods(reference: Reference, programme: Programme) -> tuple[int, ...]:
    """Return the periods of the horizon in the programme's window."""
    return window(reference.problem, programme.from_date, programme.until_date)


def project_cap_of(programme: Programme) -> int | None:
    """Return the cap of a project, None without one."""
    return programme.kind.project_cap_yen if isinstance(programme.kind, UsageGrant) else None


def project_cap_left(programme: Programme, project: str) -> float:
    """Return what is left of a project's cap after the claims made, inf without a cap."""
    cap = project_cap_of(programme)
    if cap is None:
        return float("inf")
    made = sum(claim.amount_yen for claim in programme.claims_made if project and claim.project_id == project)
    return float(max(0, cap - made))


def member_cap_left(programme: Programme, member_id: str, year: int) -> float:
    """Return what is left of a member's cap in a fiscal year after the claims made, inf without a cap."""
    if programme.member_cap_yen is None:
        return float("inf")
    made = sum(
        claim.amount_yen
        for claim in programme.claims_made
        if claim.member_id == member_id and claim.fiscal_year == year
    )
    return float(max(0, programme.member_cap_yen - made))


def budget_left(programme: Programme, year: int) -> float:
    """Return what is left of the budget of a fiscal year after the claims made, inf without a budget."""
    listed = [budget.amount_yen for budget in programme.budgets if budget.fiscal_year == year]
    if not listed:
        return float("inf")
    made = sum(claim.amount_yen for claim in programme.claims_made if claim.fiscal_year == year)
    return float(max(0, min(listed) - made))


def stack(first: Programme, second: Programme) -> bool:
    """Return whether one workload may claim from both: usage programmes that name each other."""
    usage = isinstance(first.kind, UsageGrant) and isinstance(second.kind, UsageGrant)
    named = second.id in first.stackable_programme_ids and first.id in second.stackable_programme_ids
    return usage and named


def largest_claim_sets(problem: Problem, programmes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the largest sets of these usage programmes (positions) that stack two by two; none of none.

    Every set that may be claimed from is part of one of them, and a claim is never worth less than nothing.
    """
    partners = {
        r: {q for q in programmes if q != r and stack(problem.programmes[r], problem.programmes[q])} for r in programmes
    }
    found: list[tuple[int, ...]] = []

    def grow(chosen: tuple[int, ...], open_to_all: set[int], done: set[int]) -> None:
        if not open_to_all and not done and chosen:
            found.append(tuple(sorted(chosen)))
        for r in sorted(open_to_all):
            grow((*chosen, r), open_to_all & partners[r], done & partners[r])
            open_to_all = open_to_all - {r}
            done = done | {r}

    grow((), set(programmes), set())
    return tuple(sorted(found))


def projects_of_several(problem: Problem) -> frozenset[str]:
    """Return the projects that have at least two workloads."""
    counts: dict[str, int] = {}
    for workload in problem.workloads:
        name = project_name(workload)
        counts[name] = counts.get(name, 0) + 1
    return frozenset(name for name, count in counts.items() if count > 1)


def project_name(workload: Workload) -> str:
    """Return the project whose cap counts: its id, else that of the workload."""
    return workload.project_id if workload.project_id != "" else workload.id
