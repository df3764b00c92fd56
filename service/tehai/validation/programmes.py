"""Rules on programmes, E15xx."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.programme import UsageGrant
from tehai.validation.common import (
    amount_out_of_range,
    amounts_out_of_range,
    bad_country_codes,
    repeated_years,
    repeats,
    shown,
    years_outside,
)
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView


def _grants(view: ProblemView) -> Iterator[tuple[str, UsageGrant]]:
    for i, programme in enumerate(view.problem.programmes):
        yield f"programmes[{i}].usage_grant", programme.kind


@rule("E1501", "a programme ends before it begins", "Give an until_date after the from_date.")
def check_e1501_programme_window_empty(view: ProblemView) -> Iterator[Found]:
    """A programme lasts at least a day."""
    for i, programme in enumerate(view.problem.programmes):
        if programme.until_date <= programme.from_date:
            message = f"{programme.until_date} is not after {programme.from_date}"
            yield Found(f"programmes[{i}].until_date", message, (f"programmes[{i}].from_date",))


@rule("E1502", "a grant has no rate", "List the rate of each size class that is eligible.")
def check_e1502_no_rates(view: ProblemView) -> Iterator[Found]:
    """A grant pays somebody."""
    for path, grant in _grants(view):
        if not grant.rates:
            yield Found(f"{path}.rates", "the list is empty")


@rule("E1503", "a size class has two rates", "Keep one of the two.")
def check_e1503_size_class_repeated(view: ProblemView) -> Iterator[Found]:
    """A size class has one rate."""
    for path, grant in _grants(view):
        classes = [rate.size_class for rate in grant.rates]
        for k in repeats(classes):
            where = f"{path}.rates[{k}].size_class"
            yield Found(where, f"{classes[k].value} is listed again", (f"{path}.rates",))


@rule("E1504", "a grant rate is outside (0, 1]", "Give the part of eligible cost that is paid, for example 0.5.")
def check_e1504_rate_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A grant pays something, and no more than the cost."""
    for path, grant in _grants(view):
        for k, rate in enumerate(grant.rates):
            if not 0 < rate.rate_fraction <= 1:
                yield Found(f"{path}.rates[{k}].rate_fraction", f"{rate.rate_fraction} is not above 0 and at most 1")


@rule("E1505", "a project cap is out of range", "Give whole yen, 0 or more; leave it unset for no cap.")
def check_e1505_project_cap_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A cap is an amount."""
    for path, grant in _grants(view):
        if grant.project_cap_yen is not None:
            yield from amount_out_of_range(grant.project_cap_yen, f"{path}.project_cap_yen")


@rule("E1506", "a programme's budget is out of range", "Give whole yen, 0 or more; leave the year out for no limit.")
def check_e1506_programme_budget_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A budget is an amount."""
    for path, grant in _grants(view):
        yield from amounts_out_of_range(grant.budgets, f"{path}.budgets")


@rule("E1507", "a fiscal year is listed twice in a programme's budgets", "Keep one of the two.")
def check_e1507_programme_budget_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one budget."""
    for path, grant in _grants(view):
        yield from repeated_years([budget.fiscal_year for budget in grant.budgets], f"{path}.budgets")


@rule(
    "E1508",
    "a programme's budget is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1508_programme_budget_year_outside(view: ProblemView) -> Iterator[Found]:
    """A budget is for a year that is planned."""
    for path, grant in _grants(view):
        years = [budget.fiscal_year for budget in grant.budgets]
        yield from years_outside(years, view.fiscal_years, f"{path}.budgets")


@rule("E1509", "a programme names something that is no country code", "Write two capital letters of ISO 3166-1.")
def check_e1509_programme_country_malformed(view: ProblemView) -> Iterator[Found]:
    """Eligible countries are countries."""
    for path, grant in _grants(view):
        countries = grant.eligible_countries
        yield from bad_country_codes(countries.site_country_codes, f"{path}.eligible_site_country_codes")
        yield from bad_country_codes(countries.operator_country_codes, f"{path}.eligible_operator_country_codes")


@rule("E1510", "an eligible tag is empty or given twice", "Keep each tag once.")
def check_e1510_eligible_tag_empty_or_repeated(view: ProblemView) -> Iterator[Found]:
    """Tags are names."""
    for path, grant in _grants(view):
        for k, tag in enumerate(grant.eligible_tags):
            if not tag.strip():
                yield Found(f"{path}.eligible_tags[{k}]", "the tag is empty")
        for k in repeats(grant.eligible_tags):
            yield Found(f"{path}.eligible_tags[{k}]", f"{shown(grant.eligible_tags[k])} is given again")
