"""Rules on capacity blocks, E146x."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.domain.offer import CapacityBlock
from tehai.validation.common import count_out_of_range
from tehai.validation.registry import Found, rule
from tehai.validation.view import YEARS_MAX, ProblemView


def _blocks(view: ProblemView) -> Iterator[tuple[str, CapacityBlock]]:
    for i, offer in enumerate(view.problem.offers):
        if isinstance(offer.kind, CapacityBlock):
            yield f"offers[{i}].capacity_block", offer.kind


@rule("E1461", "the size of a capacity block is out of range", "Give a whole number of accelerators from 1 on.")
def check_e1461_capacity_block_size_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A block has accelerators."""
    for path, kind in _blocks(view):
        yield from count_out_of_range(kind.block_accelerators, f"{path}.block_accelerators", "accelerators in a block")


@rule("E1462", "the number of capacity blocks is out of range", "Give a whole number of blocks from 1 on.")
def check_e1462_capacity_blocks_out_of_range(view: ProblemView) -> Iterator[Found]:
    """At least one block can be had, and all of them together are a sensible number of accelerators."""
    limit = LIMITS.accelerators_in_one_place
    for path, kind in _blocks(view):
        if kind.blocks_max < 1:
            yield Found(f"{path}.blocks_max", f"{kind.blocks_max:,} blocks; at least 1 is needed")
        elif kind.blocks_max * max(kind.block_accelerators, 1) > limit:
            message = f"{kind.blocks_max:,} blocks of {kind.block_accelerators:,} accelerators; the limit is {limit:,}"
            yield Found(f"{path}.blocks_max", message, (f"{path}.block_accelerators",))


@rule(
    "E1463",
    "the periods between booking and start are out of range",
    "Give 0 or more, at most 50 years; they are in periods.",
)
def check_e1463_booking_periods_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Nothing is booked after it begins, nor decades ahead."""
    for path, kind in _blocks(view):
        for name in ("booking_periods_min", "booking_periods_max"):
            periods: int = getattr(kind, name)
            if not 0 <= periods <= view.periods_max:
                message = f"{periods:,} periods is not between 0 and {YEARS_MAX} years"
                yield Found(f"{path}.{name}", message, ("calendar.period_hours",))


@rule(
    "E1464",
    "a capacity block can be booked in no period before it begins",
    "Give a booking_periods_max that is at least booking_periods_min.",
)
def check_e1464_booking_periods_reversed(view: ProblemView) -> Iterator[Found]:
    """There is a period in which a block can be booked."""
    for path, kind in _blocks(view):
        if kind.booking_periods_max < kind.booking_periods_min:
            message = f"at most {kind.booking_periods_max:,} and at least {kind.booking_periods_min:,} periods ahead"
            yield Found(f"{path}.booking_periods_max", message, (f"{path}.booking_periods_min",))


@rule("E1465", "a capacity block has no term", "List at least one length in days with its price.")
def check_e1465_no_block_terms(view: ProblemView) -> Iterator[Found]:
    """A block is for some days."""
    for path, kind in _blocks(view):
        if not kind.terms:
            yield Found(f"{path}.terms", "the list is empty")


@rule(
    "E1466",
    "the days of a capacity block are out of range",
    f"Give 1 to {LIMITS.block_days} days; a longer term is a reservation.",
)
def check_e1466_block_days_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A block is short."""
    for path, kind in _blocks(view):
        for k, term in enumerate(kind.terms):
            if not 1 <= term.term_days <= LIMITS.block_days:
                message = f"{term.term_days:,} days is not between 1 and {LIMITS.block_days}"
                yield Found(f"{path}.terms[{k}].term_days", message)


@rule("E1467", "two terms of a capacity block are the same", "Keep the cheaper of the two.")
def check_e1467_block_term_repeated(view: ProblemView) -> Iterator[Found]:
    """Length and currency tell terms apart."""
    for path, kind in _blocks(view):
        seen = set()
        for k, term in enumerate(kind.terms):
            key = (term.term_days, term.price_per_accelerator_hour.currency_code)
            if key in seen:
                yield Found(f"{path}.terms[{k}]", f"{term.term_days:,} days again", (f"{path}.terms",))
            seen.add(key)
