"""Time, money, places and emissions of docs/rules.md: the first floor of the oracle's numbers.

Dates are derived here again rather than taken from ``Calendar``'s methods, steps rather than from ``UnitPrice``'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property

from tehai.domain.market import PriceStep, UnitPrice
from tehai.domain.offer import Offer, QuotaStep
from tehai.domain.problem import CurrentPlacement, Problem, Route
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import Member, Workload

MARCH = 3
DAYS_OF_A_YEAR = 365


def price_on(base: Decimal, steps: Sequence[PriceStep], day: date) -> float:
    """Return the amount in force on a day: of the last step that has begun, else the base amount."""
    begun = [step for step in steps if step.from_date <= day]
    return float(max(begun, key=lambda step: step.from_date).amount if begun else base)


def quota_on(base: int, steps: Sequence[QuotaStep], day: date) -> int:
    """Return the accelerators in force on a day: of the last step that has begun, else the base number."""
    begun = [step for step in steps if step.from_date <= day]
    return max(begun, key=lambda step: step.from_date).accelerators if begun else base


def year_of(day: date) -> int:
    """Return the Japanese fiscal year of a day."""
    return day.year - (day.month <= MARCH)


class Basics:
    """What follows from calendar, market and places alone."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem; figures are derived when first read."""
        self.problem = problem
        self.periods = range(problem.calendar.period_count)
        self.hours = problem.calendar.period_hours
        self.accelerators: dict[str, Accelerator] = {a.id: a for a in problem.accelerators}
        self.sites: dict[str, Site] = {s.id: s for s in problem.sites}
        self.pools: dict[str, Pool] = {p.id: p for p in problem.pools}
        self.members: dict[str, Member] = {m.id: m for m in problem.members}
        self.workloads: dict[str, Workload] = {w.id: w for w in problem.workloads}
        self.routes: dict[tuple[str, str], Route] = {(r.from_site_id, r.to_site_id): r for r in problem.routes}

    # Time

    def first_day(self, period: int) -> date:
        """Return the first day of a period."""
        return self.problem.calendar.first_date + timedelta(days=math.floor(period * self.hours / 24))

    def fiscal_year(self, period: int) -> int:
        """Return the Japanese fiscal year of a period's first day."""
        return year_of(self.first_day(period))

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
        """Return the mid forward in yen for a dollar in a period, also after the horizon."""
        market = self.problem.market
        years = (self.first_day(period) - market.spot_date).days / DAYS_OF_A_YEAR
        growth = (1 + float(market.yen_interest_rate) * years) / (1 + float(market.dollar_interest_rate) * years)
        return float(market.usd_jpy_spot) * growth

    def yen(self, price: UnitPrice, period: int, day: date | None = None) -> float:
        """Return cur(price, day, period): the price of a day (of the period's first one) paid in a period."""
        amount = price_on(price.amount, price.steps, day or self.first_day(period))
        if price.currency_code == "USD":
            return amount * (self.exchange_rate(period) + float(self.problem.market.usd_conversion_spread_yen))
        return amount

    def discount(self, day: date, rate: Decimal | None = None) -> float:
        """Return D(day), the present value of a yen paid on a day, at the market's rate or another one."""
        annual = float(self.problem.market.discount_rate if rate is None else rate)
        return math.pow(1 + annual, -(day - self.problem.calendar.first_date).days / DAYS_OF_A_YEAR)

    def discount_in(self, period: int, rate: Decimal | None = None) -> float:
        """Return D(t), of a yen paid on the first day of a period, also after the horizon."""
        return self.discount(self.first_day(period), rate)

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

    def carbon_kg(self, pool_id: str) -> float:
        """Return kg(p): emissions of one accelerator-hour."""
        return self.facility_kw(pool_id) * self.site_of(pool_id).grid_carbon_kg_per_kwh

    def domestic(self, pool_id: str) -> bool:
        """Return whether work done in a pool is domestic."""
        site = self.site_of(pool_id)
        return self.problem.rules.domestic.accepts(site.country_code, site.operator_country_code)

    def electricity_yen(self, offer: Offer, metered: bool, period: int) -> float:
        """Return the electricity of one accelerator-hour in a period, 0 where the offer is not metered."""
        if not metered:
            return 0.0
        site = self.site_of(offer.pool_id)
        price = site.electricity_yen_per_kwh
        assert price is not None, f"{offer.id} is metered at a site without a price of electricity"
        tariff = price_on(price, site.electricity_steps, self.first_day(period))
        return self.facility_kw(offer.pool_id) * tariff

    # Workloads

    def work(self, workload: Workload) -> float:
        """Return the work of a workload in normalised accelerator-hours."""
        if workload.normalised_accelerator_hours is not None:
            return workload.normalised_accelerator_hours
        assert workload.flops is not None
        assert self.problem.reference_sustained_flops is not None
        return workload.flops / (3600 * self.problem.reference_sustained_flops)

    @cached_property
    def current(self) -> dict[str, CurrentPlacement]:
        """Placements of the plan in force by workload."""
        return {placement.workload_id: placement for placement in self.problem.current_plan.placements}

    def must_run(self, workload: Workload) -> bool:
        """Return whether a workload is mandatory or locked."""
        return workload.cost_not_run_yen is None or (workload.id in self.current and self.current[workload.id].locked)

    def change_yen(self, workload: Workload) -> int:
        """Return what a change of the workload's placement costs, 0 where it has none."""
        if workload.id not in self.current:
            return 0
        own = self.current[workload.id].change_yen
        return self.problem.current_plan.change_yen if own is None else own
