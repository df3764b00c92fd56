"""From arrays to the plan a buyer reads: placements, orders, use, claims in whole yen, and the bill."""

from __future__ import annotations

import numpy as np

from tehai.domain.market import JPY
from tehai.domain.offer import Allocation, Existing, OnDemand
from tehai.domain.plan import BillComponent, OfferUse, Plan, SolveOptions, StopReason
from tehai.domain.problem import SCHEMA_VERSION
from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.engine.search import PlanArrays
from tehai.master.columns import expand_columns
from tehai.solve.dispatch import dispatch
from tehai.solve.ledger import Ledger
from tehai.solve.orders import OrderBuilder
from tehai.solve.placements import PlacementBuilder
from tehai.solve.whole_claims import whole_claims


def build_plan(
    instance: EngineInstance,
    arrays: PlanArrays,
    problem_sha256: str,
    tehai_version: str,
    options: SolveOptions,
    stop_reason: StopReason,
) -> Plan:
    """Return the plan of ``arrays`` with everything a checker or a buyer needs."""
    problem, ledger = instance.problem, Ledger()
    rows = expand_columns(instance, arrays.columns()[1])
    claims = whole_claims(instance, arrays, rows)
    placements = PlacementBuilder(instance, arrays, rows, ledger).placements(claims.of_workloads)
    hours = np.zeros((len(problem.pools), problem.calendar.period_count))
    np.add.at(hours.reshape(-1), rows.cell, rows.hours)
    use = dispatch(instance, arrays.units, hours)
    uses = _offer_uses(instance, use, ledger)
    orders = OrderBuilder(instance, ledger).orders(arrays.units, claims.of_orders)
    _pay_for_existing(instance, ledger)
    lines = ledger.bill_lines()
    return Plan(
        schema_version=SCHEMA_VERSION,
        problem_sha256=problem_sha256,
        tehai_version=tehai_version,
        options=options,
        stop_reason=stop_reason,
        placements=placements,
        not_run_workload_ids=tuple(w.id for w, mode in zip(problem.workloads, arrays.mode, strict=True) if mode < 0),
        reservation_orders=tuple(orders.reservations),
        purchase_orders=tuple(orders.purchases),
        offer_uses=uses,
        forward_usd_jpy=tuple(float(rate) for rate in instance.prices.forward),
        bill_lines=lines,
        cash=ledger.cash_by_year(instance.years),
        obligation_after_horizon_yen=ledger.obligation_yen(),
        objective_yen=sum(line.amount_yen for line in lines),
        capacity_block_orders=tuple(orders.blocks),
        claims_receivable_after_horizon_yen=ledger.receivable_yen(),
    )


def _offer_uses(instance: EngineInstance, use: FloatArray, ledger: Ledger) -> tuple[OfferUse, ...]:
    """Return the use of every offer that is used, (offers, T) accelerator-hours, and charge it."""
    uses = []
    for index, offer in enumerate(instance.problem.offers):
        if use[index].any():
            uses.append(OfferUse(offer.id, tuple(float(hours) for hours in use[index])))
            _charge_use(instance, index, use[index], ledger)
    return tuple(uses)


def _charge_use(instance: EngineInstance, index: int, hours: FloatArray, ledger: Ledger) -> None:
    offer, arrays = instance.problem.offers[index], instance.arrays
    if index in instance.hourly_offers:
        cash = arrays["hourly_unit_cash"][instance.hourly_offers.index(index)]
    else:
        cash = arrays["use_cash"][instance.committed_offers.index(index)]
    component, currency = BillComponent.ELECTRICITY, JPY
    if isinstance(offer.kind, OnDemand | Allocation):
        is_allocation = isinstance(offer.kind, Allocation)
        component = BillComponent.ALLOCATION if is_allocation else BillComponent.ON_DEMAND
        currency = offer.kind.price_per_accelerator_hour.currency_code
    for t in np.flatnonzero(hours * cash):
        year = instance.problem.calendar.fiscal_year(int(t))
        yen = float(hours[t] * cash[t])
        ledger.spend(component, offer.id, year, currency, yen, instance.prices.discount[t])


def _pay_for_existing(instance: EngineInstance, ledger: Ledger) -> None:
    """What is still to be paid for existing capacity is cash, and sunk."""
    for offer in instance.problem.offers:
        if isinstance(offer.kind, Existing):
            for row in offer.kind.payments:
                ledger.pay(row.fiscal_year, float(row.amount_yen))
