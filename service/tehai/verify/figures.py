"""Checks of the figures that a plan states about itself: rates, bill, cash, obligation, objective."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from tehai.domain.plan import BillLine
from tehai.domain.violation import Violation
from tehai.verify.bill import Bill, agrees, round_yen
from tehai.verify.case import Case
from tehai.verify.faults import violation
from tehai.verify.ledger import LineKey
from tehai.verify.tolerances import TOLERANCES


def _key(line: BillLine) -> LineKey:
    """Return what a line is grouped by."""
    return line.component, line.subject_id, line.fiscal_year, line.currency_code


def _name(key: LineKey) -> str:
    """Return the group of a line in words."""
    component, subject, year, currency = key
    return f'{component.value} of "{subject}" in fiscal year {year}, {currency}'


def check_v2501_forward_curve(case: Case, bill: Bill) -> Iterator[Violation]:
    """The forward curve is that of the market, one rate for each period."""
    del bill
    expected, found = case.reference.forward, case.plan.forward_usd_jpy
    if len(found) != len(expected):
        yield violation("V2501", "forward_usd_jpy", f"expected {len(expected)} rates, found {len(found)}")
        return
    for t, rate in enumerate(found):
        # written so that NaN fails
        if not abs(rate - expected[t]) <= TOLERANCES.forward_relative.value * abs(expected[t]):
            yield violation("V2501", f"forward_usd_jpy[{t}]", f"expected {float(expected[t])!r}, found {rate!r}")
            return


def check_v2502_line_missing(case: Case, bill: Bill) -> Iterator[Violation]:
    """Every amount that does not round to zero has a line."""
    listed = {_key(line) for line in case.plan.bill_lines}
    for key, exact in bill.lines.items():
        if key not in listed and not agrees(0, exact):
            yield violation("V2502", "bill_lines", f"{_name(key)}: expected {round_yen(exact)} yen, found no line")


def check_v2503_line_of_nothing(case: Case, bill: Bill) -> Iterator[Violation]:
    """No line is given twice, is zero, or stands for something the plan does not do."""
    seen: Counter[LineKey] = Counter()
    for i, line in enumerate(case.plan.bill_lines):
        key = _key(line)
        seen[key] += 1
        if seen[key] > 1:
            yield violation("V2503", f"bill_lines[{i}]", f"{_name(key)}: expected once, found again")
        elif line.amount_yen == 0:
            yield violation("V2503", f"bill_lines[{i}]", f"{_name(key)}: lines of zero are left out")
        elif bill.lines.get(key, 0) == 0:
            yield violation("V2503", f"bill_lines[{i}]", f"{_name(key)}: expected none, found {line.amount_yen} yen")


def check_v2504_line_amount(case: Case, bill: Bill) -> Iterator[Violation]:
    """Every line is the exact amount rounded half-even."""
    for i, line in enumerate(case.plan.bill_lines):
        exact = bill.lines.get(_key(line))
        if exact is not None and exact != 0 and not agrees(line.amount_yen, exact):
            message = f"{_name(_key(line))}: expected {round_yen(exact)} yen, found {line.amount_yen}"
            yield violation("V2504", f"bill_lines[{i}].amount_yen", message)


def check_v2505_objective(case: Case, bill: Bill) -> Iterator[Violation]:
    """The objective is the sum of the lines."""
    del bill
    total = sum(line.amount_yen for line in case.plan.bill_lines)
    if case.plan.objective_yen != total:
        yield violation("V2505", "objective_yen", f"expected {total} yen, found {case.plan.objective_yen}")


def check_v2506_cash(case: Case, bill: Bill) -> Iterator[Violation]:
    """Cash has one figure for each fiscal year of the horizon, and it is what is paid less what is claimed."""
    seen: set[int] = set()
    for i, item in enumerate(case.plan.cash):
        exact = bill.cash.get(item.fiscal_year)
        if exact is None or item.fiscal_year in seen:
            message = f"fiscal year {item.fiscal_year}: expected no further figure, found {item.amount_yen} yen"
            yield violation("V2506", f"cash[{i}]", message)
        elif not agrees(item.amount_yen, exact):
            message = f"fiscal year {item.fiscal_year}: expected {round_yen(exact)} yen, found {item.amount_yen}"
            yield violation("V2506", f"cash[{i}].amount_yen", message)
        seen.add(item.fiscal_year)
    for year, exact in bill.cash.items():
        if year not in seen:
            yield violation("V2506", "cash", f"fiscal year {year}: expected {round_yen(exact)} yen, found none")


def check_v2507_obligation(case: Case, bill: Bill) -> Iterator[Violation]:
    """The obligation is what accepted terms and orders still pay after the horizon."""
    found = case.plan.obligation_after_horizon_yen
    if not agrees(found, bill.obligation):
        message = f"expected {round_yen(bill.obligation)} yen, found {found}"
        yield violation("V2507", "obligation_after_horizon_yen", message)


def check_v2508_receivable(case: Case, bill: Bill) -> Iterator[Violation]:
    """The receivable is what is claimed and paid out after the horizon."""
    found = case.plan.claims_receivable_after_horizon_yen
    if not agrees(found, bill.receivable):
        message = f"expected {round_yen(bill.receivable)} yen, found {found}"
        yield violation("V2508", "claims_receivable_after_horizon_yen", message)


CHECKS: tuple[Callable[[Case, Bill], Iterator[Violation]], ...] = (
    check_v2501_forward_curve,
    check_v2502_line_missing,
    check_v2503_line_of_nothing,
    check_v2504_line_amount,
    check_v2505_objective,
    check_v2506_cash,
    check_v2507_obligation,
    check_v2508_receivable,
)
