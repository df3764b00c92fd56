"""Twelve monthly re-solves: how much a plan moves from month to month when a change has a price, and what that costs.

python -m benches.rolling                      # the example, 12 months, 25 s a solve
python -m benches.rolling small:6:5            # name:months:seconds

Each month the problem is rolled to the first period of the next month with the plan in force (``tehai roll``), and
solved twice: with a price on each change, and from scratch, where changing is free. The plan with the price goes on to
the next month. One line of JSON for each month, and the table for benches/RESULTS.md at the end.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import date

from benches.cases import EXAMPLE, problem_of
from benches.machine import debug_build_refusal
from tehai.domain.plan import BillComponent, Plan, SolveOptions
from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.result import SolveResult
from tehai.pipeline import solve_problem
from tehai.pipeline_roll import roll

# What a member asks for moving a run that is prepared: a few days of an engineer.
CHANGE_YEN = 300_000
MONTHS, SECONDS = 12, 25.0


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the run; costs in yen without charges for changes."""

    day: str
    workloads: int
    planned: int
    changes_priced: int
    changes_free: int
    cost_priced_yen: int
    cost_free_yen: int
    gap_priced: float | None
    gap_free: float | None

    @property
    def row(self) -> str:
        """The month as a line of a Markdown table."""
        dearer = self.cost_priced_yen / self.cost_free_yen - 1.0 if self.cost_free_yen else 0.0
        gaps = f"{_percent(self.gap_priced)} | {_percent(self.gap_free)}"
        return (
            f"| {self.day} | {self.workloads} | {self.planned} | {self.changes_priced} | {self.changes_free} "
            f"| {self.cost_priced_yen / 1e6:,.1f} | {self.cost_free_yen / 1e6:,.1f} | {100 * dearer:+.2f} % | {gaps} |"
        )


HEAD = (
    "| from | workloads left | planned before | changes, priced | changes, from scratch | cost, priced (M yen) "
    "| cost, from scratch (M yen) | difference | gap, priced | gap, from scratch |\n" + "|---" * 10 + "|"
)


def first_periods_of_months(problem: Problem, months: int) -> list[date]:
    """Return the first day of the first period of each of the next ``months`` months."""
    found: list[date] = []
    first = problem.calendar.date_of(0)
    for period in range(1, problem.calendar.period_count):
        day = problem.calendar.date_of(period)
        last = found[-1] if found else first
        if (day.year, day.month) != (last.year, last.month):
            found.append(day)
    return found[:months]


def changes(problem: Problem, plan: Plan) -> int:
    """Return how many planned, unlocked placements of ``problem.current_plan`` the plan drops or has elsewhere."""
    placed = {placement.workload_id: placement.segments[0] for placement in plan.placements}
    count = 0
    for entry in problem.current_plan.placements:
        segment = placed.get(entry.workload_id)
        same = segment is not None and (segment.pool_id, segment.accelerators, segment.start_date) == (
            entry.pool_id,
            entry.accelerators,
            entry.start_date,
        )
        count += not same
    return count


def run(name: str, months: int, seconds: float) -> list[Month]:
    """Re-solve month by month; prints each month as it is done."""
    problem = problem_of(name)
    options = SolveOptions(time_limit_seconds=seconds)
    plan = solve_problem(problem, options).plan
    rows = []
    for day in first_periods_of_months(problem, months):
        problem = roll(problem, plan, day, change_yen=CHANGE_YEN)
        free = replace(problem, current_plan=_without_price(problem.current_plan))
        priced, scratch = solve_problem(problem, options), solve_problem(free, options)
        planned = sum(not entry.locked for entry in problem.current_plan.placements)
        month = Month(
            day.isoformat(),
            len(problem.workloads),
            planned,
            changes(problem, priced.plan),
            changes(problem, scratch.plan),
            cost_without_changes(priced),
            cost_without_changes(scratch),
            priced.gap,
            scratch.gap,
        )
        print(json.dumps({"changes_priced": month.changes_priced, "day": month.day, "row": month.row}), flush=True)
        rows.append(month)
        plan = priced.plan
    return rows


def cost_without_changes(result: SolveResult) -> int:
    """Return the objective less what is charged for changes, yen."""
    charged = sum(line.amount_yen for line in result.plan.bill_lines if line.component is BillComponent.CHANGE)
    return result.objective_yen - charged


def _without_price(current: CurrentPlan) -> CurrentPlan:
    """Return the plan in force with free changes; what is locked stays locked."""
    placements = tuple(replace(entry, change_yen=0) for entry in current.placements if entry.locked)
    return CurrentPlan(0, placements)


def _percent(gap: float | None) -> str:
    return "-" if gap is None else f"{100 * gap:.2f} %"


def main() -> int:
    """Run what the arguments ask for; 2 for a debug build."""
    refusal = debug_build_refusal()
    if refusal is not None:
        print(refusal, file=sys.stderr)
        return 2
    name, months, seconds = [*(sys.argv[1] if len(sys.argv) > 1 else EXAMPLE).split(":"), "", ""][:3]
    rows = run(name, int(months or MONTHS), float(seconds or SECONDS))
    print(HEAD)
    print("\n".join(month.row for month in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
