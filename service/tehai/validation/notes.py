"""What is allowed and still worth knowing about a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tehai.domain.offer import Purchase
from tehai.domain.problem import FigureStatus, Problem
from tehai.validation.capacity import largest_capacity_of
from tehai.validation.placement import unplaceable

# Notes of one kind; further ones are counted.
NOTES_PER_KIND_MAX = 100
PATHS_MAX = 200


def notes(problem: Problem) -> tuple[str, ...]:
    """Return one sentence for each thing worth knowing about a valid problem; nothing here is wrong."""
    kinds = (
        list(_workloads_that_run_nowhere(problem)),
        list(_workloads_free_to_drop(problem)),
        list(_offers_never_live(problem)),
        list(_deliveries_after_life(problem)),
        list(_programmes_outside(problem)),
        list(_limits_left_open(problem)),
        list(_figures_by_status(problem)),
    )
    return tuple(note for kind in kinds for note in _first_ones(kind))


def _first_ones(sentences: Sequence[str]) -> Iterator[str]:
    yield from sentences[:NOTES_PER_KIND_MAX]
    if len(sentences) > NOTES_PER_KIND_MAX:
        yield f"and {len(sentences) - NOTES_PER_KIND_MAX:,} more like the last"


def _workloads_that_run_nowhere(problem: Problem) -> Iterator[str]:
    mandatory = {workload.id for workload in problem.workloads if workload.mandatory}
    for workload in unplaceable(problem):
        what = " and is mandatory" if workload.workload_id in mandatory else ""
        yield f"workloads/{workload.workload_id} can run nowhere{what}: {workload.reason}"


def _workloads_free_to_drop(problem: Problem) -> Iterator[str]:
    for workload in problem.workloads:
        if workload.cost_not_run_yen == 0:
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


def _programmes_outside(problem: Problem) -> Iterator[str]:
    for programme in problem.programmes:
        if not problem.calendar.periods_within(programme.from_date, programme.until_date):
            yield f"programmes/{programme.id} has no period of the horizon in its window"


def _limits_left_open(problem: Problem) -> Iterator[str]:
    paths = uncapped(problem)
    if paths:
        more = f" and {len(paths) - PATHS_MAX:,} more" if len(paths) > PATHS_MAX else ""
        yield f"limits left open: {', '.join(paths[:PATHS_MAX])}{more}"


def uncapped(problem: Problem) -> tuple[str, ...]:
    """Return the limits that a problem leaves open, for example "programmes/geniac/project_cap_yen"."""
    years = problem.calendar.fiscal_years()
    open_limits = []
    for programme in problem.programmes:
        window = problem.calendar.periods_within(programme.from_date, programme.until_date)
        path = f"programmes/{programme.id}"
        if programme.kind.project_cap_yen is None:
            open_limits.append(f"{path}/project_cap_yen")
        listed = {budget.fiscal_year for budget in programme.kind.budgets}
        served = dict.fromkeys(problem.calendar.fiscal_year(t) for t in window)
        open_limits += [f"{path}/budgets/{year}" for year in served if year not in listed]
    budgeted = {budget.fiscal_year for budget in problem.rules.portfolio_budgets}
    open_limits += [f"rules/portfolio_budgets/{year}" for year in years if year not in budgeted]
    open_limits += [f"sites/{site.id}/power_limit_kw" for site in problem.sites if site.power_limit_kw is None]
    return tuple(open_limits)


def _figures_by_status(problem: Problem) -> Iterator[str]:
    counts = Counter(note.status for note in problem.source_notes)
    if counts:
        listed = ", ".join(f"{counts[status]:,} {status.value}" for status in FigureStatus if counts[status])
        yield f"figures by status of their source: {listed}"
