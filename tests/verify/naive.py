"""A slow, plain reading of docs/rules.md for tests: loops only, nothing from ``tehai.verify``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from tehai.domain.calendar import fiscal_year_of
from tehai.domain.market import USD, PriceStep, UnitPrice
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    CapacityBlockTerm,
    Existing,
    Offer,
    OnDemand,
    PaymentTiming,
    Purchase,
    QuotaStep,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import Workload

Windowed = OnDemand | Existing | Allocation | Reservation | Purchase | CapacityBlock


class Naive:
    """Answers every question about a problem but its columns by walking over it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.count = problem.calendar.period_count
        self.period_hours = problem.calendar.period_hours
        self.years = problem.calendar.fiscal_years()
        self.sites = {site.id: site for site in problem.sites}
        self.accelerators = {item.id: item for item in problem.accelerators}
        self.members = {member.id: member for member in problem.members}
        self.pools = {pool.id: pool for pool in problem.pools}
        self._cache: dict[tuple[object, ...], float] = {}

    def day(self, t: int) -> date:
        """First day of a period."""
        return self.problem.calendar.date_of(t)

    def year(self, t: int) -> int:
        """Fiscal year of a period."""
        return self.problem.calendar.fiscal_year(t)

    def rate(self, t: int) -> float:
        """Forward yen per dollar, spread included."""
        market = self.problem.market
        years = (self.day(t) - market.spot_date).days / 365
        ratio = (1 + float(market.yen_interest_rate) * years) / (1 + float(market.dollar_interest_rate) * years)
        return float(market.usd_jpy_spot) * ratio + float(market.usd_conversion_spread_yen)

    def in_force(self, base: float, steps: Iterable[PriceStep | QuotaStep], day: date) -> float:
        """The value of the last step on or before a day, else the base."""
        value = base
        for step in steps:
            if step.from_date <= day:
                value = float(step.amount if isinstance(step, PriceStep) else step.accelerators)
        return value

    def cur(self, price: UnitPrice, decided: int, paid: int | None = None) -> float:
        """Price in yen in force when decided, paid in the same period unless another is given."""
        key = ("cur", id(price), decided, paid)
        if key not in self._cache:
            amount = self.in_force(float(price.amount), price.steps, self.day(decided))
            later = decided if paid is None else paid
            self._cache[key] = amount * (self.rate(later) if price.currency_code == USD else 1.0)
        return self._cache[key]

    def discount(self, day: date | int, annual: object = None) -> float:
        """D of a day or of a period."""
        when = self.day(day) if isinstance(day, int) else day
        rate = float(self.problem.market.discount_rate if annual is None else annual)  # type: ignore[arg-type]
        return float((1 + rate) ** (-(when - self.day(0)).days / 365))

    def pay_day(self, programme: Programme, year: int) -> date:
        """The day on which claims of a fiscal year are paid."""
        return date(year + 1, 3, 31) + timedelta(days=programme.payment_lag_days)

    def pay_year(self, programme: Programme, year: int) -> int | None:
        """The fiscal year in which claims of a fiscal year are paid, None after the horizon."""
        paid = fiscal_year_of(self.pay_day(programme, year))
        return paid if paid in self.years else None

    def site(self, pool: Pool) -> Site:
        """The site of a pool."""
        return self.sites[pool.site_id]

    def accelerator(self, pool: Pool) -> Accelerator:
        """The accelerator of a pool."""
        return self.accelerators[pool.accelerator_id]

    def kilowatts(self, pool: Pool) -> float:
        """Facility power of one accelerator."""
        return self.accelerator(pool).power_kw * self.site(pool).power_usage_effectiveness

    def carbon(self, pool: Pool) -> float:
        """Kilograms of one accelerator-hour."""
        return self.kilowatts(pool) * self.site(pool).grid_carbon_kg_per_kwh

    def electricity(self, offer: Offer, t: int) -> float:
        """Yen of electricity per accelerator-hour in a period, 0 unless metered."""
        pool = self.pools[offer.pool_id]
        site = self.site(pool)
        metered = isinstance(offer.kind, Existing | Purchase) and offer.kind.metered
        if not metered:
            return 0.0
        tariff = self.in_force(float(site.electricity_yen_per_kwh or 0), site.electricity_steps, self.day(t))
        return self.kilowatts(pool) * tariff

    def inside(self, kind: Windowed, t: int) -> bool:
        """Whether a period of the horizon lies in an offer's window."""
        day = self.day(t)
        return (kind.from_date is None or kind.from_date <= day) and (kind.until_date is None or day < kind.until_date)

    def term_starts(self, kind: Reservation) -> list[int]:
        """Periods in which a term may begin."""
        return [s for s in range(self.count) if self.inside(kind, s) and s >= kind.lead_time_periods]

    def block_options(self, kind: CapacityBlock) -> list[tuple[CapacityBlockTerm, int, int]]:
        """Every (term, start, booking) of a capacity block."""
        return [
            (term, s, b)
            for term in kind.terms
            for s in range(self.count)
            if self.inside(kind, s)
            for b in range(self.count)
            if kind.booking_periods_min <= s - b <= kind.booking_periods_max
        ]

    def block_hours(self, term: CapacityBlockTerm, start: int) -> dict[int, float]:
        """Hours that a block offers in each period, after the horizon too."""
        hours, left, t = {}, 24.0 * term.term_days, start
        while left > 0:
            hours[t] = min(left, float(self.period_hours))
            left -= hours[t]
            t += 1
        return hours

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
        key = ("most", offer.id, t)
        if key not in self._cache:
            self._cache[key] = self._most_live(offer, t)
        return self._cache[key]

    def _most_live(self, offer: Offer, t: int) -> float:
        kind = offer.kind
        if isinstance(kind, OnDemand):
            quota = self.in_force(kind.quota_accelerators, kind.quota_steps, self.day(t))
            return quota if self.inside(kind, t) else 0.0
        if isinstance(kind, Existing | Allocation):
            owned = self.in_force(kind.accelerators, kind.accelerator_steps, self.day(t))
            return owned if self.inside(kind, t) else 0.0
        if isinstance(kind, Reservation):
            covered = any(s <= t < s + term.term_periods for term in kind.terms for s in self.term_starts(kind))
            return float(kind.block_accelerators * kind.blocks_max) if covered else 0.0
        if isinstance(kind, CapacityBlock):
            covered = any(t in self.block_hours(term, s) for term, s, _ in self.block_options(kind))
            return float(kind.block_accelerators * kind.blocks_max) if covered else 0.0
        best = max((self.ramp(kind, t - s) for s in self.order_periods(kind)), default=0.0)
        return kind.units_max * kind.unit_accelerators * best

    def offers_of(self, pool: Pool) -> list[Offer]:
        """The offers of a pool."""
        return [offer for offer in self.problem.offers if offer.pool_id == pool.id]

    def grant_reference(self, pool: Pool, t: int) -> float:
        """gref(p, t)."""
        key = ("gref", pool.id, t)
        if key not in self._cache:
            costs = [self._unit_cost(offer, t) for offer in self.offers_of(pool) if self.most_live(offer, t) > 0]
            if costs and pool.grant_reference is not None:
                costs.append(self.cur(pool.grant_reference, t))
            self._cache[key] = min(costs, default=0.0)
        return self._cache[key]

    def charge_reference(self, pool: Pool, t: int) -> float:
        """cref(p, t)."""
        if pool.charge_reference is not None:
            return self.cur(pool.charge_reference, t)
        serving = [offer for offer in self.offers_of(pool) if self.most_live(offer, t) > 0]
        listed = [self._unit_cost(offer, t) for offer in serving if isinstance(offer.kind, OnDemand)]
        return min(listed) if listed else max((self._unit_cost(offer, t) for offer in serving), default=0.0)

    def _unit_cost(self, offer: Offer, t: int) -> float:
        kind = offer.kind
        if isinstance(kind, OnDemand | Allocation):
            return self.cur(kind.price_per_accelerator_hour, t)
        if isinstance(kind, Existing):
            paid = kind.reference_price_per_accelerator_hour
            return self.electricity(offer, t) + (0.0 if paid is None else self.cur(paid, t))
        if isinstance(kind, Reservation):
            return min(
                upfront(term) * self.cur(term.price_per_accelerator_hour, s - kind.lead_time_periods)
                + (1 - upfront(term)) * self.cur(term.price_per_accelerator_hour, s - kind.lead_time_periods, t)
                for term in kind.terms
                for s in self.term_starts(kind)
                if s <= t < s + term.term_periods
            )
        if isinstance(kind, CapacityBlock):
            return min(
                self.cur(term.price_per_accelerator_hour, b)
                for term, s, b in self.block_options(kind)
                if t in self.block_hours(term, s)
            )
        first = kind.delivery_steps[0].periods_after_order
        ages = range(first, first + kind.life_periods)
        hours = kind.unit_accelerators * self.period_hours * sum(self.ramp(kind, age) for age in ages)
        prices = [self.cur(kind.price_per_unit, s) for s in self.order_periods(kind) if self.ramp(kind, t - s) > 0]
        return min(prices) * kept(kind) / hours + self.electricity(offer, t)

    def part_inside(self, kind: Purchase, s: int) -> float:
        """Part of the life of an order in s that lies in the horizon."""
        first = s + kind.delivery_steps[0].periods_after_order
        return min(kind.life_periods, self.count - first) / kind.life_periods

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

    def domestic(self, pool: Pool) -> bool:
        """Whether work in a pool counts as domestic."""
        site = self.site(pool)
        return self.problem.rules.domestic.accepts(site.country_code, site.operator_country_code)


def upfront(term: ReservationTerm) -> float:
    """The part of a term that is paid when it is booked."""
    return {PaymentTiming.PREPAID: 1.0, PaymentTiming.PERIODIC: 0.0}.get(
        term.payment_timing, term.upfront_fraction or 0.0
    )


def kept(kind: Purchase) -> float:
    """The part of the price that is not recovered."""
    return 1 - kind.residual_fraction * (1 - kind.residual_haircut_fraction)


def payments_of(kind: Purchase) -> list[tuple[int, float]]:
    """Instalments as (periods after the order, fraction)."""
    return [(step.periods_after_order, step.fraction) for step in kind.payment_steps] or [(0, 1.0)]
