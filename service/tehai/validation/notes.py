"""What is allowed and still worth knowing about a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tehai.domain.offer import Allocation, Existing, Purchase
from tehai.domain.problem import FigureStatus, Problem
from tehai.validation.capacity import largest_capacity_of
from tehai.validation.notes_on_grants import (
    capital_grants_without_orders,
    claims_over_limits,
    flags_of_nobody,
    programmes_outside,
)
from tehai.validation.notes_on_order import placements_given_up, precedences_never_kept
from tehai.validation.placement import unplaceable
from tehai.validation.uncapped import uncapped

# Notes of one kind; further ones are counted.
NOTES_PER_KIND_MAX = 100
PATHS_MAX = 200


def notes(problem: Problem) -> tuple[str, ...]:
    """Return one sentence for each thing worth knowing about a valid problem; nothing here is wrong."""
    nowhere = {workload.workload_id: workload.reason for workload in unplaceable(problem)}
    kinds = (
        list(_workloads_that_run_nowhere(problem, nowhere)),
        list(precedences_never_kept(problem, nowhere)),
        list(placements_given_up(problem)),
        list(_workloads_free_to_drop(problem)),
        list(_offers_never_live(problem)),
        list(_deliveries_after_life(problem)),
        list(_years_without_effect(problem)),
        list(programmes_outside(problem)),
        list(capital_grants_without_orders(problem)),
        list(flags_of_nobody(problem)),
        list(claims_over_limits(problem)),
        list(_limits_left_open(problem)),
        list(_figures_by_status(problem)),
    )
    return tuple(note for kind in kinds for note in _first_ones(kind))


def _first_ones(sentences: Sequence[str]) -> Iterator[str]:
    yield from sentences[:NOTES_PER_KIND_MAX]
    if len(sentences) > NOTES_PER_KIND_MAX:
        yield f"and {len(sentences) - NOTES_PER_KIND_MAX:,} more like the last"


def _workloads_that_run_nowhere(problem: Problem, nowhere: dict[str, str]) -> Iterator[str]:
    locked = {entry.workload_id for entry in problem.current_plan.placements if entry.locked}
    for workload in problem.workloads:
        if workload.id in nowhere:
            must = " and is mandatory" if workload.mandatory else " and is locked" if workload.id in locked else ""
            yield f"workloads/{workload.id} can run nowhere{must}: {nowhere[workload.id]}"


def _workloads_free_to_drop(problem: Problem) -> Iterator[str]:
    locked = {entry.workload_id for entry in problem.current_plan.placements if entry.locked}
    for workload in problem.workloads:
        if workload.cost_not_run_yen == 0 and workload.id not in locked:
            yield f"workloads/{workload.id} costs nothing when it is not run, so it will hardly be run"


def _offers_never_live(problem: Problem) -> Iterator[str]:
    for offer in problem.offers:
        if not largest_capacity_of(problem.calendar, offer).any():
            yield f"offers/{offer.id} can never be live within the horizon"


def _deliveries_after_life(problem: Problem) -> Iterator[str]:
    for offer in problem.offers:
        if not isinstance(offer.kind, Purchase):
            continue
        steps = offer.kind.delivery_steps
        if steps[-1].periods_after_order >= steps[0].periods_after_order + offer.kind.life_periods:
            yield f"offers/{offer.id} delivers after the end of its life, which counts from the first delivery"


def _years_without_effect(problem: Problem) -> Iterator[str]:
    """Hours granted and payments due outside the horizon are allowed: contracts do not end with it."""
    years = frozenset(problem.calendar.fiscal_years())
    for offer in problem.offers:
        if isinstance(offer.kind, Allocation):
            yield from (
                f"offers/{offer.id} has hours of fiscal year {quota.fiscal_year}, outside the horizon"
                for quota in offer.kind.quotas
                if quota.fiscal_year not in years
            )
        elif isinstance(offer.kind, Existing):
            yield from (
                f"offers/{offer.id} has a payment of fiscal year {payment.fiscal_year}, outside the horizon"
                for payment in offer.kind.payments
                if payment.fiscal_year not in years
            )


def _limits_left_open(problem: Problem) -> Iterator[str]:
    paths = uncapped(problem)
    if paths:
        more = f" and {len(paths) - PATHS_MAX:,} more" if len(paths) > PATHS_MAX else ""
        yield f"limits left open: {', '.join(paths[:PATHS_MAX])}{more}"


def _figures_by_status(problem: Problem) -> Iterator[str]:
    counts = Counter(note.status for note in problem.source_notes)
    if counts:
        listed = ", ".join(f"{counts[status]:,} {status.value}" for status in FigureStatus if counts[status])
        yield f"figures by status of their source: {listed}"
