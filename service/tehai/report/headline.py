"""The answer in a few lines, and how to read it."""

from __future__ import annotations

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tehai.domain.plan import StopReason
from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult, SolveStatus
from tehai.report.formats import percent, yen

_STATUS = {
    SolveStatus.FEASIBLE: "a plan that keeps every rule",
    SolveStatus.OPTIMAL: "the best plan there is, to the accuracy asked for",
    SolveStatus.MANDATORY_MISSED: "NOT A FULL PLAN: a workload that has to run is not placed",
    SolveStatus.INFEASIBLE: "NOT A FULL PLAN: a workload that has to run has no legal place even alone",
}
_STOP = {
    StopReason.GAP_REACHED: "the gap asked for was reached",
    StopReason.TIME_LIMIT: "the time limit was reached",
    StopReason.WORK_LIMIT: "the work limit was reached",
    StopReason.CANCELLED: "it was told to stop",
    StopReason.OPTIMAL: "plan and bound agree",
    StopReason.EXHAUSTED: "every column that could improve the plan was tried to the end",
}


def headline(problem: Problem, result: SolveResult) -> Panel:
    """Return cost, bound and gap, what was placed, and one sentence on how far the plan can be from the best."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(result):
        table.add_row(name, value)
    table.add_row("", "")
    table.add_row("How to read it", Text(how_to_read(result)))
    title = f"{problem.display_name or 'Plan'}: {_STATUS[result.status]}"
    return Panel(table, title=Text(title), title_align="left", box=box.ROUNDED)


def _rows(result: SolveResult) -> list[tuple[str, str]]:
    charges = result.objective_yen - result.plan_cost_yen
    return [
        ("Objective", f"{yen(result.objective_yen)}  what is minimised: cost less grants, with charges"),
        ("Plan cost", f"{yen(result.plan_cost_yen)}  without {yen(charges)} of lateness, not-run and change charges"),
        ("Lower bound", f"{yen(result.lower_bound_yen)}  no plan of this problem costs less"),
        ("Gap", f"{percent(result.gap, 2)} of the objective, {percent(result.gap_on_bill, 2)} of the plan cost"),
        ("Workloads", f"{result.workloads_placed} placed, {result.workloads_not_run} not run"),
        ("Check", "passed: plan and bound re-computed independently" if result.verified else "FAILED"),
        ("After the end", _after_the_end(result)),
        (
            "Solve",
            f"{result.solve_seconds:.1f} s, {result.peak_memory_mb:,.0f} MB; ended because {_STOP[result.stop_reason]}",
        ),
    ]


def _after_the_end(result: SolveResult) -> str:
    plan = result.plan
    text = f"{yen(plan.obligation_after_horizon_yen)} still to pay for what is ordered"
    receivable = plan.claims_receivable_after_horizon_yen
    return f"{text}, {yen(receivable)} of grants still to come" if receivable else text


def how_to_read(result: SolveResult) -> str:
    """Return one sentence on what the bound proves about this plan."""
    if result.status in (SolveStatus.INFEASIBLE, SolveStatus.MANDATORY_MISSED) or result.gap is None:
        return "A gap has no meaning here; see the workloads that are not run."
    if result.objective_gap_yen == 0:
        return "Plan and bound agree to the yen: there is no cheaper plan."
    if result.stop_reason is StopReason.EXHAUSTED:
        return (
            "Every placement that could still improve the plan was tried to the end, and nothing cheaper was found. "
            f"The bound, which `tehai verify` re-computes, proves less: at most {yen(result.objective_gap_yen)} can "
            "still be saved."
        )
    return (
        f"Whatever else is tried, at most {yen(result.objective_gap_yen)} can still be saved under these rules and "
        "prices. The bound is a proof that `tehai verify` re-computes from the saved plan file."
    )
