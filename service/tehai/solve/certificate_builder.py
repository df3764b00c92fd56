"""From the flat vector of prices to a certificate anybody can check."""

from __future__ import annotations

import math

from tehai.domain.certificate import Certificate, FiscalYearPrice, PricePath, ProgrammePrice, ProjectCapPrice
from tehai.domain.problem import SCHEMA_VERSION
from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray

# Part of the bound given up against differences of rounding between this computation and the checker's.
SAFETY_FRACTION = 1e-10


def build_certificate(instance: EngineInstance, prices: FloatArray, bound: float, problem_sha256: str) -> Certificate:
    """Return the certificate of ``prices``; ``lower_bound_yen`` is rounded down with a margin."""
    layout = instance.native.price_layout()
    problem, years = instance.problem, instance.years
    periods = problem.calendar.period_count

    def path(subject_id: str, first: int) -> PricePath:
        return PricePath(subject_id, tuple(float(v) for v in prices[first : first + periods]))

    capacity = [path(pool.id, layout["capacity"] + p * periods) for p, pool in enumerate(problem.pools)]
    power = [path(site_id, layout["power"] + j * periods) for j, site_id in enumerate(instance.limited_site_ids)]
    programme_prices = [
        ProgrammePrice(programme.id, year, float(prices[layout["programme"] + r * len(years) + y]))
        for r, programme in enumerate(problem.programmes)
        for y, year in enumerate(years)
        if prices[layout["programme"] + r * len(years) + y] > 0.0
    ]
    project_prices = [
        ProjectCapPrice(problem.programmes[r].id, instance.project_ids[project], float(prices[layout["project"] + row]))
        for row, (r, project) in enumerate(instance.native.project_rows())
    ]
    return Certificate(
        schema_version=SCHEMA_VERSION,
        problem_sha256=problem_sha256,
        capacity_prices=tuple(capacity),
        power_prices=tuple(power),
        domestic_share_prices=_by_year(prices, layout["share"], years),
        budget_prices=_by_year(prices, layout["budget"], years),
        programme_budget_prices=tuple(programme_prices),
        project_cap_prices=tuple(project_prices),
        lower_bound_yen=math.floor(bound - SAFETY_FRACTION * abs(bound) - 1.0),
    )


def _by_year(prices: FloatArray, first: int, years: tuple[int, ...]) -> tuple[FiscalYearPrice, ...]:
    """Return the prices of fiscal-year rows that exist; a row without a limit has price 0 and is left out."""
    values = prices[first : first + len(years)]
    return tuple(FiscalYearPrice(year, float(v)) for year, v in zip(years, values, strict=True) if v > 0.0)
