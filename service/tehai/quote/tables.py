"""A plan's prices and what pricing a workload needs, as the tables of a quote book (core_rs/quote/src/stored.rs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from tehai.domain.certificate import Certificate, PricePath
from tehai.domain.plan import Plan
from tehai.domain.problem import CurrentPlan, Problem
from tehai.engine.instance import build_arrays
from tehai.engine.market_arrays import FloatArray
from tehai.engine.pool_arrays import accelerators_of_pools, sites_of_pools
from tehai.engine.quote_book import encode_quote_book
from tehai.engine.rule_arrays import work_rows
from tehai.quote.grants import grant_tables

EPOCH = date(1970, 1, 1)
Tables = dict[str, Any]


def build_quote_book(problem: Problem, plan: Plan, certificate: Certificate) -> bytes:
    """Return the quote book of a valid problem, the plan found for it and the certificate's prices.

    Raises ValueError where plan or certificate are of another problem.
    """
    if plan.problem_sha256 != certificate.problem_sha256:
        raise ValueError("plan and certificate are of different problems")
    # Workloads of the problem are of no use to a quote: without them the arrays are those of pools and programmes.
    arrays = build_arrays(replace(problem, workloads=(), current_plan=CurrentPlan())).arrays
    tables = _calendar_tables(problem, certificate, arrays)
    tables |= _place_tables(problem, arrays)
    tables |= _pool_tables(problem, certificate, arrays)
    tables |= grant_tables(problem, certificate, arrays)
    return encode_quote_book(tables)


def _calendar_tables(problem: Problem, certificate: Certificate, arrays: Mapping[str, Any]) -> Tables:
    calendar = problem.calendar
    budget = year_prices(problem, ((p.fiscal_year, p.value) for p in certificate.budget_prices))
    return {
        "first_day": (calendar.first_date - EPOCH).days,
        "period_hours": calendar.period_hours,
        "first_fiscal_year": calendar.fiscal_year(0),
        "year_of_period": arrays["year_of_period"],
        "reference_sustained_flops": problem.reference_sustained_flops or 0.0,
        "waiting_price": max(certificate.waiting_price, 0.0),
        "start_pay": arrays["discount"] + budget[arrays["year_of_period"]],
    }


def _place_tables(problem: Problem, arrays: Mapping[str, Any]) -> Tables:
    sites, accelerators = problem.sites, problem.accelerators
    site_index = {site.id: j for j, site in enumerate(sites)}
    families = tuple(dict.fromkeys(f.software_family for acc in accelerators for f in acc.throughputs))
    speeds = [{f.software_family: f.normalised_throughput for f in acc.throughputs} for acc in accelerators]
    return {
        "site_ids": [site.id for site in sites],
        "site_countries": [site.country_code for site in sites],
        "site_operator_countries": [site.operator_country_code for site in sites],
        "accelerator_ids": [accelerator.id for accelerator in accelerators],
        "accelerator_memory_gb": np.array([acc.memory_gb for acc in accelerators], dtype=np.float64),
        "families": list(families),
        "throughput": np.array([speed.get(f, 0.0) for speed in speeds for f in families], dtype=np.float64),
        "route_from": whole([site_index[route.from_site_id] for route in problem.routes]),
        "route_to": whole([site_index[route.to_site_id] for route in problem.routes]),
        "route_yen": arrays["route_yen"],
    }


def _pool_tables(problem: Problem, certificate: Certificate, arrays: Mapping[str, Any]) -> Tables:
    site_index = {site.id: j for j, site in enumerate(problem.sites)}
    accelerator_index = {accelerator.id: a for a, accelerator in enumerate(problem.accelerators)}
    sites, accelerators = sites_of_pools(problem), accelerators_of_pools(problem)
    power = _paths(problem, certificate.power_prices, [site.id for site in sites])
    carbon = year_prices(problem, ((p.fiscal_year, p.value) for p in certificate.carbon_prices))
    carbon_of_period = arrays["carbon_yen_per_kg"] + carbon[arrays["year_of_period"]]
    return {
        "pool_ids": [pool.id for pool in problem.pools],
        "pool_site": whole([site_index[site.id] for site in sites]),
        "pool_accelerator": whole([accelerator_index[accelerator.id] for accelerator in accelerators]),
        "pool_gang_max": whole([pool.gang_accelerators_max for pool in problem.pools]),
        "pool_node": whole([max(pool.node_accelerators, 1) for pool in problem.pools]),
        "capacity_max": arrays["capacity_max"],
        "capacity_price": _paths(problem, certificate.capacity_prices, [pool.id for pool in problem.pools]),
        "rules_price": power * arrays["pool_kw"][:, None] + carbon_of_period * arrays["pool_kg"][:, None],
        "work_price": _work_prices(problem, certificate, arrays),
        "grant_reference": arrays["grant_reference"],
        "charge_reference": arrays["charge_reference"],
    }


def _paths(problem: Problem, paths: tuple[PricePath, ...], subjects: list[str]) -> FloatArray:
    """Return the prices of each subject in each period, none negative, 0 where there is none."""
    values = {path.subject_id: path.values for path in paths}
    nothing = (0.0,) * problem.calendar.period_count
    rows = np.array([values.get(subject, nothing) for subject in subjects], dtype=np.float64)
    return np.maximum(rows.reshape(len(subjects), problem.calendar.period_count), 0.0)


def _work_prices(problem: Problem, certificate: Certificate, arrays: Mapping[str, Any]) -> FloatArray:
    """Return yen per normalised accelerator-hour of shares and concentration by pool and fiscal year, (P, Y)."""
    share = {("", p.fiscal_year): p.value for p in certificate.domestic_share_prices}
    operator = {(p.operator_id, p.fiscal_year): p.value for p in certificate.concentration_prices}
    priced = share | operator
    prices = np.zeros((len(problem.pools), len(problem.calendar.fiscal_years())))
    coefficients = arrays["work_row_coefficient"]
    for k, row in enumerate(work_rows(problem)):
        price = max(priced.get((row.operator_id, row.fiscal_year), 0.0), 0.0)
        prices[:, row.fiscal_year - problem.calendar.fiscal_year(0)] += price * coefficients[k]
    return prices


def year_prices(problem: Problem, priced: Any) -> FloatArray:  # noqa: ANN401
    """Return (fiscal year, price) pairs by fiscal year of the horizon, none negative, (Y,)."""
    years = problem.calendar.fiscal_years()
    prices = np.zeros(len(years))
    for year, price in priced:
        if year in years:
            prices[year - years[0]] = max(price, 0.0)
    return prices


def whole(values: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return whole numbers as an array, also where there are none."""
    return np.array(values, dtype=np.int64)
