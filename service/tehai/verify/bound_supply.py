"""The supply side of the bound: the least net cost of each offer at given prices, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tehai.domain.offer import Existing, OnDemand, PaymentTiming, Purchase, Reservation, ReservationTerm
from tehai.verify.certificate import Prices
from tehai.verify.offers import (
    FloatArray,
    allowed_order_periods,
    allowed_term_starts,
    net_price_fraction,
    ramp,
)
from tehai.verify.reference import Reference, electricity_yen_per_hour
from tehai.verify.timeline import yen_price


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the bound, yen: ``size`` bounds every intermediate amount, for the rounding error."""

    value: float
    size: float


@dataclass(frozen=True, slots=True)
class OfferPrices:
    """What an offer sees: ``capacity`` price and ``budget`` price of the year, (period_count,) each; electricity."""

    capacity: FloatArray
    budget: FloatArray
    electricity: float

    @property
    def paid(self) -> FloatArray:
        """What a yen of cost in a period counts: 1 in the objective and the budget price, (period_count,)."""
        return 1.0 + self.budget


def supply_term(reference: Reference, prices: Prices, offer_index: int) -> Term:
    """Return supply(o): the least of cost less capacity price over everything the offer can do alone."""
    offer = reference.problem.offers[offer_index]
    pool = reference.pool_of_offer[offer_index]
    seen = OfferPrices(
        capacity=prices.capacity[pool],
        budget=np.array([prices.budget.get(int(year), 0.0) for year in reference.fiscal_year]),
        electricity=electricity_yen_per_hour(reference, pool),
    )
    hours_max = reference.capacity_max[offer_index] * reference.period_hours
    kind = offer.kind
    match kind:
        case OnDemand():
            price = np.array([yen_price(kind.price_per_accelerator_hour, rate) for rate in reference.forward])
            return _use_term(hours_max, price * seen.paid, seen.capacity)
        case Existing():
            electricity = seen.electricity if kind.metered else 0.0
            return _use_term(hours_max, electricity * seen.paid, seen.capacity)
        case Reservation():
            return _reservation_term(reference, kind, seen)
        case Purchase():
            return _purchase_term(reference, kind, seen)


def _use_term(hours_max: FloatArray, cost: FloatArray, capacity: FloatArray) -> Term:
    """Return the least cost of use up to ``hours_max`` in each period."""
    value = math.fsum(hours_max * np.minimum(0.0, cost - capacity))
    return Term(value, float(hours_max @ (np.abs(cost) + capacity)))


def _reservation_term(reference: Reference, kind: Reservation, seen: OfferPrices) -> Term:
    """Return blocks_max times the cheapest chain of terms that do not overlap, backwards in time."""
    count = reference.period_count
    starts = frozenset(allowed_term_starts(reference.problem, kind))
    best = [0.0] * (count + 1)
    size = 0.0
    for t in range(count - 1, -1, -1):
        best[t] = best[t + 1]
        if t not in starts:
            continue
        for term in kind.terms:
            block = _block_cost(reference, kind, term, t, seen)
            size = max(size, block.size)
            best[t] = min(best[t], block.value + best[min(t + term.term_periods, count)])
    shortest = min(term.term_periods for term in kind.terms)
    chained = -(-count // shortest)
    # each of the chained additions rounds an amount of up to chained * size
    return Term(kind.blocks_max * best[0], kind.blocks_max * size * chained * max(1.0, chained / 32))


def _block_cost(reference: Reference, kind: Reservation, term: ReservationTerm, start: int, seen: OfferPrices) -> Term:
    """Return rc(k, s): objective cost and priced cash of one block, less what its capacity is worth."""
    end = min(start + term.term_periods, reference.period_count)
    price = term.price_per_accelerator_hour
    hours = float(kind.block_accelerators * reference.period_hours)
    if term.payment_timing is PaymentTiming.PREPAID:
        booking = start - kind.lead_time_periods
        rate = hours * yen_price(price, float(reference.forward[booking]))
        paid = [rate * (end - start), rate * term.term_periods * float(seen.budget[booking])]
    else:
        counts = seen.paid
        paid = [hours * yen_price(price, float(reference.forward[t])) * float(counts[t]) for t in range(start, end)]
    worth = (hours * seen.capacity[start:end]).tolist()
    return Term(math.fsum(paid) - math.fsum(worth), math.fsum(paid) + math.fsum(worth))


def _purchase_term(reference: Reference, kind: Purchase, seen: OfferPrices) -> Term:
    """Return units_max times the cheapest single order, where one is worth its price."""
    count = reference.period_count
    first = kind.delivery_steps[0].periods_after_order
    live = ramp(kind, count)
    electricity = seen.electricity if kind.metered else 0.0
    margin = np.maximum(0.0, seen.capacity - electricity * seen.paid)
    both = seen.capacity + electricity * seen.paid
    unit_hours = float(kind.unit_accelerators * reference.period_hours)
    cheapest, size = 0.0, 0.0
    for order in allowed_order_periods(reference.problem, kind):
        price = yen_price(kind.price_per_unit, float(reference.forward[order]))
        share = min(kind.life_periods, count - order - first) / kind.life_periods
        paid = price * net_price_fraction(kind) * share + float(seen.budget[order]) * price
        worth = unit_hours * math.fsum(live[: count - order] * margin[order:])
        cheapest = min(cheapest, paid - worth)
        size = max(size, paid + unit_hours * float(live[: count - order] @ both[order:]))
    return Term(kind.units_max * cheapest, kind.units_max * size)
