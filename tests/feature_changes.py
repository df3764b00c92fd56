"""Ways to change every offer, workload, … of a problem, and what a drop of a feature is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tehai.domain.offer import Offer, OfferKind, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme, UsageGrant
from tehai.domain.supply import Pool, Site
from tehai.domain.workload import Member, Workload
from tests.oracle import Row


@dataclass(frozen=True, slots=True)
class Drop:
    """How a feature is taken away: a change of the problem, or rows left out of the model."""

    problem: Callable[[Problem], Problem]
    without: frozenset[Row] = frozenset()

    def touches(self, problem: Problem) -> bool:
        """Return whether the drop changes anything at all."""
        return bool(self.without) or self.problem(problem) != problem


def each_offer(problem: Problem, change: Callable[[Offer], Offer | None]) -> Problem:
    """Return the problem with every offer changed; None takes it away."""
    changed = (change(offer) for offer in problem.offers)
    return replace(problem, offers=tuple(offer for offer in changed if offer is not None))


def each_kind(problem: Problem, change: Callable[[OfferKind], OfferKind | None]) -> Problem:
    """Return the problem with every offer's kind changed; None takes the offer away."""

    def change_offer(offer: Offer) -> Offer | None:
        kind = change(offer.kind)
        return None if kind is None else replace(offer, kind=kind)

    return each_offer(problem, change_offer)


def each_reservation(problem: Problem, change: Callable[[Reservation], Reservation | None]) -> Problem:
    """Return the problem with every reservation changed."""
    return each_kind(problem, lambda kind: change(kind) if isinstance(kind, Reservation) else kind)


def each_purchase(problem: Problem, change: Callable[[Purchase], Purchase | None]) -> Problem:
    """Return the problem with every purchase changed."""
    return each_kind(problem, lambda kind: change(kind) if isinstance(kind, Purchase) else kind)


def each_workload(problem: Problem, change: Callable[[Workload], Workload]) -> Problem:
    """Return the problem with every workload changed."""
    return replace(problem, workloads=tuple(change(workload) for workload in problem.workloads))


def each_programme(problem: Problem, change: Callable[[Programme], Programme | None]) -> Problem:
    """Return the problem with every programme changed; None takes it away."""
    changed = (change(programme) for programme in problem.programmes)
    return replace(problem, programmes=tuple(programme for programme in changed if programme is not None))


def each_usage_grant(problem: Problem, change: Callable[[UsageGrant], UsageGrant]) -> Problem:
    """Return the problem with every grant on use changed."""

    def changed(programme: Programme) -> Programme:
        kind = programme.kind
        return replace(programme, kind=change(kind)) if isinstance(kind, UsageGrant) else programme

    return each_programme(problem, changed)


def each_site(problem: Problem, change: Callable[[Site], Site]) -> Problem:
    """Return the problem with every site changed."""
    return replace(problem, sites=tuple(change(site) for site in problem.sites))


def each_pool(problem: Problem, change: Callable[[Pool], Pool]) -> Problem:
    """Return the problem with every pool changed."""
    return replace(problem, pools=tuple(change(pool) for pool in problem.pools))


def each_member(problem: Problem, change: Callable[[Member], Member]) -> Problem:
    """Return the problem with every member changed."""
    return replace(problem, members=tuple(change(member) for member in problem.members))


def with_rules(problem: Problem, **parts: Any) -> Problem:  # noqa: ANN401
    """Return the problem with some of its rules replaced."""
    return replace(problem, rules=replace(problem.rules, **parts))


def with_market(problem: Problem, **parts: Any) -> Problem:  # noqa: ANN401
    """Return the problem with some figures of its market replaced."""
    return replace(problem, market=replace(problem.market, **parts))
