"""Rules on every kind of offer, E140x and E141x; those on prices stand in prices."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    Existing,
    Offer,
    OnDemand,
    Purchase,
    QuotaStep,
    Reservation,
)
from tehai.validation.common import count_out_of_range, shown, steps_not_rising
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

KIND_FIELDS = {
    OnDemand: "on_demand",
    Reservation: "reservation",
    Purchase: "purchase",
    Existing: "existing",
    Allocation: "allocation",
    CapacityBlock: "capacity_block",
}


def kind_path(i: int, offer: Offer) -> str:
    """Return the path of what is particular to an offer's kind."""
    return f"offers[{i}].{KIND_FIELDS[type(offer.kind)]}"


def accelerator_counts(view: ProblemView) -> Iterator[tuple[str, int, str, tuple[QuotaStep, ...]]]:
    """Yield (path, accelerators, path of the steps, steps) of every offer whose capacity is given and not decided."""
    for i, offer in enumerate(view.problem.offers):
        path = kind_path(i, offer)
        match offer.kind:
            case OnDemand(quota_accelerators=quota, quota_steps=steps):
                yield f"{path}.quota_accelerators", quota, f"{path}.quota_steps", steps
            case Existing() | Allocation():
                accelerators, steps = offer.kind.accelerators, offer.kind.accelerator_steps
                yield f"{path}.accelerators", accelerators, f"{path}.accelerator_steps", steps
            case Reservation() | Purchase() | CapacityBlock():
                pass


@rule("E1401", "there is no offer", "List at least one way to get capacity.")
def check_e1401_no_offers(view: ProblemView) -> Iterator[Found]:
    """A sourcing problem has something to choose from."""
    if not view.problem.offers:
        yield Found("offers", "the list is empty")


@rule("E1404", "an offer's window ends before it begins", "Give an until_date after the from_date.")
def check_e1404_window_empty(view: ProblemView) -> Iterator[Found]:
    """A window holds at least a day."""
    for i, offer in enumerate(view.problem.offers):
        kind, path = offer.kind, kind_path(i, offer)
        if kind.from_date is not None and kind.until_date is not None and kind.until_date <= kind.from_date:
            message = f"{kind.until_date} is not after {kind.from_date}"
            yield Found(f"{path}.until_date", message, (f"{path}.from_date",))


@rule(
    "E1405",
    "the accelerators of an offer are out of range",
    "Give a whole number from 1 on; 0 only where later steps follow.",
)
def check_e1405_capacity_out_of_range(view: ProblemView) -> Iterator[Found]:
    """What is on demand, granted or there already is some accelerators, at once or from a step on."""
    for path, count, steps_path, steps in accelerator_counts(view):
        if count != 0 or not steps:
            yield from (
                Found(f.path, f.message, (steps_path,)) for f in count_out_of_range(count, path, "accelerators")
            )


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


@rule(
    "E1409",
    "the steps of an offer's accelerators do not rise in time",
    "Order the steps by from_date, each later than the last.",
)
def check_e1409_accelerator_steps_not_rising(view: ProblemView) -> Iterator[Found]:
    """On every day one number of accelerators holds."""
    for _, _, path, steps in accelerator_counts(view):
        yield from steps_not_rising(steps, path)


@rule("E1410", "a later number of accelerators is out of range", "Give a whole number from 0 on.")
def check_e1410_accelerator_step_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Capacity may go, and it does not become negative."""
    limit = LIMITS.accelerators_in_one_place
    for _, _, path, steps in accelerator_counts(view):
        for k, step in enumerate(steps):
            if not 0 <= step.accelerators <= limit:
                message = f"{step.accelerators:,} accelerators is not between 0 and {limit:,}"
                yield Found(f"{path}[{k}].accelerators", message)
