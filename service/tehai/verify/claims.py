"""Checks of claims for use; the limits that use and orders have in common are in ``claim_limits``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from tehai.domain.plan import Claim
from tehai.domain.programme import Programme, UsageGrant
from tehai.domain.violation import Violation
from tehai.verify.case import Case, Placed
from tehai.verify.columns import column_hours, hours_by_year
from tehai.verify.faults import violation
from tehai.verify.grants import covers_pool, programme_periods, stack, usage_rate
from tehai.verify.tolerances import TOLERANCES


def all_claims(case: Case) -> Iterator[tuple[str, Claim]]:
    """Yield (path, claim) of every claim of placements and of orders."""
    for i, placement in enumerate(case.plan.placements):
        for k, claim in enumerate(placement.claims):
            yield f"placements[{i}].claims[{k}]", claim
    for i, order in enumerate(case.plan.purchase_orders):
        for k, claim in enumerate(order.claims):
            yield f"purchase_orders[{i}].claims[{k}]", claim


def find_programme(case: Case, claim: Claim) -> Programme | None:
    """Return the programme that a claim names, None where there is none."""
    index = case.reference.programme_index.get(claim.programme_id)
    return None if index is None else case.problem.programmes[index]


def claimed_programmes(case: Case, claims: tuple[Claim, ...]) -> tuple[Programme, ...]:
    """Return the known programmes that are claimed from, each once; a claim of nothing does not count."""
    found = {claim.programme_id: find_programme(case, claim) for claim in claims if claim.amount_yen != 0}
    return tuple(programme for programme in found.values() if programme is not None)


def _placement_claims(case: Case) -> Iterator[tuple[str, Placed, Claim, Programme]]:
    """Yield (path, placement, claim, programme) of every claim of a placement that can be read."""
    for item in case.placed:
        for k, claim in enumerate(item.placement.claims):
            programme = find_programme(case, claim)
            if programme is not None:
                yield f"placements[{item.position}].claims[{k}]", item, claim, programme


def check_v2401_unknown_programme(case: Case) -> Iterator[Violation]:
    """A programme that is claimed from is one of the problem."""
    for path, claim in all_claims(case):
        if find_programme(case, claim) is None:
            yield violation("V2401", f"{path}.programme_id", f'no programme has the id "{claim.programme_id}"')


def check_v2403_programme_not_open(case: Case) -> Iterator[Violation]:
    """The programme pays for use and is open to the workload (member, tags) in the pool (id, countries)."""
    for path, item, claim, programme in _placement_claims(case):
        if not isinstance(programme.kind, UsageGrant):
            yield violation("V2403", f"{path}.programme_id", f'"{claim.programme_id}" pays for purchases')
        elif not covers_pool(case.reference, programme, item.pool):
            message = f'"{programme.id}" is not open to pool "{case.problem.pools[item.pool].id}"'
            yield violation("V2403", f"{path}.programme_id", message)
        elif usage_rate(case.reference, programme, item.workload) <= 0.0:
            message = f'"{programme.id}" is not open to workload "{item.placement.workload_id}"'
            yield violation("V2403", f"{path}.programme_id", message)


def check_v2404_claim_years(case: Case) -> Iterator[Violation]:
    """Each claim is for a fiscal year of the horizon, each programme and year once."""
    years = case.reference.years
    claims = [(f"placements[{i}]", item.claims) for i, item in enumerate(case.plan.placements)]
    claims += [(f"purchase_orders[{i}]", item.claims) for i, item in enumerate(case.plan.purchase_orders)]
    for owner, listed in claims:
        seen: set[tuple[str, int]] = set()
        for k, claim in enumerate(listed):
            path, key = f"{owner}.claims[{k}].fiscal_year", (claim.programme_id, claim.fiscal_year)
            if claim.fiscal_year not in years:
                yield violation("V2404", path, f"expected {years[0]} to {years[-1]}, found {claim.fiscal_year}")
            elif key in seen:
                yield violation("V2404", path, f"expected {claim.fiscal_year} once, found it again")
            seen.add(key)


def check_v2405_claim_negative(case: Case) -> Iterator[Violation]:
    """No claim is negative."""
    for path, claim in all_claims(case):
        if claim.amount_yen < 0:
            yield violation("V2405", f"{path}.amount_yen", f"expected 0 or more, found {claim.amount_yen} yen")


def check_v2406_claim_above_eligible(case: Case) -> Iterator[Violation]:
    """The claims of a year stay within rate times hours times grant reference of that year's eligible periods."""
    columns = {column.position: column for column in case.columns}
    reference = case.reference
    inside = {}
    for programme in case.problem.programmes:
        inside[programme.id] = np.zeros(reference.period_count)
        inside[programme.id][list(programme_periods(reference, programme))] = 1.0
    claimed: Counter[tuple[int, str, int]] = Counter()
    for _, item, claim, programme in _placement_claims(case):
        claimed[item.position, programme.id, claim.fiscal_year] += claim.amount_yen
    for (position, programme_id, year), total in claimed.items():
        column = columns.get(position)
        if column is None:
            continue
        programme = case.problem.programmes[reference.programme_index[programme_id]]
        cost = column_hours(reference, column) * reference.grant_reference[column.pool] * inside[programme_id]
        eligible = hours_by_year(reference, cost).get(year, 0.0)
        limit = usage_rate(reference, programme, column.workload) * eligible
        slack = TOLERANCES.claim_absolute.value + TOLERANCES.claim_relative.value * limit
        if total > limit + slack:
            where = f'"{programme_id}" in fiscal year {year}'
            message = f"{where}: expected at most {limit:.6f}, found {total} yen"
            yield violation("V2406", f"placements[{position}].claims", message)


def check_v2409_no_stack(case: Case) -> Iterator[Violation]:
    """A placement claims from several programmes only where each two name each other."""
    for item in case.placed:
        for first, second in combinations(claimed_programmes(case, item.placement.claims), 2):
            if not stack(first, second):
                message = f'expected one of "{first.id}" and "{second.id}", found both'
                yield violation("V2409", f"placements[{item.position}].claims", message)


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2401_unknown_programme,
    check_v2403_programme_not_open,
    check_v2404_claim_years,
    check_v2405_claim_negative,
    check_v2406_claim_above_eligible,
    check_v2409_no_stack,
)
