"""The lower bound that a certificate proves, computed again from problem and prices alone.

Rounding. Every amount is a double; sums over workloads, offers and rows are exact (math.fsum). ``margin_yen`` is
``ERROR_FRACTION`` times the sum of the sizes of all terms, where a size is at least every intermediate amount of its
term (prefix sums over the whole horizon included). The arithmetic of one term loses at most a few dozen units of
2**-53 of its size, so the true value lies within the margin, and ``whole_yen`` is rounded to the safe side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tehai.domain.certificate import Certificate
from tehai.domain.problem import Problem
from tehai.domain.violation import Violation
from tehai.verify.bound_columns import cheapest_columns
from tehai.verify.bound_supply import Term, supply_term
from tehai.verify.certificate import CHECKS, Prices, read_prices
from tehai.verify.reference import Reference, build_reference

ERROR_FRACTION = 2.0**-47


@dataclass(frozen=True, slots=True)
class Bound:
    """A proved bound: exact value but for ``margin_yen``; unplaceable mandatory workloads are left out of it."""

    value: float
    margin_yen: float
    unplaceable_workload_ids: tuple[str, ...]

    @property
    def whole_yen(self) -> int:
        """The bound rounded down to the safe side."""
        return math.floor(self.value - self.margin_yen)


def compute_bound(problem: Problem, certificate: Certificate) -> float:
    """Return the bound in yen before rounding; raises ValueError for a certificate with faults of form.

    Schema version and hash are not looked at: any prices of existing rows prove a bound.
    """
    reference = build_reference(problem)
    faults = form_faults(reference, certificate)
    if faults:
        raise ValueError(f"certificate proves nothing: {faults[0].path}: {faults[0].message}")
    return evaluate_bound(reference, certificate).value


def form_faults(reference: Reference, certificate: Certificate) -> tuple[Violation, ...]:
    """Return the faults that leave no prices to compute with."""
    identity = ("V2601", "V2602")
    found = (item for check in CHECKS for item in check(reference, "", certificate))
    return tuple(item for item in found if item.code not in identity)


def evaluate_bound(reference: Reference, certificate: Certificate) -> Bound:
    """Return the bound of a certificate without faults of form."""
    prices = read_prices(reference, certificate)
    terms, unplaceable = _demand_terms(reference, prices)
    terms += [supply_term(reference, prices, o) for o in range(len(reference.problem.offers))]
    terms += _row_terms(reference, prices)
    margin = ERROR_FRACTION * math.fsum(term.size for term in terms)
    return Bound(math.fsum(term.value for term in terms), margin, unplaceable)


def _demand_terms(reference: Reference, prices: Prices) -> tuple[list[Term], tuple[str, ...]]:
    """Return every workload's cheaper of running and not running, and the mandatory ones that cannot run."""
    cheapest = cheapest_columns(reference, prices)
    terms, unplaceable = [], []
    for index, workload in enumerate(reference.problem.workloads):
        price, size = float(cheapest.price[index]), float(cheapest.size[index])
        if workload.cost_not_run_yen is not None:
            cost = float(workload.cost_not_run_yen)
            terms.append(Term(min(cost, price), max(cost, size)))
        elif price == math.inf:
            unplaceable.append(workload.id)
        else:
            terms.append(Term(price, size))
    return terms, tuple(unplaceable)


def _row_terms(reference: Reference, prices: Prices) -> list[Term]:
    """Return price times limit of every priced row that has one."""
    problem = reference.problem
    amounts = [
        math.fsum(prices.power[j]) * site.power_limit_kw * reference.period_hours
        for j, site in enumerate(problem.sites)
        if site.power_limit_kw is not None
    ]
    amounts += [prices.budget.get(item.fiscal_year, 0.0) * item.amount_yen for item in problem.rules.portfolio_budgets]
    amounts += [
        prices.programme_budget.get((programme.id, budget.fiscal_year), 0.0) * budget.amount_yen
        for programme in problem.programmes
        for budget in programme.kind.budgets
    ]
    for (programme_id, _), price in prices.project_cap.items():
        cap = problem.programmes[reference.programme_index[programme_id]].kind.project_cap_yen
        amounts.append(price * (cap or 0))
    return [Term(-amount, amount) for amount in amounts]
