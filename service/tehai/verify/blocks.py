"""Checks of capacity block orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tehai.domain.offer import CapacityBlock
from tehai.domain.plan import CapacityBlockOrder
from tehai.domain.violation import Violation
from tehai.verify.case import Case
from tehai.verify.faults import violation
from tehai.verify.offers import block_length, booking_periods
from tehai.verify.orders import kind_of, ordered_block
from tehai.verify.timeline import IntArray, first_day, window


def _known(case: Case) -> Iterator[tuple[int, CapacityBlockOrder, CapacityBlock]]:
    """Yield (position, order, kind) of every order of a known capacity block."""
    for i, order in enumerate(case.plan.capacity_block_orders):
        kind = kind_of(case.reference, order.offer_id)
        if isinstance(kind, CapacityBlock):
            yield i, order, kind


def check_v2231_not_a_capacity_block(case: Case) -> Iterator[Violation]:
    """Every capacity block order names a capacity block."""
    for i, order in enumerate(case.plan.capacity_block_orders):
        kind = kind_of(case.reference, order.offer_id)
        if not isinstance(kind, CapacityBlock):
            found = "no offer" if kind is None else type(kind).__name__
            yield violation("V2231", f"capacity_block_orders[{i}].offer_id", f'"{order.offer_id}" is {found}')


def check_v2232_block_term_index(case: Case) -> Iterator[Violation]:
    """The term is one of the offer's."""
    for i, order, kind in _known(case):
        if not 0 <= order.term_index < len(kind.terms):
            message = f"expected 0 to {len(kind.terms) - 1}, found {order.term_index}"
            yield violation("V2232", f"capacity_block_orders[{i}].term_index", message)


def check_v2233_block_start(case: Case) -> Iterator[Violation]:
    """A block begins in a period of the offer's window."""
    for i, order, kind in _known(case):
        allowed = window(case.problem, kind.from_date, kind.until_date)
        if order.start_period not in allowed:
            edges = f"{allowed[0]} to {allowed[-1]}" if allowed else "none"
            message = f"expected periods {edges}, found {order.start_period}"
            yield violation("V2233", f"capacity_block_orders[{i}].start_period", message)


def check_v2234_booking_window(case: Case) -> Iterator[Violation]:
    """A block is booked in a period of the horizon, neither too early nor too late for its start."""
    for i, order, kind in _known(case):
        allowed = booking_periods(kind, order.start_period)
        if order.booking_period not in allowed:
            edges = f"{allowed[0]} to {allowed[-1]}" if allowed else "none"
            message = f"expected periods {edges}, found {order.booking_period}"
            yield violation("V2234", f"capacity_block_orders[{i}].booking_period", message)


def check_v2235_capacity_blocks(case: Case) -> Iterator[Violation]:
    """An order has at least one block."""
    for i, order in enumerate(case.plan.capacity_block_orders):
        if order.blocks <= 0:
            yield violation("V2235", f"capacity_block_orders[{i}].blocks", f"expected at least 1, found {order.blocks}")


def check_v2236_live_capacity_blocks(case: Case) -> Iterator[Violation]:
    """Live blocks of all terms together stay within blocks_max in every period they touch."""
    live: dict[str, IntArray] = {}
    for order in case.plan.capacity_block_orders:
        found = ordered_block(case.reference, order)
        if found is not None:
            row = live.setdefault(order.offer_id, np.zeros(case.reference.period_count, dtype=np.int64))
            row[order.start_period : order.start_period + block_length(case.problem, found[1])] += order.blocks
    for offer in case.problem.offers:
        if isinstance(offer.kind, CapacityBlock) and offer.id in live:
            t = int(live[offer.id].argmax())
            if live[offer.id][t] > offer.kind.blocks_max:
                most = offer.kind.blocks_max
                message = f'offer "{offer.id}" in period {t}: expected at most {most}, found {live[offer.id][t]}'
                yield violation("V2236", "capacity_block_orders", message)


def check_v2237_capacity_block_dates(case: Case) -> Iterator[Violation]:
    """The dates of a capacity block order are the first days of its periods."""
    for i, order in enumerate(case.plan.capacity_block_orders):
        for name, period, found in (
            ("start", order.start_period, order.start_date),
            ("booking", order.booking_period, order.booking_date),
        ):
            if 0 <= period < case.reference.period_count and found != first_day(case.problem, period):
                message = f"expected {first_day(case.problem, period)}, found {found}"
                yield violation("V2237", f"capacity_block_orders[{i}].{name}_date", message)


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2231_not_a_capacity_block,
    check_v2232_block_term_index,
    check_v2233_block_start,
    check_v2234_booking_window,
    check_v2235_capacity_blocks,
    check_v2236_live_capacity_blocks,
    check_v2237_capacity_block_dates,
)
