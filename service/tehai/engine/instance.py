"""A validated problem as the arrays that cross to Rust once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Pool
from tehai.domain.workload import Workload
from tehai.engine import _native
from tehai.engine.market_arrays import FloatArray, PricesOverTime, prices_over_time
from tehai.engine.offer_arrays import OfferArrays, OfferTableBuilder, OrderKey

IntArray = NDArray[np.int64]
Columns = Mapping[str, Any]
SECONDS_PER_HOUR = 3600.0
SOLVER_TOLERANCE_YEN = 2.0
# Cash that rounding can make of nothing.
NOTHING_YEN = 0.5


@dataclass(frozen=True)
class EngineInstance:
    """Arrays of a problem (``arrays``: names as the engine reads them) with the engine's own handle on them.

    ``unplaceable`` are workloads without a legal column.

    ``order_keys`` says which decision each order option stands for; ``hourly_offers`` and ``committed_offers`` give the
    position in ``problem.offers`` of each row of those tables.
    """

    problem: Problem
    arrays: Mapping[str, Any]
    native: _native.Instance
    prices: PricesOverTime
    unplaceable: tuple[int, ...]
    order_keys: tuple[OrderKey, ...]
    hourly_offers: tuple[int, ...]
    committed_offers: tuple[int, ...]
    years: tuple[int, ...]
    limited_site_ids: tuple[str, ...]
    project_ids: tuple[str, ...]

    @property
    def mandatory_yen(self) -> float:
        """A charge for a missed mandatory workload that no plan pays by choice."""
        finite = self.arrays["not_run_yen"][np.isfinite(self.arrays["not_run_yen"])]
        orders = float(np.abs(self.arrays["option_cost"]).sum())
        hours = float((self.arrays["hourly_unit_cost"] * self.arrays["hourly_limit_hours"]).sum())
        return 10.0 * (float(finite.sum()) + orders + hours) + 1e9


def limit_threads(thread_count: int) -> bool:
    """Give the engine ``thread_count`` worker threads; the first call of a process counts, False for later ones."""
    return _native.set_thread_count(thread_count)


def build_instance(problem: Problem) -> EngineInstance:
    """Turn a valid problem into arrays; no scenario, no discount (docs/rules.md)."""
    prices = prices_over_time(problem, 0)
    offers = _offer_arrays(problem, prices)
    limited = tuple(site.id for site in problem.sites if site.power_limit_kw is not None)
    projects = tuple(dict.fromkeys(workload.project for workload in problem.workloads))
    families = tuple(dict.fromkeys(workload.software_family for workload in problem.workloads))
    years = problem.calendar.fiscal_years()
    arrays: dict[str, Any] = {
        "periods": problem.calendar.period_count,
        "pools": len(problem.pools),
        "limited_sites": len(limited),
        "years": len(years),
        "workloads": len(problem.workloads),
        "programmes": len(problem.programmes),
        "families": len(families),
    }
    arrays |= _pool_arrays(problem, limited, families, offers)
    arrays |= _workload_arrays(problem, families, projects)
    arrays |= _supply_arrays(offers, len(years), problem.calendar.period_count)
    arrays |= _rule_arrays(problem, years)
    native, unplaceable = _native_without_hopeless(arrays)
    return EngineInstance(
        problem=problem,
        arrays=arrays,
        native=native,
        unplaceable=unplaceable,
        prices=prices,
        order_keys=tuple(offers.committed.keys),
        hourly_offers=tuple(offers.hourly.offer_index),
        committed_offers=tuple(offers.committed.offer_index),
        years=years,
        limited_site_ids=limited,
        project_ids=projects,
    )


def _native_without_hopeless(arrays: dict[str, Any]) -> tuple[_native.Instance, tuple[int, ...]]:
    """Return the engine's handle and the workloads without a legal column.

    A mandatory one among them proves infeasibility; bound and objective leave it out, so its charge becomes 0.
    """
    native = _native.Instance(arrays)
    unplaceable = np.flatnonzero(native.mode_counts() == 0)
    hopeless = unplaceable[np.isinf(arrays["not_run_yen"][unplaceable])]
    if len(hopeless):
        arrays["not_run_yen"][hopeless] = 0.0
        native = _native.Instance(arrays)
    return native, tuple(int(w) for w in unplaceable)


def _floats(values: Sequence[float] | Sequence[Sequence[float]]) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _offer_arrays(problem: Problem, prices: PricesOverTime) -> OfferArrays:
    sites = {site.id: site for site in problem.sites}
    accelerators = {accelerator.id: accelerator for accelerator in problem.accelerators}
    power_yen = np.zeros(len(problem.pools))
    for p, pool in enumerate(problem.pools):
        site = sites[pool.site_id]
        if site.electricity_yen_per_kwh is not None:
            kw = accelerators[pool.accelerator_id].power_kw * site.power_usage_effectiveness
            power_yen[p] = kw * float(site.electricity_yen_per_kwh)
    builder = OfferTableBuilder(problem, prices, power_yen)
    pool_index = {pool.id: p for p, pool in enumerate(problem.pools)}
    for index, offer in enumerate(problem.offers):
        builder.add(index, pool_index[offer.pool_id], offer)
    return builder.tables()


def _pool_arrays(
    problem: Problem, limited: tuple[str, ...], families: tuple[str, ...], offers: OfferArrays
) -> dict[str, Any]:
    sites = {site.id: site for site in problem.sites}
    accelerators = {accelerator.id: accelerator for accelerator in problem.accelerators}
    calendar = problem.calendar
    years = calendar.fiscal_years()
    of_pool = [(sites[pool.site_id], accelerators[pool.accelerator_id]) for pool in problem.pools]
    speeds = [{f.software_family: f.normalised_throughput for f in acc.throughputs} for _, acc in of_pool]
    domestic = problem.rules.domestic
    return {
        "period_hours": float(calendar.period_hours),
        "year_of_period": np.array([years.index(calendar.fiscal_year(t)) for t in range(calendar.period_count)]),
        "pool_site": np.array([limited.index(site.id) if site.id in limited else -1 for site, _ in of_pool]),
        "pool_kw": _floats([acc.power_kw * site.power_usage_effectiveness for site, acc in of_pool]),
        "pool_domestic": np.array([domestic.accepts(s.country_code, s.operator_country_code) for s, _ in of_pool]),
        "pool_memory_gb": _floats([acc.memory_gb for _, acc in of_pool]),
        "pool_gang_max": _floats([float(pool.gang_accelerators_max) for pool in problem.pools]),
        "pool_throughput": _floats([[speed.get(f, 0.0) for f in families] for speed in speeds]),
        "capacity_max": offers.capacity_max,
        "grant_reference": offers.grant_reference,
        "site_limit_kwh": np.array(
            [(sites[site_id].power_limit_kw or 0.0) * calendar.period_hours for site_id in limited], dtype=np.float64
        ),
    }


def _workload_arrays(problem: Problem, families: tuple[str, ...], projects: tuple[str, ...]) -> dict[str, Any]:
    calendar, workloads = problem.calendar, problem.workloads
    sites = {site.id: site for site in problem.sites}
    pool_sites = [sites[pool.site_id] for pool in problem.pools]
    flops_per_hour = SECONDS_PER_HOUR * (problem.reference_sustained_flops or 1.0)
    family_index = {family: i for i, family in enumerate(families)}
    project_index = {project: i for i, project in enumerate(projects)}
    gangs = [option for workload in workloads for option in workload.gang_options]
    allowed_of_rule = {
        rule: [rule.accepts(site.country_code, site.operator_country_code) for site in pool_sites]
        for rule in {workload.sovereignty for workload in workloads}
    }
    return {
        "work": _floats([_work(w, flops_per_hour) for w in workloads]),
        "release": np.array([max(calendar.first_period_from(w.release_date), 0) for w in workloads]),
        "deadline": np.array(
            [min(max(calendar.last_end_by(w.deadline_date), 0), calendar.period_count) for w in workloads]
        ),
        "memory_gb": _floats([w.memory_gb for w in workloads]),
        "family": np.array([family_index[w.software_family] for w in workloads]),
        "late_yen": _floats([float(w.late_start_yen_per_period) for w in workloads]),
        "not_run_yen": _floats([_not_run_yen(w) for w in workloads]),
        "project": np.array([project_index[w.project] for w in workloads]),
        "pool_allowed": np.array([allowed_of_rule[w.sovereignty] for w in workloads]),
        "gang_offset": np.cumsum([0] + [len(w.gang_options) for w in workloads]),
        "gang_accelerators": _floats([float(option.accelerators) for option in gangs]),
        "gang_efficiency": _floats([option.scaling_efficiency_fraction for option in gangs]),
    }


def _work(workload: Workload, flops_per_hour: float) -> float:
    """Return normalised accelerator-hours."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    return (workload.flops or 0.0) / flops_per_hour


def _not_run_yen(workload: Workload) -> float:
    """Return the charge, infinite for a mandatory workload."""
    return np.inf if workload.cost_not_run_yen is None else float(workload.cost_not_run_yen)


def _supply_arrays(offers: OfferArrays, year_count: int, period_count: int) -> dict[str, Any]:
    hourly, committed = offers.hourly, offers.committed

    def stack(rows: list[FloatArray], width: int) -> FloatArray:
        return np.array(rows, dtype=np.float64).reshape(len(rows), width)

    return {
        "hourly_pool": np.array(hourly.pool, dtype=np.int64),
        "hourly_unit_cost": stack(hourly.unit_cost, period_count),
        "hourly_limit_hours": stack(hourly.limit_hours, period_count),
        "committed_pool": np.array(committed.pool, dtype=np.int64),
        "limit_is_live": np.array(committed.limit_is_live, dtype=np.bool_),
        "unit_limit": np.array(committed.unit_limit, dtype=np.float64),
        "use_cost": stack(committed.use_cost, period_count),
        "option_offset": np.array(committed.option_offset, dtype=np.int64),
        "option_first": np.array(committed.option_first, dtype=np.int64),
        "option_cost": np.array(committed.option_cost, dtype=np.float64),
        "option_cash": stack(committed.option_cash, year_count),
        "live_offset": np.cumsum([0] + [len(live) for live in committed.live]),
        "live_accelerators": np.concatenate([*committed.live, np.zeros(0)]),
    }


def _rule_arrays(problem: Problem, years: tuple[int, ...]) -> dict[str, Any]:
    share = {row.fiscal_year: row.share_fraction for row in problem.rules.minimum_domestic_shares}
    budget = {row.fiscal_year: float(row.amount_yen) for row in problem.rules.portfolio_budgets}
    # Claims are rounded down to the yen one by one, and the integer solver keeps rows to about a yen.
    # A budget smaller than that still admits plans that spend nothing.
    margin_yen = SOLVER_TOLERANCE_YEN + (len(problem.workloads) if problem.programmes else 0)
    budgets = np.array([budget.get(year, np.inf) for year in years])
    plan_budgets = np.maximum(budgets - margin_yen, np.minimum(budgets, NOTHING_YEN))
    shape = (len(problem.programmes), problem.calendar.period_count)
    window = np.zeros(shape, dtype=np.bool_)
    amounts = np.full((len(problem.programmes), len(years)), np.inf)
    for r, programme in enumerate(problem.programmes):
        inside = problem.calendar.periods_within(programme.from_date, programme.until_date)
        window[r, inside.start : inside.stop] = True
        for row in programme.kind.budgets:
            if row.fiscal_year in years:
                amounts[r, years.index(row.fiscal_year)] = float(row.amount_yen)
    caps = [programme.kind.project_cap_yen for programme in problem.programmes]
    return {
        "share_min": _floats([share.get(year, -1.0) for year in years]),
        "budget_yen": budgets,
        "plan_budget_yen": plan_budgets,
        "programme_window": window,
        "programme_pool": np.array(
            [[_is_eligible(problem, programme, pool) for pool in problem.pools] for programme in problem.programmes],
            dtype=np.bool_,
        ),
        "project_cap_yen": np.array([np.inf if cap is None else float(cap) for cap in caps], dtype=np.float64),
        "programme_budget_yen": amounts,
        "rate": _rates(problem),
    }


def _is_eligible(problem: Problem, programme: Programme, pool: Pool) -> bool:
    site = next(site for site in problem.sites if site.id == pool.site_id)
    grant = programme.kind
    named = not grant.eligible_pool_ids or pool.id in grant.eligible_pool_ids
    return named and grant.eligible_countries.accepts(site.country_code, site.operator_country_code)


def _rates(problem: Problem) -> FloatArray:
    """Return the grant rate of each workload in each programme, 0 where it is not eligible, shape (W, R)."""
    size_class = {member.id: member.size_class for member in problem.members}
    rates = np.zeros((len(problem.workloads), len(problem.programmes)))
    for r, programme in enumerate(problem.programmes):
        by_class = {row.size_class: row.rate_fraction for row in programme.kind.rates}
        tags = set(programme.kind.eligible_tags)
        for w, workload in enumerate(problem.workloads):
            if not tags or tags.intersection(workload.tags):
                rates[w, r] = by_class.get(size_class[workload.member_id], 0.0)
    return rates
