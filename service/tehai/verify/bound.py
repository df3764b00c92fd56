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
from tehai.verify.bound_rows import RowTerm, row_terms
from tehai.verify.bound_supply import Term, supply_term
from tehai.verify.certificate import CHECKS
from tehai.verify.prices import Prices, read_prices
from tehai.verify.reference import Reference, build_reference, must_run

ERROR_FRACTION = 2.0**-47


@dataclass(frozen=True, slots=True)
class Bound:
    """A proved bound: exact value but for ``margin_yen``; unplaceable workloads that have to run are left out of it."""

    value: float
    margin_yen: float
    unplaceable_workload_ids: tuple[str, ...]

    @property
    def whole_yen(self) -> int:
        """The bound rounded down to the safe side."""
        return math.floor(self.value - self.margin_yen)


@dataclass(frozen=True, slots=True)
class BoundParts:
    """What the bound is the sum of, yen before rounding.

    ``workload_terms`` by workload id, but for those that have to run and cannot; ``supply_terms`` by offer id;
    ``row_terms`` are the limits that have a price.
    """

    workload_terms: dict[str, float]
    supply_terms: dict[str, float]
    row_terms: tuple[RowTerm, ...]

    @property
    def total(self) -> float:
        """The bound: the sum of all terms."""
        terms = [*self.workload_terms.values(), *self.supply_terms.values()]
        return math.fsum([*terms, *(row.amount_yen for row in self.row_terms)])


def compute_bound(problem: Problem, certificate: Certificate) -> float:
    """Return the bound in yen before rounding; raises ValueError for a certificate with faults of form.

    Schema version and hash are not looked at: any prices of existing rows prove a bound.
    """
    reference = build_reference(problem)
    _refuse_faults(reference, certificate)
    return evaluate_bound(reference, certificate).value


def bound_parts(problem: Problem, certificate: Certificate) -> BoundParts:
    """Return what the bound is the sum of; raises ValueError for a certificate with faults of form."""
    reference = build_reference(problem)
    _refuse_faults(reference, certificate)
    prices = read_prices(reference, certificate)
    workloads, supplies, rows, _ = _terms(reference, prices)
    return BoundParts(
        workload_terms={workload_id: term.value for workload_id, term in workloads.items()},
        supply_terms={offer_id: term.value for offer_id, term in supplies.items()},
        row_terms=rows,
    )


def form_faults(reference: Reference, certificate: Certificate) -> tuple[Violation, ...]:
    """Return the faults that leave no prices to compute with."""
    identity = ("V2601", "V2602")
    found = (item for check in CHECKS for item in check(reference, "", certificate))
    return tuple(item for item in found if item.code not in identity)


def evaluate_bound(reference: Reference, certificate: Certificate) -> Bound:
    """Return the bound of a certificate without faults of form."""
    workloads, supplies, rows, unplaceable = _terms(reference, read_prices(reference, certificate))
    terms = [*workloads.values(), *supplies.values(), *(Term(row.amount_yen, row.size_yen) for row in rows)]
    margin = ERROR_FRACTION * math.fsum(term.size for term in terms)
    return Bound(math.fsum(term.value for term in terms), margin, unplaceable)


def _refuse_faults(reference: Reference, certificate: Certificate) -> None:
    """Raise ValueError for a certificate with faults of form."""
    faults = form_faults(reference, certificate)
    if faults:
        raise ValueError(f"certificate proves nothing: {faults[0].path}: {faults[0].message}")


def _terms(
    reference: Reference, prices: Prices
) -> tuple[dict[str, Term], dict[str, Term], tuple[RowTerm, ...], tuple[str, ...]]:
    """Return the terms of workloads, of offers and of rows, and the workloads that have to run and cannot."""
    workloads, unplaceable = _demand_terms(reference, prices)
    supplies = {offer.id: supply_term(reference, prices, o) for o, offer in enumerate(reference.problem.offers)}
    return workloads, supplies, row_terms(reference, prices), unplaceable


def _demand_terms(reference: Reference, prices: Prices) -> tuple[dict[str, Term], tuple[str, ...]]:
    """Return every workload's cheaper of running and not running, and those that have to run and cannot."""
    cheapest = cheapest_columns(reference, prices)
    terms, unplaceable = {}, []
    for index, workload in enumerate(reference.problem.workloads):
        price, size = float(cheapest.price[index]), float(cheapest.size[index])
        if not must_run(reference, index):
            current = reference.current.get(index)
            cost = float((workload.cost_not_run_yen or 0) + (0 if current is None else current.change_yen))
            terms[workload.id] = Term(min(cost, price), max(cost, size))
        elif price == math.inf:
            unplaceable.append(workload.id)
        else:
            terms[workload.id] = Term(price, size)
    return terms, tuple(unplaceable)
