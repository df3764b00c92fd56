"""Checks of reservation and purchase orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from tehai.domain.offer import Purchase, Reservation
from tehai.domain.plan import ReservationOrder
from tehai.domain.violation import Violation
from tehai.verify.case import Case
from tehai.verify.faults import violation
from tehai.verify.offers import allowed_order_periods
from tehai.verify.orders import kind_of, ordered_term
from tehai.verify.timeline import IntArray, first_day, window


def _reservations(case: Case) -> Iterator[tuple[int, ReservationOrder, Reservation]]:
    """Yield (position, order, reservation) of every order of a known reservation."""
    for i, order in enumerate(case.plan.reservation_orders):
        kind = kind_of(case.reference, order.offer_id)
        if isinstance(kind, Reservation):
            yield i, order, kind


def check_v2201_not_a_reservation(case: Case) -> Iterator[Violation]:
    """Every reservation order names a reservation."""
    for i, order in enumerate(case.plan.reservation_orders):
        kind = kind_of(case.reference, order.offer_id)
        if not isinstance(kind, Reservation):
            found = "no offer" if kind is None else type(kind).__name__
            yield violation("V2201", f"reservation_orders[{i}].offer_id", f'"{order.offer_id}" is {found}')


def check_v2202_term_index(case: Case) -> Iterator[Violation]:
    """The term is one of the offer's."""
    for i, order, kind in _reservations(case):
        if not 0 <= order.term_index < len(kind.terms):
            message = f"expected 0 to {len(kind.terms) - 1}, found {order.term_index}"
            yield violation("V2202", f"reservation_orders[{i}].term_index", message)


def check_v2203_term_start(case: Case) -> Iterator[Violation]:
    """A term begins in a period of the offer's window."""
    for i, order, kind in _reservations(case):
        allowed = window(case.problem, kind.from_date, kind.until_date)
        if order.start_period not in allowed:
            edges = f"{allowed[0]} to {allowed[-1]}" if allowed else "none"
            message = f"expected periods {edges}, found {order.start_period}"
            yield violation("V2203", f"reservation_orders[{i}].start_period", message)


def check_v2204_lead_time(case: Case) -> Iterator[Violation]:
    """The booking period is not before period 0."""
    for i, order, kind in _reservations(case):
        if order.start_period < kind.lead_time_periods:
            message = f"expected period {kind.lead_time_periods} or later, found {order.start_period}"
            yield violation("V2204", f"reservation_orders[{i}].start_period", message)


def check_v2205_blocks(case: Case) -> Iterator[Violation]:
    """An order has at least one block."""
    for i, order in enumerate(case.plan.reservation_orders):
        if order.blocks <= 0:
            yield violation("V2205", f"reservation_orders[{i}].blocks", f"expected at least 1, found {order.blocks}")


def check_v2206_live_blocks(case: Case) -> Iterator[Violation]:
    """Live blocks of all terms together stay within blocks_max in every period."""
    live: dict[str, IntArray] = {}
    for order in case.plan.reservation_orders:
        found = ordered_term(case.reference, order)
        if found is not None:
            row = live.setdefault(order.offer_id, np.zeros(case.reference.period_count, dtype=np.int64))
            row[order.start_period : order.start_period + found[1].term_periods] += order.blocks
    for offer in case.problem.offers:
        if isinstance(offer.kind, Reservation) and offer.id in live:
            t = int(live[offer.id].argmax())
            if live[offer.id][t] > offer.kind.blocks_max:
                most = offer.kind.blocks_max
                message = f'offer "{offer.id}" in period {t}: expected at most {most}, found {live[offer.id][t]}'
                yield violation("V2206", "reservation_orders", message)


def check_v2207_reservation_date(case: Case) -> Iterator[Violation]:
    """The date of a reservation order is the first day of its period."""
    for i, order in enumerate(case.plan.reservation_orders):
        if 0 <= order.start_period < case.reference.period_count:
            expected = first_day(case.problem, order.start_period)
            if order.start_date != expected:
                message = f"expected {expected}, found {order.start_date}"
                yield violation("V2207", f"reservation_orders[{i}].start_date", message)


def check_v2211_not_a_purchase(case: Case) -> Iterator[Violation]:
    """Every purchase order names a purchase."""
    for i, order in enumerate(case.plan.purchase_orders):
        kind = kind_of(case.reference, order.offer_id)
        if not isinstance(kind, Purchase):
            found = "no offer" if kind is None else type(kind).__name__
            yield violation("V2211", f"purchase_orders[{i}].offer_id", f'"{order.offer_id}" is {found}')


def check_v2212_order_period(case: Case) -> Iterator[Violation]:
    """Units are ordered in the window and early enough to deliver in the horizon."""
    for i, order in enumerate(case.plan.purchase_orders):
        kind = kind_of(case.reference, order.offer_id)
        if not isinstance(kind, Purchase):
            continue
        allowed = allowed_order_periods(case.problem, kind)
        if order.order_period not in allowed:
            edges = f"{allowed[0]} to {allowed[-1]}" if allowed else "none"
            message = f"expected periods {edges}, found {order.order_period}"
            yield violation("V2212", f"purchase_orders[{i}].order_period", message)


def check_v2213_units(case: Case) -> Iterator[Violation]:
    """An order has at least one unit."""
    for i, order in enumerate(case.plan.purchase_orders):
        if order.units <= 0:
            yield violation("V2213", f"purchase_orders[{i}].units", f"expected at least 1, found {order.units}")


def check_v2214_units_max(case: Case) -> Iterator[Violation]:
    """All orders of an offer together stay within units_max."""
    ordered: Counter[str] = Counter()
    for order in case.plan.purchase_orders:
        ordered[order.offer_id] += max(0, order.units)
    for offer in case.problem.offers:
        if isinstance(offer.kind, Purchase) and ordered[offer.id] > offer.kind.units_max:
            message = f'offer "{offer.id}" expected at most {offer.kind.units_max}, found {ordered[offer.id]}'
            yield violation("V2214", "purchase_orders", message)


def check_v2215_purchase_date(case: Case) -> Iterator[Violation]:
    """The date of a purchase order is the first day of its period."""
    for i, order in enumerate(case.plan.purchase_orders):
        if 0 <= order.order_period < case.reference.period_count:
            expected = first_day(case.problem, order.order_period)
            if order.order_date != expected:
                message = f"expected {expected}, found {order.order_date}"
                yield violation("V2215", f"purchase_orders[{i}].order_date", message)


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2201_not_a_reservation,
    check_v2202_term_index,
    check_v2203_term_start,
    check_v2204_lead_time,
    check_v2205_blocks,
    check_v2206_live_blocks,
    check_v2207_reservation_date,
    check_v2211_not_a_purchase,
    check_v2212_order_period,
    check_v2213_units,
    check_v2214_units_max,
    check_v2215_purchase_date,
)
