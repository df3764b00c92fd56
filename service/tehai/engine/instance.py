"""A validated problem as the arrays that cross to Rust once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tehai.domain.problem import Problem
from tehai.engine import _native
from tehai.engine.market_arrays import FloatArray, PricesOverTime, prices_over_time
from tehai.engine.offer_arrays import add_offer
from tehai.engine.offer_tables import OfferArrays, OfferTables, OrderKey
from tehai.engine.pool_arrays import pool_arrays, power_yen
from tehai.engine.programme_arrays import ClaimSets, claim_sets, programme_arrays, usage_rates
from tehai.engine.rule_arrays import WorkRow, rule_arrays, work_rows
from tehai.engine.workload_arrays import workload_arrays

IntArray = NDArray[np.int64]
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class ProblemArrays:
    """Arrays of a problem (``arrays``: names as the engine reads them) and what their positions stand for.

    ``order_keys`` says which decision each order option stands for; ``hourly_offers`` and ``committed_offers`` give the
    position in ``problem.offers`` of each row of those tables; ``claim_sets`` are programmes by position.
    """

    problem: Problem
    arrays: Mapping[str, Any]
    prices: PricesOverTime
    order_keys: tuple[OrderKey, ...]
    hourly_offers: tuple[int, ...]
    committed_offers: tuple[int, ...]
    years: tuple[int, ...]
    limited_site_ids: tuple[str, ...]
    project_ids: tuple[str, ...]
    work_rows: tuple[WorkRow, ...]
    claim_sets: ClaimSets

    @property
    def set_size(self) -> int:
        """Programmes of the largest claim set, at least 1: the slots of a workload's claims."""
        return max((len(programmes) for programmes in self.claim_sets), default=1)


@dataclass(frozen=True)
class EngineInstance(ProblemArrays):
    """Arrays of a problem with the engine's own handle on them; ``unplaceable`` are workloads without a column."""

    native: _native.Instance
    unplaceable: tuple[int, ...]

    @cached_property
    def modes(self) -> Mapping[str, NDArray[Any]]:
        """Legal modes (workload, pool, gang) as arrays, as the engine numbers them."""
        return self.native.modes()

    @cached_property
    def offer_of_option(self) -> IntArray:
        """Row of each order option in the table of committed offers."""
        offset = self.arrays["option_offset"]
        return np.repeat(np.arange(len(offset) - 1), np.diff(offset))

    @cached_property
    def mandatory_yen(self) -> float:
        """A charge for a missed mandatory workload that no plan pays by choice."""
        arrays = self.arrays
        finite = arrays["not_run_yen"][np.isfinite(arrays["not_run_yen"])]
        orders = float(np.abs(arrays["option_cost"]).sum())
        hours = float((arrays["hourly_unit_cost"] * arrays["hourly_limit_hours"]).sum())
        dearest_route = float(arrays["route_yen"].max(initial=0.0))
        moves = float(arrays["porting_yen"].max(axis=1, initial=0.0).sum() + arrays["terabytes"].sum() * dearest_route)
        waits = float(arrays["late_yen"].sum() * arrays["periods"] + arrays["change_yen"].sum())
        kg = float((arrays["capacity_max"] * arrays["pool_kg"][:, None]).sum() * arrays["period_hours"])
        carbon = float(arrays["carbon_yen_per_kg"]) * kg
        return 10.0 * (float(finite.sum()) + orders + hours + moves + waits + carbon) + 1e9


def limit_threads(thread_count: int) -> bool:
    """Give the engine ``thread_count`` worker threads; the first call of a process counts, False for later ones."""
    return _native.set_thread_count(thread_count)


def build_instance(problem: Problem) -> EngineInstance:
    """Turn a valid problem into arrays and give them to the engine."""
    built = build_arrays(problem)
    native, unplaceable = _native_without_hopeless(built.arrays)
    fields = {name: getattr(built, name) for name in ProblemArrays.__dataclass_fields__}
    return EngineInstance(**fields, native=native, unplaceable=unplaceable)


def build_arrays(problem: Problem) -> ProblemArrays:
    """Turn a valid problem into arrays, without the engine."""
    prices = prices_over_time(problem)
    offers = _offer_arrays(problem, prices)
    limited = tuple(site.id for site in problem.sites if site.power_limit_kw is not None)
    projects = tuple(dict.fromkeys(workload.project for workload in problem.workloads))
    families = tuple(dict.fromkeys(workload.software_family for workload in problem.workloads))
    years, rows = problem.calendar.fiscal_years(), work_rows(problem)
    rates = usage_rates(problem)
    sets = claim_sets(problem, rates)
    set_size = max((len(programmes) for programmes in sets), default=1)
    arrays: dict[str, Any] = {
        "periods": problem.calendar.period_count,
        "pools": len(problem.pools),
        "limited_sites": len(limited),
        "years": len(years),
        "workloads": len(problem.workloads),
        "programmes": len(problem.programmes),
        "families": len(families),
        "members": len(problem.members),
        "projects": len(projects),
        "routes": len(problem.routes),
        "work_rows": len(rows),
        "claim_sets": len(sets),
    }
    arrays |= pool_arrays(problem, prices, limited, families, offers)
    arrays |= workload_arrays(problem, families, projects)
    arrays |= _supply_arrays(offers, len(years), problem.calendar.period_count)
    arrays |= rule_arrays(problem, rows, set_size)
    arrays |= programme_arrays(problem, prices, projects, rates, sets)
    return ProblemArrays(
        problem=problem,
        arrays=arrays,
        prices=prices,
        order_keys=tuple(option.key for option in offers.committed.options),
        hourly_offers=tuple(offers.hourly.offer_index),
        committed_offers=tuple(offers.committed.offer_index),
        years=years,
        limited_site_ids=limited,
        project_ids=projects,
        work_rows=rows,
        claim_sets=sets,
    )


def _native_without_hopeless(arrays: Mapping[str, Any]) -> tuple[_native.Instance, tuple[int, ...]]:
    """Return the engine's handle and the workloads without a legal column.

    A mandatory or locked one among them proves infeasibility; bound and objective leave it out, so its charge
    becomes 0.
    """
    native = _native.Instance(dict(arrays))
    unplaceable = np.flatnonzero(native.mode_counts() == 0)
    hopeless = unplaceable[np.isinf(arrays["not_run_yen"][unplaceable])]
    if len(hopeless):
        arrays["not_run_yen"][hopeless] = 0.0
        native = _native.Instance(dict(arrays))
    return native, tuple(int(w) for w in unplaceable)


def _offer_arrays(problem: Problem, prices: PricesOverTime) -> OfferArrays:
    tables = OfferTables(problem, prices, power_yen(problem, prices))
    pool_index = {pool.id: p for p, pool in enumerate(problem.pools)}
    for index, offer in enumerate(problem.offers):
        add_offer(tables, index, pool_index[offer.pool_id], offer)
    return tables.arrays()


def _supply_arrays(offers: OfferArrays, year_count: int, period_count: int) -> dict[str, Any]:
    hourly, committed = offers.hourly, offers.committed
    options = committed.options

    def stack(rows: list[FloatArray], width: int) -> FloatArray:
        return np.array(rows, dtype=np.float64).reshape(len(rows), width)

    return {
        "hourly_pool": np.array(hourly.pool, dtype=np.int64),
        "hourly_unit_cost": stack(hourly.unit_cost, period_count),
        "hourly_unit_cash": stack(hourly.unit_cash, period_count),
        "hourly_limit_hours": stack(hourly.limit_hours, period_count),
        "hourly_quota_hours": stack(hourly.quota_hours, year_count),
        "committed_pool": np.array(committed.pool, dtype=np.int64),
        "limit_is_live": np.array(committed.limit_is_live, dtype=np.bool_),
        "unit_limit": np.array(committed.unit_limit, dtype=np.float64),
        "committed_owner": np.array(committed.owner, dtype=np.int64),
        "use_cost": stack(committed.use_cost, period_count),
        "use_cash": stack(committed.use_cash, period_count),
        "option_offset": np.array(committed.option_offset, dtype=np.int64),
        "option_first": np.array([option.first for option in options], dtype=np.int64),
        "option_cost": np.array([option.cost for option in options], dtype=np.float64),
        "option_cash": stack([option.cash for option in options], year_count),
        "option_capital": stack([option.capital for option in options], year_count),
        "option_programme": np.array([option.claim.programme for option in options], dtype=np.int64),
        "option_claim_yen": np.array([option.claim.yen for option in options], dtype=np.float64),
        "option_claim_year": np.array([option.claim.year for option in options], dtype=np.int64),
        "live_offset": np.cumsum([0] + [len(option.accelerators) for option in options]),
        "live_accelerators": np.concatenate([*(option.accelerators for option in options), np.zeros(0)]),
        "live_hours": np.concatenate([*(option.hours for option in options), np.zeros(0)]),
    }
