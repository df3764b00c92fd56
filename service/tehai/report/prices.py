"""What one more unit of each scarce thing would be worth: the prices of the certificate in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from tehai.domain.certificate import PricePath
from tehai.domain.result import SolveResult
from tehai.report.formats import NONE, fiscal_year, new_table
from tehai.report.names import Names, shown
from tehai.report.occupancy import PoolOccupancy

ROWS_MAX = 12
# Prices that would print as zero are left out.
PRICE_MIN = 0.005


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
    rows = [*pools, *_sites(names, result), *_years(names, result)]
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


def _years(names: Names, result: SolveResult) -> list[Worth]:
    """Return the prices of rows of whole fiscal years."""
    certificate, nan = result.certificate, float("nan")
    rows = [
        *(
            ("Minimum domestic share", "normalised accelerator-hour less of it", p.value, p.fiscal_year)
            for p in certificate.domestic_share_prices
        ),
        *(("Portfolio budget", "yen", p.value, p.fiscal_year) for p in certificate.budget_prices),
        *(
            (f"Budget of {shown(names.programmes[p.programme_id])}", "yen", p.value, p.fiscal_year)
            for p in certificate.programme_budget_prices
        ),
    ]
    found = [
        Worth(thing, unit, nan, value, fiscal_year(year)) for thing, unit, value, year in rows if value > PRICE_MIN
    ]
    for cap in certificate.project_cap_prices:
        if cap.value > PRICE_MIN:
            thing = f"Cap of {cap.project_id} in {shown(names.programmes[cap.programme_id])}"
            found.append(Worth(thing, "yen", nan, cap.value, NONE))
    return found
