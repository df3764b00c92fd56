"""Claims that are made by the day of the roll, and what they mean for caps, budgets and income."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tehai.domain.plan import Claim
from tehai.domain.programme import ClaimMade, Programme
from tehai.domain.workload import Workload
from tehai.explain.claims import payment_year
from tehai.explain.reading import Placed
from tehai.roll.moment import Moment


@dataclass(frozen=True, slots=True)
class MadeClaim:
    """Whole yen claimed for use before the moment, or an order before it."""

    programme_id: str
    project_id: str
    member_id: str
    fiscal_year: int
    amount_yen: int
    for_use: bool


def made_claims(moment: Moment) -> tuple[MadeClaim, ...]:
    """Return what is claimed for use and orders before the moment."""
    return tuple(item for item in (*_of_use(moment), *_of_orders(moment)) if item.amount_yen > 0)


def claims_left(moment: Moment, placed: Placed) -> tuple[Claim, ...]:
    """Return the claims of a placement for its use from the moment on; whole yen, rounded down."""
    left = (replace(claim, amount_yen=_part_left(moment, placed, claim)) for claim in placed.placement.claims)
    return tuple(claim for claim in left if claim.amount_yen > 0)


def income_to_come(moment: Moment, claims: tuple[MadeClaim, ...]) -> dict[int, int]:
    """Return the claims made by the fiscal year in which they are paid, whole yen."""
    programmes, income = moment.reading.programmes, defaultdict[int, int](int)
    for claim in claims:
        income[payment_year(programmes[claim.programme_id], claim.fiscal_year)] += claim.amount_yen
    return income


def rolled_programmes(
    moment: Moment, claims: tuple[MadeClaim, ...], workloads: tuple[Workload, ...]
) -> tuple[Programme, ...]:
    """Return the programmes with their claims made; budgets of years that are over are left out.

    A project that has no workload left has no cap to use up, so its claims carry no project; of years that are over
    those that use up no project's cap are left out.
    """
    projects = {workload.project for workload in workloads}
    return tuple(
        replace(
            programme,
            budgets=moment.still_to_come(programme.budgets),
            claims_made=_made_of(moment, programme, claims, projects),
        )
        for programme in moment.reading.problem.programmes
    )


def _made_of(
    moment: Moment, programme: Programme, claims: tuple[MadeClaim, ...], projects: set[str]
) -> tuple[ClaimMade, ...]:
    """Return all claims made of a programme, one entry for each project, member and year."""
    sums: dict[tuple[str, str, int], int] = defaultdict(int)
    entries = [(item.project_id, item.member_id, item.fiscal_year, item.amount_yen) for item in programme.claims_made]
    entries += [
        (item.project_id, item.member_id, item.fiscal_year, item.amount_yen)
        for item in claims
        if item.programme_id == programme.id
    ]
    for project, member, year, amount in entries:
        kept = project if project in projects else ""
        if kept or year >= moment.fiscal_year:
            sums[kept, member, year] += amount
    return tuple(ClaimMade(*key, amount) for key, amount in sums.items())


def _of_use(moment: Moment) -> Iterator[MadeClaim]:
    for placed in moment.reading.placed:
        for claim in placed.placement.claims:
            made = claim.amount_yen - _part_left(moment, placed, claim)
            workload = placed.workload
            yield MadeClaim(
                claim.programme_id, workload.project, workload.member_id, claim.fiscal_year, made, for_use=True
            )


def _of_orders(moment: Moment) -> Iterator[MadeClaim]:
    for order in moment.reading.plan.purchase_orders:
        owner = getattr(moment.reading.offers[order.offer_id].kind, "owner_member_id", "")
        if order.order_period < moment.period:
            for claim in order.claims:
                yield MadeClaim(claim.programme_id, "", owner, claim.fiscal_year, claim.amount_yen, for_use=False)


def _part_left(moment: Moment, placed: Placed, claim: Claim) -> int:
    """Return the part of a claim that is for use from the moment on, by eligible cost, rounded down."""
    if claim.fiscal_year != moment.fiscal_year:
        return claim.amount_yen if claim.fiscal_year > moment.fiscal_year else 0
    programme, reading = moment.reading.programmes[claim.programme_id], moment.reading
    eligible = placed.hours * moment.references.grant[placed.pool.id]
    window = reading.problem.calendar.periods_within(programme.from_date, programme.until_date)
    inside = [t for t in window if reading.fiscal_years[t] == claim.fiscal_year]
    total = float(eligible[inside].sum())
    left = float(eligible[[t for t in inside if t >= moment.period]].sum())
    return math.floor(claim.amount_yen * left / total) if total > 0 else 0
