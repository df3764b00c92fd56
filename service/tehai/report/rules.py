"""How the plan stands against the rules: domestic share, grants against budgets and caps."""

from __future__ import annotations

from collections import defaultdict

from rich.table import Table

from tehai.domain.plan import Plan
from tehai.report.formats import NONE, fiscal_year, hours, million, new_table, percent
from tehai.report.names import Names, shown
from tehai.report.occupancy import by_fiscal_year, segment_hours, work_of


def domestic_work(names: Names, plan: Plan) -> dict[int, tuple[float, float]]:
    """Return (domestic, all) normalised accelerator-hours of work by fiscal year; docs/rules.md, row 4."""
    problem, calendar = names.problem, names.problem.calendar
    totals = dict.fromkeys(calendar.fiscal_years(), (0.0, 0.0))
    for placement in plan.placements:
        work = work_of(names.workloads[placement.workload_id], problem)
        spread = [
            (names.is_domestic(segment.pool_id), segment_hours(segment, calendar.period_hours, calendar.period_count))
            for segment in placement.segments
        ]
        all_hours = sum(float(values.sum()) for _, values in spread)
        for domestic, values in spread:
            for year, amount in by_fiscal_year(values, problem).items():
                part = work * amount / all_hours if all_hours else 0.0
                inside, total = totals[year]
                totals[year] = (inside + part * domestic, total + part)
    return totals


def domestic_table(names: Names, plan: Plan) -> Table:
    """Return the domestic share of the work in each fiscal year against its minimum."""
    least = {row.fiscal_year: row.share_fraction for row in names.problem.rules.minimum_domestic_shares}
    table = new_table(
        "Domestic share of work, thousand normalised accelerator-hours",
        ("Fiscal year",),
        ("Work", "Domestic", "Share", "Minimum"),
    )
    for year, (inside, total) in domestic_work(names, plan).items():
        share = percent(inside / total if total else None)
        table.add_row(fiscal_year(year), hours(total), hours(inside), share, percent(least.get(year)))
    return table


def grants_table(names: Names, plan: Plan) -> Table | None:
    """Return grants claimed by programme and fiscal year against budgets; None without programmes."""
    if not names.problem.programmes:
        return None
    claimed: dict[tuple[str, int], int] = defaultdict(int)
    for placement in plan.placements:
        for claim in placement.claims:
            claimed[placement.programme_id, claim.fiscal_year] += claim.amount_yen
    table = new_table("Grants claimed, million yen", ("Programme", "Fiscal year"), ("Claimed", "Budget", "Used"))
    for programme in names.problem.programmes:
        budgets = {budget.fiscal_year: budget.amount_yen for budget in programme.kind.budgets}
        for year in names.problem.calendar.fiscal_years():
            amount, budget = claimed[programme.id, year], budgets.get(year)
            if not amount and budget is None:
                continue
            limit = "no limit" if budget is None else million(budget)
            used = percent(amount / budget if budget else None)
            table.add_row(shown(programme), fiscal_year(year), million(amount), limit, used)
    return table


def project_claims_table(names: Names, plan: Plan) -> Table | None:
    """Return what each project claims in all against its cap; None where nothing is claimed."""
    claimed: dict[tuple[str, str], int] = defaultdict(int)
    for placement in plan.placements:
        if placement.programme_id:
            project = names.workloads[placement.workload_id].project
            claimed[placement.programme_id, project] += sum(claim.amount_yen for claim in placement.claims)
    if not claimed:
        return None
    table = new_table("Grants by project, million yen", ("Programme", "Project"), ("Claimed", "Cap", "Used"))
    for (programme_id, project), amount in sorted(claimed.items()):
        cap = names.programmes[programme_id].kind.project_cap_yen
        limit = "no cap" if cap is None else million(cap)
        used = percent(amount / cap) if cap else NONE
        table.add_row(shown(names.programmes[programme_id]), project, million(amount), limit, used)
    return table
