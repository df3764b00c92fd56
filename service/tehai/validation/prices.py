"""Rules on every price per unit of a problem, E1402, E1403, E1407 and E1408."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.market import CURRENCY_CODES, UnitPrice
from tehai.domain.offer import Allocation, CapacityBlock, Existing, OnDemand, Purchase, Reservation
from tehai.validation.common import shown, steps_not_rising, unit_amount_out_of_range
from tehai.validation.offers import kind_path
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView


def prices_of(view: ProblemView) -> Iterator[tuple[str, UnitPrice]]:
    """Yield (path, price) of every price of offers, pools and routes."""
    for i, offer in enumerate(view.problem.offers):
        path = kind_path(i, offer)
        match offer.kind:
            case OnDemand(price_per_accelerator_hour=price) | Allocation(price_per_accelerator_hour=price):
                yield f"{path}.price_per_accelerator_hour", price
            case Reservation() | CapacityBlock():
                for k, price in enumerate(term.price_per_accelerator_hour for term in offer.kind.terms):
                    yield f"{path}.terms[{k}].price_per_accelerator_hour", price
            case Purchase(price_per_unit=price):
                yield f"{path}.price_per_unit", price
            case Existing(reference_price_per_accelerator_hour=reference):
                if reference is not None:
                    yield f"{path}.reference_price_per_accelerator_hour", reference
    for i, pool in enumerate(view.problem.pools):
        if pool.grant_reference is not None:
            yield f"pools[{i}].grant_reference", pool.grant_reference
        if pool.charge_reference is not None:
            yield f"pools[{i}].charge_reference", pool.charge_reference
    for i, route in enumerate(view.problem.routes):
        yield f"routes[{i}].price_per_terabyte", route.price_per_terabyte


@rule("E1402", "a price is negative or too large", "Give a price from 0 on, consumption tax excluded.")
def check_e1402_price_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Nobody is paid for taking capacity."""
    for path, price in prices_of(view):
        yield from unit_amount_out_of_range(price.amount, f"{path}.amount")


@rule("E1403", "the currency of a price is not known", 'Write "JPY" or "USD".')
def check_e1403_currency_unknown(view: ProblemView) -> Iterator[Found]:
    """There is a rate for every currency."""
    for path, price in prices_of(view):
        if price.currency_code not in CURRENCY_CODES:
            yield Found(f"{path}.currency_code", f"{shown(price.currency_code)} is not a known currency")


@rule("E1407", "the steps of a price do not rise in time", "Order the steps by from_date, each later than the last.")
def check_e1407_price_steps_not_rising(view: ProblemView) -> Iterator[Found]:
    """On every day one price is in force."""
    for path, price in prices_of(view):
        yield from steps_not_rising(price.steps, f"{path}.steps")


@rule("E1408", "a later price is negative or too large", "Give a price from 0 on, consumption tax excluded.")
def check_e1408_price_step_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A price that holds later is a price too."""
    for path, price in prices_of(view):
        for k, step in enumerate(price.steps):
            yield from unit_amount_out_of_range(step.amount, f"{path}.steps[{k}].amount")
