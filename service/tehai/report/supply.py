"""How full each pool is, by fiscal year."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from tehai.explain.reading import Reading
from tehai.report.formats import count, fiscal_year, hours, new_table, percent
from tehai.report.names import Names, shown
from tehai.report.occupancy import Hours, PoolOccupancy


def pools_table(names: Names, reading: Reading, use: Mapping[str, PoolOccupancy]) -> Table:
    """Return use of each pool that does any work or is committed to, a row for each fiscal year."""
    problem = names.problem
    caption = (
        "By use: on demand and allocations. Committed: existing, reserved, blocks and bought. Peak is of the "
        "accelerators that workloads hold at once, whole nodes."
    )
    table = new_table(
        "Pools, thousand accelerator-hours",
        ("Pool", "Country", "Year"),
        ("Placed", "By use", "Committed", "of that used", "Peak in use", "Peak committed"),
        caption,
    )
    for pool in problem.pools:
        occupancy = use[pool.id]
        placed, by_use = reading.by_year(occupancy.placed_hours), reading.by_year(occupancy.by_use_hours)
        committed = reading.by_year(occupancy.committed_hours)
        used = reading.by_year(occupancy.committed_hours_used)
        site = names.site_of_pool(pool.id)
        country = f"{site.country_code}{' (domestic)' if names.is_domestic(pool.id) else ''}"
        for year in problem.calendar.fiscal_years():
            if placed[year] == 0 and committed[year] == 0:
                continue
            share = percent(used[year] / committed[year] if committed[year] else None)
            held = (occupancy.gang_accelerators, occupancy.committed_accelerators)
            peaks = [_peak(reading, values, year) for values in held]
            figures = (hours(placed[year]), hours(by_use[year]), hours(committed[year]), share)
            table.add_row(shown(pool), country, fiscal_year(year), *figures, *map(count, peaks))
    return table


def _peak(reading: Reading, values: Hours, year: int) -> float:
    """Return the largest of ``values``, shape (period_count,), in a fiscal year."""
    return float(values[reading.fiscal_years == year].max(initial=0.0))
