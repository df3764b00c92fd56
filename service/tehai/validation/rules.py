"""Rules on the rules over the whole portfolio, E16xx."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.validation.common import amounts_out_of_range, bad_country_codes, repeated_years, years_outside
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

SHARES = "rules.minimum_domestic_shares"
BUDGETS = "rules.portfolio_budgets"


@rule("E1601", "a minimum domestic share is outside [0, 1]", "Give a fraction of the work, for example 0.5.")
def check_e1601_share_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A share is part of a whole."""
    for i, share in enumerate(view.problem.rules.minimum_domestic_shares):
        if not 0 <= share.share_fraction <= 1:
            yield Found(f"{SHARES}[{i}].share_fraction", f"{share.share_fraction} is not between 0 and 1")


@rule("E1602", "a fiscal year has two minimum domestic shares", "Keep one of the two.")
def check_e1602_share_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one share."""
    yield from repeated_years([share.fiscal_year for share in view.problem.rules.minimum_domestic_shares], SHARES)


@rule(
    "E1603",
    "a minimum domestic share is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1603_share_year_outside(view: ProblemView) -> Iterator[Found]:
    """A share is for a year that is planned."""
    years = [share.fiscal_year for share in view.problem.rules.minimum_domestic_shares]
    yield from years_outside(years, view.fiscal_years, SHARES)


@rule("E1604", "a portfolio budget is out of range", "Give whole yen, 0 or more; leave the year out for no limit.")
def check_e1604_portfolio_budget_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A budget is an amount."""
    yield from amounts_out_of_range(view.problem.rules.portfolio_budgets, BUDGETS)


@rule("E1605", "a fiscal year has two portfolio budgets", "Keep one of the two.")
def check_e1605_portfolio_budget_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one budget."""
    yield from repeated_years([budget.fiscal_year for budget in view.problem.rules.portfolio_budgets], BUDGETS)


@rule(
    "E1606",
    "a portfolio budget is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1606_portfolio_budget_year_outside(view: ProblemView) -> Iterator[Found]:
    """A budget is for a year that is planned."""
    years = [budget.fiscal_year for budget in view.problem.rules.portfolio_budgets]
    yield from years_outside(years, view.fiscal_years, BUDGETS)


@rule("E1607", "the rule on what is domestic names something that is no country code", "Write two capital letters.")
def check_e1607_domestic_country_malformed(view: ProblemView) -> Iterator[Found]:
    """What is domestic is told by countries."""
    domestic = view.problem.rules.domestic
    yield from bad_country_codes(domestic.site_country_codes, "rules.domestic.site_country_codes")
    yield from bad_country_codes(domestic.operator_country_codes, "rules.domestic.operator_country_codes")
