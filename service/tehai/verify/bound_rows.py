"""The limits of priced rows in the bound: price times limit of each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tehai.domain.offer import Existing
from tehai.verify.grants import budget_left, member_cap_left, project_cap_left
from tehai.verify.prices import Prices
from tehai.verify.reference import Reference


@dataclass(frozen=True, slots=True)
class RowTerm:
    """What one priced limit takes off the bound.

    ``kind`` is one of "power" (all periods of a site: ``price`` is the sum of its prices, ``limit`` kWh of one period),
    "portfolio_budget", "member_budget", "capital_ceiling", "carbon_limit", "waiting", "programme_budget",
    "member_cap" and "project_cap". ``subject_ids`` are the ids it is about: site; member; programme; programme and
    member; programme and project. ``fiscal_year`` is None where the limit is for all years. ``limit`` is what is left
    (after payments or claims made), ``amount_yen`` is -price * limit.
    """

    kind: str
    subject_ids: tuple[str, ...]
    fiscal_year: int | None
    price: float
    limit: float
    amount_yen: float
    size_yen: float


def row_terms(reference: Reference, prices: Prices) -> tuple[RowTerm, ...]:
    """Return one term for each limit that has a price."""
    listed = (*_power_rows(reference, prices), *_yearly_rows(reference, prices), *_claim_rows(reference, prices))
    return tuple(row for row in listed if row.price != 0.0)


def _row(
    kind: str, subjects: tuple[str, ...], year: int | None, price: float, limit: float, gross: float | None = None
) -> RowTerm:
    """Return a term; ``gross`` is the size of the amounts that ``limit`` was computed from."""
    size = price * max(abs(limit), 0.0 if gross is None else gross)
    return RowTerm(kind, subjects, year, price, limit, -price * limit, size)


def _power_rows(reference: Reference, prices: Prices) -> Iterator[RowTerm]:
    """Yield the limits of sites."""
    for j, site in enumerate(reference.problem.sites):
        if site.power_limit_kw is not None:
            price, limit = math.fsum(prices.power[j]), site.power_limit_kw * reference.period_hours
            yield _row("power", (site.id,), None, price, limit)


def sunk_payments(reference: Reference, year: int) -> int:
    """Return what is still paid for existing capacity in a fiscal year of the horizon, 0 in any other."""
    if year not in reference.years:
        return 0
    return sum(
        payment.amount_yen
        for offer in reference.problem.offers
        if isinstance(offer.kind, Existing)
        for payment in offer.kind.payments
        if payment.fiscal_year == year
    )


def _yearly_rows(reference: Reference, prices: Prices) -> Iterator[RowTerm]:
    """Yield the limits of the portfolio and of members' budgets."""
    problem, rules = reference.problem, reference.problem.rules
    for budget in rules.portfolio_budgets:
        year, paid = budget.fiscal_year, sunk_payments(reference, budget.fiscal_year)
        price = prices.budget.get(year, 0.0)
        yield _row(
            "portfolio_budget", (), year, price, float(budget.amount_yen - paid), float(budget.amount_yen + paid)
        )
    for member in problem.members:
        for budget in member.budgets:
            year, limit = budget.fiscal_year, float(budget.amount_yen)
            yield _row("member_budget", (member.id,), year, prices.member_budget.get((member.id, year), 0.0), limit)
    for ceiling in rules.capital_ceilings:
        year, limit = ceiling.fiscal_year, float(ceiling.amount_yen)
        yield _row("capital_ceiling", (), year, prices.capital.get(year, 0.0), limit)
    for rule in rules.carbon_limits:
        yield _row("carbon_limit", (), rule.fiscal_year, prices.carbon.get(rule.fiscal_year, 0.0), rule.mass_kg)
    if rules.total_waiting_periods_max is not None:
        yield _row("waiting", (), None, prices.waiting, float(rules.total_waiting_periods_max))


def _claim_rows(reference: Reference, prices: Prices) -> Iterator[RowTerm]:
    """Yield what is left of the limits of programmes."""
    programmes = {programme.id: programme for programme in reference.problem.programmes}
    for (programme_id, year), price in prices.programme_budget.items():
        left = budget_left(programmes[programme_id], year)
        yield _row("programme_budget", (programme_id,), year, price, left)
    for (programme_id, member_id, year), price in prices.member_cap.items():
        left = member_cap_left(programmes[programme_id], member_id, year)
        yield _row("member_cap", (programme_id, member_id), year, price, left)
    for (programme_id, project), price in prices.project_cap.items():
        left = project_cap_left(programmes[programme_id], project)
        yield _row("project_cap", (programme_id, project), None, price, left)
