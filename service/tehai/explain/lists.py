"""List bills: what a workload would pay at charge references, with its transfer and porting."""

from __future__ import annotations

from collections import defaultdict

from tehai.explain.payments import workload_payments
from tehai.explain.reading import Placed, Reading
from tehai.explain.references import References


def list_bill(reading: Reading, placed: Placed, found: References, before: int | None = None) -> dict[int, float]:
    """Return the list bill of a placement by fiscal year, yen; only of periods ``before`` one where that is given."""
    end = reading.period_count if before is None else before
    yen = placed.hours * found.charge[placed.pool.id]
    yen[end:] = 0.0
    bill = defaultdict(float, reading.by_year(yen))
    for item in workload_payments(reading.problem, placed):
        if item.period < end:
            bill[reading.problem.calendar.fiscal_year(item.period)] += item.amount_yen
    return dict(bill)


def member_list_bills(reading: Reading, found: References) -> dict[str, dict[int, float]]:
    """Return the list bills of every member's placed workloads by fiscal year, yen."""
    bills: dict[str, dict[int, float]] = {member.id: defaultdict(float) for member in reading.problem.members}
    for placed in reading.placed:
        for year, amount in list_bill(reading, placed, found).items():
            bills[placed.workload.member_id][year] += amount
    return {member: dict(bill) for member, bill in bills.items()}
