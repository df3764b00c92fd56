"""Rules on members, E123x."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum

from tehai.validation.common import (
    FRACTION_TOLERANCE,
    amounts_out_of_range,
    repeated_years,
    repeats,
    shown,
    years_outside,
)
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView


@rule("E1231", "a member's budget is out of range", "Give whole yen, 0 or more; leave the year out for no limit.")
def check_e1231_member_budget_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A budget is an amount."""
    for i, member in enumerate(view.problem.members):
        yield from amounts_out_of_range(member.budgets, f"members[{i}].budgets")


@rule("E1232", "a fiscal year is listed twice in a member's budgets", "Keep one of the two.")
def check_e1232_member_budget_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one budget."""
    for i, member in enumerate(view.problem.members):
        yield from repeated_years([budget.fiscal_year for budget in member.budgets], f"members[{i}].budgets")


@rule(
    "E1233",
    "a member's budget is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1233_member_budget_year_outside(view: ProblemView) -> Iterator[Found]:
    """A budget is for a year that is planned."""
    for i, member in enumerate(view.problem.members):
        years = [budget.fiscal_year for budget in member.budgets]
        yield from years_outside(years, view.fiscal_years, f"members[{i}].budgets")


@rule("E1234", "a flag of a member is given twice", "Keep each flag once.")
def check_e1234_member_flag_repeated(view: ProblemView) -> Iterator[Found]:
    """A flag is there or not."""
    for i, member in enumerate(view.problem.members):
        for k in repeats(member.flags):
            yield Found(f"members[{i}].flags[{k}]", f"{shown(member.flags[k])} is given again")


@rule("E1235", "the share of a member is outside [0, 1]", "Give its part of jointly bought capacity, for example 0.25.")
def check_e1235_member_share_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A share is part of a whole."""
    for i, member in enumerate(view.problem.members):
        if member.share_fraction is not None and not 0 <= member.share_fraction <= 1:
            yield Found(f"members[{i}].share_fraction", f"{member.share_fraction} is not between 0 and 1")


@rule(
    "E1236",
    "the shares of the members do not sum to 1",
    "Give shares that sum to 1, a member without one having 0; or give none, for equal shares.",
    reads=("members[].share_fraction",),
)
def check_e1236_member_shares_incomplete(view: ProblemView) -> Iterator[Found]:
    """Members pay for all that is bought jointly, once."""
    shares = [member.share_fraction for member in view.problem.members if member.share_fraction is not None]
    usable = all(0 <= share <= 1 for share in shares)
    if shares and usable and abs(fsum(shares) - 1) > FRACTION_TOLERANCE:
        left_out = len(view.problem.members) - len(shares)
        without = f"; {left_out:,} members have none" if left_out else ""
        yield Found("members", f"the share_fraction of {len(shares):,} members sum to {fsum(shares):.12g}{without}")


@rule("E1237", "the cost of capital of a member is out of range", "Give a fraction from 0 on and below 1, as 0.08.")
def check_e1237_cost_of_capital_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Later payments weigh no more than those at once."""
    for i, member in enumerate(view.problem.members):
        rate = member.cost_of_capital
        if rate is not None and not (rate.is_finite() and 0 <= rate < 1):
            yield Found(f"members[{i}].cost_of_capital", f"{rate:.20g} is not from 0 on and below 1")
