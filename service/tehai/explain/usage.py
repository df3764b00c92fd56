"""What a plan uses of limits: work by place, carbon, instalments, member budgets, waiting; docs/rules.md, "Rows"."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from tehai.domain.plan import BillComponent
from tehai.explain.claims import payment_year
from tehai.explain.lists import member_list_bills
from tehai.explain.payments import payments
from tehai.explain.reading import Reading, release_period, work_of
from tehai.explain.references import References


@dataclass
class YearOfWork:
    """Normalised accelerator-hours of one fiscal year: all, at domestic sites, and by operator."""

    total: float = 0.0
    domestic: float = 0.0
    by_operator: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def work_by_year(reading: Reading) -> dict[int, YearOfWork]:
    """Return the work of each fiscal year of the horizon; a column's is split in proportion to its hours."""
    years = {year: YearOfWork() for year in reading.problem.calendar.fiscal_years()}
    domestic = reading.problem.rules.domestic
    for placed in reading.placed:
        work, all_hours = work_of(reading.problem, placed.workload), float(placed.hours.sum())
        at_home = domestic.accepts(placed.site.country_code, placed.site.operator_country_code)
        for year, hours in reading.by_year(placed.hours).items():
            part = work * hours / all_hours if all_hours else 0.0
            years[year].total += part
            years[year].domestic += part * at_home
            if placed.site.operator_id and part:
                years[year].by_operator[placed.site.operator_id] += part
    return years


def carbon_used(reading: Reading) -> dict[int, float]:
    """Return the kg of carbon dioxide of each fiscal year of the horizon."""
    kg = dict.fromkeys(reading.problem.calendar.fiscal_years(), 0.0)
    for placed in reading.placed:
        for year, hours in reading.by_year(placed.hours).items():
            kg[year] += hours * reading.carbon_kg(placed.pool)
    return kg


def instalments(reading: Reading) -> dict[int, float]:
    """Return the yen paid for purchases in each fiscal year of the horizon, nominal."""
    calendar = reading.problem.calendar
    paid = dict.fromkeys(calendar.fiscal_years(), 0.0)
    for item in payments(reading):
        if item.component is BillComponent.PURCHASE and item.period < calendar.period_count:
            paid[calendar.fiscal_year(item.period)] += item.amount_yen
    return paid


def member_budget_used(reading: Reading, found: References) -> dict[str, dict[int, float]]:
    """Return list bills less claims paid, by member and fiscal year, yen: the left side of row 7."""
    used = {member: defaultdict(float, bills) for member, bills in member_list_bills(reading, found).items()}
    for placed in reading.placed:
        for claim in placed.placement.claims:
            year = payment_year(reading.programmes[claim.programme_id], claim.fiscal_year)
            used[placed.workload.member_id][year] -= claim.amount_yen
    return {member: dict(bills) for member, bills in used.items()}


def waited_periods(reading: Reading) -> int:
    """Return the periods from release to start of all placed workloads together."""
    return sum(placed.start - release_period(reading.problem, placed.workload) for placed in reading.placed)
