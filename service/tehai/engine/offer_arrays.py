"""Offers as arrays: what each costs, how much it can serve, and what a grant may count for its hours.

Formulas: docs/rules.md, "Offers" and "Grant reference".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tehai.domain.offer import Existing, Offer, OnDemand, PaymentTiming, Purchase, Reservation, ReservationTerm
from tehai.domain.problem import Problem
from tehai.engine.market_arrays import FloatArray, PricesOverTime

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class OrderKey:
    """Which decision an order option stands for: blocks of a term that begin, or units ordered, in ``period``.

    ``term_index`` is -1 for a purchase.
    """

    offer_index: int
    term_index: int
    period: int


@dataclass
class HourlyArrays:
    """Offers used by the hour; one row of (T,) each."""

    offer_index: list[int] = field(default_factory=list)
    pool: list[int] = field(default_factory=list)
    unit_cost: list[FloatArray] = field(default_factory=list)
    limit_hours: list[FloatArray] = field(default_factory=list)


@dataclass
class CommittedArrays:
    """Offers with commitments and their order options."""

    offer_index: list[int] = field(default_factory=list)
    pool: list[int] = field(default_factory=list)
    limit_is_live: list[bool] = field(default_factory=list)
    unit_limit: list[float] = field(default_factory=list)
    use_cost: list[FloatArray] = field(default_factory=list)
    option_offset: list[int] = field(default_factory=lambda: [0])
    option_first: list[int] = field(default_factory=list)
    option_cost: list[float] = field(default_factory=list)
    option_cash: list[FloatArray] = field(default_factory=list)
    live: list[FloatArray] = field(default_factory=list)
    keys: list[OrderKey] = field(default_factory=list)


@dataclass
class OfferArrays:
    """All offers, with the largest capacity (P, T) and the grant reference (P, T) that follow."""

    hourly: HourlyArrays
    committed: CommittedArrays
    capacity_max: FloatArray
    grant_reference: FloatArray


class OfferTableBuilder:
    """Fills the tables offer by offer; ``power_yen`` is the electricity of one accelerator-hour in each pool."""

    def __init__(self, problem: Problem, prices: PricesOverTime, power_yen: FloatArray) -> None:
        """Prepare empty tables for a problem."""
        self.calendar = problem.calendar
        self.prices = prices
        self.power_yen = power_yen
        self.years = self.calendar.fiscal_years()
        self.year_of_period = np.array(
            [self.years.index(self.calendar.fiscal_year(t)) for t in range(self.calendar.period_count)]
        )
        shape = (len(problem.pools), self.calendar.period_count)
        self.capacity_max = np.zeros(shape)
        self.reference = np.full(shape, np.inf)
        self.hourly, self.committed = HourlyArrays(), CommittedArrays()

    def tables(self) -> OfferArrays:
        """Return the tables; a period without any offer has reference 0."""
        reference = np.where(np.isfinite(self.reference), self.reference, 0.0)
        return OfferArrays(self.hourly, self.committed, self.capacity_max, reference)

    def add(self, index: int, pool: int, offer: Offer) -> None:
        """Add one offer; the kind decides how."""
        adders: dict[type, Callable[[int, int, Offer], None]] = {
            OnDemand: self._add_on_demand,
            Existing: self._add_existing,
            Reservation: self._add_reservation,
            Purchase: self._add_purchase,
        }
        adders[type(offer.kind)](index, pool, offer)

    def _add_on_demand(self, index: int, pool: int, offer: Offer) -> None:
        kind = offer.kind
        assert isinstance(kind, OnDemand)
        cost = self.prices.yen_path(kind.price_per_accelerator_hour, 0, self.calendar.period_count)
        window = self.calendar.periods_within(kind.from_date, kind.until_date)
        self._add_hourly(index, pool, cost, kind.quota_accelerators, window)

    def _add_existing(self, index: int, pool: int, offer: Offer) -> None:
        kind = offer.kind
        assert isinstance(kind, Existing)
        cost = np.full(self.calendar.period_count, self.power_yen[pool] if kind.metered else 0.0)
        window = self.calendar.periods_within(kind.from_date, kind.until_date)
        self._add_hourly(index, pool, cost, kind.accelerators, window)

    def _add_hourly(self, index: int, pool: int, cost: FloatArray, accelerators: int, window: range) -> None:
        capacity = np.zeros(self.calendar.period_count)
        capacity[window.start : window.stop] = accelerators
        self._note_pool(pool, capacity, cost)
        self.hourly.offer_index.append(index)
        self.hourly.pool.append(pool)
        self.hourly.unit_cost.append(cost)
        self.hourly.limit_hours.append(capacity * self.calendar.period_hours)

    def _note_pool(self, pool: int, capacity: FloatArray, unit_cost: FloatArray) -> None:
        self.capacity_max[pool] += capacity
        cost = np.where(capacity > 0.0, unit_cost, np.inf)
        self.reference[pool] = np.minimum(self.reference[pool], cost)

    def _add_committed(self, index: int, pool: int, limit: int, *, is_live: bool, use_cost: float) -> None:
        table = self.committed
        table.offer_index.append(index)
        table.pool.append(pool)
        table.limit_is_live.append(is_live)
        table.unit_limit.append(float(limit))
        table.use_cost.append(np.full(self.calendar.period_count, use_cost))
        table.option_offset.append(len(table.option_first))

    def _add_option(self, key: OrderKey, first: int, live: FloatArray, cost: float, cash: FloatArray) -> None:
        table = self.committed
        table.keys.append(key)
        table.option_first.append(first)
        table.live.append(live)
        table.option_cost.append(cost)
        table.option_cash.append(cash)

    def _add_reservation(self, index: int, pool: int, offer: Offer) -> None:
        kind = offer.kind
        assert isinstance(kind, Reservation)
        count = self.calendar.period_count
        capacity, unit_cost = np.zeros(count), np.full(count, np.inf)
        window = self.calendar.periods_within(kind.from_date, kind.until_date)
        starts = [start for start in window if start >= kind.lead_time_periods]
        for start in starts:
            for term_index, term in enumerate(kind.terms):
                end = min(start + term.term_periods, count)
                capacity[start:end] = kind.block_accelerators * kind.blocks_max
                paid = self._payment_rates(kind, term, start, end)
                unit_cost[start:end] = np.minimum(unit_cost[start:end], paid)
                cost, cash = self._block_cost(kind, term, start, end)
                live = np.full(end - start, float(kind.block_accelerators))
                self._add_option(OrderKey(index, term_index, start), start, live, cost, cash)
        self._note_pool(pool, capacity, unit_cost)
        self._add_committed(index, pool, kind.blocks_max, is_live=True, use_cost=0.0)

    def _payment_rates(self, kind: Reservation, term: ReservationTerm, start: int, end: int) -> FloatArray:
        price = term.price_per_accelerator_hour
        if term.payment_timing is PaymentTiming.PREPAID:
            return np.full(end - start, self.prices.yen(price, start - kind.lead_time_periods))
        return self.prices.yen_path(price, start, end)

    def _block_cost(self, kind: Reservation, term: ReservationTerm, start: int, end: int) -> tuple[float, FloatArray]:
        hours = kind.block_accelerators * self.calendar.period_hours
        cash = np.zeros(len(self.years))
        if term.payment_timing is PaymentTiming.PREPAID:
            booking = start - kind.lead_time_periods
            fee = hours * term.term_periods * self.prices.yen(term.price_per_accelerator_hour, booking)
            cash[self.year_of_period[booking]] = fee
            return fee * (end - start) / term.term_periods, cash
        paid = hours * self.prices.yen_path(term.price_per_accelerator_hour, start, end)
        np.add.at(cash, self.year_of_period[start:end], paid)
        return float(paid.sum()), cash

    def _add_purchase(self, index: int, pool: int, offer: Offer) -> None:
        kind = offer.kind
        assert isinstance(kind, Purchase)
        count = self.calendar.period_count
        use_cost = float(self.power_yen[pool]) if kind.metered else 0.0
        ramp = delivery_ramp(kind)
        first_step = kind.delivery_steps[0].periods_after_order
        kept = 1.0 - kind.residual_fraction * (1.0 - kind.residual_haircut_fraction)
        hours_over_life = kind.unit_accelerators * self.calendar.period_hours * float(ramp.sum())
        capacity, unit_cost = np.zeros(count), np.full(count, np.inf)
        for order in self.calendar.periods_within(kind.from_date, kind.until_date):
            first = order + first_step
            if first >= count:
                break
            live = ramp[: count - first] * kind.unit_accelerators
            price = self.prices.yen(kind.price_per_unit, order)
            cash = np.zeros(len(self.years))
            cash[self.year_of_period[order]] = price
            share = min(kind.life_periods, count - first) / kind.life_periods
            self._add_option(OrderKey(index, -1, order), first, live, price * kept * share, cash)
            end = first + len(live)
            capacity[first:end] = np.maximum(capacity[first:end], live * kind.units_max)
            unit_cost[first:end] = np.minimum(unit_cost[first:end], price * kept / hours_over_life + use_cost)
        self._note_pool(pool, capacity, unit_cost)
        self._add_committed(index, pool, kind.units_max, is_live=False, use_cost=use_cost)


def delivery_ramp(kind: Purchase) -> FloatArray:
    """Return the delivered fraction in each period of the life, shape (life_periods,), from the first step on."""
    first = kind.delivery_steps[0].periods_after_order
    ramp = np.zeros(kind.life_periods)
    for step in kind.delivery_steps:
        ramp[max(step.periods_after_order - first, 0) :] = step.delivered_fraction
    return ramp
