"""How the plan stands against the rules: shares of work, other limits, claims against budgets and caps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.table import Table

from tehai.domain.market import FiscalYearAmount
from tehai.explain.claims import claim_uses, claims_of_plan
from tehai.explain.reading import Reading
from tehai.explain.references import references
from tehai.explain.usage import carbon_used, instalments, member_budget_used, waited_periods, work_by_year
from tehai.report.formats import MILLION, NONE, fiscal_year, hours, million, new_table, percent
from tehai.report.names import Names, shown


@dataclass(frozen=True)
class LimitUse:
    """One limit: what of, in which year, in which unit, how much of it is used."""

    name: str
    year: str
    unit: str
    used: float
    limit: float


def domestic_table(names: Names, reading: Reading) -> Table | None:
    """Return the domestic share of the work in each fiscal year against its minimum; None where nothing runs."""
    least = {row.fiscal_year: row.share_fraction for row in names.problem.rules.minimum_domestic_shares}
    work = work_by_year(reading)
    if not any(year.total for year in work.values()):
        return None
    table = new_table(
        "Domestic share of work, thousand normalised accelerator-hours",
        ("Fiscal year",),
        ("Work", "Domestic", "Share", "Minimum"),
    )
    for year, done in work.items():
        share = percent(done.domestic / done.total if done.total else None)
        table.add_row(fiscal_year(year), hours(done.total), hours(done.domestic), share, percent(least.get(year)))
    return table


def limits_table(names: Names, reading: Reading) -> Table | None:
    """Return what is used of each other limit of the rules and the members; None where there is no such limit."""
    rows = limit_uses(names, reading)
    if not rows:
        return None
    table = new_table("Limits", ("Limit", "Fiscal year", "In"), ("Used", "Limit", "Of it"))
    for row in rows:
        part = percent(row.used / row.limit) if row.limit else NONE
        table.add_row(row.name, row.year, row.unit, f"{row.used:,.1f}", f"{row.limit:,.1f}", part)
    return table


def limit_uses(names: Names, reading: Reading) -> list[LimitUse]:
    """Return operators' shares, capital ceilings, carbon, members' budgets and waiting against their limits."""
    rules = names.problem.rules
    work, kg = work_by_year(reading), carbon_used(reading)
    rows = []
    for limit in rules.concentration_limits:
        done = work[limit.fiscal_year]
        part = done.by_operator.get(limit.operator_id, 0.0) / done.total * 100 if done.total else 0.0
        name = f"Work at sites of {limit.operator_id}"
        rows.append(LimitUse(name, fiscal_year(limit.fiscal_year), "% of work", part, limit.share_fraction * 100))
    rows += _money("Paid for purchases", rules.capital_ceilings, instalments(reading))
    for mass in rules.carbon_limits:
        used = kg[mass.fiscal_year] / 1000
        rows.append(LimitUse("Carbon dioxide", fiscal_year(mass.fiscal_year), "tonnes", used, mass.mass_kg / 1000))
    if any(member.budgets for member in names.problem.members):
        billed = member_budget_used(reading, references(names.problem))
        for member in names.problem.members:
            rows += _money(f"List bill less grants of {shown(member)}", member.budgets, billed[member.id])
    if rules.total_waiting_periods_max is not None:
        waited, most = float(waited_periods(reading)), float(rules.total_waiting_periods_max)
        rows.append(LimitUse("Waiting of all workloads together", NONE, "periods", waited, most))
    return rows


def _money(name: str, limits: tuple[FiscalYearAmount, ...], used: dict[int, float]) -> list[LimitUse]:
    return [
        LimitUse(
            name,
            fiscal_year(item.fiscal_year),
            "million yen",
            used.get(item.fiscal_year, 0.0) / MILLION,
            item.amount_yen / MILLION,
        )
        for item in limits
    ]


def grants_table(names: Names, reading: Reading) -> Table | None:
    """Return grants claimed by programme and fiscal year against budgets; None where there is nothing to say."""
    claimed: Counter[tuple[str, int]] = Counter()
    for claim in claims_of_plan(reading):
        claimed[claim.programme_id, claim.fiscal_year] += claim.amount_yen
    table = new_table(
        "Grants claimed, million yen", ("Programme", "Fiscal year"), ("Claimed", "Before", "Budget", "Used")
    )
    for programme in names.problem.programmes:
        budgets = {budget.fiscal_year: budget.amount_yen for budget in programme.budgets}
        for year in names.problem.calendar.fiscal_years():
            amount, budget = claimed[programme.id, year], budgets.get(year)
            if not amount and budget is None:
                continue
            made = sum(item.amount_yen for item in programme.claims_made if item.fiscal_year == year)
            limit = "no limit" if budget is None else million(budget)
            used = percent((amount + made) / budget if budget else None)
            table.add_row(shown(programme), fiscal_year(year), million(amount), million(made), limit, used)
    return table if table.rows else None


def caps_table(names: Names, reading: Reading) -> Table | None:
    """Return what projects and members claim against their caps; None where there is no such cap."""
    table = new_table(
        "Grants against caps, million yen",
        ("Programme", "Of", "Fiscal year"),
        ("Claimed", "Before", "Cap", "Used"),
    )
    for use in claim_uses(reading):
        _, programme, kind, name, *year = use.limit.split("/")
        if kind == "budgets":
            continue
        who = f"project {name}" if kind == "projects" else names.member(name)
        used = percent((use.claimed_yen + use.made_yen) / use.limit_yen) if use.limit_yen else NONE
        figures = map(million, (use.claimed_yen, use.made_yen, use.limit_yen))
        when = fiscal_year(int(year[0])) if year else "all"
        table.add_row(shown(names.programmes[programme]), who, when, *figures, used)
    return table if table.rows else None
