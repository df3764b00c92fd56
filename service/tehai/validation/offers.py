"""Rules on every kind of offer, E140x and E141x."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.domain.market import CURRENCY_CODES, UnitPrice
from tehai.domain.offer import Existing, Offer, OnDemand, Purchase, Reservation
from tehai.validation.common import count_out_of_range, shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

KIND_FIELDS = {OnDemand: "on_demand", Reservation: "reservation", Purchase: "purchase", Existing: "existing"}


def kind_path(i: int, offer: Offer) -> str:
    """Return the path of what is particular to an offer's kind."""
    return f"offers[{i}].{KIND_FIELDS[type(offer.kind)]}"


def prices_of(view: ProblemView) -> Iterator[tuple[str, UnitPrice]]:
    """Yield (path, price) of every price of every offer."""
    for i, offer in enumerate(view.problem.offers):
        path = kind_path(i, offer)
        match offer.kind:
            case OnDemand(price_per_accelerator_hour=price):
                yield f"{path}.price_per_accelerator_hour", price
            case Reservation(terms=terms):
                for k, term in enumerate(terms):
                    yield f"{path}.terms[{k}].price_per_accelerator_hour", term.price_per_accelerator_hour
            case Purchase(price_per_unit=price):
                yield f"{path}.price_per_unit", price
            case Existing():
                pass


@rule("E1401", "there is no offer", "List at least one way to get capacity.")
def check_e1401_no_offers(view: ProblemView) -> Iterator[Found]:
    """A sourcing problem has something to choose from."""
    if not view.problem.offers:
        yield Found("offers", "the list is empty")


@rule("E1402", "a price is negative or too large", "Give a price from 0 on, consumption tax excluded.")
def check_e1402_price_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Nobody is paid for taking capacity."""
    for path, price in prices_of(view):
        amount = price.amount
        if not amount.is_finite():
            yield Found(f"{path}.amount", f"{amount} is not a number")
        elif amount < 0:
            yield Found(f"{path}.amount", f"{amount:.20g} is negative")
        elif amount > LIMITS.unit_price:
            yield Found(f"{path}.amount", f"{amount:.20g} is above the limit of {LIMITS.unit_price:,}")


@rule("E1403", "the currency of a price is not known", 'Write "JPY" or "USD".')
def check_e1403_currency_unknown(view: ProblemView) -> Iterator[Found]:
    """There is a rate for every currency."""
    for path, price in prices_of(view):
        if price.currency_code not in CURRENCY_CODES:
            yield Found(f"{path}.currency_code", f"{shown(price.currency_code)} is not a known currency")


@rule("E1404", "an offer's window ends before it begins", "Give an until_date after the from_date.")
def check_e1404_window_empty(view: ProblemView) -> Iterator[Found]:
    """A window holds at least a day."""
    for i, offer in enumerate(view.problem.offers):
        kind, path = offer.kind, kind_path(i, offer)
        if kind.from_date is not None and kind.until_date is not None and kind.until_date <= kind.from_date:
            message = f"{kind.until_date} is not after {kind.from_date}"
            yield Found(f"{path}.until_date", message, (f"{path}.from_date",))


@rule("E1405", "the accelerators of an offer are out of range", "Give a whole number from 1 on.")
def check_e1405_capacity_out_of_range(view: ProblemView) -> Iterator[Found]:
    """What is on demand or there already is some accelerators."""
    for i, offer in enumerate(view.problem.offers):
        path = kind_path(i, offer)
        if isinstance(offer.kind, OnDemand):
            yield from count_out_of_range(
                offer.kind.quota_accelerators, f"{path}.quota_accelerators", "accelerators in the quota"
            )
        elif isinstance(offer.kind, Existing):
            yield from count_out_of_range(offer.kind.accelerators, f"{path}.accelerators", "accelerators")


@rule(
    "E1406",
    "an offer is metered at a site without a price of electricity",
    "Give the site's electricity_yen_per_kwh, or make the offer not metered.",
    reads=("sites[].id", "sites[].electricity_yen_per_kwh", "pools[].id", "pools[].site_id"),
)
def check_e1406_metered_without_electricity_price(view: ProblemView) -> Iterator[Found]:
    """A meter needs a price."""
    for i, offer in enumerate(view.problem.offers):
        if not isinstance(offer.kind, Purchase | Existing) or not offer.kind.metered:
            continue
        pool = view.pools.get(offer.pool_id)
        site = view.sites.get(pool.site_id) if pool else None
        if site is not None and site.electricity_yen_per_kwh is None:
            message = f"site {shown(site.id)} has no price of electricity"
            yield Found(f"{kind_path(i, offer)}.metered", message, (f"offers[{i}].pool_id",))
