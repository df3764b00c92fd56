"""Small changes to an answer, to plant faults with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine, Claim, OfferUse, Placement
from tehai.domain.problem import Problem
from tehai.verify import compute_bound
from tests.verify.biller import billed
from tests.verify.example import Answer

Change = Callable[[Answer], Answer]
Item = TypeVar("Item")


def edited(item: Item, **changes: object) -> Item:
    """Return a dataclass with some fields replaced."""
    return replace(item, **changes)  # type: ignore[type-var]


def both(*changes: Change) -> Change:
    """Make several changes in order."""

    def change(answer: Answer) -> Answer:
        for step in changes:
            answer = step(answer)
        return answer

    return change


def bill_again(answer: Answer) -> Answer:
    """Bill the plan again, so that only what was changed before is wrong."""
    return replace(answer, plan=billed(answer.problem, answer.plan))


# Changes to the plan


def in_plan(**changes: object) -> Change:
    """Replace fields of the plan."""
    return lambda answer: replace(answer, plan=edited(answer.plan, **changes))


def in_placement(position: int, **changes: object) -> Change:
    """Replace fields of one placement."""

    def change(answer: Answer) -> Answer:
        placements = list(answer.plan.placements)
        placements[position] = edited(placements[position], **changes)
        return in_plan(placements=tuple(placements))(answer)

    return change


def in_segment(position: int, segment: int = 0, **changes: object) -> Change:
    """Replace fields of a segment, the first one unless another is given, of one placement."""

    def change(answer: Answer) -> Answer:
        segments = list(answer.plan.placements[position].segments)
        segments[segment] = edited(segments[segment], **changes)
        return in_placement(position, segments=tuple(segments))(answer)

    return change


def one_more_placement(make: Callable[[Answer], Placement]) -> Change:
    """Append a placement."""
    return lambda answer: in_plan(placements=(*answer.plan.placements, make(answer)))(answer)


def claims_as_they_are(position: int, *listed: tuple[str, int, int]) -> Change:
    """Set the claims of one placement, as (programme, year, yen), and leave the bill."""
    return in_placement(position, claims=tuple(Claim(*claim) for claim in listed))


def claims(position: int, *listed: tuple[str, int, int]) -> Change:
    """Set the claims of one placement, as (programme, year, yen), and bill again."""
    return both(claims_as_they_are(position, *listed), bill_again)


def unit_claims(*listed: tuple[str, int, int]) -> Change:
    """Set the claims of the only purchase order, as (programme, year, yen), and bill again."""
    return both(in_purchase_order(claims=tuple(Claim(*claim) for claim in listed)), bill_again)


def in_block_order(**changes: object) -> Change:
    """Replace fields of the only capacity block order."""
    return lambda answer: in_plan(capacity_block_orders=(edited(answer.plan.capacity_block_orders[0], **changes),))(
        answer
    )


def one_more_block_order(**changes: object) -> Change:
    """Append a copy of the capacity block order with some fields replaced."""

    def change(answer: Answer) -> Answer:
        orders = answer.plan.capacity_block_orders
        return in_plan(capacity_block_orders=(*orders, edited(orders[0], **changes)))(answer)

    return change


def in_term_order(**changes: object) -> Change:
    """Replace fields of the first reservation order."""

    def change(answer: Answer) -> Answer:
        first, *others = answer.plan.reservation_orders
        return in_plan(reservation_orders=(edited(first, **changes), *others))(answer)

    return change


def one_more_term_order(**changes: object) -> Change:
    """Append a copy of the first reservation order with some fields replaced."""

    def change(answer: Answer) -> Answer:
        orders = answer.plan.reservation_orders
        return in_plan(reservation_orders=(*orders, edited(orders[0], **changes)))(answer)

    return change


def one_more_purchase_order(**changes: object) -> Change:
    """Append a copy of the purchase order with some fields replaced."""

    def change(answer: Answer) -> Answer:
        orders = answer.plan.purchase_orders
        return in_plan(purchase_orders=(*orders, edited(orders[0], **changes)))(answer)

    return change


def in_purchase_order(**changes: object) -> Change:
    """Replace fields of the only purchase order."""
    return lambda answer: in_plan(purchase_orders=(edited(answer.plan.purchase_orders[0], **changes),))(answer)


def in_use(offer_id: str, period: int, hours: float) -> Change:
    """Set the use of an offer in one period."""

    def changed(use: OfferUse) -> OfferUse:
        if use.offer_id != offer_id:
            return use
        values = list(use.accelerator_hours)
        values[period] = hours
        return OfferUse(offer_id, tuple(values))

    return lambda answer: in_plan(offer_uses=tuple(changed(use) for use in answer.plan.offer_uses))(answer)


def one_more_use(offer_id: str, hours: tuple[float, ...]) -> Change:
    """Append a use."""
    return lambda answer: in_plan(offer_uses=(*answer.plan.offer_uses, OfferUse(offer_id, hours)))(answer)


def with_lines(edit: Callable[[list[BillLine]], None]) -> Change:
    """Edit the bill lines; the objective follows."""

    def change(answer: Answer) -> Answer:
        lines = list(answer.plan.bill_lines)
        edit(lines)
        return in_plan(bill_lines=tuple(lines), objective_yen=sum(line.amount_yen for line in lines))(answer)

    return change


def without_component(component: BillComponent) -> Change:
    """Leave out the lines of a component."""

    def edit(lines: list[BillLine]) -> None:
        lines[:] = [line for line in lines if line.component is not component]

    return with_lines(edit)


def first_line(**changes: object) -> Change:
    """Replace fields of the first bill line."""

    def edit(lines: list[BillLine]) -> None:
        lines[0] = edited(lines[0], **changes)

    return with_lines(edit)


def with_cash(edit: Callable[[list[FiscalYearAmount]], object]) -> Change:
    """Edit the cash figures."""

    def change(answer: Answer) -> Answer:
        cash = list(answer.plan.cash)
        edit(cash)
        return in_plan(cash=tuple(cash))(answer)

    return change


# Changes to the problem under the plan


def in_problem(change_problem: Callable[[Problem], Problem]) -> Change:
    """Change the problem."""
    return lambda answer: replace(answer, problem=change_problem(answer.problem))


def in_row(table: str, row_id: str, **changes: object) -> Change:
    """Replace fields of the row of this id in a table of the problem, for example "workloads"."""

    def change(problem: Problem) -> Problem:
        rows = tuple(edited(row, **changes) if row.id == row_id else row for row in getattr(problem, table))
        return edited(problem, **{table: rows})

    return in_problem(change)


def in_kind(table: str, row_id: str, **changes: object) -> Change:
    """Replace fields of the kind of an offer or a programme."""

    def change(answer: Answer) -> Answer:
        row = next(row for row in getattr(answer.problem, table) if row.id == row_id)
        return in_row(table, row_id, kind=edited(row.kind, **changes))(answer)

    return change


def in_rules(**changes: object) -> Change:
    """Replace fields of the rules."""
    return in_problem(lambda problem: replace(problem, rules=edited(problem.rules, **changes)))


# Changes to the certificate


def in_certificate(**changes: object) -> Change:
    """Replace fields of the certificate."""
    return lambda answer: replace(answer, certificate=edited(answer.certificate, **changes))


def one_more_price(table: str, price: object) -> Change:
    """Append a price to a list of the certificate."""
    return lambda answer: in_certificate(**{table: (*getattr(answer.certificate, table), price)})(answer)


def repeated_price(table: str) -> Change:
    """Give the first price of a list twice."""
    return lambda answer: one_more_price(table, getattr(answer.certificate, table)[0])(answer)


def first_price(table: str, **changes: object) -> Change:
    """Replace fields of the first price of a list."""

    def change(answer: Answer) -> Answer:
        first, *others = getattr(answer.certificate, table)
        return in_certificate(**{table: (edited(first, **changes), *others)})(answer)

    return change


def claim_bound(over_yen: int) -> Change:
    """Claim what the prices prove, and this much more."""

    def change(answer: Answer) -> Answer:
        proved = math.floor(compute_bound(answer.problem, answer.certificate))
        return in_certificate(lower_bound_yen=proved + over_yen)(answer)

    return change


def claim_above_objective(answer: Answer) -> Answer:
    """Claim a bound a thousand yen above the objective."""
    return in_certificate(lower_bound_yen=answer.plan.objective_yen + 1_000)(answer)
