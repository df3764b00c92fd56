"""What one more unit of each scarce thing would be worth: the prices of the certificate in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from tehai.domain.certificate import PricePath
from tehai.domain.result import Breakdown, SolveResult
from tehai.report.formats import NONE, fiscal_year, new_table
from tehai.report.names import Names, shown
from tehai.report.occupancy import PoolOccupancy

ROWS_MAX = 12
# Prices that would print as zero are left out.
PRICE_MIN = 0.005
_OF_A_PERIOD = ("pools", "sites", "precedences")
_PLAIN = {
    "portfolio_budgets": "Portfolio budget",
    "capital_ceilings": "Capital ceiling",
    "minimum_domestic_shares": "Minimum domestic share",
    "carbon_limits": "Carbon limit",
    "total_waiting_periods_max": "Waiting of all workloads together",
}
_ONE_MORE = {
    "yen per yen": "yen",
    "yen per kg": "kg",
    "yen per period": "period",
    "yen per normalised hour": "normalised accelerator-hour",
}


@dataclass(frozen=True)
class Worth:
    """A scarce thing, what one unit more of it saves at most, where it saves most."""

    thing: str
    unit: str
    average_yen: float
    highest_yen: float
    highest_in: str


def prices_table(names: Names, result: SolveResult, use: Mapping[str, PoolOccupancy]) -> Table | None:
    """Return the pools with the highest prices, then every other limit that has one; None where nothing is scarce."""
    pools = sorted(_pools(names, result, use), key=lambda worth: -worth.average_yen)[:ROWS_MAX]
    rows = [*pools, *_sites(names, result), *_rows(names, result.breakdown)]
    if not rows:
        return None
    caption = (
        "From the certificate, for a small change: what the plan would save at most with one unit more. For a pool it "
        "is the price below which more accelerator-hours there are worth negotiating for; its average is over its use."
    )
    table = new_table("Prices worth negotiating, yen", ("What", "One more"), ("Average", "Highest", "In"), caption)
    for row in rows:
        average = NONE if np.isnan(row.average_yen) else f"{row.average_yen:,.2f}"
        table.add_row(row.thing, row.unit, average, f"{row.highest_yen:,.2f}", row.highest_in)
    return table


def _pools(names: Names, result: SolveResult, use: Mapping[str, PoolOccupancy]) -> list[Worth]:
    found = []
    for path in result.certificate.capacity_prices:
        hours = use[path.subject_id].placed_hours
        if hours.any() and max(path.values, default=0) > PRICE_MIN:
            average = float(np.average(np.asarray(path.values), weights=hours))
            found.append(_path(names, path, shown(names.pools[path.subject_id]), "accelerator-hour", average))
    return found


def _sites(names: Names, result: SolveResult) -> list[Worth]:
    return [
        _path(names, path, f"Power at {shown(names.sites[path.subject_id])}", "kWh of facility energy", float("nan"))
        for path in result.certificate.power_prices
        if max(path.values, default=0) > PRICE_MIN
    ]


def _path(names: Names, path: PricePath, thing: str, unit: str, average: float) -> Worth:
    peak = int(np.argmax(path.values))
    return Worth(thing, unit, average, path.values[peak], names.problem.calendar.date_of(peak).isoformat())


def _rows(names: Names, breakdown: Breakdown | None) -> list[Worth]:
    """Return the prices of rows that are not of a single period, those worth most first."""
    if breakdown is None:
        return []
    nan = float("nan")
    return [
        Worth(row_name(names, price.row), _ONE_MORE[price.unit], nan, price.value, _year(price.row))
        for price in breakdown.shadow_prices
        if price.value > PRICE_MIN and price.row.partition("/")[0] not in _OF_A_PERIOD
    ]


def row_name(names: Names, row: str) -> str:
    """Return what a row limits, for people, without its fiscal year."""
    parts = row.split("/")
    match parts:
        case ["members", member, "budgets", _]:
            return f"Budget of {names.member(member)}"
        case ["programmes", programme, "budgets", _]:
            return f"Budget of {shown(names.programmes[programme])}"
        case ["programmes", programme, "projects", project]:
            return f"Cap of project {project} in {shown(names.programmes[programme])}"
        case ["programmes", programme, "members", member, _]:
            return f"Cap of {names.member(member)} in {shown(names.programmes[programme])}"
        case ["concentration_limits", operator, _]:
            return f"Work at sites of {operator}"
        case _:
            return _PLAIN.get(parts[0], row)


def _year(row: str) -> str:
    last = row.rpartition("/")[2]
    return fiscal_year(int(last)) if last.isdecimal() else NONE
