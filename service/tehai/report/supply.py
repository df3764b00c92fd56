"""How full each pool is, by fiscal year."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from tehai.report.formats import count, fiscal_year, hours, new_table, percent
from tehai.report.names import Names, shown
from tehai.report.occupancy import Hours, PoolOccupancy, by_fiscal_year


def pools_table(names: Names, use: Mapping[str, PoolOccupancy]) -> Table:
    """Return use of each pool that does any work or is committed to, a row for each fiscal year."""
    problem = names.problem
    caption = "Committed: existing, reserved and bought. Peak is of the accelerators that workloads hold at once."
    table = new_table(
        "Pools, thousand accelerator-hours",
        ("Pool", "Country", "Year"),
        ("Placed", "On demand", "Committed", "of that used", "Peak in use", "Peak committed"),
        caption,
    )
    for pool in problem.pools:
        occupancy = use[pool.id]
        placed = by_fiscal_year(occupancy.placed_hours, problem)
        on_demand = by_fiscal_year(occupancy.on_demand_hours, problem)
        committed = by_fiscal_year(occupancy.committed_accelerators * problem.calendar.period_hours, problem)
        used = by_fiscal_year(occupancy.committed_hours_used, problem)
        site = names.site_of_pool(pool.id)
        country = f"{site.country_code}{' (domestic)' if names.is_domestic(pool.id) else ''}"
        for year in problem.calendar.fiscal_years():
            if placed[year] == 0 and committed[year] == 0:
                continue
            share = percent(used[year] / committed[year] if committed[year] else None)
            peaks = [
                _peak(values, year, names) for values in (occupancy.gang_accelerators, occupancy.committed_accelerators)
            ]
            figures = (hours(placed[year]), hours(on_demand[year]), hours(committed[year]), share)
            table.add_row(shown(pool), country, fiscal_year(year), *figures, *map(count, peaks))
    return table


def _peak(values: Hours, year: int, names: Names) -> float:
    """Return the largest of ``values``, shape (period_count,), in a fiscal year."""
    calendar = names.problem.calendar
    return max(
        (float(values[t]) for t in range(calendar.period_count) if calendar.fiscal_year(t) == year),
        default=0.0,
    )
