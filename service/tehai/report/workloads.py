"""Where each workload runs, and which do not run."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from rich.table import Table

from tehai.domain.plan import Placement, Plan
from tehai.domain.result import SolveResult
from tehai.explain.reading import segment_end
from tehai.report.formats import NONE, million, new_table
from tehai.report.names import Names, shown


def workloads_table(names: Names, plan: Plan) -> Table:
    """Return one row for each placed workload, by start; pauses have a column where there are any."""
    pauses = any(len(placement.segments) > 1 for placement in plan.placements)
    caption = "Gang: accelerators. Late: periods between release and start. Grant: million yen."
    if pauses:
        caption += " Pauses: first and last day of each."
    texts = ("Workload", "Member", "Pool", "Start", "End", *(("Pauses",) if pauses else ()))
    table = new_table("Workloads placed", texts, ("Gang", "Hours", "Late", "Grant"), caption)
    rows = sorted(plan.placements, key=lambda placement: (placement.segments[0].start_period, placement.workload_id))
    for placement in rows:
        _add(table, names, placement, pauses=pauses)
    return table


def _add(table: Table, names: Names, placement: Placement, *, pauses: bool) -> None:
    """Add one placement; the end is the day on which its last hour is."""
    workload, calendar = names.workloads[placement.workload_id], names.problem.calendar
    first, last = placement.segments[0], placement.segments[-1]
    start_hours = last.start_period * calendar.period_hours + last.run_hours
    end = calendar.first_date + timedelta(days=max(0, -(-int(start_hours * 3600) // 86_400) - 1))
    release = max(0, calendar.first_period_from(workload.release_date))
    late = first.start_period - release
    grant = sum(claim.amount_yen for claim in placement.claims)
    run_hours = sum(segment.run_hours for segment in placement.segments)
    pool = shown(names.pools[first.pool_id])
    texts = [shown(workload), workload.member_id, pool, first.start_date.isoformat(), end.isoformat()]
    if pauses:
        texts.append(_pauses(names, placement))
    table.add_row(*texts, f"{first.accelerators:,}", f"{run_hours:,.0f}", str(late) if late else NONE, million(grant))


def _pauses(names: Names, placement: Placement) -> str:
    """Return the first and the last day of each pause."""
    calendar = names.problem.calendar
    found = []
    for one, other in pairwise(placement.segments):
        begin = calendar.date_of(segment_end(one, calendar.period_hours))
        found.append(f"{begin.isoformat()} to {(other.start_date - timedelta(days=1)).isoformat()}")
    return "; ".join(found) or NONE


def changes_table(names: Names, plan: Plan) -> Table | None:
    """Return the workloads of the current plan that the new one places elsewhere, or not at all; None without any."""
    current = names.problem.current_plan
    placed = {placement.workload_id: placement for placement in plan.placements}
    table = new_table("Changes against the current plan, million yen", ("Workload", "Was", "Is"), ("Charge",))
    for was in current.placements:
        now = placed.get(was.workload_id)
        before = (was.pool_id, was.accelerators, was.start_date)
        first = now.segments[0] if now else None
        after = (first.pool_id, first.accelerators, first.start_date) if first else None
        if after == before:
            continue
        charge = current.change_yen if was.change_yen is None else was.change_yen
        texts = (
            shown(names.workloads[was.workload_id]),
            _where(names, *before),
            _where(names, *after) if after else "not run",
        )
        table.add_row(*texts, million(charge))
    return table if table.rows else None


def _where(names: Names, pool_id: str, accelerators: int, start: date) -> str:
    return f"{accelerators:,} in {shown(names.pools[pool_id])} from {start.isoformat()}"


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
