"""What each member pays under the prices of a certificate; docs/rules.md, "What each member pays".

Every bound is a sum of terms: one for each workload, one for each offer, and price times limit of each row with a
limit. Terms of workloads and of a member's own rows are the member's; all else is common and divided by share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction

from tehai.domain.certificate import Certificate
from tehai.domain.problem import Problem
from tehai.domain.result import MemberBill
from tehai.explain.lists import list_bill
from tehai.explain.reading import Reading
from tehai.explain.references import References
from tehai.explain.split import round_to_sum
from tehai.verify import BoundParts, bound_parts

# Kinds of rows, as the second opinion names them, whose last subject is the member that they belong to.
OWN_ROWS = ("member_budget", "member_cap")
PROJECT_CAP = "project_cap"


def member_bills(reading: Reading, certificate: Certificate, found: References) -> tuple[MemberBill, ...]:
    """Return the bill of every member, in the order of the problem; they sum to the plan's objective."""
    parts = bound_parts(reading.problem, certificate)
    charges = charged_terms(reading, found, parts)
    lists = _list_bills(reading, found)
    objective = reading.plan.objective_yen
    rest = Fraction(objective) - sum(charges.values(), Fraction(0))
    weights = _fractions(lists) or shares(reading.problem)
    remainders = {name: rest * weights[name] for name in charges}
    bills = round_to_sum({name: charges[name] + remainders[name] for name in charges}, objective)
    rounded_rest = round_to_sum(remainders, round(rest))
    return tuple(
        MemberBill(member.id, bills[member.id], rounded_rest[member.id], round(lists[member.id]))
        for member in reading.problem.members
    )


def charged_terms(reading: Reading, found: References, parts: BoundParts) -> dict[str, Fraction]:
    """Return each member's part of the bound, exact: they sum to the sum of all terms."""
    problem = reading.problem
    share, projects = shares(problem), _project_weights(reading, found)
    charges = {member.id: Fraction(0) for member in problem.members}

    def divide(amount: float, weights: Mapping[str, Fraction]) -> None:
        for name, weight in weights.items():
            charges[name] += Fraction(amount) * weight

    for workload_id, term in parts.workload_terms.items():
        charges[reading.workloads[workload_id].member_id] += Fraction(term)
    for term in parts.supply_terms.values():
        divide(term, share)
    for row in parts.row_terms:
        if row.kind in OWN_ROWS:
            charges[row.subject_ids[-1]] += Fraction(row.amount_yen)
        else:
            divide(row.amount_yen, projects[row.subject_ids[-1]] if row.kind == PROJECT_CAP else share)
    return charges


def shares(problem: Problem) -> dict[str, Fraction]:
    """Return each member's share of what is common, sum 1; where no member gives one, all are equal.

    A member without a share beside others with one has none; shares that do not sum to 1 are taken in proportion.
    """
    given = {member.id: Fraction(member.share_fraction or 0.0) for member in problem.members}
    if all(member.share_fraction is None for member in problem.members) or not any(given.values()):
        return {name: Fraction(1, len(given)) for name in given}
    return _fractions(given)


def _fractions(amounts: Mapping[str, float | Fraction]) -> dict[str, Fraction]:
    """Return amounts as parts of their sum; empty where that is not positive."""
    total = sum((Fraction(amount) for amount in amounts.values()), Fraction(0))
    return {name: Fraction(amount) / total for name, amount in amounts.items()} if total > 0 else {}


def _list_bills(reading: Reading, found: References) -> dict[str, float]:
    """Return the list bill of every member's placed workloads over all years, yen."""
    lists = {member.id: 0.0 for member in reading.problem.members}
    for placed in reading.placed:
        lists[placed.workload.member_id] += sum(list_bill(reading, placed, found).values())
    return lists


def _project_weights(reading: Reading, found: References) -> dict[str, dict[str, Fraction]]:
    """Return the part of each member in each project: by list bill, by workloads where nothing of it is placed."""
    workloads: dict[str, Counter[str]] = defaultdict(Counter)
    lists: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for workload in reading.problem.workloads:
        workloads[workload.project][workload.member_id] += 1
    for placed in reading.placed:
        bill = sum(list_bill(reading, placed, found).values())
        lists[placed.workload.project][placed.workload.member_id] += bill
    return {project: _fractions(lists[project]) or _fractions(dict(count)) for project, count in workloads.items()}
