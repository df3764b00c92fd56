"""The largest that costs together can be, E1905."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from math import isfinite

from tehai.domain.calendar import HOURS_PER_DAY, Calendar
from tehai.domain.market import USD, PriceStep, UnitPrice
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OnDemand, Purchase, QuotaStep, Reservation
from tehai.domain.workload import Workload
from tehai.validation.market import DAYS_PER_YEAR, periods_paid_after
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

# Whole yen up to here are exact as doubles, so that sums of costs are exact too.
EXACT_YEN_MAX = 2**53
COUNT_MAX = 10**18


def _dearest_dollar(view: ProblemView, calendar: Calendar) -> float:
    """Return the most yen that a dollar costs up to the last payment, spread included; the curve is monotone."""
    market = view.problem.market
    decimals = (market.usd_jpy_spot, market.yen_interest_rate, market.dollar_interest_rate)
    if not all(x.is_finite() for x in (*decimals, market.usd_conversion_spread_yen)):
        return 0.0
    rates = []
    for period in (0, calendar.period_count + periods_paid_after(view)):
        years = (calendar.date_of(period) - market.spot_date).days / DAYS_PER_YEAR
        growth = 1 + float(market.dollar_interest_rate) * years
        rates.append(float(market.usd_jpy_spot) * (1 + float(market.yen_interest_rate) * years) / (growth or 1.0))
    return max(rates) + float(market.usd_conversion_spread_yen)


def _amount(count: int) -> float:
    """Return a count as a double; what is out of range breaks rules of its own."""
    return float(min(max(count, 0), COUNT_MAX))


def _highest(amount: Decimal, steps: Iterable[PriceStep]) -> float:
    """Return the highest amount that is ever in force."""
    return max((float(a) for a in (amount, *(step.amount for step in steps)) if a.is_finite()), default=0.0)


def _most(accelerators: int, steps: Iterable[QuotaStep]) -> float:
    """Return the most accelerators that ever hold."""
    return max(_amount(count) for count in (accelerators, *(step.accelerators for step in steps)))


class _Costs:
    """At least what each part of a problem can cost in yen, by path."""

    def __init__(self, view: ProblemView, calendar: Calendar) -> None:
        self._view = view
        self._calendar = calendar
        self._hours = float(calendar.period_count * calendar.period_hours)
        self._dollar = _dearest_dollar(view, calendar)
        self._move: dict[str, float] = {}
        for route in view.problem.routes:
            dearest = max(self._move.get(route.from_site_id, 0.0), self._yen(route.price_per_terabyte))
            self._move[route.from_site_id] = dearest
        self._change = {
            entry.workload_id: _amount(entry.change_yen or 0) for entry in view.problem.current_plan.placements
        }

    def by_path(self) -> Iterator[tuple[str, float]]:
        """Yield (path, yen) of every workload and offer."""
        for i, workload in enumerate(self._view.problem.workloads):
            yield f"workloads[{i}]", self._charges(workload)
        for i, offer in enumerate(self._view.problem.offers):
            yield f"offers[{i}]", self._bill(offer) + self._carbon(offer)

    def _yen(self, price: UnitPrice) -> float:
        highest = _highest(price.amount, price.steps)
        return highest * self._dollar if price.currency_code == USD else highest

    def _charges(self, workload: Workload) -> float:
        waiting = workload.late_start_yen_per_period * self._calendar.period_count
        moved = workload.data_terabytes * self._move.get(workload.data_site_id or "", 0.0)
        porting = sum(_amount(porting.amount_yen) for porting in workload.porting)
        change = 0.0
        if workload.id in self._change:
            change = max(self._change[workload.id], _amount(self._view.problem.current_plan.change_yen))
        return _amount((workload.cost_not_run_yen or 0) + waiting) + moved + porting + change

    def _bill(self, offer: Offer) -> float:
        """Return what an offer can cost, electricity included."""
        match offer.kind:
            case OnDemand(price_per_accelerator_hour=price, quota_accelerators=quota, quota_steps=steps):
                return _most(quota, steps) * self._hours * self._yen(price)
            case Allocation(price_per_accelerator_hour=price, accelerators=accelerators, accelerator_steps=steps):
                return _most(accelerators, steps) * self._hours * self._yen(price)
            case Reservation(block_accelerators=block, blocks_max=blocks, terms=terms):
                dearest = max((self._yen(term.price_per_accelerator_hour) for term in terms), default=0.0)
                longest = _amount(max((term.term_periods for term in terms), default=0)) * self._calendar.period_hours
                return _amount(block) * _amount(blocks) * (self._hours + longest) * dearest
            case CapacityBlock(block_accelerators=block, blocks_max=blocks, terms=block_terms):
                dearest = max((self._yen(term.price_per_accelerator_hour) for term in block_terms), default=0.0)
                longest = _amount(max((term.term_days for term in block_terms), default=0)) * HOURS_PER_DAY
                return _amount(block) * _amount(blocks) * (self._hours + longest) * dearest
            case Purchase(unit_accelerators=unit, units_max=units, price_per_unit=price, metered=metered):
                electricity = _amount(unit) * self._hours * self._electricity(offer) if metered else 0.0
                return _amount(units) * (self._yen(price) + electricity)
            case Existing(accelerators=accelerators, accelerator_steps=steps, metered=metered, payments=payments):
                sunk = sum(_amount(payment.amount_yen) for payment in payments)
                used = _most(accelerators, steps) * self._hours
                return sunk + (used * self._electricity(offer) if metered else 0.0)

    def _power_kw(self, offer: Offer) -> float:
        """Return the facility power of one accelerator."""
        pool = self._view.pools.get(offer.pool_id)
        site = self._view.sites.get(pool.site_id) if pool else None
        accelerator = self._view.accelerators.get(pool.accelerator_id) if pool else None
        return accelerator.power_kw * site.power_usage_effectiveness if site and accelerator else 0.0

    def _electricity(self, offer: Offer) -> float:
        """Return yen per accelerator-hour of a metered offer."""
        pool = self._view.pools.get(offer.pool_id)
        site = self._view.sites.get(pool.site_id) if pool else None
        if site is None or site.electricity_yen_per_kwh is None:
            return 0.0
        return self._power_kw(offer) * _highest(site.electricity_yen_per_kwh, site.electricity_steps)

    def _carbon(self, offer: Offer) -> float:
        """Return what the emissions of all that an offer can run are charged at most."""
        price = self._view.problem.rules.carbon_price_yen_per_kg
        pool = self._view.pools.get(offer.pool_id)
        site = self._view.sites.get(pool.site_id) if pool else None
        if site is None or not price.is_finite():
            return 0.0
        match offer.kind:
            case OnDemand(quota_accelerators=count, quota_steps=steps):
                most = _most(count, steps)
            case Existing() | Allocation():
                most = _most(offer.kind.accelerators, offer.kind.accelerator_steps)
            case Reservation() | CapacityBlock():
                most = _amount(offer.kind.block_accelerators) * _amount(offer.kind.blocks_max)
            case Purchase():
                most = _amount(offer.kind.unit_accelerators) * _amount(offer.kind.units_max)
        return most * self._hours * self._power_kw(offer) * site.grid_carbon_kg_per_kwh * float(price)


@rule(
    "E1905",
    "costs together can be larger than is exact",
    "Check the unit of the largest; lower charges, quantities or prices.",
    reads=("calendar", "market"),
)
def check_e1905_costs_too_large(view: ProblemView) -> Iterator[Found]:
    """All charges and all bills at their largest sum up to a whole number of yen that a double holds exactly."""
    calendar = view.calendar
    if calendar is None:
        return
    # Values that are not finite, or negative, break rules of their own.
    usable = {path: cost for path, cost in _Costs(view, calendar).by_path() if isfinite(cost) and cost > 0}
    total = sum(usable.values())
    if total > EXACT_YEN_MAX:
        largest = max(usable, key=lambda path: usable[path])
        message = f"up to {total:.3g} yen in all, {usable[largest]:.3g} of it here; {EXACT_YEN_MAX:,} is the limit"
        yield Found(largest, message)
