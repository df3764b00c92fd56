"""Rows over fiscal years as arrays: work, budgets, ceilings, carbon and waiting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Existing, Purchase
from tehai.domain.problem import Problem
from tehai.engine.market_arrays import FloatArray
from tehai.engine.pool_arrays import sites_of_pools

SOLVER_TOLERANCE_YEN = 2.0
# Cash that rounding can make of nothing.
NOTHING_YEN = 0.5


@dataclass(frozen=True)
class WorkRow:
    """A row over normalised work of one fiscal year: an operator's limit, or the domestic share (empty operator)."""

    fiscal_year: int
    operator_id: str
    share_fraction: float


def work_rows(problem: Problem) -> tuple[WorkRow, ...]:
    """Return the rows over normalised work in the horizon: domestic shares, then concentration limits."""
    years, rules = problem.calendar.fiscal_years(), problem.rules
    rows = [WorkRow(row.fiscal_year, "", row.share_fraction) for row in rules.minimum_domestic_shares]
    rows += [WorkRow(row.fiscal_year, row.operator_id, row.share_fraction) for row in rules.concentration_limits]
    return tuple(row for row in rows if row.fiscal_year in years)


def rule_arrays(problem: Problem, rows: tuple[WorkRow, ...], set_size: int) -> dict[str, Any]:
    """Return the rows of the whole portfolio and of members; ``set_size`` is the size of the largest claim set."""
    years, rules = problem.calendar.fiscal_years(), problem.rules
    budgets = by_year(rules.portfolio_budgets, years) - _sunk_payments(problem, years)
    carbon = np.full(len(years), np.inf)
    for row in rules.carbon_limits:
        if row.fiscal_year in years:
            carbon[years.index(row.fiscal_year)] = row.mass_kg
    waiting = rules.total_waiting_periods_max
    member_budgets = np.array([by_year(member.budgets, years) for member in problem.members], dtype=np.float64)
    member_budgets = member_budgets.reshape(len(problem.members), len(years))
    claims = _claims_of_members(problem, set_size)
    return {
        "work_row_year": np.array([years.index(row.fiscal_year) for row in rows], dtype=np.int64),
        "work_row_coefficient": _work_coefficients(problem, rows),
        "budget_yen": budgets,
        "plan_budget_yen": spendable(budgets, float(claims.sum()) + _claims_of_orders(problem)),
        "member_budget_yen": member_budgets,
        "plan_member_budget_yen": spendable(member_budgets, claims[:, None]),
        "capital_yen": by_year(rules.capital_ceilings, years),
        "carbon_kg": carbon,
        "waiting_periods": np.inf if waiting is None else float(waiting),
    }


def by_year(rows: Iterable[FiscalYearAmount], years: tuple[int, ...]) -> FloatArray:
    """Return amounts by fiscal year of the horizon, infinite where none is listed, (Y,)."""
    listed = {row.fiscal_year: float(row.amount_yen) for row in rows}
    return np.array([listed.get(year, np.inf) for year in years], dtype=np.float64)


def spendable(budgets: FloatArray, claim_count: FloatArray | float) -> FloatArray:
    """Return what a plan may spend of budgets.

    Claims are rounded down to the yen one by one, and the integer solver keeps rows to about a yen. A budget smaller
    than that still admits plans that spend nothing.
    """
    kept: FloatArray = np.maximum(budgets - (SOLVER_TOLERANCE_YEN + claim_count), np.minimum(budgets, NOTHING_YEN))
    return kept


def _sunk_payments(problem: Problem, years: tuple[int, ...]) -> FloatArray:
    """Return what is still to be paid for existing capacity, by fiscal year."""
    paid = np.zeros(len(years))
    for offer in problem.offers:
        if isinstance(offer.kind, Existing):
            for row in offer.kind.payments:
                if row.fiscal_year in years:
                    paid[years.index(row.fiscal_year)] += row.amount_yen
    return paid


def _claims_of_members(problem: Problem, set_size: int) -> FloatArray:
    """Return how many claims of one payment year the workloads of each member can have, (M,)."""
    index = {member.id: m for m, member in enumerate(problem.members)}
    counts = np.zeros(len(problem.members))
    if problem.programmes:
        for workload in problem.workloads:
            counts[index[workload.member_id]] += set_size
    return counts


def _claims_of_orders(problem: Problem) -> float:
    """Return how many orders with a claim there can be: not more than units of owned purchases."""
    if not problem.programmes:
        return 0.0
    owned = [o.kind for o in problem.offers if isinstance(o.kind, Purchase) and o.kind.owner_member_id]
    each = problem.calendar.period_count * len(problem.programmes)
    return float(sum(min(kind.units_max, each) for kind in owned))


def _work_coefficients(problem: Problem, rows: tuple[WorkRow, ...]) -> FloatArray:
    """Return the coefficient of work in each pool; the rows say that the sum is at most 0, (K, P)."""
    sites, domestic = sites_of_pools(problem), problem.rules.domestic
    coefficients = np.zeros((len(rows), len(sites)))
    for k, row in enumerate(rows):
        for p, site in enumerate(sites):
            if row.operator_id:
                coefficients[k, p] = float(site.operator_id == row.operator_id) - row.share_fraction
            else:
                home = domestic.accepts(site.country_code, site.operator_country_code)
                coefficients[k, p] = row.share_fraction - float(home)
    return coefficients
