"""Checks of the rows of fiscal years: shares of work, budgets, capital ceiling, carbon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from tehai.domain.violation import Violation
from tehai.verify.bill import Bill, round_yen
from tehai.verify.case import Case, Placed
from tehai.verify.columns import Column, column_hours, hours_by_year, whole_hours
from tehai.verify.faults import violation
from tehai.verify.reference import moved_terabytes, porting_yen, route_to
from tehai.verify.timeline import FloatArray, payment_year
from tehai.verify.tolerances import TOLERANCES


def _hours_by_year(case: Case, column: Column, weights: FloatArray | None = None) -> dict[int, float]:
    """Return the accelerator-hours of a column by fiscal year, each hour times the weight of its period."""
    hours = column_hours(case.reference, column)
    return hours_by_year(case.reference, hours if weights is None else hours * weights)


def _work_by_operator(case: Case) -> dict[tuple[str | bool, int], float]:
    """Return normalised work by (operator id, fiscal year); operator True is the domestic work, False all work."""
    work: dict[tuple[str | bool, int], float] = {}
    for column in case.columns:
        done_per_hour = float(case.reference.work[column.workload]) / whole_hours(case.reference, column)
        domestic = case.reference.domestic[column.pool]
        groups: list[str | bool] = [case.reference.site(column.pool).operator_id, False]
        for year, hours in _hours_by_year(case, column).items():
            for group in [*groups, True] if domestic else groups:
                work[group, year] = work.get((group, year), 0.0) + hours * done_per_hour
    return work


def check_v2304_domestic_share(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year the domestic part of the normalised work reaches its share."""
    del bill
    work = _work_by_operator(case) if case.problem.rules.minimum_domestic_shares else {}
    for rule in case.problem.rules.minimum_domestic_shares:
        total, have = work.get((False, rule.fiscal_year), 0.0), work.get((True, rule.fiscal_year), 0.0)
        if have < rule.share_fraction * total - TOLERANCES.work_relative.value * total:
            message = f"fiscal year {rule.fiscal_year}: expected {rule.share_fraction:.6f}, found {have / total:.6f}"
            yield violation("V2304", "placements", message)


def check_v2306_concentration(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year the operator's part of the normalised work stays within its share."""
    del bill
    work = _work_by_operator(case) if case.problem.rules.concentration_limits else {}
    for rule in case.problem.rules.concentration_limits:
        total, have = work.get((False, rule.fiscal_year), 0.0), work.get((rule.operator_id, rule.fiscal_year), 0.0)
        if have > rule.share_fraction * total + TOLERANCES.work_relative.value * total:
            where = f'operator "{rule.operator_id}" in fiscal year {rule.fiscal_year}'
            message = f"{where}: expected at most {rule.share_fraction:.6f}, found {have / total:.6f}"
            yield violation("V2306", "placements", message)


def _money_slack(limit_yen: int) -> Decimal:
    """Return how much a limit in yen may be exceeded by."""
    return Decimal(TOLERANCES.money_absolute.value) + Decimal(TOLERANCES.money_relative.value) * abs(limit_yen)


def check_v2305_portfolio_budget(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year cash paid less claims paid out stays within the budget."""
    for budget in case.problem.rules.portfolio_budgets:
        cash = bill.cash.get(budget.fiscal_year, Decimal(0))
        if cash > budget.amount_yen + _money_slack(budget.amount_yen):
            where = f"fiscal year {budget.fiscal_year}"
            message = f"{where}: expected at most {budget.amount_yen}, found {round_yen(cash)} yen"
            yield violation("V2305", "cash", message)


def check_v2307_member_budget(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year a member's list bills less its claims paid out stay within its budget."""
    del bill
    if not any(member.budgets for member in case.problem.members):
        return
    billed = _member_bills(case)
    for member in case.problem.members:
        for budget in member.budgets:
            found = billed.get((member.id, budget.fiscal_year), 0.0)
            if found > budget.amount_yen + float(_money_slack(budget.amount_yen)):
                where = f'member "{member.id}" in fiscal year {budget.fiscal_year}'
                message = f"{where}: expected at most {budget.amount_yen}, found {found:.2f} yen"
                yield violation("V2307", "placements", message)


def _member_bills(case: Case) -> dict[tuple[str, int], float]:
    """Return list bills less claims paid out by (member, fiscal year), nominal yen."""
    reference = case.reference
    columns = {column.position: column for column in case.columns}
    billed: dict[tuple[str, int], float] = {}

    def add(member_id: str, year: int, amount: float) -> None:
        billed[member_id, year] = billed.get((member_id, year), 0.0) + amount

    for item in case.placed:
        member_id, column = reference.member_of_workload[item.workload].id, columns.get(item.position)
        if column is not None:
            for year, amount in _hours_by_year(case, column, reference.charge_reference[item.pool]).items():
                add(member_id, year, amount)
        if 0 <= item.start < reference.period_count:
            add(member_id, int(reference.fiscal_year[item.start]), _once(case, item))
        for claim in item.placement.claims:
            index = reference.programme_index.get(claim.programme_id)
            if index is not None and claim.fiscal_year in reference.years:
                programme = case.problem.programmes[index]
                paid_in = payment_year(case.problem, programme, claim.fiscal_year)
                if paid_in in reference.years:
                    add(member_id, paid_in, -float(claim.amount_yen))
    return billed


def _once(case: Case, item: Placed) -> float:
    """Return what a placement pays at its start, nominal yen: transfer and porting."""
    reference = case.reference
    price = route_to(reference, item.workload, item.pool)
    amount = float(porting_yen(reference, item.workload, item.pool))
    terabytes = moved_terabytes(reference, item.workload, item.pool)
    if terabytes > 0.0 and price is not None:
        amount += terabytes * reference.money.yen(price, item.start, item.start)
    return amount


def check_v2308_capital_ceiling(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year the instalments of purchases stay within the ceiling."""
    for ceiling in case.problem.rules.capital_ceilings:
        paid = bill.capital.get(ceiling.fiscal_year, Decimal(0))
        if paid > ceiling.amount_yen + _money_slack(ceiling.amount_yen):
            where = f"fiscal year {ceiling.fiscal_year}"
            message = f"{where}: expected at most {ceiling.amount_yen}, found {round_yen(paid)} yen"
            yield violation("V2308", "purchase_orders", message)


def check_v2309_carbon_limit(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year the emissions of the hours placed stay within the limit."""
    del bill
    kg: dict[int, float] = {}
    for column in case.columns if case.problem.rules.carbon_limits else ():
        for year, hours in _hours_by_year(case, column).items():
            kg[year] = kg.get(year, 0.0) + hours * float(case.reference.carbon_kg[column.pool])
    for rule in case.problem.rules.carbon_limits:
        found = kg.get(rule.fiscal_year, 0.0)
        slack = max(TOLERANCES.hours_absolute.value, TOLERANCES.hours_relative.value * rule.mass_kg)
        if found > rule.mass_kg + slack:
            message = f"fiscal year {rule.fiscal_year}: expected at most {rule.mass_kg!r}, found {found!r} kg"
            yield violation("V2309", "placements", message)


CHECKS: tuple[Callable[[Case, Bill], Iterator[Violation]], ...] = (
    check_v2304_domestic_share,
    check_v2305_portfolio_budget,
    check_v2306_concentration,
    check_v2307_member_budget,
    check_v2308_capital_ceiling,
    check_v2309_carbon_limit,
)
