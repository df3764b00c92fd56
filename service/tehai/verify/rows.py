"""Checks of the rows that tie placements together: capacity, gangs, power, domestic share, portfolio budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np

from tehai.domain.violation import Violation
from tehai.verify.bill import Bill, round_yen
from tehai.verify.case import Case
from tehai.verify.columns import column_hours, gang_is_too_large
from tehai.verify.faults import violation
from tehai.verify.offers import FloatArray
from tehai.verify.tolerances import TOLERANCES


def _by_pool(case: Case, by_offer: FloatArray) -> FloatArray:
    """Sum an array of (offers, period_count) over the offers of each pool: (pools, period_count)."""
    total = np.zeros((len(case.problem.pools), case.reference.period_count))
    np.add.at(total, list(case.reference.pool_of_offer), by_offer)
    return total


def check_v2301_capacity(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every pool and period the offers' use covers the hours placed there."""
    del bill
    used = _by_pool(case, case.use)
    capacity = _by_pool(case, case.live) * case.reference.period_hours
    slack = np.maximum(TOLERANCES.hours_absolute.value, TOLERANCES.hours_relative.value * capacity)
    short = case.placed_hours - used - slack
    for p, pool in enumerate(case.problem.pools):
        t = int(short[p].argmax())
        if short[p, t] > 0.0:
            periods = int((short[p] > 0.0).sum())
            need, have = float(case.placed_hours[p, t]), float(used[p, t])
            message = (
                f'pool "{pool.id}" is short in {periods} of its periods, most in period {t}: expected use of {need!r}, '
                f"found {have!r} accelerator-hours"
            )
            yield violation("V2301", "offer_uses", message)


def check_v2302_gang(case: Case, bill: Bill) -> Iterator[Violation]:
    """A gang is never larger than the accelerators live in its pool."""
    del bill
    live = _by_pool(case, case.live)
    for column in case.columns:
        have = live[column.pool, column.start : column.end]
        if gang_is_too_large(column.accelerators, have).any():
            t = column.start + int(have.argmin())
            message = f"period {t}: expected at most {have.min():g} live, found {column.accelerators} accelerators"
            yield violation("V2302", f"placements[{column.position}].segments[0].accelerators", message)


def check_v2303_power(case: Case, bill: Bill) -> Iterator[Violation]:
    """The facility energy of every limited site stays within its limit in every period."""
    del bill
    reference = case.reference
    kwh = np.zeros((len(case.problem.sites), reference.period_count))
    np.add.at(kwh, list(reference.site_of_pool), case.placed_hours * reference.facility_kw[:, np.newaxis])
    for j, site in enumerate(case.problem.sites):
        if site.power_limit_kw is None:
            continue
        limit = site.power_limit_kw * reference.period_hours
        slack = max(TOLERANCES.hours_absolute.value, TOLERANCES.hours_relative.value * limit)
        t = int(kwh[j].argmax())
        if kwh[j, t] > limit + slack:
            message = f'site "{site.id}" in period {t}: expected at most {limit!r}, found {float(kwh[j, t])!r} kWh'
            yield violation("V2303", "placements", message)


def check_v2304_domestic_share(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year the domestic part of the normalised work reaches its share."""
    del bill
    reference = case.reference
    work: dict[int, float] = {}
    domestic: dict[int, float] = {}
    for column in case.columns:
        hours = column_hours(reference, column)
        whole = column.accelerators * (column.full_periods * reference.period_hours + column.rest_hours)
        for t in hours.nonzero()[0].tolist():
            year = int(reference.fiscal_year[t])
            done = float(reference.work[column.workload]) * float(hours[t]) / whole
            work[year] = work.get(year, 0.0) + done
            domestic[year] = domestic.get(year, 0.0) + done * reference.domestic[column.pool]
    for rule in case.problem.rules.minimum_domestic_shares:
        total = work.get(rule.fiscal_year, 0.0)
        have = domestic.get(rule.fiscal_year, 0.0)
        if have < rule.share_fraction * total - TOLERANCES.work_relative.value * total:
            message = f"fiscal year {rule.fiscal_year}: expected {rule.share_fraction:.6f}, found {have / total:.6f}"
            yield violation("V2304", "placements", message)


def check_v2305_portfolio_budget(case: Case, bill: Bill) -> Iterator[Violation]:
    """In every listed fiscal year cash paid less claims stays within the budget."""
    for budget in case.problem.rules.portfolio_budgets:
        limit = Decimal(budget.amount_yen)
        slack = Decimal(TOLERANCES.money_absolute.value) + Decimal(TOLERANCES.money_relative.value) * limit
        cash = bill.cash.get(budget.fiscal_year, Decimal(0))
        if cash > limit + slack:
            where = f"fiscal year {budget.fiscal_year}"
            message = f"{where}: expected at most {budget.amount_yen}, found {round_yen(cash)} yen"
            yield violation("V2305", "cash", message)


CHECKS: tuple[Callable[[Case, Bill], Iterator[Violation]], ...] = (
    check_v2301_capacity,
    check_v2302_gang,
    check_v2303_power,
    check_v2304_domestic_share,
    check_v2305_portfolio_budget,
)
