"""The numbers of docs/rules.md that the oracle needs: legal columns, orders, capacities, prices and references.

A second implementation, written from the rules and the domain dataclasses alone. Dates are derived here again rather
than taken from ``Calendar``'s methods. Hours are accelerator-hours, money is yen, arrays over periods have T entries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from tehai.domain.market import UnitPrice
from tehai.domain.offer import Existing, Offer, OnDemand, PaymentTiming, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import SizeClass, Workload

WHOLE_PERIOD_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Column:
    """A legal placement with the programme it claims from ("" for none) and the most it can claim by fiscal year."""

    workload_id: str
    pool_id: str
    accelerators: int
    start: int
    programme_id: str
    hours: tuple[float, ...]
    lateness_yen: int
    work_by_year: dict[int, float]
    claim_max_by_year: dict[int, float]

    @property
    def key(self) -> tuple[str, str, int, int, str]:
        """The decision that this column is."""
        return (self.workload_id, self.pool_id, self.accelerators, self.start, self.programme_id)

    def periods(self) -> range:
        """Return the periods it touches."""
        return range(self.start, self.start + len(self.hours))


@dataclass(frozen=True, slots=True)
class Order:
    """One block of a term (from 0) that begins in ``period``, or one unit (``term`` is -1) that is ordered in it."""

    offer_id: str
    term: int
    period: int
    capacity: tuple[float, ...]
    cost_yen: float
    cash_by_year: dict[int, float]


@dataclass(frozen=True, slots=True)
class Supply:
    """An offer in numbers: capacity without orders, possible orders, and what an accelerator-hour used costs."""

    offer: Offer
    fixed_capacity: tuple[int, ...]
    largest_capacity: tuple[float, ...]
    use_cost_yen: tuple[float, ...]
    orders: tuple[Order, ...]
    reference_yen: tuple[float, ...]


class Numbers:
    """Everything that docs/rules.md derives from a problem before anything is decided."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem; figures are derived when first read."""
        self.problem = problem
        self.periods = range(problem.calendar.period_count)
        self.hours = problem.calendar.period_hours
        self.accelerators: dict[str, Accelerator] = {a.id: a for a in problem.accelerators}
        self.sites: dict[str, Site] = {s.id: s for s in problem.sites}
        self.pools: dict[str, Pool] = {p.id: p for p in problem.pools}
        self.size_classes: dict[str, SizeClass] = {m.id: m.size_class for m in problem.members}

    # Time

    def first_day(self, period: int) -> date:
        """Return the first day of a period."""
        return self.problem.calendar.first_date + timedelta(days=math.floor(period * self.hours / 24))

    def fiscal_year(self, period: int) -> int:
        """Return the Japanese fiscal year of a period's first day."""
        day = self.first_day(period)
        return day.year - (day.month <= 3)

    @cached_property
    def fiscal_years(self) -> tuple[int, ...]:
        """Fiscal years that have a period of the horizon."""
        return tuple(sorted({self.fiscal_year(t) for t in self.periods}))

    def within(self, period: int, from_date: date | None, until_date: date | None) -> bool:
        """Return whether a period's first day lies in [from_date, until_date)."""
        day = self.first_day(period)
        return (from_date is None or from_date <= day) and (until_date is None or day < until_date)

    def release(self, workload: Workload) -> int:
        """Return the first period that begins at or after the release; T where none does."""
        hour = (workload.release_date - self.problem.calendar.first_date).days * 24
        return next((t for t in self.periods if t * self.hours >= hour), len(self.periods))

    def deadline(self, workload: Workload) -> int:
        """Return how many periods end at or before the deadline."""
        hour = (workload.deadline_date - self.problem.calendar.first_date).days * 24
        return sum(1 for t in self.periods if (t + 1) * self.hours <= hour)

    # Money

    def exchange_rate(self, period: int) -> float:
        """Return yen for a dollar in a period, also after the horizon."""
        market = self.problem.market
        years = (self.first_day(period) - market.spot_date).days / 365
        growth = (1 + float(market.yen_interest_rate) * years) / (1 + float(market.dollar_interest_rate) * years)
        return float(market.usd_jpy_spot) * growth

    def yen(self, price: UnitPrice, period: int) -> float:
        """Return a price in yen at the rate of a period."""
        return float(price.amount) * (self.exchange_rate(period) if price.currency_code == "USD" else 1.0)

    # Places

    def site_of(self, pool_id: str) -> Site:
        """Return the site of a pool."""
        return self.sites[self.pools[pool_id].site_id]

    def accelerator_of(self, pool_id: str) -> Accelerator:
        """Return the accelerator of a pool."""
        return self.accelerators[self.pools[pool_id].accelerator_id]

    def facility_kw(self, pool_id: str) -> float:
        """Return facility power of one accelerator of a pool."""
        return self.accelerator_of(pool_id).power_kw * self.site_of(pool_id).power_usage_effectiveness

    def domestic(self, pool_id: str) -> bool:
        """Return whether work done in a pool is domestic."""
        site = self.site_of(pool_id)
        return self.problem.rules.domestic.accepts(site.country_code, site.operator_country_code)

    def electricity_yen(self, offer: Offer, metered: bool) -> float:
        """Return the electricity of one accelerator-hour, 0 where the offer is not metered."""
        price = self.site_of(offer.pool_id).electricity_yen_per_kwh
        if not metered:
            return 0.0
        assert price is not None, f"{offer.id} is metered at a site without a price of electricity"
        return self.facility_kw(offer.pool_id) * float(price)

    # Offers

    @cached_property
    def supplies(self) -> tuple[Supply, ...]:
        """Every offer in numbers, in the order of the problem."""
        return tuple(self._supply(offer) for offer in self.problem.offers)

    def _supply(self, offer: Offer) -> Supply:
        kind = offer.kind
        if isinstance(kind, OnDemand):
            return self._on_demand(offer, kind)
        if isinstance(kind, Existing):
            return self._existing(offer, kind)
        if isinstance(kind, Reservation):
            return self._reservation(offer, kind)
        return self._purchase(offer, kind)

    def _on_demand(self, offer: Offer, kind: OnDemand) -> Supply:
        live = tuple(
            kind.quota_accelerators if self.within(t, kind.from_date, kind.until_date) else 0 for t in self.periods
        )
        price = tuple(self.yen(kind.price_per_accelerator_hour, t) for t in self.periods)
        return Supply(offer, live, tuple(float(k) for k in live), price, (), price)

    def _existing(self, offer: Offer, kind: Existing) -> Supply:
        live = tuple(kind.accelerators if self.within(t, kind.from_date, kind.until_date) else 0 for t in self.periods)
        price = tuple(self.electricity_yen(offer, kind.metered) for _ in self.periods)
        return Supply(offer, live, tuple(float(k) for k in live), price, (), price)

    def _reservation(self, offer: Offer, kind: Reservation) -> Supply:
        orders = []
        reference = [math.inf] * len(self.periods)
        for position, term in enumerate(kind.terms):
            price = term.price_per_accelerator_hour
            block_hours = kind.block_accelerators * self.hours
            for s in self.periods:
                if s < kind.lead_time_periods or not self.within(s, kind.from_date, kind.until_date):
                    continue
                live = range(s, min(s + term.term_periods, len(self.periods)))
                cash: dict[int, float] = {}
                if term.payment_timing is PaymentTiming.PREPAID:
                    booked = s - kind.lead_time_periods
                    fee = block_hours * term.term_periods * self.yen(price, booked)
                    cost = fee * len(live) / term.term_periods
                    cash[self.fiscal_year(booked)] = fee
                    hourly = [self.yen(price, booked) for _ in live]
                else:
                    hourly = [self.yen(price, t) for t in live]
                    cost = sum(block_hours * value for value in hourly)
                    for t, value in zip(live, hourly, strict=True):
                        cash[self.fiscal_year(t)] = cash.get(self.fiscal_year(t), 0.0) + block_hours * value
                for t, value in zip(live, hourly, strict=True):
                    reference[t] = min(reference[t], value)
                capacity = tuple(float(kind.block_accelerators) if t in live else 0.0 for t in self.periods)
                orders.append(Order(offer.id, position, s, capacity, cost, cash))
        covered = [any(order.capacity[t] > 0 for order in orders) for t in self.periods]
        largest = tuple(float(kind.block_accelerators * kind.blocks_max) if c else 0.0 for c in covered)
        free = tuple(0.0 for _ in self.periods)
        return Supply(offer, tuple(0 for _ in self.periods), largest, free, tuple(orders), tuple(reference))

    @staticmethod
    def delivered(kind: Purchase, age: int) -> float:
        """Return the part of an order that is live ``age`` periods after it: ramp(age) of the rules."""
        first = kind.delivery_steps[0].periods_after_order
        if age < first or age >= first + kind.life_periods:
            return 0.0
        return max(step.delivered_fraction for step in kind.delivery_steps if step.periods_after_order <= age)

    def _purchase(self, offer: Offer, kind: Purchase) -> Supply:
        first = kind.delivery_steps[0].periods_after_order
        kept = 1 - kind.residual_fraction * (1 - kind.residual_haircut_fraction)
        life_hours = (
            kind.unit_accelerators
            * self.hours
            * sum(self.delivered(kind, age) for age in range(first, first + kind.life_periods))
        )
        electricity = self.electricity_yen(offer, kind.metered)
        orders = []
        reference = [math.inf] * len(self.periods)
        for s in self.periods:
            if s + first >= len(self.periods) or not self.within(s, kind.from_date, kind.until_date):
                continue
            price = self.yen(kind.price_per_unit, s)
            share = min(kind.life_periods, len(self.periods) - (s + first)) / kind.life_periods
            capacity = tuple(kind.unit_accelerators * self.delivered(kind, t - s) for t in self.periods)
            orders.append(Order(offer.id, -1, s, capacity, price * kept * share, {self.fiscal_year(s): price}))
            for t in self.periods:
                if capacity[t] > 0:
                    reference[t] = min(reference[t], price * kept / life_hours + electricity)
        largest = tuple(
            kind.units_max * max((order.capacity[t] for order in orders), default=0.0) for t in self.periods
        )
        costs = tuple(electricity for _ in self.periods)
        return Supply(offer, tuple(0 for _ in self.periods), largest, costs, tuple(orders), tuple(reference))

    @cached_property
    def largest_capacity(self) -> dict[str, tuple[float, ...]]:
        """Amax of the rules: accelerators that can be live in each pool and period."""
        return {
            pool_id: tuple(
                sum(s.largest_capacity[t] for s in self.supplies if s.offer.pool_id == pool_id) for t in self.periods
            )
            for pool_id in self.pools
        }

    @cached_property
    def grant_reference_yen(self) -> dict[str, tuple[float, ...]]:
        """Gref of the rules: lowest yen per accelerator-hour in each pool and period, 0 where nothing can be had."""
        references = {}
        for pool_id in self.pools:
            supplies = [s for s in self.supplies if s.offer.pool_id == pool_id]
            references[pool_id] = tuple(
                min((s.reference_yen[t] for s in supplies if s.largest_capacity[t] > 0), default=0.0)
                for t in self.periods
            )
        return references

    # Placements

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every legal column, in the order workload, pool, gang, start, programme."""
        return tuple(
            column
            for workload in self.problem.workloads
            for pool in self.problem.pools
            for column in self._columns_in(workload, pool)
        )

    def work(self, workload: Workload) -> float:
        """Return the work of a workload in normalised accelerator-hours."""
        if workload.normalised_accelerator_hours is not None:
            return workload.normalised_accelerator_hours
        assert workload.flops is not None
        assert self.problem.reference_sustained_flops is not None
        return workload.flops / (3600 * self.problem.reference_sustained_flops)

    def _columns_in(self, workload: Workload, pool: Pool) -> list[Column]:
        site, accelerator = self.sites[pool.site_id], self.accelerators[pool.accelerator_id]
        speeds = {f.software_family: f.normalised_throughput for f in accelerator.throughputs}
        if workload.software_family not in speeds:
            return []
        if not workload.sovereignty.accepts(site.country_code, site.operator_country_code):
            return []
        found = []
        for option in workload.gang_options:
            n = option.accelerators
            if n > pool.gang_accelerators_max or n * accelerator.memory_gb < workload.memory_gb:
                continue
            speed = n * speeds[workload.software_family] * option.scaling_efficiency_fraction
            hours = self._hours_in_periods(n, self.work(workload) / speed)
            for start in range(self.release(workload), self.deadline(workload) - len(hours) + 1):
                touched = range(start, start + len(hours))
                if all(n <= self.largest_capacity[pool.id][t] for t in touched):
                    found.extend(self._columns_at(workload, pool, n, start, hours))
        return found

    def _hours_in_periods(self, accelerators: int, run_hours: float) -> tuple[float, ...]:
        quotient = run_hours / self.hours
        whole = math.floor(quotient + WHOLE_PERIOD_TOLERANCE)
        rest = (quotient - whole) * self.hours if quotient - whole > WHOLE_PERIOD_TOLERANCE else 0.0
        if whole == 0 and rest == 0.0:
            rest = run_hours
        last = (accelerators * rest,) if rest > 0 else ()
        return tuple(float(accelerators * self.hours) for _ in range(whole)) + last

    def _columns_at(self, w: Workload, pool: Pool, n: int, start: int, hours: tuple[float, ...]) -> list[Column]:
        work_by_year: dict[int, float] = {}
        for t, value in enumerate(hours, start):
            year = self.fiscal_year(t)
            work_by_year[year] = work_by_year.get(year, 0.0) + self.work(w) * value / sum(hours)
        lateness = w.late_start_yen_per_period * (start - self.release(w))
        base = Column(w.id, pool.id, n, start, "", hours, lateness, work_by_year, {})
        columns = [base]
        for programme in self.problem.programmes:
            claims = self._claims(programme, w, pool, start, hours)
            if any(value > 0 for value in claims.values()):
                columns.append(Column(w.id, pool.id, n, start, programme.id, hours, lateness, work_by_year, claims))
        return columns

    def _claims(
        self, programme: Programme, workload: Workload, pool: Pool, start: int, hours: tuple[float, ...]
    ) -> dict[int, float]:
        """Return the most yen that can be claimed by fiscal year; empty where the programme is not open."""
        kind = programme.kind
        rates = {r.size_class: r.rate_fraction for r in kind.rates}
        site, size_class = self.sites[pool.site_id], self.size_classes[workload.member_id]
        is_open = (
            size_class in rates
            and (not kind.eligible_pool_ids or pool.id in kind.eligible_pool_ids)
            and kind.eligible_countries.accepts(site.country_code, site.operator_country_code)
            and (not kind.eligible_tags or bool(set(workload.tags) & set(kind.eligible_tags)))
        )
        claims: dict[int, float] = {}
        for t, value in enumerate(hours, start):
            if is_open and self.within(t, programme.from_date, programme.until_date):
                yen = rates[size_class] * value * self.grant_reference_yen[pool.id][t]
                claims[self.fiscal_year(t)] = claims.get(self.fiscal_year(t), 0.0) + yen
        return claims
