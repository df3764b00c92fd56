"""Checks of grant claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tehai.domain.plan import Placement
from tehai.domain.programme import Programme
from tehai.domain.violation import Violation
from tehai.verify.case import Case
from tehai.verify.columns import column_hours
from tehai.verify.faults import violation
from tehai.verify.reference import grant_rate, programme_covers_pool, programme_periods, project_name
from tehai.verify.tolerances import TOLERANCES


def _claiming(case: Case) -> Iterator[tuple[int, Placement, Programme]]:
    """Yield (position, placement, programme) of every placement that names a known programme."""
    for i, placement in enumerate(case.plan.placements):
        index = case.reference.programme_index.get(placement.programme_id)
        if index is not None:
            yield i, placement, case.problem.programmes[index]


def check_v2401_unknown_programme(case: Case) -> Iterator[Violation]:
    """A programme that is named is one of the problem."""
    for i, placement in enumerate(case.plan.placements):
        if placement.programme_id and placement.programme_id not in case.reference.programme_index:
            message = f'no programme has the id "{placement.programme_id}"'
            yield violation("V2401", f"placements[{i}].programme_id", message)


def check_v2402_claims_without_programme(case: Case) -> Iterator[Violation]:
    """Only a placement that names a programme claims."""
    for i, placement in enumerate(case.plan.placements):
        if not placement.programme_id and placement.claims:
            total = sum(claim.amount_yen for claim in placement.claims)
            yield violation("V2402", f"placements[{i}].claims", f"expected none, found {total} yen")


def check_v2403_programme_not_open(case: Case) -> Iterator[Violation]:
    """The programme is open to the workload (size class, tags) in the pool (id, countries)."""
    by_position = {item.position: item for item in case.segments}
    for i, placement, programme in _claiming(case):
        item = by_position.get(i)
        if item is None:
            continue
        pool_id = item.segment.pool_id
        if not programme_covers_pool(case.reference, programme, item.pool):
            message = f'"{programme.id}" is not open to pool "{pool_id}"'
            yield violation("V2403", f"placements[{i}].programme_id", message)
        elif grant_rate(case.reference, programme, item.workload) <= 0.0:
            message = f'"{programme.id}" is not open to workload "{placement.workload_id}"'
            yield violation("V2403", f"placements[{i}].programme_id", message)


def check_v2404_claim_years(case: Case) -> Iterator[Violation]:
    """Each claim is for a fiscal year of the horizon, each year once."""
    for i, placement in enumerate(case.plan.placements):
        seen: set[int] = set()
        for k, claim in enumerate(placement.claims):
            path = f"placements[{i}].claims[{k}].fiscal_year"
            if claim.fiscal_year not in case.reference.years:
                years = case.reference.years
                yield violation("V2404", path, f"expected {years[0]} to {years[-1]}, found {claim.fiscal_year}")
            elif claim.fiscal_year in seen:
                yield violation("V2404", path, f"expected {claim.fiscal_year} once, found it again")
            seen.add(claim.fiscal_year)


def check_v2405_claim_negative(case: Case) -> Iterator[Violation]:
    """No claim is negative."""
    for i, placement in enumerate(case.plan.placements):
        for k, claim in enumerate(placement.claims):
            if claim.amount_yen < 0:
                path = f"placements[{i}].claims[{k}].amount_yen"
                yield violation("V2405", path, f"expected 0 or more, found {claim.amount_yen} yen")


def check_v2406_claim_above_eligible(case: Case) -> Iterator[Violation]:
    """The claims of a year stay within rate times hours times grant reference of that year's eligible periods."""
    columns = {column.position: column for column in case.columns}
    reference = case.reference
    for i, placement, programme in _claiming(case):
        column = columns.get(i)
        if column is None:
            continue
        claimed: Counter[int] = Counter()
        cost = column_hours(reference, column) * reference.grant_reference[column.pool]
        rate = grant_rate(reference, programme, column.workload)
        most: dict[int, float] = {}
        for t in programme_periods(reference, programme):
            year = int(reference.fiscal_year[t])
            most[year] = most.get(year, 0.0) + rate * float(cost[t])
        for claim in placement.claims:
            claimed[claim.fiscal_year] += claim.amount_yen
        for year, total in claimed.items():
            limit = most.get(year, 0.0)
            slack = TOLERANCES.claim_absolute.value + TOLERANCES.claim_relative.value * limit
            if total > limit + slack:
                message = f"fiscal year {year}: expected at most {limit:.6f}, found {total} yen"
                yield violation("V2406", f"placements[{i}].claims", message)


def check_v2407_project_cap(case: Case) -> Iterator[Violation]:
    """The claims of a project from a programme over all years stay within its cap."""
    claimed: Counter[tuple[str, str]] = Counter()
    for _, placement, programme in _claiming(case):
        index = case.reference.workload_index.get(placement.workload_id)
        if index is not None:
            project = project_name(case.problem.workloads[index])
            claimed[programme.id, project] += sum(claim.amount_yen for claim in placement.claims)
    for programme in case.problem.programmes:
        cap = programme.kind.project_cap_yen
        for (programme_id, project), total in claimed.items():
            if programme_id == programme.id and cap is not None and total > cap:
                message = f'project "{project}" in "{programme_id}": expected at most {cap}, found {total} yen'
                yield violation("V2407", "placements", message)


def check_v2408_programme_budget(case: Case) -> Iterator[Violation]:
    """The claims of a programme in a fiscal year stay within its budget."""
    claimed: Counter[tuple[str, int]] = Counter()
    for _, placement, programme in _claiming(case):
        for claim in placement.claims:
            claimed[programme.id, claim.fiscal_year] += claim.amount_yen
    for programme in case.problem.programmes:
        for budget in programme.kind.budgets:
            total = claimed[programme.id, budget.fiscal_year]
            if total > budget.amount_yen:
                where = f'"{programme.id}" in fiscal year {budget.fiscal_year}'
                yield violation(
                    "V2408", "placements", f"{where}: expected at most {budget.amount_yen}, found {total} yen"
                )


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2401_unknown_programme,
    check_v2402_claims_without_programme,
    check_v2403_programme_not_open,
    check_v2404_claim_years,
    check_v2405_claim_negative,
    check_v2406_claim_above_eligible,
    check_v2407_project_cap,
    check_v2408_programme_budget,
)
