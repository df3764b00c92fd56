"""Where each workload runs, and which do not run."""

from __future__ import annotations

from datetime import timedelta

from rich.table import Table

from tehai.domain.plan import Placement, Plan
from tehai.domain.result import SolveResult
from tehai.report.formats import NONE, million, new_table
from tehai.report.names import Names, shown


def workloads_table(names: Names, plan: Plan) -> Table:
    """Return one row for each placed workload, by start."""
    table = new_table(
        "Workloads placed",
        ("Workload", "Member", "Pool", "Start", "End"),
        ("Gang", "Hours", "Late", "Grant"),
        "Gang: accelerators. Late: periods between release and start. Grant: million yen.",
    )
    rows = sorted(plan.placements, key=lambda placement: (placement.segments[0].start_period, placement.workload_id))
    for placement in rows:
        _add(table, names, placement)
    return table


def _add(table: Table, names: Names, placement: Placement) -> None:
    """Add one placement; the end is the day on which its last hour is."""
    workload, calendar = names.workloads[placement.workload_id], names.problem.calendar
    first, last = placement.segments[0], placement.segments[-1]
    start_hours = last.start_period * calendar.period_hours + last.run_hours
    end = calendar.first_date + timedelta(days=max(0, -(-int(start_hours * 3600) // 86_400) - 1))
    release = max(0, calendar.first_period_from(workload.release_date))
    late = first.start_period - release
    grant = sum(claim.amount_yen for claim in placement.claims)
    pools = ", ".join(dict.fromkeys(shown(names.pools[segment.pool_id]) for segment in placement.segments))
    run_hours = sum(segment.run_hours for segment in placement.segments)
    texts = (shown(workload), workload.member_id, pools, first.start_date.isoformat(), end.isoformat())
    table.add_row(*texts, f"{first.accelerators:,}", f"{run_hours:,.0f}", str(late) if late else NONE, million(grant))


def not_run_table(names: Names, result: SolveResult) -> Table | None:
    """Return the workloads that do not run, with their charge and what is known of the reason; None where all run."""
    if not result.plan.not_run_workload_ids:
        return None
    reasons = {workload.workload_id: workload.reason for workload in result.unplaceable_workloads}
    table = new_table("Workloads not run, million yen", ("Workload", "Member", "Reason"), ("Charge",))
    for workload_id in result.plan.not_run_workload_ids:
        workload = names.workloads[workload_id]
        charge = "has to run" if workload.cost_not_run_yen is None else million(workload.cost_not_run_yen)
        reason = reasons.get(workload_id, "its charge is paid instead of capacity, in this plan")
        table.add_row(shown(workload), workload.member_id, reason, charge)
    return table
