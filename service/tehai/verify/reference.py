"""The derived facts of a problem that every check reads, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.market import UnitPrice
from tehai.domain.problem import Problem
from tehai.domain.supply import Accelerator, Site
from tehai.domain.workload import CountryRule, Member, Workload
from tehai.verify.offers import largest_capacity
from tehai.verify.timeline import (
    FloatArray,
    IntArray,
    Money,
    deadline_period,
    first_day,
    fiscal_year,
    release_period,
    step_path,
)
from tehai.verify.unit_costs import charge_references, grant_references, unit_costs


@dataclass(frozen=True, slots=True)
class Current:
    """Where the current plan has a workload; pool and start are -1 where the problem has no such pool or period."""

    pool: int
    accelerators: int
    start: int
    locked: bool
    change_yen: int


@dataclass(frozen=True, slots=True)
class Reference:
    """Indexes, windows, rates and capacities of one problem.

    Arrays: ``fiscal_year`` (period_count,); ``release``, ``deadline``, ``work`` (workloads,); ``capacity_max`` (offers,
    period_count) accelerators; ``gang_max`` (pools, period_count) accelerators; ``grant_reference``,
    ``charge_reference``, ``electricity`` (pools, period_count) yen per accelerator-hour; ``facility_kw`` (pools,) kW of
    one accelerator times PUE, ``carbon_kg`` (pools,) kg of one accelerator-hour; ``node`` (pools,) accelerators.
    ``current`` is by position of the workload, ``routes`` by (site from, site to).
    """

    problem: Problem
    money: Money
    period_count: int
    period_hours: int
    fiscal_year: IntArray
    years: tuple[int, ...]
    workload_index: dict[str, int]
    pool_index: dict[str, int]
    offer_index: dict[str, int]
    programme_index: dict[str, int]
    site_index: dict[str, int]
    member_by_id: dict[str, Member]
    site_of_pool: tuple[int, ...]
    accelerator_of_pool: tuple[Accelerator, ...]
    pool_of_offer: tuple[int, ...]
    member_of_workload: tuple[Member, ...]
    current: dict[int, Current]
    routes: dict[tuple[str, str], UnitPrice]
    release: IntArray
    deadline: IntArray
    work: FloatArray
    node: IntArray
    facility_kw: FloatArray
    carbon_kg: FloatArray
    electricity: FloatArray
    capacity_max: FloatArray
    gang_max: FloatArray
    grant_reference: FloatArray
    charge_reference: FloatArray
    domestic: tuple[bool, ...]

    @property
    def forward(self) -> FloatArray:
        """Return the forward rate of the dollar in every period, without spread, shape (period_count,)."""
        return self.money.forward

    def site(self, pool: int) -> Site:
        """Return the site of a pool."""
        return self.problem.sites[self.site_of_pool[pool]]

    def occupied(self, pool: int, accelerators: int) -> int:
        """Return the accelerators of the whole nodes that a gang occupies."""
        node = int(self.node[pool])
        return -(-accelerators // node) * node


def build_reference(problem: Problem) -> Reference:
    """Derive every fact of a valid problem; raises KeyError for a reference to an unknown id."""
    count = problem.calendar.period_count
    money = Money(problem)
    pool_index = {pool.id: i for i, pool in enumerate(problem.pools)}
    site_index = {site.id: i for i, site in enumerate(problem.sites)}
    accelerator_by_id = {item.id: item for item in problem.accelerators}
    member_by_id = {member.id: member for member in problem.members}
    workload_index = {workload.id: i for i, workload in enumerate(problem.workloads)}
    accelerators = tuple(accelerator_by_id[pool.accelerator_id] for pool in problem.pools)
    site_of_pool = tuple(site_index[pool.site_id] for pool in problem.pools)
    sites = [problem.sites[j] for j in site_of_pool]
    facility_kw = np.array(
        [a.power_kw * j.power_usage_effectiveness for a, j in zip(accelerators, sites, strict=True)], dtype=np.float64
    )
    electricity = np.array([_tariff(problem, site) for site in sites]).reshape(-1, count) * facility_kw[:, np.newaxis]
    years = [fiscal_year(problem, t) for t in range(count)]
    pool_of_offer = tuple(pool_index[offer.pool_id] for offer in problem.offers)
    capacity_max = np.array([largest_capacity(problem, offer) for offer in problem.offers]).reshape(-1, count)
    gang_max = np.zeros((len(problem.pools), count))
    np.add.at(gang_max, list(pool_of_offer), capacity_max)
    costs = unit_costs(problem, money, pool_of_offer, electricity, capacity_max)
    return Reference(
        problem=problem,
        money=money,
        period_count=count,
        period_hours=problem.calendar.period_hours,
        fiscal_year=np.array(years, dtype=np.int64),
        years=tuple(range(years[0], years[-1] + 1)),
        workload_index=workload_index,
        pool_index=pool_index,
        offer_index={offer.id: i for i, offer in enumerate(problem.offers)},
        programme_index={programme.id: i for i, programme in enumerate(problem.programmes)},
        site_index=site_index,
        member_by_id=member_by_id,
        site_of_pool=site_of_pool,
        accelerator_of_pool=accelerators,
        pool_of_offer=pool_of_offer,
        member_of_workload=tuple(member_by_id[workload.member_id] for workload in problem.workloads),
        current=_current(problem, workload_index, pool_index),
        routes={(route.from_site_id, route.to_site_id): route.price_per_terabyte for route in problem.routes},
        release=np.array([release_period(problem, w) for w in problem.workloads], dtype=np.int64),
        deadline=np.array([deadline_period(problem, w) for w in problem.workloads], dtype=np.int64),
        work=np.array([work_of(problem, w) for w in problem.workloads], dtype=np.float64),
        node=np.array([pool.node_accelerators for pool in problem.pools], dtype=np.int64),
        facility_kw=facility_kw,
        carbon_kg=facility_kw * np.array([site.grid_carbon_kg_per_kwh for site in sites], dtype=np.float64),
        electricity=electricity,
        capacity_max=capacity_max,
        gang_max=gang_max,
        grant_reference=grant_references(problem, money, pool_of_offer, costs),
        charge_reference=charge_references(problem, money, pool_of_offer, costs),
        domestic=tuple(accepts(problem.rules.domestic, site) for site in sites),
    )


def accepts(rule: CountryRule, site: Site) -> bool:
    """Return whether a country rule accepts a site; an empty list accepts every country."""
    site_fits = rule.site_country_codes == () or site.country_code in rule.site_country_codes
    operator_fits = rule.operator_country_codes == () or site.operator_country_code in rule.operator_country_codes
    return site_fits and operator_fits


def work_of(problem: Problem, workload: Workload) -> float:
    """Return the work in normalised accelerator-hours; raises ValueError where it is in flops without a reference."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    if workload.flops is None or problem.reference_sustained_flops is None:
        raise ValueError(f"workload {workload.id} has no work")
    return workload.flops / (3600.0 * problem.reference_sustained_flops)


def throughput_of(accelerator: Accelerator, software_family: str) -> float:
    """Return normalised hours of work per hour, 0 where the family is not listed."""
    for entry in accelerator.throughputs:
        if entry.software_family == software_family:
            return entry.normalised_throughput
    return 0.0


def moved_terabytes(reference: Reference, workload: int, pool: int) -> float:
    """Return the data that a workload has to move to a pool, 0 where it has none or has it there."""
    item = reference.problem.workloads[workload]
    if item.data_site_id is None or item.data_site_id == reference.problem.pools[pool].site_id:
        return 0.0
    return item.data_terabytes


def route_to(reference: Reference, workload: int, pool: int) -> UnitPrice | None:
    """Return the price per terabyte of the route for a workload's data to a pool, None without a route."""
    origin = reference.problem.workloads[workload].data_site_id
    return None if origin is None else reference.routes.get((origin, reference.problem.pools[pool].site_id))


def porting_yen(reference: Reference, workload: int, pool: int) -> int:
    """Return what it costs to port a workload to the accelerator of a pool, 0 where it is not listed."""
    accelerator_id = reference.accelerator_of_pool[pool].id
    ported = reference.problem.workloads[workload].porting
    return next((item.amount_yen for item in ported if item.accelerator_id == accelerator_id), 0)


def must_run(reference: Reference, workload: int) -> bool:
    """Return whether a workload has to be placed: mandatory, or locked by the current plan."""
    current = reference.current.get(workload)
    return reference.problem.workloads[workload].cost_not_run_yen is None or (current is not None and current.locked)


def _tariff(problem: Problem, site: Site) -> FloatArray:
    """Return yen per kWh in every period, 0 where the site has no price."""
    base = site.electricity_yen_per_kwh
    if base is None:
        return np.zeros(problem.calendar.period_count)
    return step_path(problem, base, site.electricity_steps)


def _current(problem: Problem, workload_index: dict[str, int], pool_index: dict[str, int]) -> dict[int, Current]:
    """Return the current placement of each known workload that has one."""
    period_of_day = {first_day(problem, t): t for t in reversed(range(problem.calendar.period_count))}
    found = {}
    for item in problem.current_plan.placements:
        change = problem.current_plan.change_yen if item.change_yen is None else item.change_yen
        if item.workload_id in workload_index:
            found[workload_index[item.workload_id]] = Current(
                pool=pool_index.get(item.pool_id, -1),
                accelerators=item.accelerators,
                start=period_of_day.get(item.start_date, -1),
                locked=item.locked,
                change_yen=change,
            )
    return found
