"""Rules on references from one noun to another, E1814 to E1824; those of pools and offers stand in ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tehai.domain.offer import Purchase
from tehai.validation.common import shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

_WORKLOADS, _SITES, _POOLS = ("workloads[].id",), ("sites[].id",), ("pools[].id",)


def _unknown(
    named: Iterable[tuple[str, str]], known: Iterable[str], what: str, *, empty_allowed: bool = False
) -> Iterator[Found]:
    """Yield the (path, name) pairs whose name is not known."""
    names = frozenset(known)
    for path, name in named:
        if name not in names and (name or not empty_allowed):
            yield Found(path, f"there is no {what} {shown(name)}")


@rule("E1814", "a workload comes after one that does not exist", "Name a workload of the list.", reads=_WORKLOADS)
def check_e1814_predecessor_unknown(view: ProblemView) -> Iterator[Found]:
    """What a workload waits for exists."""
    named = (
        (f"workloads[{i}].after_workload_ids[{k}]", name)
        for i, workload in enumerate(view.problem.workloads)
        for k, name in enumerate(workload.after_workload_ids)
    )
    yield from _unknown(named, view.workloads, "workload")


@rule("E1815", "the data of a workload lies at a site that does not exist", "Name a site of the list.", reads=_SITES)
def check_e1815_data_site_unknown(view: ProblemView) -> Iterator[Found]:
    """The site of data exists."""
    named = (
        (f"workloads[{i}].data_site_id", workload.data_site_id)
        for i, workload in enumerate(view.problem.workloads)
        if workload.data_site_id is not None
    )
    yield from _unknown(named, view.sites, "site")


@rule(
    "E1816",
    "a workload is ported to an accelerator that does not exist",
    "Name an accelerator of the list.",
    reads=("accelerators[].id",),
)
def check_e1816_porting_accelerator_unknown(view: ProblemView) -> Iterator[Found]:
    """What a workload is ported to exists."""
    named = (
        (f"workloads[{i}].porting[{k}].accelerator_id", porting.accelerator_id)
        for i, workload in enumerate(view.problem.workloads)
        for k, porting in enumerate(workload.porting)
    )
    yield from _unknown(named, view.accelerators, "accelerator")


@rule(
    "E1817",
    "a purchase is owned by a member that does not exist",
    "Name a member of the list, or leave the owner out.",
    reads=("members[].id",),
)
def check_e1817_owner_unknown(view: ProblemView) -> Iterator[Found]:
    """The owner of what is bought exists."""
    named = (
        (f"offers[{i}].purchase.owner_member_id", offer.kind.owner_member_id)
        for i, offer in enumerate(view.problem.offers)
        if isinstance(offer.kind, Purchase)
    )
    yield from _unknown(named, view.members, "member", empty_allowed=True)


@rule(
    "E1818",
    "a concentration limit names an operator of no site",
    "Name the operator_id of a site.",
    reads=("sites[].operator_id",),
)
def check_e1818_limited_operator_unknown(view: ProblemView) -> Iterator[Found]:
    """An operator that is limited operates a site."""
    named = (
        (f"rules.concentration_limits[{i}].operator_id", limit.operator_id)
        for i, limit in enumerate(view.problem.rules.concentration_limits)
    )
    yield from _unknown(named, {site.operator_id for site in view.problem.sites} - {""}, "site of operator")


@rule(
    "E1819",
    "a programme stacks with one that does not exist",
    "Name a programme of the list.",
    reads=("programmes[].id",),
)
def check_e1819_stackable_programme_unknown(view: ProblemView) -> Iterator[Found]:
    """What a programme stacks with exists."""
    named = (
        (f"programmes[{i}].stackable_programme_ids[{k}]", name)
        for i, programme in enumerate(view.problem.programmes)
        for k, name in enumerate(programme.stackable_programme_ids)
    )
    yield from _unknown(named, view.programmes, "programme")


def _claims_made(view: ProblemView, field: str) -> Iterator[tuple[str, str]]:
    for i, programme in enumerate(view.problem.programmes):
        for k, claim in enumerate(programme.claims_made):
            yield f"programmes[{i}].claims_made[{k}].{field}", getattr(claim, field)


@rule(
    "E1820", "a claim was made by a member that does not exist", "Name a member of the list.", reads=("members[].id",)
)
def check_e1820_claimant_unknown(view: ProblemView) -> Iterator[Found]:
    """Who has claimed exists."""
    yield from _unknown(_claims_made(view, "member_id"), view.members, "member")


@rule(
    "E1821",
    "a claim was made for a project that no workload belongs to",
    "Name a project_id (or a workload that is a project of its own), or leave it empty where the project is over.",
    reads=("workloads[].id", "workloads[].project_id"),
)
def check_e1821_claimed_project_unknown(view: ProblemView) -> Iterator[Found]:
    """A project whose cap is used up is one of the problem."""
    projects = {workload.project for workload in view.problem.workloads}
    yield from _unknown(_claims_made(view, "project_id"), projects, "project", empty_allowed=True)


@rule("E1822", "a route joins a site that does not exist", "Name sites of the list.", reads=_SITES)
def check_e1822_route_site_unknown(view: ProblemView) -> Iterator[Found]:
    """Both ends of a route exist."""
    named = (
        (f"routes[{i}].{field}", getattr(route, field))
        for i, route in enumerate(view.problem.routes)
        for field in ("from_site_id", "to_site_id")
    )
    yield from _unknown(named, view.sites, "site")


@rule(
    "E1823",
    "the current plan places a workload that does not exist",
    "Name a workload of the list, or remove the placement.",
    reads=_WORKLOADS,
)
def check_e1823_placed_workload_unknown(view: ProblemView) -> Iterator[Found]:
    """What the current plan places exists."""
    placements = enumerate(view.problem.current_plan.placements)
    named = ((f"current_plan.placements[{i}].workload_id", entry.workload_id) for i, entry in placements)
    yield from _unknown(named, view.workloads, "workload")


@rule(
    "E1824",
    "the current plan uses a pool that does not exist",
    "Name a pool of the list, or remove the placement.",
    reads=_POOLS,
)
def check_e1824_planned_pool_unknown(view: ProblemView) -> Iterator[Found]:
    """Where the current plan places a workload exists."""
    placements = enumerate(view.problem.current_plan.placements)
    named = ((f"current_plan.placements[{i}].pool_id", entry.pool_id) for i, entry in placements)
    yield from _unknown(named, view.pools, "pool")
