"""A problem under a change: prices, exchange rate and tariffs multiplied, and what is wrong with a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import TypeVar

from tehai.domain.evaluation import ScenarioChange
from tehai.domain.market import PriceStep, UnitPrice
from tehai.domain.offer import Allocation, CapacityBlock, Existing, Offer, OnDemand, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.domain.supply import Site
from tehai.domain.violation import Violation
from tehai.wire import scenario_violation

FACTOR_MIN, FACTOR_MAX = 0.01, 100.0
# A decimal of a problem has up to 80 digits; none of them is lost.
PRODUCT_DIGITS = 120

Priced = TypeVar("Priced", UnitPrice, PriceStep)


def change_violations(problem: Problem, change: ScenarioChange, path: str = "change") -> tuple[Violation, ...]:
    """Return everything that is wrong with a change of ``problem``; ``path`` is where the change stands."""
    return (*_factors(change, path), *_offers(problem, change, path), *_programmes(problem, change, path))


def changed_problem(problem: Problem, change: ScenarioChange) -> Problem:
    """Return a problem with the prices that hold under a change without violations.

    The programmes stay as they are: a programme that is cancelled pays nothing, which is for the claims to say.
    """
    factors = {item.offer_id: _exact(item.factor) for item in change.offer_price_factors}
    rate, electricity = _exact(change.usd_jpy_factor), _exact(change.electricity_factor)
    with localcontext(prec=PRODUCT_DIGITS):
        return replace(
            problem,
            market=replace(problem.market, usd_jpy_spot=problem.market.usd_jpy_spot * rate),
            offers=tuple(
                _with_prices(offer, factors[offer.id]) if offer.id in factors else offer for offer in problem.offers
            ),
            sites=tuple(_with_tariff(site, electricity) for site in problem.sites),
        )


def has_price(offer: Offer) -> bool:
    """Return whether an offer has a price that a factor can move."""
    return not isinstance(offer.kind, Existing) or offer.kind.reference_price_per_accelerator_hour is not None


def _exact(factor: float) -> Decimal:
    """Return the decimal that a factor is written as: 1.1 is one and a tenth."""
    return Decimal(repr(factor))


def _times(price: Priced, factor: Decimal) -> Priced:
    """Return an amount, with its steps, times a factor."""
    if isinstance(price, PriceStep):
        return replace(price, amount=price.amount * factor)
    return replace(price, amount=price.amount * factor, steps=_steps_times(price.steps, factor))


def _steps_times(steps: Iterable[PriceStep], factor: Decimal) -> tuple[PriceStep, ...]:
    return tuple(_times(step, factor) for step in steps)


def _with_prices(offer: Offer, factor: Decimal) -> Offer:
    """Return an offer with every price of its own times a factor; what is paid for existing capacity is contracted."""
    kind = offer.kind
    match kind:
        case OnDemand() | Allocation():
            return replace(
                offer, kind=replace(kind, price_per_accelerator_hour=_times(kind.price_per_accelerator_hour, factor))
            )
        case Reservation():
            terms = tuple(
                replace(term, price_per_accelerator_hour=_times(term.price_per_accelerator_hour, factor))
                for term in kind.terms
            )
            return replace(offer, kind=replace(kind, terms=terms))
        case CapacityBlock():
            lengths = tuple(
                replace(term, price_per_accelerator_hour=_times(term.price_per_accelerator_hour, factor))
                for term in kind.terms
            )
            return replace(offer, kind=replace(kind, terms=lengths))
        case Purchase():
            return replace(offer, kind=replace(kind, price_per_unit=_times(kind.price_per_unit, factor)))
        case Existing():
            price = kind.reference_price_per_accelerator_hour
            if price is None:
                return offer
            return replace(offer, kind=replace(kind, reference_price_per_accelerator_hour=_times(price, factor)))


def _with_tariff(site: Site, factor: Decimal) -> Site:
    """Return a site with its prices of electricity times a factor."""
    if site.electricity_yen_per_kwh is None:
        return site
    return replace(
        site,
        electricity_yen_per_kwh=site.electricity_yen_per_kwh * factor,
        electricity_steps=_steps_times(site.electricity_steps, factor),
    )


def _factors(change: ScenarioChange, path: str) -> Iterator[Violation]:
    named = [(f"{path}.usd_jpy_factor", change.usd_jpy_factor)]
    named += [
        (f"{path}.offer_price_factors[{i}].factor", item.factor) for i, item in enumerate(change.offer_price_factors)
    ]
    named.append((f"{path}.electricity_factor", change.electricity_factor))
    for where, factor in named:
        # written so that NaN fails
        if not FACTOR_MIN <= factor <= FACTOR_MAX:
            yield scenario_violation("E2001", where, f"{factor} is not between {FACTOR_MIN} and {FACTOR_MAX:g}")


def _offers(problem: Problem, change: ScenarioChange, path: str) -> Iterator[Violation]:
    offers, seen = {offer.id: offer for offer in problem.offers}, set()
    for i, item in enumerate(change.offer_price_factors):
        where = f"{path}.offer_price_factors[{i}].offer_id"
        offer = offers.get(item.offer_id)
        if offer is None:
            yield scenario_violation("E2002", where, f'no offer has the id "{item.offer_id}"')
        elif item.offer_id in seen:
            yield scenario_violation("E2003", where, f'offer "{item.offer_id}" is listed before')
        elif not has_price(offer):
            yield scenario_violation("E2004", where, f'existing offer "{item.offer_id}" has no reference price')
        seen.add(item.offer_id)


def _programmes(problem: Problem, change: ScenarioChange, path: str) -> Iterator[Violation]:
    known, seen = {programme.id for programme in problem.programmes}, set()
    for i, programme_id in enumerate(change.cancelled_programme_ids):
        where = f"{path}.cancelled_programme_ids[{i}]"
        if programme_id not in known:
            yield scenario_violation("E2005", where, f'no programme has the id "{programme_id}"')
        elif programme_id in seen:
            yield scenario_violation("E2006", where, f'programme "{programme_id}" is listed before')
        seen.add(programme_id)
