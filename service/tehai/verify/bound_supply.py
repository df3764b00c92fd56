"""The supply side of the bound: the least net cost of each offer at given prices, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    OnDemand,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.verify.grants import order_rate, programme_periods
from tehai.verify.offers import (
    allowed_block_starts,
    allowed_order_periods,
    allowed_term_starts,
    block_hours,
    booking_periods,
    instalments,
    life_inside,
    net_price_fraction,
    ramp,
    upfront_fraction,
)
from tehai.verify.prices import Prices, by_period
from tehai.verify.reference import Reference
from tehai.verify.timeline import HOURS_A_DAY, FloatArray, payment_offset, payment_year


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the bound, yen: ``size`` bounds every intermediate amount, for the rounding error."""

    value: float
    size: float


@dataclass(frozen=True, slots=True)
class OfferPrices:
    """What an offer sees in every period, (period_count,) each.

    ``capacity`` price, ``budget`` and ``capital`` price of the year, ``discount`` factor, and ``electricity`` in yen
    per accelerator-hour, 0 unless metered.
    """

    capacity: FloatArray
    budget: FloatArray
    capital: FloatArray
    discount: FloatArray
    electricity: FloatArray

    @property
    def paid(self) -> FloatArray:
        """What a yen paid in a period counts: discounted in the objective, and the budget price, (period_count,)."""
        return self.discount + self.budget


@dataclass(frozen=True, slots=True)
class Option:
    """One block that may begin in a period: how many periods it is live, and its net cost."""

    length: int
    cost: Term


def supply_term(reference: Reference, prices: Prices, offer_index: int) -> Term:
    """Return supply(o): the least of cost less capacity price over everything the offer can do alone."""
    offer = reference.problem.offers[offer_index]
    pool = reference.pool_of_offer[offer_index]
    kind = offer.kind
    metered = isinstance(kind, Existing | Purchase) and kind.metered
    seen = OfferPrices(
        capacity=prices.capacity[pool],
        budget=by_period(reference, prices.budget),
        capital=by_period(reference, prices.capital),
        discount=reference.money.discount,
        electricity=reference.electricity[pool] if metered else np.zeros(reference.period_count),
    )
    hours_max = reference.capacity_max[offer_index] * reference.period_hours
    match kind:
        case OnDemand():
            price = reference.money.path(kind.price_per_accelerator_hour)
            return _use_term(hours_max, price * seen.paid, seen.capacity)
        case Existing():
            return _use_term(hours_max, seen.electricity * seen.paid, seen.capacity)
        case Allocation():
            return _allocation_term(reference, kind, hours_max, seen)
        case Reservation():
            return _chain_term(reference.period_count, kind.blocks_max, _term_options(reference, kind, seen))
        case CapacityBlock():
            return _chain_term(reference.period_count, kind.blocks_max, _block_options(reference, kind, seen))
        case Purchase():
            return _purchase_term(reference, prices, offer_index, kind, seen)


def _use_term(hours_max: FloatArray, cost: FloatArray, capacity: FloatArray) -> Term:
    """Return the least cost of use up to ``hours_max`` in each period."""
    value = math.fsum(hours_max * np.minimum(0.0, cost - capacity))
    return Term(value, float(hours_max @ (np.abs(cost) + capacity)))


def _allocation_term(reference: Reference, kind: Allocation, hours_max: FloatArray, seen: OfferPrices) -> Term:
    """Return the least cost of use that fills the cheapest periods of each fiscal year until its quota."""
    cost = reference.money.path(kind.price_per_accelerator_hour) * seen.paid
    reduced = cost - seen.capacity
    quotas = {quota.fiscal_year: quota.accelerator_hours for quota in kind.quotas}
    gains, size = [], 0.0
    for year in reference.years:
        left = quotas.get(year, 0.0)
        periods = np.flatnonzero(reference.fiscal_year == year)
        for t in periods[np.argsort(reduced[periods], kind="stable")].tolist():
            if reduced[t] >= 0.0 or left <= 0.0:
                break
            hours = min(float(hours_max[t]), left)
            left -= hours
            gains.append(hours * float(reduced[t]))
            # what is left of the quota was rounded once for every period before
            size += max(hours, quotas[year]) * float(cost[t] + seen.capacity[t])
    return Term(math.fsum(gains), size)


def _chain_term(count: int, blocks_max: int, options: dict[int, list[Option]]) -> Term:
    """Return blocks_max times the cheapest chain of options that do not overlap, backwards in time."""
    best = [0.0] * (count + 1)
    size = max((option.cost.size for listed in options.values() for option in listed), default=0.0)
    shortest = min((option.length for listed in options.values() for option in listed), default=count)
    for t in range(count - 1, -1, -1):
        chains = (option.cost.value + best[min(t + option.length, count)] for option in options.get(t, ()))
        best[t] = min([best[t + 1], *chains])
    chained = -(-count // shortest)
    # each of the chained additions rounds an amount of up to chained * size
    return Term(blocks_max * best[0], blocks_max * size * chained * max(1.0, chained / 32))


def _term_options(reference: Reference, kind: Reservation, seen: OfferPrices) -> dict[int, list[Option]]:
    """Return the terms that may begin in each period."""
    return {
        start: [Option(term.term_periods, _term_cost(reference, kind, term, start, seen)) for term in kind.terms]
        for start in allowed_term_starts(reference.problem, kind)
    }


def _term_cost(reference: Reference, kind: Reservation, term: ReservationTerm, start: int, seen: OfferPrices) -> Term:
    """Return rc of one block of a term: objective cost and priced cash, less what its capacity is worth."""
    end = min(start + term.term_periods, reference.period_count)
    price, booking = term.price_per_accelerator_hour, start - kind.lead_time_periods
    hours = float(kind.block_accelerators * reference.period_hours)
    upfront, paid = upfront_fraction(term), []
    if upfront > 0.0:
        rate = upfront * hours * reference.money.yen(price, booking, booking)
        paid += [rate * (end - start) * float(seen.discount[booking])]
        paid += [rate * term.term_periods * float(seen.budget[booking])]
    if upfront < 1.0:
        later = (1.0 - upfront) * hours
        counts = seen.paid
        paid += [later * reference.money.yen(price, booking, t) * float(counts[t]) for t in range(start, end)]
    worth = (hours * seen.capacity[start:end]).tolist()
    return Term(math.fsum(paid) - math.fsum(worth), math.fsum(paid) + math.fsum(worth))


def _block_options(reference: Reference, kind: CapacityBlock, seen: OfferPrices) -> dict[int, list[Option]]:
    """Return the capacity blocks that may begin in each period, each at its cheapest booking."""
    options: dict[int, list[Option]] = {}
    for term in kind.terms:
        rate = kind.block_accelerators * reference.money.path(term.price_per_accelerator_hour)
        hours, whole = block_hours(reference.problem, term), float(HOURS_A_DAY * term.term_days)
        for start in allowed_block_starts(reference.problem, kind):
            live = hours[: reference.period_count - start]
            bookings = slice(booking_periods(kind, start).start, booking_periods(kind, start).stop)
            counts = live.sum() * seen.discount[bookings] + whole * seen.budget[bookings]
            paid = rate[bookings] * counts
            worth = kind.block_accelerators * math.fsum(live * seen.capacity[start : start + len(live)])
            cost = Term(float(paid.min()) - worth, float(paid.max()) + worth)
            options.setdefault(start, []).append(Option(len(hours), cost))
    return options


def _purchase_term(reference: Reference, prices: Prices, offer_index: int, kind: Purchase, seen: OfferPrices) -> Term:
    """Return units_max times the cheapest single order with its best claim, where one is worth its price."""
    count, pool = reference.period_count, reference.pool_of_offer[offer_index]
    live = ramp(kind, count)
    used = seen.electricity * seen.paid
    margin, both = np.maximum(0.0, seen.capacity - used), seen.capacity + used
    unit_hours = float(kind.unit_accelerators * reference.period_hours)
    claims = _claim_worth(reference, prices, kind, pool)
    cheapest, size = 0.0, 0.0
    for order in allowed_order_periods(reference.problem, kind):
        cost = _unit_cost(reference, kind, order, seen)
        worth = unit_hours * math.fsum(live[: count - order] * margin[order:])
        price = reference.money.yen(kind.price_per_unit, order, order)
        claimed = float(claims[order]) * price * life_inside(reference.problem, kind, order) / kind.life_periods
        cheapest = min(cheapest, cost.value - worth - claimed)
        size = max(size, cost.size + claimed + unit_hours * float(live[: count - order] @ both[order:]))
    return Term(kind.units_max * cheapest, kind.units_max * size)


def _unit_cost(reference: Reference, kind: Purchase, order: int, seen: OfferPrices) -> Term:
    """Return objective cost and priced cash of one unit."""
    annual = None
    if kind.owner_member_id:
        annual = reference.member_by_id[kind.owner_member_id].cost_of_capital
    paid = []
    for step in instalments(kind):
        paid_in = order + step.periods_after_order
        amount = step.fraction * reference.money.yen(kind.price_per_unit, order, paid_in)
        paid.append(amount * reference.money.discount_of(paid_in, annual))
        if paid_in < reference.period_count:
            paid.append(amount * float(seen.budget[paid_in] + seen.capital[paid_in]))
    inside = life_inside(reference.problem, kind, order)
    end = order + kind.delivery_steps[0].periods_after_order + inside
    price = reference.money.yen(kind.price_per_unit, order, order)
    gone = net_price_fraction(kind) * inside / kind.life_periods
    book = price * (1.0 - gone) * reference.money.discount_of(end, annual)
    return Term(math.fsum(paid) - book, math.fsum(paid) + price * (1.0 + gone))


def _claim_worth(reference: Reference, prices: Prices, kind: Purchase, pool: int) -> FloatArray:
    """Return the most that a yen that grants pay on is worth in claims, by period of the order, (period_count,)."""
    best = np.zeros(reference.period_count)
    for programme in reference.problem.programmes:
        rate = order_rate(reference, programme, kind, pool)
        if rate <= 0.0:
            continue
        value = {}
        for year in reference.years:
            paid_in = payment_year(reference.problem, programme, year)
            value[year] = (
                reference.money.discount_on(payment_offset(reference.problem, programme, year))
                + (prices.budget.get(paid_in, 0.0) if paid_in in reference.years else 0.0)
                - prices.programme_budget.get((programme.id, year), 0.0)
                - prices.member_cap.get((programme.id, kind.owner_member_id, year), 0.0)
            )
        for t in programme_periods(reference, programme):
            best[t] = max(best[t], rate * max(0.0, value[int(reference.fiscal_year[t])]))
    return best
