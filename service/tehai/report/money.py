"""The bill by component, site and currency, and cash against budgets."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table

from tehai.domain.plan import BillComponent, Plan
from tehai.domain.result import Breakdown, NamedAmount
from tehai.report.formats import NONE, fiscal_year, million, new_table, percent
from tehai.report.names import Names

_COMPONENTS = {
    BillComponent.ON_DEMAND: "On demand",
    BillComponent.ALLOCATION: "Allocations",
    BillComponent.RESERVATION: "Reservations",
    BillComponent.CAPACITY_BLOCK: "Capacity blocks",
    BillComponent.PURCHASE: "Purchases, share used up",
    BillComponent.ELECTRICITY: "Electricity",
    BillComponent.TRANSFER: "Moving data",
    BillComponent.PORTING: "Porting code",
    BillComponent.GRANT: "Grants",
    BillComponent.CARBON: "Charge on carbon",
    BillComponent.LATENESS: "Charges for late starts",
    BillComponent.CHANGE: "Charges for changes of the plan",
    BillComponent.NOT_RUN: "Charges for not running",
}


def bill_table(names: Names, plan: Plan) -> Table:
    """Return the bill in million yen: a row for each component and currency, a column for each fiscal year."""
    years = sorted({line.fiscal_year for line in plan.bill_lines})
    rate = names.problem.market.discount_rate
    caption = (
        f"Present values on {names.problem.calendar.first_date}, at {percent(float(rate))} a year." if rate else None
    )
    table = new_table(
        "Bill, million yen, tax excluded", ("Component", "Priced in"), (*map(fiscal_year, years), "Total"), caption
    )
    for component, title in _COMPONENTS.items():
        lines = [line for line in plan.bill_lines if line.component is component]
        for currency in sorted({line.currency_code for line in lines}):
            amounts = [
                sum(line.amount_yen for line in lines if (line.fiscal_year, line.currency_code) == (year, currency))
                for year in years
            ]
            table.add_row(title, currency, *map(million, amounts), million(sum(amounts)))
    totals = [sum(line.amount_yen for line in plan.bill_lines if line.fiscal_year == year) for year in years]
    table.add_section()
    table.add_row("Objective", "", *map(million, totals), million(sum(totals)), style="bold")
    return table


def sites_table(names: Names, breakdown: Breakdown) -> Table | None:
    """Return the bill by site; None where there is only one."""
    return _sides("Bill by site, million yen", "Site", breakdown.by_site, names.site)


def currencies_table(breakdown: Breakdown) -> Table | None:
    """Return the bill by the currency of prices; None where there is only one."""
    return _sides("Bill by currency of the price, million yen", "Currency", breakdown.by_currency, str)


def _sides(title: str, what: str, amounts: tuple[NamedAmount, ...], name: Callable[[str], str]) -> Table | None:
    if len(amounts) < 2:
        return None
    total = sum(item.amount_yen for item in amounts)
    table = new_table(title, (what,), ("Amount", "Part"))
    for item in amounts:
        part = percent(item.amount_yen / total) if total > 0 else NONE
        table.add_row(name(item.name), million(item.amount_yen), part)
    table.add_section()
    table.add_row("Objective", million(total), "", style="bold")
    return table


def cash_table(names: Names, plan: Plan) -> Table:
    """Return cash by fiscal year against the portfolio's budgets, then what is paid and received after the horizon."""
    budgets = {budget.fiscal_year: budget.amount_yen for budget in names.problem.rules.portfolio_budgets}
    caption = (
        "Cash is what is paid, nominal, purchases by their instalments, sunk payments of existing capacity included, "
        "less grants when they are paid; it differs from the bill."
    )
    table = new_table(
        "Cash by fiscal year, million yen", ("Fiscal year",), ("Cash", "Budget", "Left", "Used"), caption=caption
    )
    for cash in plan.cash:
        budget = budgets.get(cash.fiscal_year)
        if budget is None:
            table.add_row(fiscal_year(cash.fiscal_year), million(cash.amount_yen), "no limit", NONE, NONE)
        else:
            used = percent(cash.amount_yen / budget if budget else None)
            left = million(budget - cash.amount_yen)
            table.add_row(fiscal_year(cash.fiscal_year), million(cash.amount_yen), million(budget), left, used)
    if plan.obligation_after_horizon_yen or plan.claims_receivable_after_horizon_yen:
        table.add_section()
    if plan.obligation_after_horizon_yen:
        table.add_row("Later: still to pay", million(plan.obligation_after_horizon_yen), "", "", "")
    if plan.claims_receivable_after_horizon_yen:
        table.add_row("Later: grants still to come", million(-plan.claims_receivable_after_horizon_yen), "", "", "")
    return table
