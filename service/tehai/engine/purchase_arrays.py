"""Purchases as order options: one for each period and capital programme that an order may claim from, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tehai.domain.offer import Offer, Purchase
from tehai.domain.problem import Problem
from tehai.domain.programme import CapitalGrant
from tehai.engine.eligibility import is_pool_eligible, rate_of_member
from tehai.engine.market_arrays import FloatArray, PricesOverTime
from tehai.engine.offer_tables import OfferTables, OptionClaim, OrderKey, OrderOption


def delivery_ramp(kind: Purchase) -> FloatArray:
    """Return the delivered fraction in each period of the life, shape (life_periods,), from the first step on."""
    first = kind.delivery_steps[0].periods_after_order
    ramp = np.zeros(kind.life_periods)
    for step in kind.delivery_steps:
        ramp[max(step.periods_after_order - first, 0) :] = step.delivered_fraction
    return ramp


@dataclass(frozen=True)
class UnitPayments:
    """Money of one unit ordered in a period.

    ``instalments`` are (period, yen), after the horizon too; ``price_yen`` is the price at the order's own rate and
    ``claimable_yen`` its part for the life inside the horizon, on which a capital grant pays its rate;
    ``cost_yen`` is what the objective counts: discounted payments less the discounted book value at the end.
    """

    instalments: tuple[tuple[int, float], ...]
    price_yen: float
    claimable_yen: float
    cost_yen: float


def unit_payments(problem: Problem, prices: PricesOverTime, kind: Purchase, order: int) -> UnitPayments:
    """Return the payments of one unit ordered in period ``order`` (docs/rules.md, "Purchase")."""
    calendar = problem.calendar
    owner = next((m for m in problem.members if m.id == kind.owner_member_id), None)
    rate = None if owner is None else owner.cost_of_capital

    def discount(period: int) -> float:
        return prices.discount_in(period, rate)

    steps = [(step.periods_after_order, step.fraction) for step in kind.payment_steps] or [(0, 1.0)]
    instalments = tuple(
        (order + after, fraction * prices.yen(kind.price_per_unit, order + after, order)) for after, fraction in steps
    )
    price = prices.yen(kind.price_per_unit, order)
    first = order + kind.delivery_steps[0].periods_after_order
    inside = min(kind.life_periods, calendar.period_count - first)
    book_value = price * (1.0 - kept_fraction(kind) * inside / kind.life_periods)
    paid = sum(discount(period) * yen for period, yen in instalments)
    # Multiplied first: a whole price stays itself where all of the life lies inside.
    claimable = price * inside / kind.life_periods
    return UnitPayments(instalments, price, claimable, paid - discount(first + inside) * book_value)


def kept_fraction(kind: Purchase) -> float:
    """Return the part of the price that is used up by the end of life."""
    return 1.0 - kind.residual_fraction * (1.0 - kind.residual_haircut_fraction)


def add_purchase(tables: OfferTables, index: int, pool: int, offer: Offer) -> None:
    """Add the order options of a purchase."""
    kind = offer.kind
    assert isinstance(kind, Purchase)
    count = tables.period_count
    use_cash = tables.power_yen[pool] if kind.metered else np.zeros(count)
    ramp = delivery_ramp(kind)
    hours_over_life = kind.unit_accelerators * tables.hours * float(ramp.sum())
    claimable = _claimable_rates(tables, pool, kind)
    capacity, unit = np.zeros(count), np.full(count, np.inf)
    for order in tables.calendar.periods_within(kind.from_date, kind.until_date):
        first = order + kind.delivery_steps[0].periods_after_order
        if first >= count:
            break
        live = ramp[: count - first] * kind.unit_accelerators
        money = unit_payments(tables.problem, tables.prices, kind, order)
        option = _option(tables, index, order, first, live, money)
        year = int(tables.year_of_period[order])
        tables.add_option(option)
        for programme, rate, window in claimable:
            if order in window:
                claim = OptionClaim(programme, rate * money.claimable_yen, year)
                tables.add_option(replace(option, key=replace(option.key, programme=programme), claim=claim))
        end = first + len(live)
        capacity[first:end] = np.maximum(capacity[first:end], live * kind.units_max)
        per_hour = money.price_yen * kept_fraction(kind) / hours_over_life + use_cash[first:end]
        unit[first:end] = np.minimum(unit[first:end], np.where(live > 0.0, per_hour, np.inf))
    tables.note_pool(pool, capacity, unit)
    members = [member.id for member in tables.problem.members]
    owner = members.index(kind.owner_member_id) if kind.owner_member_id else -1
    tables.add_committed(index, pool, kind.units_max, is_live=False, use_cash=use_cash, owner=owner)


def _option(
    tables: OfferTables, index: int, order: int, first: int, live: FloatArray, money: UnitPayments
) -> OrderOption:
    """Return the option without a claim: one unit ordered in period ``order``, ``live`` from ``first`` on."""
    cash = np.zeros(len(tables.years))
    for period, yen in money.instalments:
        if period < tables.period_count:
            cash[tables.year_of_period[period]] += yen
    return OrderOption(OrderKey(index, -1, order), first, live, live * tables.hours, money.cost_yen, cash, cash)


def _claimable_rates(tables: OfferTables, pool: int, kind: Purchase) -> list[tuple[int, float, range]]:
    """Return (programme, rate, periods of orders) of the capital programmes open to a purchase."""
    problem = tables.problem
    owner = next((member for member in problem.members if member.id == kind.owner_member_id), None)
    if owner is None:
        return []
    found = []
    for r, programme in enumerate(problem.programmes):
        if not isinstance(programme.kind, CapitalGrant):
            continue
        rate = rate_of_member(programme, owner)
        if rate > 0.0 and is_pool_eligible(problem, programme, problem.pools[pool]):
            found.append((r, rate, tables.calendar.periods_within(programme.from_date, programme.until_date)))
    return found
