"""Checks of claims for purchases."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tehai.domain.offer import Purchase
from tehai.domain.plan import Claim, PurchaseOrder
from tehai.domain.programme import Programme
from tehai.domain.violation import Violation
from tehai.verify.case import Case
from tehai.verify.claims import claimed_programmes, find_programme
from tehai.verify.faults import violation
from tehai.verify.grants import order_rate, programme_periods
from tehai.verify.offers import life_inside
from tehai.verify.orders import kind_of, ordered_purchase
from tehai.verify.tolerances import TOLERANCES


def _order_claims(case: Case) -> Iterator[tuple[str, PurchaseOrder, Purchase, Claim, Programme]]:
    """Yield (path, order, purchase, claim, programme) of every claim for units that can be read."""
    for i, order in enumerate(case.plan.purchase_orders):
        kind = kind_of(case.reference, order.offer_id)
        for k, claim in enumerate(order.claims):
            programme = find_programme(case, claim)
            if isinstance(kind, Purchase) and programme is not None:
                yield f"purchase_orders[{i}].claims[{k}]", order, kind, claim, programme


def _rate(case: Case, order: PurchaseOrder, kind: Purchase, programme: Programme) -> float:
    """Return the rate at which an order may claim from a programme."""
    pool = case.reference.pool_of_offer[case.reference.offer_index[order.offer_id]]
    return order_rate(case.reference, programme, kind, pool)


def check_v2421_not_open_to_order(case: Case) -> Iterator[Violation]:
    """The programme pays for purchases and is open to the owner in the pool of the offer."""
    for path, order, kind, _, programme in _order_claims(case):
        if _rate(case, order, kind, programme) <= 0.0:
            owner = f'owner "{kind.owner_member_id}"' if kind.owner_member_id else "a purchase without an owner"
            message = f'"{programme.id}" is not open to {owner} of "{order.offer_id}"'
            yield violation("V2421", f"{path}.programme_id", message)


def check_v2422_year_of_order(case: Case) -> Iterator[Violation]:
    """A claim for an order belongs to the fiscal year of the order."""
    for path, order, _, claim, _ in _order_claims(case):
        if not 0 <= order.order_period < case.reference.period_count or claim.fiscal_year not in case.reference.years:
            continue
        year = int(case.reference.fiscal_year[order.order_period])
        if claim.fiscal_year != year:
            yield violation("V2422", f"{path}.fiscal_year", f"expected {year}, found {claim.fiscal_year}")


def check_v2423_claim_above_price(case: Case) -> Iterator[Violation]:
    """A claim stays within rate times price of the units times share of life in the horizon, 0 outside the window."""
    for path, order, kind, claim, programme in _order_claims(case):
        if ordered_purchase(case.reference, order) is None:
            continue
        limit = 0.0
        if order.order_period in programme_periods(case.reference, programme):
            price = case.reference.money.yen(kind.price_per_unit, order.order_period, order.order_period)
            inside = life_inside(case.problem, kind, order.order_period)
            limit = _rate(case, order, kind, programme) * order.units * (price * inside / kind.life_periods)
        slack = TOLERANCES.claim_absolute.value + TOLERANCES.claim_relative.value * limit
        if claim.amount_yen > limit + slack:
            message = f'"{programme.id}": expected at most {limit:.6f}, found {claim.amount_yen} yen'
            yield violation("V2423", f"{path}.amount_yen", message)


def check_v2424_order_claims_twice(case: Case) -> Iterator[Violation]:
    """An order claims from at most one programme."""
    for i, order in enumerate(case.plan.purchase_orders):
        programmes = claimed_programmes(case, order.claims)
        if len(programmes) > 1:
            names = " and ".join(programme.id for programme in programmes)
            yield violation("V2424", f"purchase_orders[{i}].claims", f"expected one programme, found {names}")


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2421_not_open_to_order,
    check_v2422_year_of_order,
    check_v2423_claim_above_price,
    check_v2424_order_claims_twice,
)
