"""A plan read against its problem: who runs where, and which accelerator-hours that takes, as docs/rules.md defines.

The plan is taken as valid; whether it is, is for tehai.verify to say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tehai.domain.offer import Offer
from tehai.domain.plan import Placement, Plan, Segment
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import Member, Workload

FloatArray = npt.NDArray[np.float64]
WHOLE_PERIOD_TOLERANCE = 1e-9
SECONDS_AN_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A placed workload: ``hours`` are the accelerator-hours that it occupies in each period, (period_count,)."""

    placement: Placement
    workload: Workload
    pool: Pool
    site: Site
    hours: FloatArray

    @property
    def start(self) -> int:
        """The first period touched."""
        return self.placement.segments[0].start_period


@dataclass(frozen=True)
class Reading:
    """A plan with its problem, the nouns by id, and what is placed.

    ``fiscal_years`` (period_count,) is the fiscal year of each period.
    """

    problem: Problem
    plan: Plan
    accelerators: dict[str, Accelerator] = field(init=False)
    sites: dict[str, Site] = field(init=False)
    pools: dict[str, Pool] = field(init=False)
    offers: dict[str, Offer] = field(init=False)
    members: dict[str, Member] = field(init=False)
    workloads: dict[str, Workload] = field(init=False)
    programmes: dict[str, Programme] = field(init=False)
    fiscal_years: npt.NDArray[np.int64] = field(init=False)
    placed: tuple[Placed, ...] = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("accelerators", "sites", "pools", "offers", "members", "workloads", "programmes"):
            put(self, name, {noun.id: noun for noun in getattr(self.problem, name)})
        years = [self.problem.calendar.fiscal_year(t) for t in range(self.period_count)]
        put(self, "fiscal_years", np.array(years, dtype=np.int64))
        put(self, "placed", tuple(self._placed(placement) for placement in self.plan.placements))

    @property
    def period_count(self) -> int:
        """Periods of the horizon."""
        return self.problem.calendar.period_count

    @property
    def period_hours(self) -> int:
        """Hours of a period."""
        return self.problem.calendar.period_hours

    def site_of_pool(self, pool_id: str) -> Site:
        """Return the site that a pool stands at."""
        return self.sites[self.pools[pool_id].site_id]

    def facility_kw(self, pool: Pool) -> float:
        """Return the power of one accelerator at the meter, kW."""
        return self.accelerators[pool.accelerator_id].power_kw * self.sites[pool.site_id].power_usage_effectiveness

    def carbon_kg(self, pool: Pool) -> float:
        """Return kg of carbon dioxide for one accelerator-hour."""
        return self.facility_kw(pool) * self.sites[pool.site_id].grid_carbon_kg_per_kwh

    def by_year(self, values: FloatArray) -> dict[int, float]:
        """Return the sum of ``values``, (period_count,), over the periods of each fiscal year of the horizon."""
        years = self.problem.calendar.fiscal_years()
        return {year: float(values[self.fiscal_years == year].sum()) for year in years}

    def _placed(self, placement: Placement) -> Placed:
        pool = self.pools[placement.segments[0].pool_id]
        hours = np.zeros(self.period_count)
        for segment in placement.segments:
            hours += segment_hours(segment, pool.node_accelerators, self.period_hours, self.period_count)
        return Placed(placement, self.workloads[placement.workload_id], pool, self.sites[pool.site_id], hours)


def occupied_accelerators(accelerators: int, node_accelerators: int) -> int:
    """Return the accelerators that a gang occupies: whole nodes."""
    return -(-accelerators // node_accelerators) * node_accelerators


def split_run(run_hours: float, period_hours: int) -> tuple[int, float]:
    """Return the full periods of a run and the hours of its last, partial one; 0 where it ends with a period."""
    quotient = run_hours / period_hours
    full = math.floor(quotient + WHOLE_PERIOD_TOLERANCE)
    over = quotient - full
    rest = over * period_hours if over > WHOLE_PERIOD_TOLERANCE else 0.0
    return full, run_hours if full == 0 and rest == 0.0 else rest


def segment_end(segment: Segment, period_hours: int) -> int:
    """Return the period after the last one that a segment touches."""
    full, rest = split_run(segment.run_hours, period_hours)
    return segment.start_period + full + (rest > 0.0)


def segment_hours(segment: Segment, node_accelerators: int, period_hours: int, period_count: int) -> FloatArray:
    """Return the accelerator-hours that a segment occupies in each period: full ones, then the rest in the last."""
    occupied = occupied_accelerators(segment.accelerators, node_accelerators)
    full, rest = split_run(segment.run_hours, period_hours)
    hours = np.zeros(period_count)
    end = min(segment.start_period + full, period_count)
    hours[segment.start_period : end] = occupied * period_hours
    if rest > 0.0 and end < period_count:
        hours[end] = occupied * rest
    return hours


def release_period(problem: Problem, workload: Workload) -> int:
    """Return the first period in which a workload may start."""
    return max(0, problem.calendar.first_period_from(workload.release_date))


def work_of(problem: Problem, workload: Workload) -> float:
    """Return the work of a workload in normalised accelerator-hours."""
    if workload.normalised_accelerator_hours is not None:
        return workload.normalised_accelerator_hours
    return (workload.flops or 0.0) / (SECONDS_AN_HOUR * (problem.reference_sustained_flops or math.inf))
