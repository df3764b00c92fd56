"""Limits that a problem leaves open.

Some limits are news wherever they are missing: caps and budgets of grants, portfolio budgets, power. Others belong to
few problems (ceilings, carbon, concentration, budgets of members): of those a year is news where other years are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tehai.domain.problem import Problem
from tehai.domain.programme import UsageGrant


def uncapped(problem: Problem) -> tuple[str, ...]:
    """Return the limits that a problem leaves open, for example "programmes/geniac/project_cap_yen"."""
    parts = (_of_programmes(problem), _of_rules(problem), _of_members(problem), _of_sites(problem))
    return tuple(path for part in parts for path in part)


def _of_programmes(problem: Problem) -> Iterator[str]:
    for programme in problem.programmes:
        path = f"programmes/{programme.id}"
        if isinstance(programme.kind, UsageGrant) and programme.kind.project_cap_yen is None:
            yield f"{path}/project_cap_yen"
        listed = {budget.fiscal_year for budget in programme.budgets}
        window = problem.calendar.periods_within(programme.from_date, programme.until_date)
        served = dict.fromkeys(problem.calendar.fiscal_year(t) for t in window)
        yield from (f"{path}/budgets/{year}" for year in served if year not in listed)


def _of_rules(problem: Problem) -> Iterator[str]:
    rules, years = problem.rules, problem.calendar.fiscal_years()
    budgeted = {budget.fiscal_year for budget in rules.portfolio_budgets}
    yield from (f"rules/portfolio_budgets/{year}" for year in years if year not in budgeted)
    yield from _gaps("rules/capital_ceilings", (c.fiscal_year for c in rules.capital_ceilings), years)
    yield from _gaps("rules/carbon_limits", (c.fiscal_year for c in rules.carbon_limits), years)
    for operator in dict.fromkeys(limit.operator_id for limit in rules.concentration_limits):
        limited = (limit.fiscal_year for limit in rules.concentration_limits if limit.operator_id == operator)
        yield from _gaps(f"rules/concentration_limits/{operator}", limited, years)


def _of_members(problem: Problem) -> Iterator[str]:
    years = problem.calendar.fiscal_years()
    for member in problem.members:
        yield from _gaps(f"members/{member.id}/budgets", (budget.fiscal_year for budget in member.budgets), years)


def _of_sites(problem: Problem) -> Iterator[str]:
    return (f"sites/{site.id}/power_limit_kw" for site in problem.sites if site.power_limit_kw is None)


def _gaps(path: str, given: Iterable[int], years: Iterable[int]) -> Iterator[str]:
    """Yield the years that are missing where some are given."""
    listed = set(given)
    if listed:
        yield from (f"{path}/{year}" for year in years if year not in listed)
