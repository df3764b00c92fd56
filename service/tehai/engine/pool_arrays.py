"""Calendar, pools, sites and routes as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tehai.domain.problem import Problem
from tehai.domain.supply import Accelerator, Site
from tehai.engine.market_arrays import FloatArray, PricesOverTime
from tehai.engine.offer_tables import OfferArrays


def sites_of_pools(problem: Problem) -> list[Site]:
    """Return the site of each pool."""
    sites = {site.id: site for site in problem.sites}
    return [sites[pool.site_id] for pool in problem.pools]


def accelerators_of_pools(problem: Problem) -> list[Accelerator]:
    """Return the accelerator of each pool."""
    accelerators = {accelerator.id: accelerator for accelerator in problem.accelerators}
    return [accelerators[pool.accelerator_id] for pool in problem.pools]


def power_yen(problem: Problem, prices: PricesOverTime) -> FloatArray:
    """Return the electricity of one accelerator-hour in each pool and period, nominal, 0 without a tariff, (P, T)."""
    count = problem.calendar.period_count
    yen = np.zeros((len(problem.pools), count))
    for p, (site, accelerator) in enumerate(zip(sites_of_pools(problem), accelerators_of_pools(problem), strict=True)):
        if site.electricity_yen_per_kwh is not None:
            steps = [(step.from_date, float(step.amount)) for step in site.electricity_steps]
            tariff = prices.stepped(float(site.electricity_yen_per_kwh), steps, 0, count)
            yen[p] = accelerator.power_kw * site.power_usage_effectiveness * tariff
    return yen


def pool_arrays(
    problem: Problem,
    prices: PricesOverTime,
    limited: tuple[str, ...],
    families: tuple[str, ...],
    offers: OfferArrays,
) -> dict[str, Any]:
    """Return the table of calendar and pools; ``limited`` are the sites with a power limit."""
    calendar, pools = problem.calendar, problem.pools
    count = calendar.period_count
    sites, accelerators = sites_of_pools(problem), accelerators_of_pools(problem)
    speeds = [{f.software_family: f.normalised_throughput for f in acc.throughputs} for acc in accelerators]
    limits = {site.id: site.power_limit_kw or 0.0 for site in problem.sites}
    pool_kw = floats(
        [acc.power_kw * site.power_usage_effectiveness for acc, site in zip(accelerators, sites, strict=True)]
    )
    throughput = [speed.get(family, 0.0) for speed in speeds for family in families]
    routes = [prices.yen_path(route.price_per_terabyte, 0, count) for route in problem.routes]
    return {
        "period_hours": float(calendar.period_hours),
        "year_of_period": np.array([calendar.fiscal_year(t) for t in range(count)]) - calendar.fiscal_year(0),
        "discount": prices.discount,
        "pool_site": np.array([limited.index(s.id) if s.id in limited else -1 for s in sites], dtype=np.int64),
        "pool_kw": pool_kw,
        "pool_kg": pool_kw * floats([site.grid_carbon_kg_per_kwh for site in sites]),
        "carbon_yen_per_kg": float(problem.rules.carbon_price_yen_per_kg),
        "pool_memory_gb": floats([acc.memory_gb for acc in accelerators]),
        "pool_gang_max": floats([float(pool.gang_accelerators_max) for pool in pools]),
        "pool_node": floats([float(pool.node_accelerators) for pool in pools]),
        "pool_throughput": floats(throughput).reshape(len(pools), len(families)),
        "capacity_max": offers.capacity_max,
        "grant_reference": offers.grant_reference,
        "charge_reference": offers.charge_reference,
        "site_limit_kwh": floats([limits[site_id] * calendar.period_hours for site_id in limited]),
        "route_yen": np.array(routes, dtype=np.float64).reshape(len(routes), count),
    }


def floats(values: list[float]) -> FloatArray:
    """Return numbers as an array of doubles, also where there are none."""
    return np.array(values, dtype=np.float64)
