"""Rules on purchases, E143x and E144x."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import fsum

from tehai.domain.limits import LIMITS
from tehai.domain.offer import Purchase
from tehai.validation.common import FRACTION_TOLERANCE, count_out_of_range
from tehai.validation.registry import Found, rule
from tehai.validation.view import YEARS_MAX, ProblemView


def _purchases(view: ProblemView) -> Iterator[tuple[str, Purchase]]:
    for i, offer in enumerate(view.problem.offers):
        if isinstance(offer.kind, Purchase):
            yield f"offers[{i}].purchase", offer.kind


@rule("E1431", "the size of a unit is out of range", "Give a whole number of accelerators from 1 on.")
def check_e1431_unit_size_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A unit has accelerators."""
    for path, kind in _purchases(view):
        yield from count_out_of_range(kind.unit_accelerators, f"{path}.unit_accelerators", "accelerators in a unit")


@rule("E1432", "the number of units is out of range", "Give a whole number of units from 1 on.")
def check_e1432_units_out_of_range(view: ProblemView) -> Iterator[Found]:
    """At least one unit can be bought, and all of them together are a sensible number of accelerators."""
    limit = LIMITS.accelerators_in_one_place
    for path, kind in _purchases(view):
        if kind.units_max < 1:
            yield Found(f"{path}.units_max", f"{kind.units_max:,} units; at least 1 is needed")
        elif kind.units_max * max(kind.unit_accelerators, 1) > limit:
            message = f"{kind.units_max:,} units of {kind.unit_accelerators:,} accelerators; the limit is {limit:,}"
            yield Found(f"{path}.units_max", message, (f"{path}.unit_accelerators",))


@rule("E1433", "a purchase has no delivery step", "List when which cumulative fraction arrives; the last is 1.")
def check_e1433_no_delivery_steps(view: ProblemView) -> Iterator[Found]:
    """What is bought arrives."""
    for path, kind in _purchases(view):
        if not kind.delivery_steps:
            yield Found(f"{path}.delivery_steps", "the list is empty")


@rule(
    "E1434", "delivery steps do not rise in time", "Order the steps by periods_after_order, each later than the last."
)
def check_e1434_delivery_periods_not_rising(view: ProblemView) -> Iterator[Found]:
    """Steps follow each other, the first not before the order."""
    for path, kind in _purchases(view):
        periods = [step.periods_after_order for step in kind.delivery_steps]
        if periods and periods[0] < 0:
            yield Found(f"{path}.delivery_steps[0].periods_after_order", f"{periods[0]} is before the order")
        for k, (before, after) in enumerate(pairwise(periods), start=1):
            if after <= before:
                yield Found(f"{path}.delivery_steps[{k}].periods_after_order", f"{after} is not after {before}")


@rule(
    "E1435",
    "delivered fractions do not rise within (0, 1]",
    "Give cumulative fractions, each above the last, none above 1.",
)
def check_e1435_delivered_fractions_not_rising(view: ProblemView) -> Iterator[Found]:
    """Every step brings something, and no step more than was ordered."""
    for path, kind in _purchases(view):
        before = 0.0
        for k, step in enumerate(kind.delivery_steps):
            where = f"{path}.delivery_steps[{k}].delivered_fraction"
            fraction = step.delivered_fraction
            if not before < fraction <= 1:
                yield Found(where, f"{fraction} is not above {before} and at most 1", (f"{path}.delivery_steps",))
            before = max(before, fraction) if fraction <= 1 else before


@rule("E1436", "the last delivered fraction is not 1", "End the steps with a delivered_fraction of 1.")
def check_e1436_delivery_incomplete(view: ProblemView) -> Iterator[Found]:
    """An order arrives in full."""
    for path, kind in _purchases(view):
        if kind.delivery_steps and kind.delivery_steps[-1].delivered_fraction != 1:
            where = f"{path}.delivery_steps[{len(kind.delivery_steps) - 1}].delivered_fraction"
            yield Found(where, f"{kind.delivery_steps[-1].delivered_fraction} is delivered in the end")


@rule("E1437", "the life of a purchase is out of range", "Give a number of periods from 1 on, at most 50 years.")
def check_e1437_life_out_of_range(view: ProblemView) -> Iterator[Found]:
    """What is bought lives, but not for ever."""
    for path, kind in _purchases(view):
        if not 1 <= kind.life_periods <= view.periods_max:
            message = f"{kind.life_periods:,} periods is not between 1 and {YEARS_MAX} years"
            yield Found(f"{path}.life_periods", message, ("calendar.period_hours",))


@rule("E1438", "a residual value is outside [0, 1]", "Give a fraction of the price.")
def check_e1438_residual_out_of_range(view: ProblemView) -> Iterator[Found]:
    """At the end of its life a unit is worth part of its price."""
    for path, kind in _purchases(view):
        if not 0 <= kind.residual_fraction <= 1:
            yield Found(f"{path}.residual_fraction", f"{kind.residual_fraction} is not between 0 and 1")


@rule("E1439", "a haircut on the residual is outside [0, 1]", "Give a fraction of the residual value.")
def check_e1439_haircut_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Caution takes off at most all of it."""
    for path, kind in _purchases(view):
        if not 0 <= kind.residual_haircut_fraction <= 1:
            message = f"{kind.residual_haircut_fraction} is not between 0 and 1"
            yield Found(f"{path}.residual_haircut_fraction", message)


@rule("E1440", "a delivery step is later than is sensible", "Give at most 50 years; steps are in periods.")
def check_e1440_delivery_too_late(view: ProblemView) -> Iterator[Found]:
    """Deliveries come within a lifetime."""
    for path, kind in _purchases(view):
        for k, step in enumerate(kind.delivery_steps):
            if step.periods_after_order > view.periods_max:
                where = f"{path}.delivery_steps[{k}].periods_after_order"
                message = f"{step.periods_after_order:,} periods are more than {YEARS_MAX} years"
                yield Found(where, message, ("calendar.period_hours",))


@rule(
    "E1441",
    "payment steps do not rise in time",
    "Order the steps by periods_after_order, each later than the last; the order is at 0.",
)
def check_e1441_payment_periods_not_rising(view: ProblemView) -> Iterator[Found]:
    """Instalments follow each other, the first not before the order."""
    for path, kind in _purchases(view):
        periods = [step.periods_after_order for step in kind.payment_steps]
        if periods and periods[0] < 0:
            yield Found(f"{path}.payment_steps[0].periods_after_order", f"{periods[0]} is before the order")
        for k, (before, after) in enumerate(pairwise(periods), start=1):
            if after <= before:
                yield Found(f"{path}.payment_steps[{k}].periods_after_order", f"{after} is not after {before}")


@rule("E1442", "an instalment is outside (0, 1]", "Give the part of the price that is paid, for example 0.3.")
def check_e1442_payment_fraction_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Every instalment pays something, and no more than the price."""
    for path, kind in _purchases(view):
        for k, step in enumerate(kind.payment_steps):
            if not 0 < step.fraction <= 1:
                where = f"{path}.payment_steps[{k}].fraction"
                yield Found(where, f"{step.fraction} is not above 0 and at most 1", (f"{path}.payment_steps",))


@rule("E1443", "instalments do not sum to 1", "Give fractions that sum to 1; leave all out to pay when ordering.")
def check_e1443_payments_incomplete(view: ProblemView) -> Iterator[Found]:
    """What is bought is paid in full, once."""
    for path, kind in _purchases(view):
        fractions = [step.fraction for step in kind.payment_steps]
        usable = all(0 < fraction <= 1 for fraction in fractions)
        if fractions and usable and abs(fsum(fractions) - 1) > FRACTION_TOLERANCE:
            where = f"{path}.payment_steps"
            yield Found(where, f"the fractions sum to {fsum(fractions):.12g}", (where,))


@rule("E1444", "an instalment is later than is sensible", "Give at most 50 years; steps are in periods.")
def check_e1444_payment_too_late(view: ProblemView) -> Iterator[Found]:
    """What is bought is paid within a lifetime."""
    for path, kind in _purchases(view):
        for k, step in enumerate(kind.payment_steps):
            if step.periods_after_order > view.periods_max:
                where = f"{path}.payment_steps[{k}].periods_after_order"
                message = f"{step.periods_after_order:,} periods are more than {YEARS_MAX} years"
                yield Found(where, message, ("calendar.period_hours",))
