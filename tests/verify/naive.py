"""A slow, plain reading of docs/rules.md for tests: loops only, nothing from ``tehai.verify``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from tehai.domain.market import USD, UnitPrice
from tehai.domain.offer import Existing, Offer, OnDemand, PaymentTiming, Purchase, Reservation, ReservationTerm
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import GangOption, Workload


@dataclass(frozen=True, slots=True)
class NaiveColumn:
    """A legal placement; ``hours`` are accelerator-hours by period."""

    workload: Workload
    pool: Pool
    gang: GangOption
    start: int
    run_hours: float
    hours: dict[int, float]


class Naive:
    """Answers every question about a problem by walking over it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.count = problem.calendar.period_count
        self.period_hours = problem.calendar.period_hours
        self.sites = {site.id: site for site in problem.sites}
        self.accelerators = {item.id: item for item in problem.accelerators}
        self.members = {member.id: member for member in problem.members}
        self.pools = {pool.id: pool for pool in problem.pools}
        self._most: dict[tuple[str, int], float] = {}
        self._reference: dict[tuple[str, int], float] = {}

    def year(self, t: int) -> int:
        """Fiscal year of a period."""
        return self.problem.calendar.fiscal_year(t)

    def rate(self, t: int) -> float:
        """Forward yen per dollar."""
        market = self.problem.market
        years = (self.problem.calendar.date_of(t) - market.spot_date).days / 365
        ratio = (1 + float(market.yen_interest_rate) * years) / (1 + float(market.dollar_interest_rate) * years)
        return float(market.usd_jpy_spot) * ratio

    def yen(self, price: UnitPrice, t: int) -> float:
        """A unit price in yen in a period."""
        return float(price.amount) * (self.rate(t) if price.currency_code == USD else 1.0)

    def site(self, pool: Pool) -> Site:
        """The site of a pool."""
        return self.sites[pool.site_id]

    def accelerator(self, pool: Pool) -> Accelerator:
        """The accelerator of a pool."""
        return self.accelerators[pool.accelerator_id]

    def kilowatts(self, pool: Pool) -> float:
        """Facility power of one accelerator."""
        return self.accelerator(pool).power_kw * self.site(pool).power_usage_effectiveness

    def electricity(self, offer: Offer) -> float:
        """Yen of electricity per accelerator-hour, 0 unless metered."""
        pool = self.pools[offer.pool_id]
        tariff = self.site(pool).electricity_yen_per_kwh
        metered = isinstance(offer.kind, Existing | Purchase) and offer.kind.metered
        return self.kilowatts(pool) * float(tariff or 0) if metered else 0.0

    def inside(self, kind: OnDemand | Existing | Reservation | Purchase, t: int) -> bool:
        """Whether a period of the horizon lies in an offer's window."""
        day = self.problem.calendar.date_of(t)
        return (kind.from_date is None or kind.from_date <= day) and (kind.until_date is None or day < kind.until_date)

    def term_starts(self, kind: Reservation) -> list[int]:
        """Periods in which a term may begin."""
        return [s for s in range(self.count) if self.inside(kind, s) and s >= kind.lead_time_periods]

    def order_periods(self, kind: Purchase) -> list[int]:
        """Periods in which units may be ordered."""
        first = kind.delivery_steps[0].periods_after_order
        return [s for s in range(self.count) if self.inside(kind, s) and s + first < self.count]

    def ramp(self, kind: Purchase, age: int) -> float:
        """Delivered fraction by age."""
        first = kind.delivery_steps[0].periods_after_order
        if age < first or age >= first + kind.life_periods:
            return 0.0
        live = 0.0
        for step in kind.delivery_steps:
            if step.periods_after_order <= age:
                live = step.delivered_fraction
        return live

    def most_live(self, offer: Offer, t: int) -> float:
        """Kmax(o, t)."""
        key = (offer.id, t)
        if key not in self._most:
            self._most[key] = self._most_live(offer, t)
        return self._most[key]

    def _most_live(self, offer: Offer, t: int) -> float:
        kind = offer.kind
        if isinstance(kind, OnDemand):
            return float(kind.quota_accelerators) if self.inside(kind, t) else 0.0
        if isinstance(kind, Existing):
            return float(kind.accelerators) if self.inside(kind, t) else 0.0
        if isinstance(kind, Reservation):
            covered = any(s <= t < s + term.term_periods for term in kind.terms for s in self.term_starts(kind))
            return float(kind.block_accelerators * kind.blocks_max) if covered else 0.0
        best = max((self.ramp(kind, t - s) for s in self.order_periods(kind)), default=0.0)
        return kind.units_max * kind.unit_accelerators * best

    def offers_of(self, pool: Pool) -> list[Offer]:
        """The offers of a pool."""
        return [offer for offer in self.problem.offers if offer.pool_id == pool.id]

    def grant_reference(self, pool: Pool, t: int) -> float:
        """gref(p, t)."""
        key = (pool.id, t)
        if key not in self._reference:
            costs = [self._unit_cost(offer, t) for offer in self.offers_of(pool) if self.most_live(offer, t) > 0]
            self._reference[key] = min(costs, default=0.0)
        return self._reference[key]

    def _unit_cost(self, offer: Offer, t: int) -> float:
        kind = offer.kind
        if isinstance(kind, OnDemand):
            return self.yen(kind.price_per_accelerator_hour, t)
        if isinstance(kind, Existing):
            return self.electricity(offer)
        if isinstance(kind, Reservation):
            return min(
                self.yen(term.price_per_accelerator_hour, s - kind.lead_time_periods if prepaid(term) else t)
                for term in kind.terms
                for s in self.term_starts(kind)
                if s <= t < s + term.term_periods
            )
        first = kind.delivery_steps[0].periods_after_order
        ages = range(first, first + kind.life_periods)
        hours = kind.unit_accelerators * self.period_hours * sum(self.ramp(kind, age) for age in ages)
        prices = [self.yen(kind.price_per_unit, s) for s in self.order_periods(kind) if self.ramp(kind, t - s) > 0]
        return min(prices) * kept(kind) / hours + self.electricity(offer)

    def release(self, workload: Workload) -> int:
        """First period of the workload's window."""
        return max(0, self.problem.calendar.first_period_from(workload.release_date))

    def deadline(self, workload: Workload) -> int:
        """Number of periods that end in time."""
        return min(self.count, self.problem.calendar.last_end_by(workload.deadline_date))

    def work(self, workload: Workload) -> float:
        """Normalised accelerator-hours."""
        if workload.normalised_accelerator_hours is not None:
            return workload.normalised_accelerator_hours
        assert workload.flops is not None
        assert self.problem.reference_sustained_flops is not None
        return workload.flops / (3600 * self.problem.reference_sustained_flops)

    def columns(self, workload: Workload) -> Iterator[NaiveColumn]:
        """Every legal column of a workload."""
        for pool in self.problem.pools:
            for gang in workload.gang_options:
                run = self.run_hours(workload, pool, gang)
                if run is None:
                    continue
                for start in range(self.release(workload), self.deadline(workload)):
                    hours = self.hours(gang.accelerators, run, start)
                    if max(hours) < self.deadline(workload) and self.room(pool, gang.accelerators, hours):
                        yield NaiveColumn(workload, pool, gang, start, run, hours)

    def run_hours(self, workload: Workload, pool: Pool, gang: GangOption) -> float | None:
        """Hours of a run, None where gang, memory, family or sovereignty forbid it."""
        accelerator, site = self.accelerator(pool), self.site(pool)
        speed = {f.software_family: f.normalised_throughput for f in accelerator.throughputs}
        n = gang.accelerators
        if workload.software_family not in speed or n > pool.gang_accelerators_max:
            return None
        if n * accelerator.memory_gb < workload.memory_gb:
            return None
        if not workload.sovereignty.accepts(site.country_code, site.operator_country_code):
            return None
        return self.work(workload) / (n * speed[workload.software_family] * gang.scaling_efficiency_fraction)

    def hours(self, accelerators: int, run: float, start: int) -> dict[int, float]:
        """Accelerator-hours by period."""
        quotient = run / self.period_hours
        full = math.floor(quotient + 1e-9)
        rest = 0.0 if quotient - full <= 1e-9 else (quotient - full) * self.period_hours
        if full == 0 and rest == 0.0:
            rest = run
        hours = {t: float(accelerators * self.period_hours) for t in range(start, start + full)}
        if rest > 0.0:
            hours[start + full] = accelerators * rest
        return hours

    def room(self, pool: Pool, accelerators: int, hours: dict[int, float]) -> bool:
        """Whether the pool could ever hold the gang in every period."""
        offers = self.offers_of(pool)
        return all(accelerators <= sum(self.most_live(o, t) for o in offers) + 1e-6 for t in hours)

    def grant_rate(self, programme: Programme, workload: Workload, pool: Pool) -> float:
        """Rate of a programme for a workload in a pool, 0 where it is not open."""
        grant, site = programme.kind, self.site(pool)
        if grant.eligible_pool_ids and pool.id not in grant.eligible_pool_ids:
            return 0.0
        if not grant.eligible_countries.accepts(site.country_code, site.operator_country_code):
            return 0.0
        if grant.eligible_tags and not any(tag in grant.eligible_tags for tag in workload.tags):
            return 0.0
        size = self.members[workload.member_id].size_class
        return sum(rate.rate_fraction for rate in grant.rates if rate.size_class is size)

    def eligible(self, programme: Programme, column: NaiveColumn) -> dict[int, float]:
        """Eligible cost by fiscal year."""
        cost: dict[int, float] = {}
        for t, hours in column.hours.items():
            day = self.problem.calendar.date_of(t)
            if programme.from_date <= day < programme.until_date:
                year = self.year(t)
                cost[year] = cost.get(year, 0.0) + hours * self.grant_reference(column.pool, t)
        return cost

    def domestic(self, pool: Pool) -> bool:
        """Whether work in a pool counts as domestic."""
        site = self.site(pool)
        return self.problem.rules.domestic.accepts(site.country_code, site.operator_country_code)


def prepaid(term: ReservationTerm) -> bool:
    """Whether a term is paid when booked."""
    return term.payment_timing is PaymentTiming.PREPAID


def kept(kind: Purchase) -> float:
    """The part of the price that is not recovered."""
    return 1 - kind.residual_fraction * (1 - kind.residual_haircut_fraction)
