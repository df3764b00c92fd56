"""The whole report, in the order in which one reads it."""

from __future__ import annotations

from rich.console import Group, RenderableType

from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult
from tehai.report.commitments import commitments_table
from tehai.report.formats import spread
from tehai.report.headline import headline
from tehai.report.money import bill_table, cash_table
from tehai.report.names import Names
from tehai.report.occupancy import occupancies
from tehai.report.prices import prices_table
from tehai.report.rules import domestic_table, grants_table, project_claims_table
from tehai.report.sources import assumptions_table, sources_line, uncapped_line
from tehai.report.supply import pools_table
from tehai.report.workloads import not_run_table, workloads_table


def report(problem: Problem, result: SolveResult) -> RenderableType:
    """Return the report of a verified result on its problem; parts that have nothing to say are left out."""
    names, plan = Names(problem), result.plan
    use = occupancies(problem, plan)
    parts = (
        workloads_table(names, plan),
        not_run_table(names, result),
        pools_table(names, use),
        bill_table(plan),
        cash_table(names, plan),
        commitments_table(names, plan),
        domestic_table(names, plan),
        grants_table(names, plan),
        project_claims_table(names, plan),
        prices_table(names, result, use),
        assumptions_table(problem),
        sources_line(problem),
        uncapped_line(result),
        # Last, so that it stands right above the prompt.
        headline(problem, result),
    )
    return Group(*(spread(part) for part in parts if part is not None))
