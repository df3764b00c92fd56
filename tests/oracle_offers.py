"""Every kind of offer in numbers: capacity, orders, cost in the objective, cash, instalments and reference prices."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    Offer,
    OnDemand,
    PaymentTiming,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tests.oracle_basics import Basics, quota_on
from tests.oracle_grants import Grants

NO_TERM = -1
HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Order:
    """One block of a term (from 0) that begins in ``period`` and is booked in ``booked``, or one unit.

    A unit (``term`` is -1) is booked when it is ordered and may claim from a programme ("" for none). ``capacity`` is
    in accelerators and ``hours`` in accelerator-hours by period; ``cost_yen`` is the part of the objective before
    claims; ``capital_by_year`` are instalments of units, a part of ``cash_by_year``; ``claim_max_yen`` for one unit.
    """

    offer_id: str
    term: int
    period: int
    booked: int
    programme_id: str
    capacity: tuple[float, ...]
    hours: tuple[float, ...]
    cost_yen: float
    cash_by_year: dict[int, float]
    capital_by_year: dict[int, float]
    claim_max_yen: float = 0.0

    @property
    def key(self) -> tuple[str, int, int, int, str]:
        """The decision that this order is."""
        return (self.offer_id, self.term, self.period, self.booked, self.programme_id)


@dataclass(frozen=True, slots=True)
class Supply:
    """An offer in numbers: capacity without orders, possible orders, and what an accelerator-hour used costs.

    ``use_yen`` is nominal, ``use_cost_yen`` its present value; ``reference_yen`` is unit(o, t), infinite where the
    offer cannot serve; ``quota_hours`` limits the use of fiscal years, ``payments`` is sunk cash of fiscal years.
    """

    offer: Offer
    fixed_capacity: tuple[int, ...]
    largest_capacity: tuple[float, ...]
    use_yen: tuple[float, ...]
    use_cost_yen: tuple[float, ...]
    orders: tuple[Order, ...]
    reference_yen: tuple[float, ...]
    quota_hours: dict[int, float] | None = None
    payments: tuple[tuple[int, int], ...] = ()


def supply_of(basics: Basics, grants: Grants, offer: Offer) -> Supply:
    """Return an offer of any kind in numbers."""
    kind = offer.kind
    if isinstance(kind, (OnDemand, Allocation)):
        return _paid_by_use(basics, offer, kind)
    if isinstance(kind, Existing):
        return _existing(basics, offer, kind)
    if isinstance(kind, Reservation):
        return _blocks(basics, offer, kind, _reservation_orders(basics, offer, kind), _reservation_units(basics, kind))
    if isinstance(kind, CapacityBlock):
        return _blocks(basics, offer, kind, _capacity_block_orders(basics, offer, kind), _block_units(basics, kind))
    return _purchase(basics, grants, offer, kind)


# Capacity that is there without orders


def _paid_by_use(basics: Basics, offer: Offer, kind: OnDemand | Allocation) -> Supply:
    base, steps = (
        (kind.quota_accelerators, kind.quota_steps)
        if isinstance(kind, OnDemand)
        else (kind.accelerators, kind.accelerator_steps)
    )
    live = tuple(
        quota_on(base, steps, basics.first_day(t)) if basics.within(t, kind.from_date, kind.until_date) else 0
        for t in basics.periods
    )
    price = tuple(basics.yen(kind.price_per_accelerator_hour, t) for t in basics.periods)
    quota = None
    if isinstance(kind, Allocation):
        listed = {q.fiscal_year: q.accelerator_hours for q in kind.quotas}
        quota = {year: listed.get(year, 0.0) for year in basics.fiscal_years}
    return _fixed(basics, offer, live, price, quota)


def _existing(basics: Basics, offer: Offer, kind: Existing) -> Supply:
    live = tuple(
        quota_on(kind.accelerators, kind.accelerator_steps, basics.first_day(t))
        if basics.within(t, kind.from_date, kind.until_date)
        else 0
        for t in basics.periods
    )
    price = tuple(basics.electricity_yen(offer, kind.metered, t) for t in basics.periods)
    payments = tuple((p.fiscal_year, p.amount_yen) for p in kind.payments if p.fiscal_year in basics.fiscal_years)
    supply = _fixed(basics, offer, live, price, None, payments)
    paid = kind.reference_price_per_accelerator_hour
    if paid is None:
        return supply
    return replace(supply, reference_yen=tuple(price[t] + basics.yen(paid, t) for t in basics.periods))


def _fixed(
    basics: Basics,
    offer: Offer,
    live: tuple[int, ...],
    price: tuple[float, ...],
    quota: dict[int, float] | None,
    payments: tuple[tuple[int, int], ...] = (),
) -> Supply:
    present = tuple(price[t] * basics.discount_in(t) for t in basics.periods)
    return Supply(offer, live, tuple(float(k) for k in live), price, present, (), price, quota, payments)


# Blocks


def _blocks(
    basics: Basics,
    offer: Offer,
    kind: Reservation | CapacityBlock,
    orders: Iterator[Order],
    units: list[tuple[int, float]],
) -> Supply:
    found = tuple(orders)
    none = tuple(0 for _ in basics.periods)
    covered = [any(order.capacity[t] > 0 for order in found) for t in basics.periods]
    largest = tuple(float(kind.block_accelerators * kind.blocks_max) if c else 0.0 for c in covered)
    reference = tuple(min((yen for at, yen in units if at == t), default=math.inf) for t in basics.periods)
    free = tuple(0.0 for _ in basics.periods)
    return Supply(offer, none, largest, free, free, found, reference)


def upfront_fraction(term: ReservationTerm) -> float:
    """Return the part of the fee of a term that is paid when it is booked."""
    if term.payment_timing is PaymentTiming.PARTIAL:
        assert term.upfront_fraction is not None
        return term.upfront_fraction
    return 1.0 if term.payment_timing is PaymentTiming.PREPAID else 0.0


def _reservation_starts(basics: Basics, kind: Reservation) -> list[int]:
    return [
        s for s in basics.periods if s >= kind.lead_time_periods and basics.within(s, kind.from_date, kind.until_date)
    ]


def _reservation_orders(basics: Basics, offer: Offer, kind: Reservation) -> Iterator[Order]:
    for position, term in enumerate(kind.terms):
        price, upfront = term.price_per_accelerator_hour, upfront_fraction(term)
        block_hours = kind.block_accelerators * basics.hours
        for s in _reservation_starts(basics, kind):
            booked = s - kind.lead_time_periods
            day = basics.first_day(booked)
            live = range(s, min(s + term.term_periods, len(basics.periods)))
            cash: dict[int, float] = defaultdict(float)
            fee = upfront * block_hours * term.term_periods * basics.yen(price, booked, day)
            cost = basics.discount_in(booked) * fee * len(live) / term.term_periods
            cash[basics.fiscal_year(booked)] += fee
            for t in live:
                paid = (1 - upfront) * block_hours * basics.yen(price, t, day)
                cost += basics.discount_in(t) * paid
                cash[basics.fiscal_year(t)] += paid
            capacity = tuple(float(kind.block_accelerators) if t in live else 0.0 for t in basics.periods)
            hours = tuple(k * basics.hours for k in capacity)
            yearly = {year: yen for year, yen in cash.items() if yen}
            yield Order(offer.id, position, s, booked, "", capacity, hours, cost, yearly, {})


def _reservation_units(basics: Basics, kind: Reservation) -> list[tuple[int, float]]:
    """Return (t, unit(o, t)) for each term and start that covers t."""
    units: list[tuple[int, float]] = []
    for term in kind.terms:
        price, upfront = term.price_per_accelerator_hour, upfront_fraction(term)
        for s in _reservation_starts(basics, kind):
            booked = s - kind.lead_time_periods
            day = basics.first_day(booked)
            at_booking = basics.yen(price, booked, day)
            units.extend(
                (t, upfront * at_booking + (1 - upfront) * basics.yen(price, t, day))
                for t in range(s, min(s + term.term_periods, len(basics.periods)))
            )
    return units


def _block_options(basics: Basics, kind: CapacityBlock) -> Iterator[tuple[int, int, int]]:
    """Return each (term, start, booking) that is allowed."""
    for position in range(len(kind.terms)):
        for s in basics.periods:
            for booked in range(s + 1):
                ahead = s - booked
                if kind.booking_periods_min <= ahead <= kind.booking_periods_max and basics.within(
                    s, kind.from_date, kind.until_date
                ):
                    yield position, s, booked


def _capacity_block_orders(basics: Basics, offer: Offer, kind: CapacityBlock) -> Iterator[Order]:
    for position, s, booked in _block_options(basics, kind):
        term = kind.terms[position]
        days_hours = HOURS_PER_DAY * term.term_days
        # of each accelerator of the block, by period; a block may end within its last period
        each = [min(max(days_hours - (t - s) * basics.hours, 0), basics.hours) if t >= s else 0 for t in basics.periods]
        fee = kind.block_accelerators * days_hours * basics.yen(term.price_per_accelerator_hour, booked)
        capacity = tuple(float(kind.block_accelerators) if hours > 0 else 0.0 for hours in each)
        offered = tuple(float(kind.block_accelerators * hours) for hours in each)
        cost = basics.discount_in(booked) * fee * sum(each) / days_hours
        yield Order(offer.id, position, s, booked, "", capacity, offered, cost, {basics.fiscal_year(booked): fee}, {})


def _block_units(basics: Basics, kind: CapacityBlock) -> list[tuple[int, float]]:
    units: list[tuple[int, float]] = []
    for position, s, booked in _block_options(basics, kind):
        term = kind.terms[position]
        length = math.ceil(HOURS_PER_DAY * term.term_days / basics.hours)
        price = basics.yen(term.price_per_accelerator_hour, booked)
        units.extend((t, price) for t in range(s, min(s + length, len(basics.periods))))
    return units


# Purchases


def delivered(kind: Purchase, age: int) -> float:
    """Return the part of an order that is live ``age`` periods after it: ramp(age) of the rules."""
    first = kind.delivery_steps[0].periods_after_order
    if age < first or age >= first + kind.life_periods:
        return 0.0
    return max(step.delivered_fraction for step in kind.delivery_steps if step.periods_after_order <= age)


def _order_periods(basics: Basics, kind: Purchase) -> list[int]:
    first = kind.delivery_steps[0].periods_after_order
    return [
        s
        for s in basics.periods
        if s + first < len(basics.periods) and basics.within(s, kind.from_date, kind.until_date)
    ]


def _kept(kind: Purchase) -> float:
    return 1 - kind.residual_fraction * (1 - kind.residual_haircut_fraction)


def _inside(basics: Basics, kind: Purchase, s: int) -> int:
    """Return how many periods of the life of an order in s lie in the horizon."""
    return min(kind.life_periods, len(basics.periods) - (s + kind.delivery_steps[0].periods_after_order))


def _purchase(basics: Basics, grants: Grants, offer: Offer, kind: Purchase) -> Supply:
    orders = []
    for s in _order_periods(basics, kind):
        plain = _plain_order(basics, offer, kind, s)
        orders.append(plain)
        for programme in grants.programmes.values():
            rate = grants.capital_rate(programme, kind.owner_member_id, offer.pool_id)
            if rate > 0 and grants.in_window(programme, s):
                part = _inside(basics, kind, s) / kind.life_periods
                orders.append(_claiming(plain, programme.id, rate * basics.yen(kind.price_per_unit, s) * part))
    largest = tuple(kind.units_max * max((order.capacity[t] for order in orders), default=0.0) for t in basics.periods)
    electricity = tuple(basics.electricity_yen(offer, kind.metered, t) for t in basics.periods)
    present = tuple(electricity[t] * basics.discount_in(t) for t in basics.periods)
    none = tuple(0 for _ in basics.periods)
    reference = _purchase_units(basics, kind, electricity)
    return Supply(offer, none, largest, electricity, present, tuple(orders), reference)


def _plain_order(basics: Basics, offer: Offer, kind: Purchase, s: int) -> Order:
    owner = basics.members.get(kind.owner_member_id)
    rate = None if owner is None else owner.cost_of_capital
    first = kind.delivery_steps[0].periods_after_order
    price, day = basics.yen(kind.price_per_unit, s), basics.first_day(s)
    instalments = [(step.periods_after_order, step.fraction) for step in kind.payment_steps] or [(0, 1.0)]
    cost = 0.0
    cash: dict[int, float] = defaultdict(float)
    for after, fraction in instalments:
        paid = fraction * basics.yen(kind.price_per_unit, s + after, day)
        cost += basics.discount_in(s + after, rate) * paid
        if s + after < len(basics.periods):
            cash[basics.fiscal_year(s + after)] += paid
    inside = _inside(basics, kind, s)
    book_value = price * (1 - _kept(kind) * inside / kind.life_periods)
    cost -= basics.discount_in(s + first + inside, rate) * book_value
    capacity = tuple(kind.unit_accelerators * delivered(kind, t - s) for t in basics.periods)
    hours = tuple(k * basics.hours for k in capacity)
    return Order(offer.id, NO_TERM, s, s, "", capacity, hours, cost, dict(cash), dict(cash))


def _claiming(order: Order, programme_id: str, most: float) -> Order:
    return Order(
        order.offer_id,
        order.term,
        order.period,
        order.booked,
        programme_id,
        order.capacity,
        order.hours,
        order.cost_yen,
        order.cash_by_year,
        order.capital_by_year,
        most,
    )


def _purchase_units(basics: Basics, kind: Purchase, electricity: tuple[float, ...]) -> tuple[float, ...]:
    first = kind.delivery_steps[0].periods_after_order
    life = sum(delivered(kind, age) for age in range(first, first + kind.life_periods))
    life_hours = kind.unit_accelerators * basics.hours * life
    return tuple(
        min(
            (
                basics.yen(kind.price_per_unit, s) * _kept(kind) / life_hours + electricity[t]
                for s in _order_periods(basics, kind)
                if delivered(kind, t - s) > 0
            ),
            default=math.inf,
        )
        for t in basics.periods
    )
