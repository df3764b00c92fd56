"""What the members pay: their part of the bill, and what the prices of the certificate charge them."""

from __future__ import annotations

from rich.table import Table

from tehai.domain.result import Breakdown
from tehai.report.formats import NONE, million, new_table
from tehai.report.names import Names


def members_table(names: Names, breakdown: Breakdown) -> Table | None:
    """Return a row for each member; None where there is only one."""
    if len(breakdown.member_bills) < 2:
        return None
    caption = (
        "Use: the bill split by who runs in which pool. Charged: what each can be asked to pay so that no group does "
        "better alone with its share, but for its part of what the proof leaves open. Both sum to the objective."
    )
    table = new_table(
        "What each member pays, million yen",
        ("Member",),
        ("By use", "Charged", "of that left open", "At list prices"),
        caption,
    )
    by_use = {item.name: item.amount_yen for item in breakdown.by_member}
    for bill in breakdown.member_bills:
        used = by_use.pop(bill.member_id, 0)
        figures = (used, bill.bill_yen, bill.remainder_yen, bill.list_bill_yen)
        table.add_row(names.member(bill.member_id), *map(million, figures))
    for name, amount in by_use.items():
        table.add_row(name, million(amount), NONE, NONE, NONE)
    table.add_section()
    totals = (
        sum(item.amount_yen for item in breakdown.by_member),
        sum(bill.bill_yen for bill in breakdown.member_bills),
        sum(bill.remainder_yen for bill in breakdown.member_bills),
        sum(bill.list_bill_yen for bill in breakdown.member_bills),
    )
    table.add_row("All", *map(million, totals), style="bold")
    return table
