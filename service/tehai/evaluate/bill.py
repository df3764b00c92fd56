"""The figures of a plan computed again from its decisions, by the bill of the second opinion."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine, Plan
from tehai.verify.bill import Bill, agrees, compute_bill, round_yen
from tehai.verify.case import Case
from tehai.verify.ledger import LineKey

_COMPONENT_ORDER = {component: i for i, component in enumerate(BillComponent)}


def with_bill(case: Case) -> tuple[Plan, Decimal]:
    """Return the plan of a case with every figure computed again, and the largest sum of yen among them.

    Lines that the plan has stay in its order; next to a half yen its own rounding is kept, so that a plan whose bill
    has not moved keeps it to the yen.
    """
    plan, bill = case.plan, compute_bill(case)
    lines = _lines(plan, bill)
    return (
        replace(
            plan,
            forward_usd_jpy=tuple(case.reference.forward.tolist()),
            bill_lines=lines,
            cash=tuple(
                FiscalYearAmount(item.fiscal_year, _rounded(item.amount_yen, bill.cash[item.fiscal_year]))
                for item in plan.cash
            ),
            obligation_after_horizon_yen=_rounded(plan.obligation_after_horizon_yen, bill.obligation),
            objective_yen=sum(line.amount_yen for line in lines),
            claims_receivable_after_horizon_yen=_rounded(plan.claims_receivable_after_horizon_yen, bill.receivable),
        ),
        max(bill.gross, bill.obligation, *(abs(amount) for amount in bill.cash.values())),
    )


def _lines(plan: Plan, bill: Bill) -> tuple[BillLine, ...]:
    """Return the lines that do not round to zero: those of the plan first, then what is new."""
    listed: dict[LineKey, int] = {
        (line.component, line.subject_id, line.fiscal_year, line.currency_code): line.amount_yen
        for line in plan.bill_lines
    }
    new = sorted(bill.lines.keys() - listed.keys(), key=lambda key: (_COMPONENT_ORDER[key[0]], *key[1:]))
    rounded = ((key, _rounded(listed.get(key, 0), bill.lines.get(key, Decimal(0)))) for key in (*listed, *new))
    return tuple(BillLine(*key, amount) for key, amount in rounded if amount)


def _rounded(planned_yen: int, exact: Decimal) -> int:
    """Return an amount in whole yen: as planned where that is a rounding of it."""
    return planned_yen if agrees(planned_yen, exact) else round_yen(exact)
