"""Offers after the roll: what is booked becomes existing capacity, and what may still be booked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import count

import numpy as np

from tehai.domain.limits import LIMITS
from tehai.domain.market import JPY, FiscalYearAmount, UnitPrice
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    FiscalYearHours,
    Offer,
    PaymentTiming,
    Purchase,
    QuotaStep,
    Reservation,
)
from tehai.domain.problem import Problem
from tehai.explain.live import block_hours, delivered_fraction
from tehai.explain.payments import Payment, purchase_payments, reservation_payments
from tehai.explain.rates import current_yen, yen
from tehai.explain.reading import FloatArray
from tehai.roll.moment import Moment

# A capacity this close under a whole number of accelerators is that number.
WHOLE = 1e-6


def rolled_offers(moment: Moment) -> tuple[Offer, ...]:
    """Return the offers of the rolled problem, in order, each followed by what is booked from it.

    One existing offer for each order. An order that is being delivered, and the last period of a capacity block that
    ends within it, count whole accelerators, rounded down. Payments after the horizon stay an obligation and are left
    out. An offer of which nothing is left to book goes.
    """
    ids = _Ids(offer.id for offer in moment.reading.problem.offers)
    rolled: list[Offer] = []
    for offer in moment.reading.problem.offers:
        match offer.kind:
            case Reservation():
                rolled += _reservation(moment, offer, offer.kind, ids)
            case CapacityBlock():
                rolled += _capacity_block(moment, offer, offer.kind, ids)
            case Purchase():
                rolled += _purchase(moment, offer, offer.kind, ids)
            case Existing() as kind:
                payments = moment.still_to_come(kind.payments)
                if kind.until_date is None or kind.until_date > moment.day or payments:
                    rolled.append(replace(offer, kind=replace(kind, payments=payments)))
            case Allocation() as kind:
                rolled.append(replace(offer, kind=replace(kind, quotas=_quotas(moment, offer, kind))))
            case _:
                rolled.append(offer)
    return tuple(rolled)


class _Ids:
    """Ids that no offer has yet."""

    def __init__(self, used: Iterable[str]) -> None:
        self._used = set(used)

    def new(self, offer: Offer, what: str, day: date) -> str:
        """Return a new id that says what of which offer and when."""
        for number in count(1):
            suffix = f"-{what}-{day:%Y%m%d}" + (f"-{number}" if number > 1 else "")
            found = offer.id[: LIMITS.id_characters - len(suffix)] + suffix
            if found not in self._used:
                self._used.add(found)
                return found
        raise AssertionError


def _reservation(moment: Moment, offer: Offer, kind: Reservation, ids: _Ids) -> Iterator[Offer]:
    """Yield what may still be reserved, then the booked terms that are not over."""
    problem, calendar = moment.reading.problem, moment.reading.problem.calendar
    live = np.zeros(calendar.period_count)
    booked: list[Offer] = []
    for order in moment.reading.plan.reservation_orders:
        if order.offer_id != offer.id or order.start_period - kind.lead_time_periods >= moment.period:
            continue
        end = order.start_period + kind.terms[order.term_index].term_periods
        live[order.start_period : end] += order.blocks
        booking_day = calendar.date_of(order.start_period - kind.lead_time_periods)
        capacity = dict.fromkeys(range(order.start_period, end), order.blocks * kind.block_accelerators)
        later = _later(moment, reservation_payments(problem, offer, order))
        paid = _term_price(problem, kind, order.term_index, order.start_period)
        booked += _existing(moment, offer, ids, booking_day, capacity, later, paid, metered=False)
    yield from _still_to_book(moment, offer, kind, live, moment.period + kind.lead_time_periods, ids)
    yield from booked


def _capacity_block(moment: Moment, offer: Offer, kind: CapacityBlock, ids: _Ids) -> Iterator[Offer]:
    """Yield what blocks may still be booked, then the booked ones that are not over."""
    calendar = moment.reading.problem.calendar
    live = np.zeros(calendar.period_count)
    booked: list[Offer] = []
    for order in moment.reading.plan.capacity_block_orders:
        if order.offer_id != offer.id or order.booking_period >= moment.period:
            continue
        each = block_hours(kind.terms[order.term_index].term_days, calendar.period_hours)
        live[order.start_period : order.start_period + len(each)] += order.blocks
        accelerators = order.blocks * kind.block_accelerators
        capacity = {
            order.start_period + i: int(accelerators * hours / calendar.period_hours + WHOLE)
            for i, hours in enumerate(each)
        }
        price = kind.terms[order.term_index].price_per_accelerator_hour
        paid = _in_yen(yen(moment.reading.problem, price, order.booking_date, order.booking_period))
        booked += _existing(moment, offer, ids, order.booking_date, capacity, (), paid, metered=False)
    yield from _still_to_book(moment, offer, kind, live, moment.period + kind.booking_periods_min, ids)
    yield from booked


def _purchase(moment: Moment, offer: Offer, kind: Purchase, ids: _Ids) -> Iterator[Offer]:
    """Yield what may still be bought, then the orders that live or have to be paid."""
    problem, ordered = moment.reading.problem, 0
    booked: list[Offer] = []
    for order in moment.reading.plan.purchase_orders:
        if order.offer_id != offer.id or order.order_period >= moment.period:
            continue
        ordered += order.units
        last = kind.delivery_steps[0].periods_after_order + kind.life_periods
        accelerators = order.units * kind.unit_accelerators
        capacity = {
            order.order_period + age: int(accelerators * delivered_fraction(kind, age) + WHOLE) for age in range(last)
        }
        later = _later(moment, purchase_payments(problem, offer, order))
        kept = 1.0 - kind.residual_fraction * (1.0 - kind.residual_haircut_fraction)
        lived = sum(delivered_fraction(kind, age) for age in range(last)) * problem.calendar.period_hours
        price = current_yen(problem, kind.price_per_unit, order.order_period) * kept / (kind.unit_accelerators * lived)
        booked += _existing(moment, offer, ids, order.order_date, capacity, later, _in_yen(price), metered=kind.metered)
    if ordered < kind.units_max:
        yield replace(offer, kind=replace(kind, units_max=kind.units_max - ordered))
    yield from booked


def _term_price(problem: Problem, kind: Reservation, term_index: int, start: int) -> UnitPrice:
    """Return what an accelerator-hour of a booked term costs: its own price, or in yen what is paid ahead.

    A term that is paid in part ahead counts in yen at the rate of its booking.
    """
    term, booking = kind.terms[term_index], start - kind.lead_time_periods
    day, price = problem.calendar.date_of(booking), term.price_per_accelerator_hour
    if term.payment_timing is PaymentTiming.PERIODIC:
        return UnitPrice(price.amount_on(day), price.currency_code)
    return _in_yen(yen(problem, price, day, booking))


def _in_yen(amount: float) -> UnitPrice:
    return UnitPrice(Decimal(f"{amount:.4f}"), JPY)


def _quotas(moment: Moment, offer: Offer, kind: Allocation) -> tuple[FiscalYearHours, ...]:
    """Return the quotas of the running and later years, what is used taken off."""
    used = np.zeros(moment.reading.period_count)
    for use in moment.reading.plan.offer_uses:
        if use.offer_id == offer.id:
            used += np.asarray(use.accelerator_hours)
    gone = {moment.fiscal_year: moment.before(used)}
    return tuple(
        replace(quota, accelerator_hours=max(0.0, quota.accelerator_hours - gone.get(quota.fiscal_year, 0.0)))
        for quota in kind.quotas
        if quota.fiscal_year >= moment.fiscal_year
    )


def _later(moment: Moment, payments: Iterable[Payment]) -> tuple[FiscalYearAmount, ...]:
    """Return the payments from the moment on and within the horizon, by fiscal year."""
    calendar, sums = moment.reading.problem.calendar, defaultdict[int, float](float)
    for item in payments:
        if moment.period <= item.period < calendar.period_count:
            sums[calendar.fiscal_year(item.period)] += item.amount_yen
    return tuple(FiscalYearAmount(year, round(amount)) for year, amount in sorted(sums.items()))


def _existing(
    moment: Moment,
    offer: Offer,
    ids: _Ids,
    booked: date,
    capacity: dict[int, int],
    payments: tuple[FiscalYearAmount, ...],
    paid: UnitPrice,
    *,
    metered: bool,
) -> Iterator[Offer]:
    """Yield an order as existing capacity that cost ``paid`` an hour; nothing where it is over and paid.

    ``capacity`` is accelerators by period, without gaps once the first are there.
    """
    left = {t: number for t, number in sorted(capacity.items()) if t >= moment.period and number > 0}
    if not left and not payments:
        return
    steps = [
        QuotaStep(moment.first_day_from(t), number) for t, number in left.items() if left.get(t - 1, number) != number
    ]
    first = min(left, default=moment.period)
    begun = first <= moment.period
    kind = Existing(
        accelerators=left.get(first, max(capacity.values(), default=1) or 1),
        from_date=None if begun else moment.first_day_from(first),
        until_date=moment.reading.problem.calendar.date_of(max(left) + 1) if left else moment.day,
        metered=metered,
        accelerator_steps=tuple(steps),
        payments=payments,
        reference_price_per_accelerator_hour=paid,
    )
    name = f"{offer.display_name or offer.id}, booked {booked.isoformat()}"
    yield Offer(ids.new(offer, "booked", booked), name[: LIMITS.string_characters], offer.pool_id, kind)


def _still_to_book(
    moment: Moment, offer: Offer, kind: Reservation | CapacityBlock, live: FloatArray, first_start: int, ids: _Ids
) -> Iterator[Offer]:
    """Yield an offer with the blocks that booked ones leave free, once for each day from which more are free.

    Blocks that begin on such a day or later share what became free then, so that all offers together keep within the
    original's ``blocks_max`` in every period. ``live`` (period_count,) are booked blocks. Where blocks are booked that
    begin later than new ones can, the free ones before them are left out: too few rather than too many.
    """
    free = kind.blocks_max - live
    # The blocks that are free from a period to the end.
    lasting = np.minimum.accumulate(free[::-1])[::-1]
    given, first = 0, True
    for t in range(moment.period, len(lasting)):
        more = int(lasting[max(t, min(first_start, len(lasting) - 1))]) - given
        if more <= 0:
            continue
        given += more
        from_date = kind.from_date if t == moment.period else _later_day(kind.from_date, moment.first_day_from(t))
        if kind.until_date is not None and from_date is not None and from_date >= kind.until_date:
            break
        name = offer.id if first else ids.new(offer, "free", moment.first_day_from(t))
        yield Offer(name, offer.display_name, offer.pool_id, replace(kind, blocks_max=more, from_date=from_date))
        first = False


def _later_day(one: date | None, other: date) -> date:
    return other if one is None else max(one, other)
