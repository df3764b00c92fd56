"""Claims of a plan against caps and budgets, and when they are paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tehai.domain.calendar import FISCAL_YEAR_FIRST_MONTH, fiscal_year_of
from tehai.domain.programme import Programme, UsageGrant
from tehai.domain.result import ClaimUse
from tehai.explain.reading import Reading


@dataclass(frozen=True, slots=True)
class ClaimOfPlan:
    """Whole yen that a plan claims; ``project_id`` and ``site_id`` say for what, ``member_id`` is empty of nobody."""

    programme_id: str
    project_id: str
    member_id: str
    site_id: str
    fiscal_year: int
    amount_yen: int


def payment_year(programme: Programme, fiscal_year: int) -> int:
    """Return the fiscal year in which a claim of ``fiscal_year`` is paid."""
    end = date(fiscal_year + 1, FISCAL_YEAR_FIRST_MONTH, 1) - timedelta(days=1)
    return fiscal_year_of(end + timedelta(days=programme.payment_lag_days))


def claims_of_plan(reading: Reading) -> Iterator[ClaimOfPlan]:
    """Yield the claims of placements, then those of orders."""
    for placed in reading.placed:
        workload, site = placed.workload, placed.site.id
        for claim in placed.placement.claims:
            yield ClaimOfPlan(
                claim.programme_id, workload.project, workload.member_id, site, claim.fiscal_year, claim.amount_yen
            )
    for order in reading.plan.purchase_orders:
        offer = reading.offers[order.offer_id]
        owner, site = getattr(offer.kind, "owner_member_id", ""), reading.site_of_pool(offer.pool_id).id
        for claim in order.claims:
            yield ClaimOfPlan(claim.programme_id, "", owner, site, claim.fiscal_year, claim.amount_yen)


def claim_uses(reading: Reading) -> tuple[ClaimUse, ...]:
    """Return what is claimed, before the horizon and in it, against every budget, and every cap that is claimed on.

    A cap that nothing is claimed against is left out: there is one for each project and each member's year.
    """
    by_year: Counter[tuple[str, int]] = Counter()
    by_project: Counter[tuple[str, str]] = Counter()
    by_member: Counter[tuple[str, str, int]] = Counter()
    for claim in claims_of_plan(reading):
        by_year[claim.programme_id, claim.fiscal_year] += claim.amount_yen
        by_project[claim.programme_id, claim.project_id] += claim.amount_yen
        by_member[claim.programme_id, claim.member_id, claim.fiscal_year] += claim.amount_yen
    uses: list[ClaimUse] = []
    for programme in reading.problem.programmes:
        uses += _budgets(programme, by_year)
        uses += _projects(programme, by_project)
        uses += _members(programme, by_member)
    return tuple(uses)


def _budgets(programme: Programme, claimed: Counter[tuple[str, int]]) -> Iterator[ClaimUse]:
    for budget in programme.budgets:
        year = budget.fiscal_year
        made = sum(claim.amount_yen for claim in programme.claims_made if claim.fiscal_year == year)
        yield ClaimUse(
            f"programmes/{programme.id}/budgets/{year}", claimed[programme.id, year], made, budget.amount_yen
        )


def _projects(programme: Programme, claimed: Counter[tuple[str, str]]) -> Iterator[ClaimUse]:
    if not isinstance(programme.kind, UsageGrant) or programme.kind.project_cap_yen is None:
        return
    made: Counter[str] = Counter()
    for claim in programme.claims_made:
        if claim.project_id:
            made[claim.project_id] += claim.amount_yen
    projects = {project for name, project in claimed if name == programme.id} | set(made)
    for project in sorted(projects):
        amount = claimed[programme.id, project]
        if amount or made[project]:
            limit = f"programmes/{programme.id}/projects/{project}"
            yield ClaimUse(limit, amount, made[project], programme.kind.project_cap_yen)


def _members(programme: Programme, claimed: Counter[tuple[str, str, int]]) -> Iterator[ClaimUse]:
    if programme.member_cap_yen is None:
        return
    made: Counter[tuple[str, int]] = Counter()
    for claim in programme.claims_made:
        made[claim.member_id, claim.fiscal_year] += claim.amount_yen
    keys = {(member, year) for name, member, year in claimed if name == programme.id} | set(made)
    for member, year in sorted(keys):
        amount = claimed[programme.id, member, year]
        if amount or made[member, year]:
            limit = f"programmes/{programme.id}/members/{member}/{year}"
            yield ClaimUse(limit, amount, made[member, year], programme.member_cap_yen)
