"""Rules on programmes, E1501 to E1513."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.programme import ProgrammeKind, UsageGrant
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
from tehai.validation.view import ProblemView, programme_kind_path

LAG_DAYS_MAX = 3_650


def _kinds(view: ProblemView) -> Iterator[tuple[str, ProgrammeKind]]:
    for i, programme in enumerate(view.problem.programmes):
        yield programme_kind_path(i, programme), programme.kind


def _usage_grants(view: ProblemView) -> Iterator[tuple[str, UsageGrant]]:
    for path, kind in _kinds(view):
        if isinstance(kind, UsageGrant):
            yield path, kind


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
    for path, grant in _kinds(view):
        if not grant.rates:
            yield Found(f"{path}.rates", "the list is empty")


@rule("E1503", "a size class has two rates", "Keep one of the two, or tell them apart by required_member_flag.")
def check_e1503_size_class_repeated(view: ProblemView) -> Iterator[Found]:
    """A size class has one rate for all, and one for each flag."""
    for path, grant in _kinds(view):
        classes = [(rate.size_class, rate.required_member_flag) for rate in grant.rates]
        for k in repeats(classes):
            size_class, flag = classes[k]
            what = f"{size_class.value} with {shown(flag)}" if flag else size_class.value
            yield Found(f"{path}.rates[{k}].size_class", f"{what} is listed again", (f"{path}.rates",))


@rule("E1504", "a grant rate is outside (0, 1]", "Give the part of eligible cost that is paid, for example 0.5.")
def check_e1504_rate_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A grant pays something, and no more than the cost."""
    for path, grant in _kinds(view):
        for k, rate in enumerate(grant.rates):
            if not 0 < rate.rate_fraction <= 1:
                yield Found(f"{path}.rates[{k}].rate_fraction", f"{rate.rate_fraction} is not above 0 and at most 1")


@rule("E1505", "a project cap is out of range", "Give whole yen, 0 or more; leave it unset for no cap.")
def check_e1505_project_cap_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A cap is an amount."""
    for path, grant in _usage_grants(view):
        if grant.project_cap_yen is not None:
            yield from amount_out_of_range(grant.project_cap_yen, f"{path}.project_cap_yen")


@rule("E1506", "a programme's budget is out of range", "Give whole yen, 0 or more; leave the year out for no limit.")
def check_e1506_programme_budget_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A budget is an amount."""
    for i, programme in enumerate(view.problem.programmes):
        yield from amounts_out_of_range(programme.budgets, f"programmes[{i}].budgets")


@rule("E1507", "a fiscal year is listed twice in a programme's budgets", "Keep one of the two.")
def check_e1507_programme_budget_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one budget."""
    for i, programme in enumerate(view.problem.programmes):
        yield from repeated_years([budget.fiscal_year for budget in programme.budgets], f"programmes[{i}].budgets")


@rule(
    "E1508",
    "a programme's budget is for a fiscal year outside the horizon",
    "Remove it, or lengthen the horizon.",
    reads=("calendar",),
)
def check_e1508_programme_budget_year_outside(view: ProblemView) -> Iterator[Found]:
    """A budget is for a year that is planned."""
    for i, programme in enumerate(view.problem.programmes):
        years = [budget.fiscal_year for budget in programme.budgets]
        yield from years_outside(years, view.fiscal_years, f"programmes[{i}].budgets")


@rule("E1509", "a programme names something that is no country code", "Write two capital letters of ISO 3166-1.")
def check_e1509_programme_country_malformed(view: ProblemView) -> Iterator[Found]:
    """Eligible countries are countries."""
    for path, grant in _kinds(view):
        countries = grant.eligible_countries
        yield from bad_country_codes(countries.site_country_codes, f"{path}.eligible_site_country_codes")
        yield from bad_country_codes(countries.operator_country_codes, f"{path}.eligible_operator_country_codes")


@rule("E1510", "an eligible tag is empty or given twice", "Keep each tag once.")
def check_e1510_eligible_tag_empty_or_repeated(view: ProblemView) -> Iterator[Found]:
    """Tags are names."""
    for path, grant in _usage_grants(view):
        for k, tag in enumerate(grant.eligible_tags):
            if not tag.strip():
                yield Found(f"{path}.eligible_tags[{k}]", "the tag is empty")
        for k in repeats(grant.eligible_tags):
            yield Found(f"{path}.eligible_tags[{k}]", f"{shown(grant.eligible_tags[k])} is given again")


@rule("E1511", "a member cap is out of range", "Give whole yen, 0 or more; leave it unset for no cap.")
def check_e1511_member_cap_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A cap is an amount."""
    for i, programme in enumerate(view.problem.programmes):
        if programme.member_cap_yen is not None:
            yield from amount_out_of_range(programme.member_cap_yen, f"programmes[{i}].member_cap_yen")


@rule(
    "E1512",
    "the days until a grant is paid are out of range",
    f"Give the days from 31 March, the end of the fiscal year, to the payment: 0 to {LAG_DAYS_MAX:,}.",
)
def check_e1512_payment_lag_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Claims are paid after their year, within ten years."""
    for i, programme in enumerate(view.problem.programmes):
        if not 0 <= programme.payment_lag_days <= LAG_DAYS_MAX:
            message = f"{programme.payment_lag_days:,} days is not between 0 and {LAG_DAYS_MAX:,}"
            yield Found(f"programmes[{i}].payment_lag_days", message)
