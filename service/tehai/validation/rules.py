"""Rules on the rules over the whole portfolio, E16xx."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.domain.offer import Existing
from tehai.validation.common import (
    amounts_out_of_range,
    bad_country_codes,
    repeated_years,
    repeats,
    shown,
    unit_amount_out_of_range,
    years_outside,
)
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

SHARES = "rules.minimum_domestic_shares"
BUDGETS = "rules.portfolio_budgets"
CEILINGS = "rules.capital_ceilings"
CARBON_LIMITS = "rules.carbon_limits"
CONCENTRATION = "rules.concentration_limits"
# A billion tonnes is what Japan emits in a year.
MASS_KG_MAX = 1e12
# Every workload waits all the horizon.
WAITING_PERIODS_MAX = LIMITS.workloads * LIMITS.period_count


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


@rule(
    "E1608",
    "what is still to be paid for existing capacity is more than a portfolio budget",
    "Raise the budget of that year, or take the payments out of both; grants do not count: they are not certain.",
    reads=("offers",),
)
def check_e1608_payments_above_portfolio_budget(view: ProblemView) -> Iterator[Found]:
    """The plan that places and orders nothing keeps every budget: what is owed already fits, whatever grants bring."""
    paid: Counter[int] = Counter()
    for offer in view.problem.offers:
        if isinstance(offer.kind, Existing):
            for payment in offer.kind.payments:
                paid[payment.fiscal_year] += payment.amount_yen
    for i, budget in enumerate(view.problem.rules.portfolio_budgets):
        if paid[budget.fiscal_year] > budget.amount_yen:
            message = f"{paid[budget.fiscal_year]:,} yen are to be paid, {budget.amount_yen:,} yen are allowed"
            yield Found(f"{BUDGETS}[{i}].amount_yen", message)


@rule("E1611", "a capital ceiling is out of range", "Give whole yen, 0 or more; leave the year out for no limit.")
def check_e1611_capital_ceiling_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A ceiling is an amount."""
    yield from amounts_out_of_range(view.problem.rules.capital_ceilings, CEILINGS)


@rule("E1612", "a fiscal year has two capital ceilings", "Keep one of the two.")
def check_e1612_capital_ceiling_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one ceiling."""
    yield from repeated_years([ceiling.fiscal_year for ceiling in view.problem.rules.capital_ceilings], CEILINGS)


@rule(
    "E1613",
    "a capital ceiling is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1613_capital_ceiling_year_outside(view: ProblemView) -> Iterator[Found]:
    """A ceiling is for a year that is planned."""
    years = [ceiling.fiscal_year for ceiling in view.problem.rules.capital_ceilings]
    yield from years_outside(years, view.fiscal_years, CEILINGS)


@rule("E1621", "a carbon limit is out of range", "Give kilograms, 0 or more; leave the year out for no limit.")
def check_e1621_carbon_limit_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A limit is a mass."""
    for i, limit in enumerate(view.problem.rules.carbon_limits):
        if not 0 <= limit.mass_kg <= MASS_KG_MAX:
            yield Found(f"{CARBON_LIMITS}[{i}].mass_kg", f"{limit.mass_kg} kg is not between 0 and {MASS_KG_MAX:g}")


@rule("E1622", "a fiscal year has two carbon limits", "Keep one of the two.")
def check_e1622_carbon_limit_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one limit."""
    yield from repeated_years([limit.fiscal_year for limit in view.problem.rules.carbon_limits], CARBON_LIMITS)


@rule(
    "E1623",
    "a carbon limit is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1623_carbon_limit_year_outside(view: ProblemView) -> Iterator[Found]:
    """A limit is for a year that is planned."""
    years = [limit.fiscal_year for limit in view.problem.rules.carbon_limits]
    yield from years_outside(years, view.fiscal_years, CARBON_LIMITS)


@rule("E1624", "the price of carbon is out of range", "Give yen per kg, 0 or more; 15 yen is 15,000 yen per tonne.")
def check_e1624_carbon_price_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Emissions are never paid for."""
    yield from unit_amount_out_of_range(view.problem.rules.carbon_price_yen_per_kg, "rules.carbon_price_yen_per_kg")


@rule("E1631", "a concentration limit is outside [0, 1]", "Give the largest part of the work, for example 0.6.")
def check_e1631_concentration_share_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A share is part of a whole."""
    for i, limit in enumerate(view.problem.rules.concentration_limits):
        if not 0 <= limit.share_fraction <= 1:
            yield Found(f"{CONCENTRATION}[{i}].share_fraction", f"{limit.share_fraction} is not between 0 and 1")


@rule("E1632", "an operator has two concentration limits in a fiscal year", "Keep one of the two.")
def check_e1632_concentration_year_repeated(view: ProblemView) -> Iterator[Found]:
    """An operator has one limit in a year."""
    keys = [(limit.operator_id, limit.fiscal_year) for limit in view.problem.rules.concentration_limits]
    for i in repeats(keys):
        message = f"operator {shown(keys[i][0])} in fiscal year {keys[i][1]} is listed again"
        reads = (f"{CONCENTRATION}[].operator_id", f"{CONCENTRATION}[].fiscal_year")
        yield Found(f"{CONCENTRATION}[{i}].fiscal_year", message, reads)


@rule(
    "E1633",
    "a concentration limit is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1633_concentration_year_outside(view: ProblemView) -> Iterator[Found]:
    """A limit is for a year that is planned."""
    years = [limit.fiscal_year for limit in view.problem.rules.concentration_limits]
    yield from years_outside(years, view.fiscal_years, CONCENTRATION)


@rule(
    "E1641",
    "the limit on waiting is out of range",
    "Give periods of all workloads together, 0 or more; leave it unset for no limit.",
)
def check_e1641_waiting_limit_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Waiting takes some periods or none."""
    waiting = view.problem.rules.total_waiting_periods_max
    if waiting is not None and not 0 <= waiting <= WAITING_PERIODS_MAX:
        message = f"{waiting:,} periods is not between 0 and {WAITING_PERIODS_MAX:,}"
        yield Found("rules.total_waiting_periods_max", message)
