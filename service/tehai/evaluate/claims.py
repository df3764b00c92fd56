"""What is left of the claims of a plan when references and prices change: docs/evaluation.md, "Claims"."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tehai.domain.offer import Purchase
from tehai.domain.plan import Claim, Placement, Plan, PurchaseOrder
from tehai.domain.programme import Programme
from tehai.verify.case import Case
from tehai.verify.columns import Column, column_hours, hours_by_year
from tehai.verify.grants import order_rate, programme_periods, usage_rate
from tehai.verify.offers import life_inside
from tehai.verify.orders import kind_of
from tehai.verify.timeline import FloatArray
from tehai.verify.tolerances import TOLERANCES

# Yen that one claim may be, of a programme and a fiscal year.
ClaimLimit = Callable[[Programme, int], float]


def with_claims_left(case: Case, cancelled: frozenset[str]) -> Plan:
    """Return a valid plan with its claims cut down to what rates and references of ``case.problem`` allow.

    A claim never rises, one of a cancelled programme is dropped, and so is one of which nothing is left. Caps and
    budgets of programmes are in yen and do not move, so claims that keep them keep them when they fall.
    """
    left = _ClaimsLeft(case, cancelled)
    return replace(
        case.plan,
        placements=tuple(left.of_placement(i, placement) for i, placement in enumerate(case.plan.placements)),
        purchase_orders=tuple(left.of_order(order) for order in case.plan.purchase_orders),
    )


class _ClaimsLeft:
    def __init__(self, case: Case, cancelled: frozenset[str]) -> None:
        self._case, self._cancelled = case, cancelled
        self._columns = {column.position: column for column in case.columns}
        # 1 in the periods of each programme's window, shape (period_count,).
        self._inside = {programme.id: np.zeros(case.reference.period_count) for programme in case.problem.programmes}
        for programme in case.problem.programmes:
            self._inside[programme.id][list(programme_periods(case.reference, programme))] = 1.0

    def of_placement(self, position: int, placement: Placement) -> Placement:
        """Return a placement with what is left of its claims."""
        if not placement.claims:
            return placement
        column = self._columns[position]
        cost = column_hours(self._case.reference, column) * self._case.reference.grant_reference[column.pool]
        claims = self._kept(placement.claims, lambda r, year: self._usage_limit(column, cost, r, year))
        return replace(placement, claims=claims)

    def of_order(self, order: PurchaseOrder) -> PurchaseOrder:
        """Return an order with what is left of its claim."""
        if not order.claims:
            return order
        return replace(order, claims=self._kept(order.claims, lambda r, _: self._capital_limit(order, r)))

    def _usage_limit(self, column: Column, cost: FloatArray, programme: Programme, year: int) -> float:
        """Return rate times eligible cost of a fiscal year, yen."""
        eligible = hours_by_year(self._case.reference, cost * self._inside[programme.id]).get(year, 0.0)
        return usage_rate(self._case.reference, programme, column.workload) * eligible

    def _capital_limit(self, order: PurchaseOrder, programme: Programme) -> float:
        """Return rate times the price of the units for their life inside the horizon, yen."""
        reference = self._case.reference
        kind = kind_of(reference, order.offer_id)
        assert isinstance(kind, Purchase)  # a valid plan orders units from purchases
        pool = reference.pool_of_offer[reference.offer_index[order.offer_id]]
        price = reference.money.yen(kind.price_per_unit, order.order_period, order.order_period)
        inside = life_inside(self._case.problem, kind, order.order_period)
        rate = order_rate(reference, programme, kind, pool) * float(self._inside[programme.id][order.order_period])
        return rate * order.units * (price * inside / kind.life_periods)

    def _kept(self, claims: tuple[Claim, ...], limit_of: ClaimLimit) -> tuple[Claim, ...]:
        kept = []
        for claim in claims:
            if claim.programme_id in self._cancelled:
                continue
            programme = self._case.problem.programmes[self._case.reference.programme_index[claim.programme_id]]
            limit = limit_of(programme, claim.fiscal_year)
            slack = TOLERANCES.claim_absolute.value + TOLERANCES.claim_relative.value * limit
            if claim.amount_yen <= limit + slack:
                kept.append(claim)
            elif limit + slack >= 1.0:
                kept.append(replace(claim, amount_yen=math.floor(limit + slack)))
        return tuple(kept)
