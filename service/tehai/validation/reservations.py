"""Rules on reservations, E142x."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.domain.offer import PaymentTiming, Reservation
from tehai.validation.common import count_out_of_range
from tehai.validation.registry import Found, rule
from tehai.validation.view import YEARS_MAX, ProblemView


def _reservations(view: ProblemView) -> Iterator[tuple[str, Reservation]]:
    for i, offer in enumerate(view.problem.offers):
        if isinstance(offer.kind, Reservation):
            yield f"offers[{i}].reservation", offer.kind


@rule("E1421", "the size of a block is out of range", "Give a whole number of accelerators from 1 on.")
def check_e1421_block_size_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A block has accelerators."""
    for path, kind in _reservations(view):
        yield from count_out_of_range(kind.block_accelerators, f"{path}.block_accelerators", "accelerators in a block")


@rule("E1422", "the number of blocks is out of range", "Give a whole number of blocks from 1 on.")
def check_e1422_blocks_out_of_range(view: ProblemView) -> Iterator[Found]:
    """At least one block can be had, and all of them together are a sensible number of accelerators."""
    limit = LIMITS.accelerators_in_one_place
    for path, kind in _reservations(view):
        if kind.blocks_max < 1:
            yield Found(f"{path}.blocks_max", f"{kind.blocks_max:,} blocks; at least 1 is needed")
        elif kind.blocks_max * max(kind.block_accelerators, 1) > limit:
            message = f"{kind.blocks_max:,} blocks of {kind.block_accelerators:,} accelerators; the limit is {limit:,}"
            yield Found(f"{path}.blocks_max", message, (f"{path}.block_accelerators",))


@rule("E1423", "a lead time is out of range", "Give a number of periods, 0 or more.")
def check_e1423_lead_time_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Nothing is booked after it begins, nor decades ahead."""
    for path, kind in _reservations(view):
        if not 0 <= kind.lead_time_periods <= view.periods_max:
            message = f"{kind.lead_time_periods:,} periods is not between 0 and {YEARS_MAX} years"
            yield Found(f"{path}.lead_time_periods", message, ("calendar.period_hours",))


@rule("E1424", "a reservation has no term", "List at least one length of term with its price.")
def check_e1424_no_terms(view: ProblemView) -> Iterator[Found]:
    """A reservation is for some term."""
    for path, kind in _reservations(view):
        if not kind.terms:
            yield Found(f"{path}.terms", "the list is empty")


@rule("E1425", "a term is shorter than one period", "Give a number of periods from 1 on.")
def check_e1425_term_not_positive(view: ProblemView) -> Iterator[Found]:
    """A term lasts."""
    for path, kind in _reservations(view):
        for k, term in enumerate(kind.terms):
            if term.term_periods < 1:
                yield Found(f"{path}.terms[{k}].term_periods", f"{term.term_periods:,} periods; at least 1 is needed")


@rule("E1426", "a term is longer than is sensible", f"Give a term of at most {YEARS_MAX} years; it is in periods.")
def check_e1426_term_too_long(view: ProblemView) -> Iterator[Found]:
    """A term may pass the horizon, not a lifetime."""
    for path, kind in _reservations(view):
        for k, term in enumerate(kind.terms):
            if term.term_periods > view.periods_max:
                message = f"{term.term_periods:,} periods are more than {YEARS_MAX} years"
                yield Found(f"{path}.terms[{k}].term_periods", message, ("calendar.period_hours",))


@rule("E1427", "two terms of a reservation are the same", "Keep the cheaper of the two.")
def check_e1427_term_repeated(view: ProblemView) -> Iterator[Found]:
    """Length, payment, part paid when booked and currency tell terms apart."""
    for path, kind in _reservations(view):
        seen = set()
        for k, term in enumerate(kind.terms):
            currency = term.price_per_accelerator_hour.currency_code
            key = (term.term_periods, term.payment_timing, term.upfront_fraction, currency)
            if key in seen:
                where = f"{path}.terms[{k}]"
                yield Found(
                    where, f"{term.term_periods:,} periods, {term.payment_timing.value}, again", (f"{path}.terms",)
                )
            seen.add(key)


@rule(
    "E1428",
    "the part paid when booked does not go with the payment timing",
    "Give upfront_fraction with PAYMENT_TIMING_PARTIAL, and with no other.",
)
def check_e1428_upfront_fraction_misplaced(view: ProblemView) -> Iterator[Found]:
    """A part is paid at once where payment is in parts, and only there."""
    for path, kind in _reservations(view):
        for k, term in enumerate(kind.terms):
            partial = term.payment_timing is PaymentTiming.PARTIAL
            if partial == (term.upfront_fraction is None):
                what = "missing" if partial else f"given and payment is {term.payment_timing.value}"
                where = f"{path}.terms[{k}].upfront_fraction"
                yield Found(where, f"the fraction is {what}", (f"{path}.terms[{k}].payment_timing",))


@rule(
    "E1429",
    "the part paid when booked is outside (0, 1)",
    "Give a fraction, for example 0.5; for all or nothing write PREPAID or PERIODIC.",
)
def check_e1429_upfront_fraction_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A part is neither nothing nor all."""
    for path, kind in _reservations(view):
        for k, term in enumerate(kind.terms):
            if term.upfront_fraction is not None and not 0 < term.upfront_fraction < 1:
                message = f"{term.upfront_fraction} is not above 0 and below 1"
                yield Found(f"{path}.terms[{k}].upfront_fraction", message)
