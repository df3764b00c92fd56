"""The derived facts of a problem that every check reads, computed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import CountryRule, Member, Workload
from tehai.verify.offers import FloatArray, IntArray, largest_capacity, lowest_unit_cost
from tehai.verify.timeline import deadline_period, fiscal_year, forward_rate, release_period, window


@dataclass(frozen=True, slots=True)
class Reference:
    """Indexes, windows, rates and capacities of one problem.

    Arrays: ``fiscal_year``, ``forward`` (period_count,); ``release``, ``deadline``, ``work`` (workloads,);
    ``capacity_max`` (offers, period_count) accelerators; ``gang_max`` and ``grant_reference`` (pools, period_count),
    accelerators and yen per accelerator-hour; ``facility_kw`` (pools,) kW of one accelerator times PUE.
    """

    problem: Problem
    period_count: int
    period_hours: int
    fiscal_year: IntArray
    years: tuple[int, ...]
    forward: FloatArray
    workload_index: dict[str, int]
    pool_index: dict[str, int]
    offer_index: dict[str, int]
    programme_index: dict[str, int]
    site_index: dict[str, int]
    site_of_pool: tuple[int, ...]
    accelerator_of_pool: tuple[Accelerator, ...]
    pool_of_offer: tuple[int, ...]
    member_of_workload: tuple[Member, ...]
    release: IntArray
    deadline: IntArray
    work: FloatArray
    facility_kw: FloatArray
    capacity_max: FloatArray
    gang_max: FloatArray
    grant_reference: FloatArray
    domestic: tuple[bool, ...]

    def site(self, pool: int) -> Site:
        """Return the site of a pool."""
        return self.problem.sites[self.site_of_pool[pool]]


def build_reference(problem: Problem) -> Reference:
    """Derive every fact of a valid problem; raises KeyError for a reference to an unknown id."""
    count = problem.calendar.period_count
    periods = range(count)
    pool_index = {pool.id: i for i, pool in enumerate(problem.pools)}
    site_index = {site.id: i for i, site in enumerate(problem.sites)}
    accelerator_by_id = {item.id: item for item in problem.accelerators}
    member_by_id = {member.id: member for member in problem.members}
    accelerators = tuple(accelerator_by_id[pool.accelerator_id] for pool in problem.pools)
    site_of_pool = tuple(site_index[pool.site_id] for pool in problem.pools)
    facility_kw = np.array([_facility_kw(problem, pool) for pool in problem.pools], dtype=np.float64)
    forward = np.array([float(forward_rate(problem, t)) for t in periods], dtype=np.float64)
    years = [fiscal_year(problem, t) for t in periods]
    pool_of_offer = tuple(pool_index[offer.pool_id] for offer in problem.offers)
    capacity_max = np.zeros((len(problem.offers), count))
    for o, offer in enumerate(problem.offers):
        capacity_max[o] = largest_capacity(problem, offer)
    gang_max = np.zeros((len(problem.pools), count))
    np.add.at(gang_max, list(pool_of_offer), capacity_max)
    return Reference(
        problem=problem,
        period_count=count,
        period_hours=problem.calendar.period_hours,
        fiscal_year=np.array(years, dtype=np.int64),
        years=tuple(range(years[0], years[-1] + 1)),
        forward=forward,
        workload_index={workload.id: i for i, workload in enumerate(problem.workloads)},
        pool_index=pool_index,
        offer_index={offer.id: i for i, offer in enumerate(problem.offers)},
        programme_index={programme.id: i for i, programme in enumerate(problem.programmes)},
        site_index=site_index,
        site_of_pool=site_of_pool,
        accelerator_of_pool=accelerators,
        pool_of_offer=pool_of_offer,
        member_of_workload=tuple(member_by_id[workload.member_id] for workload in problem.workloads),
        release=np.array([release_period(problem, w) for w in problem.workloads], dtype=np.int64),
        deadline=np.array([deadline_period(problem, w) for w in problem.workloads], dtype=np.int64),
        work=np.array([work_of(problem, w) for w in problem.workloads], dtype=np.float64),
        facility_kw=facility_kw,
        capacity_max=capacity_max,
        gang_max=gang_max,
        grant_reference=_grant_reference(problem, pool_of_offer, site_of_pool, facility_kw, forward),
        domestic=tuple(accepts(problem.rules.domestic, problem.sites[j]) for j in site_of_pool),
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


def electricity_yen_per_hour(reference: Reference, pool: int) -> float:
    """Return the price of one accelerator-hour's electricity in a pool, 0 where the site has no price."""
    price = reference.site(pool).electricity_yen_per_kwh
    return 0.0 if price is None else float(reference.facility_kw[pool]) * float(price)


def grant_rate(reference: Reference, programme: Programme, workload: int) -> float:
    """Return the rate for the workload's member and tags, 0 where it is not eligible anywhere."""
    grant = programme.kind
    tags = reference.problem.workloads[workload].tags
    if grant.eligible_tags and not set(grant.eligible_tags) & set(tags):
        return 0.0
    size = reference.member_of_workload[workload].size_class
    return next((rate.rate_fraction for rate in grant.rates if rate.size_class is size), 0.0)


def programme_covers_pool(reference: Reference, programme: Programme, pool: int) -> bool:
    """Return whether use of the pool is eligible by its id and by its site's two countries."""
    grant = programme.kind
    named = not grant.eligible_pool_ids or reference.problem.pools[pool].id in grant.eligible_pool_ids
    return named and accepts(grant.eligible_countries, reference.site(pool))


def programme_periods(reference: Reference, programme: Programme) -> tuple[int, ...]:
    """Return the periods of the horizon whose use is eligible."""
    return window(reference.problem, programme.from_date, programme.until_date)


def projects_of_several(problem: Problem) -> frozenset[str]:
    """Return the projects that have at least two workloads."""
    counts: dict[str, int] = {}
    for workload in problem.workloads:
        name = project_name(workload)
        counts[name] = counts.get(name, 0) + 1
    return frozenset(name for name, count in counts.items() if count > 1)


def project_name(workload: Workload) -> str:
    """Return the project whose cap counts: its id, else that of the workload."""
    return workload.project_id if workload.project_id != "" else workload.id


def _facility_kw(problem: Problem, pool: Pool) -> float:
    """Return kW at the meter for one accelerator of the pool."""
    accelerator = next(item for item in problem.accelerators if item.id == pool.accelerator_id)
    site = next(item for item in problem.sites if item.id == pool.site_id)
    return accelerator.power_kw * site.power_usage_effectiveness


def _grant_reference(
    problem: Problem,
    pool_of_offer: tuple[int, ...],
    site_of_pool: tuple[int, ...],
    facility_kw: FloatArray,
    forward: FloatArray,
) -> FloatArray:
    """Return gref(p, t), yen per accelerator-hour, shape (pools, period_count)."""
    lowest = np.full((len(problem.pools), problem.calendar.period_count), np.inf)
    for offer, p in zip(problem.offers, pool_of_offer, strict=True):
        tariff = problem.sites[site_of_pool[p]].electricity_yen_per_kwh
        electricity = 0.0 if tariff is None else float(facility_kw[p]) * float(tariff)
        np.minimum(lowest[p], lowest_unit_cost(problem, offer, forward, electricity), out=lowest[p])
    lowest[np.isinf(lowest)] = 0.0
    return lowest
