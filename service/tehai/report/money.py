"""The bill by component and fiscal year, and cash against budgets."""

from __future__ import annotations

from rich.table import Table

from tehai.domain.plan import BillComponent, Plan
from tehai.report.formats import NONE, fiscal_year, million, new_table, percent
from tehai.report.names import Names

_COMPONENTS = {
    BillComponent.ON_DEMAND: "On demand",
    BillComponent.RESERVATION: "Reservations",
    BillComponent.PURCHASE: "Purchases, share used up",
    BillComponent.ELECTRICITY: "Electricity",
    BillComponent.GRANT: "Grants",
    BillComponent.LATENESS: "Charges for late starts",
    BillComponent.NOT_RUN: "Charges for not running",
}


def bill_table(plan: Plan) -> Table:
    """Return the bill in million yen: a row for each component and currency, a column for each fiscal year."""
    years = sorted({line.fiscal_year for line in plan.bill_lines})
    table = new_table(
        "Bill, million yen, tax excluded", ("Component", "Priced in"), (*map(fiscal_year, years), "Total")
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


def cash_table(names: Names, plan: Plan) -> Table:
    """Return cash by fiscal year, less grants earned, against the portfolio's budgets."""
    budgets = {budget.fiscal_year: budget.amount_yen for budget in names.problem.rules.portfolio_budgets}
    caption = "Cash is what is paid, purchases in full, less grants earned; it differs from the bill."
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
    return table
