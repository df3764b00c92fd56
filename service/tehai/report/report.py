"""The whole report, in the order in which one reads it."""

from __future__ import annotations

from rich.console import Group, RenderableType

from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult
from tehai.explain.reading import Reading
from tehai.report.commitments import commitments_table
from tehai.report.formats import spread
from tehai.report.headline import headline
from tehai.report.members import members_table
from tehai.report.money import bill_table, cash_table, currencies_table, sites_table
from tehai.report.names import Names
from tehai.report.occupancy import occupancies
from tehai.report.prices import prices_table
from tehai.report.rules import caps_table, domestic_table, grants_table, limits_table
from tehai.report.sources import assumptions_table, sources_line, uncapped_line
from tehai.report.supply import pools_table
from tehai.report.workloads import changes_table, not_run_table, workloads_table


def report(problem: Problem, result: SolveResult) -> RenderableType:
    """Return the report of a verified result on its problem; parts that have nothing to say are left out."""
    names, plan, breakdown = Names(problem), result.plan, result.breakdown
    reading = Reading(problem, plan)
    use = occupancies(reading)
    parts = (
        workloads_table(names, plan),
        not_run_table(names, result),
        changes_table(names, plan),
        pools_table(names, reading, use),
        bill_table(names, plan),
        sites_table(names, breakdown) if breakdown else None,
        currencies_table(breakdown) if breakdown else None,
        members_table(names, breakdown) if breakdown else None,
        cash_table(names, plan),
        commitments_table(names, plan),
        domestic_table(names, reading),
        limits_table(names, reading),
        grants_table(names, reading),
        caps_table(names, reading),
        prices_table(names, result, use),
        assumptions_table(problem),
        sources_line(problem),
        uncapped_line(result),
        # Last, so that it stands right above the prompt.
        headline(problem, result),
    )
    return Group(*(spread(part) for part in parts if part is not None))
