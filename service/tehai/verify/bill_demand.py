"""What workloads cost and bring: transfer, porting, lateness, not run, change, carbon, claims."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tehai.domain.market import JPY
from tehai.domain.plan import BillComponent, Claim
from tehai.verify.case import Case, Placed, is_changed
from tehai.verify.columns import column_hours, has_legal_column, hours_by_year
from tehai.verify.ledger import Ledger
from tehai.verify.reference import moved_terabytes, must_run, porting_yen, route_to
from tehai.verify.timeline import payment_offset, payment_year


def bill_demand(ledger: Ledger, case: Case) -> None:
    """Bill every workload that is placed or not run, and every claim of a known programme."""
    for item in case.placed:
        if 0 <= item.start < case.reference.period_count:
            _bill_start(ledger, case, item)
    for index in not_run(case):
        _bill_not_run(ledger, case, index)
    _bill_carbon(ledger, case)
    for claim in plan_claims(case):
        if claim.programme_id in case.reference.programme_index and claim.fiscal_year in ledger.cash:
            _bill_claim(ledger, case, claim)


def plan_claims(case: Case) -> Iterator[Claim]:
    """Yield every claim of placements and of orders."""
    for placement in case.plan.placements:
        yield from placement.claims
    for order in case.plan.purchase_orders:
        yield from order.claims


def not_run(case: Case) -> Iterator[int]:
    """Yield the position of each known workload listed as not run once."""
    for workload_id in dict.fromkeys(case.plan.not_run_workload_ids):
        if workload_id in case.reference.workload_index:
            yield case.reference.workload_index[workload_id]


def _bill_start(ledger: Ledger, case: Case, item: Placed) -> None:
    """Charge what follows from pool and start: lateness, change, transfer, porting."""
    reference, start = case.reference, item.start
    workload, year = case.problem.workloads[item.workload], ledger.year[start]
    late = start - int(reference.release[item.workload])
    if late > 0:
        amount = Decimal(workload.late_start_yen_per_period * late)
        ledger.line(BillComponent.LATENESS, workload.id, year, JPY, amount)
    if is_changed(case, item):
        change = Decimal(reference.current[item.workload].change_yen)
        ledger.line(BillComponent.CHANGE, workload.id, year, JPY, change)
    terabytes, price = (
        moved_terabytes(reference, item.workload, item.pool),
        route_to(reference, item.workload, item.pool),
    )
    if terabytes > 0.0 and price is not None:
        amount = Decimal(terabytes) * ledger.yen(price, start, start)
        counted = amount * ledger.discount(start)
        ledger.line(BillComponent.TRANSFER, workload.id, year, price.currency_code, counted)
        ledger.pay(start, amount)
    porting = Decimal(porting_yen(reference, item.workload, item.pool))
    ledger.line(BillComponent.PORTING, workload.id, year, JPY, porting * ledger.discount(start))
    ledger.pay(start, porting)


def _bill_not_run(ledger: Ledger, case: Case, index: int) -> None:
    """Charge a workload that is not run, unless it has to run and cannot: then it is left out."""
    reference, workload = case.reference, case.problem.workloads[index]
    if must_run(reference, index) and not has_legal_column(reference, index):
        return
    year = ledger.year[min(int(reference.release[index]), reference.period_count - 1)]
    ledger.line(BillComponent.NOT_RUN, workload.id, year, JPY, Decimal(workload.cost_not_run_yen or 0))
    current = reference.current.get(index)
    if current is not None:
        ledger.line(BillComponent.CHANGE, workload.id, year, JPY, Decimal(current.change_yen))


def _bill_carbon(ledger: Ledger, case: Case) -> None:
    """Charge the emissions of the hours placed."""
    reference, price = case.reference, case.problem.rules.carbon_price_yen_per_kg
    if price == 0:
        return
    for column in case.columns:
        site = reference.site(column.pool)
        kg = (
            Decimal(reference.accelerator_of_pool[column.pool].power_kw)
            * Decimal(site.power_usage_effectiveness)
            * Decimal(site.grid_carbon_kg_per_kwh)
        )
        for year, hours in hours_by_year(reference, column_hours(reference, column)).items():
            ledger.line(BillComponent.CARBON, site.id, year, JPY, price * kg * Decimal(hours))


def _bill_claim(ledger: Ledger, case: Case, claim: Claim) -> None:
    """Credit a claim at the day it is paid."""
    programme = case.problem.programmes[case.reference.programme_index[claim.programme_id]]
    paid = payment_offset(case.problem, programme, claim.fiscal_year)
    amount = Decimal(claim.amount_yen)
    counted = -amount * ledger.discount_on(paid)
    ledger.line(BillComponent.GRANT, programme.id, claim.fiscal_year, JPY, counted)
    ledger.receive(payment_year(case.problem, programme, claim.fiscal_year), amount)
