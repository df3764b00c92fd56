"""Checks of what several placements or orders claim together: caps, budgets, exclusive programmes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tehai.domain.offer import Purchase
from tehai.domain.plan import Claim
from tehai.domain.violation import Violation
from tehai.verify.case import Case
from tehai.verify.claims import all_claims, claimed_programmes
from tehai.verify.faults import violation
from tehai.verify.grants import budget_left, member_cap_left, project_cap_left, project_cap_of, project_name
from tehai.verify.orders import kind_of


def _claimants(case: Case) -> Iterator[tuple[str, str, str, tuple[Claim, ...]]]:
    """Yield (path, member id, project, claims) of placements and of orders; an order has no project."""
    for i, placement in enumerate(case.plan.placements):
        index = case.reference.workload_index.get(placement.workload_id)
        if index is not None:
            workload = case.problem.workloads[index]
            yield f"placements[{i}].claims", workload.member_id, project_name(workload), placement.claims
    for i, order in enumerate(case.plan.purchase_orders):
        kind = kind_of(case.reference, order.offer_id)
        if isinstance(kind, Purchase):
            yield f"purchase_orders[{i}].claims", kind.owner_member_id, "", order.claims


def check_v2407_project_cap(case: Case) -> Iterator[Violation]:
    """The claims of a project from a programme over all years stay within what is left of its cap."""
    claimed: Counter[tuple[str, str]] = Counter()
    for _, _, project, claims in _claimants(case):
        for claim in claims if project else ():
            claimed[claim.programme_id, project] += claim.amount_yen
    for programme in case.problem.programmes:
        if project_cap_of(programme) is None:
            continue
        for (programme_id, project), total in claimed.items():
            left = project_cap_left(programme, project)
            if programme_id == programme.id and total > left:
                message = f'project "{project}" in "{programme_id}": expected at most {left:.0f}, found {total} yen'
                yield violation("V2407", "placements", message)


def check_v2408_programme_budget(case: Case) -> Iterator[Violation]:
    """The claims of a programme in a fiscal year stay within what is left of its budget."""
    claimed: Counter[tuple[str, int]] = Counter()
    for _, claim in all_claims(case):
        claimed[claim.programme_id, claim.fiscal_year] += claim.amount_yen
    for programme in case.problem.programmes:
        for budget in programme.budgets:
            total, left = claimed[programme.id, budget.fiscal_year], budget_left(programme, budget.fiscal_year)
            if total > left:
                where = f'"{programme.id}" in fiscal year {budget.fiscal_year}'
                yield violation("V2408", "placements", f"{where}: expected at most {left:.0f}, found {total} yen")


def check_v2410_exclusive_for_project(case: Case) -> Iterator[Violation]:
    """The workloads of a project claim from at most one programme of each exclusivity group."""
    used = _used_of_groups(case, _project)
    for (project, group), programmes in used.items():
        message = f'project "{project}" expected one programme of "{group}", found {" and ".join(programmes)}'
        yield violation("V2410", "placements", message)


def check_v2411_member_cap(case: Case) -> Iterator[Violation]:
    """The claims of a member from a programme in a fiscal year stay within what is left of its cap."""
    claimed: Counter[tuple[str, str, int]] = Counter()
    for _, member_id, _, claims in _claimants(case):
        for claim in claims:
            claimed[claim.programme_id, member_id, claim.fiscal_year] += claim.amount_yen
    for (programme_id, member_id, year), total in claimed.items():
        index = case.reference.programme_index.get(programme_id)
        if index is None:
            continue
        left = member_cap_left(case.problem.programmes[index], member_id, year)
        if total > left:
            where = f'member "{member_id}" in "{programme_id}" in fiscal year {year}'
            yield violation("V2411", "placements", f"{where}: expected at most {left:.0f}, found {total} yen")


def check_v2425_exclusive_for_owner(case: Case) -> Iterator[Violation]:
    """The orders of an owner, whatever the offer, claim from at most one programme of each exclusivity group."""
    used = _used_of_groups(case, _owner)
    for (owner, group), programmes in used.items():
        message = f'owner "{owner}" expected one programme of "{group}", found {" and ".join(programmes)}'
        yield violation("V2425", "purchase_orders", message)


def _project(member_id: str, project: str) -> str:
    """Return the project that claims."""
    del member_id
    return project


def _owner(member_id: str, project: str) -> str:
    """Return the owner that claims, none where a project does."""
    return "" if project else member_id


def _used_of_groups(case: Case, claimant: Callable[[str, str], str]) -> dict[tuple[str, str], list[str]]:
    """Return the programmes of each (claimant, exclusivity group) that claims from several; "" is no claimant."""
    used: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for _, member_id, project, claims in _claimants(case):
        who = claimant(member_id, project)
        for programme in claimed_programmes(case, claims) if who else ():
            if programme.exclusivity_group:
                used[who, programme.exclusivity_group].add(programme.id)
    return {key: sorted(programmes) for key, programmes in used.items() if len(programmes) > 1}


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2407_project_cap,
    check_v2408_programme_budget,
    check_v2410_exclusive_for_project,
    check_v2411_member_cap,
    check_v2425_exclusive_for_owner,
)
