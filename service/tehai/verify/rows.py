"""Checks of the rows of single periods: capacity, gangs, power."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from tehai.domain.violation import Violation
from tehai.verify.bill import Bill
from tehai.verify.case import Case
from tehai.verify.columns import along, gang_is_too_large
from tehai.verify.faults import violation
from tehai.verify.timeline import FloatArray
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
    capacity = _by_pool(case, case.offered)
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
    """A gang, with the rest of its nodes, is never larger than the accelerators live in its pool."""
    del bill
    live = _by_pool(case, case.live)
    for column in case.columns:
        have = along(column, live[column.pool])
        if gang_is_too_large(column.occupied, have).any():
            t = int(along(column, np.arange(case.reference.period_count, dtype=np.float64))[int(have.argmin())])
            message = f"period {t}: expected at most {have.min():g} live, found {column.occupied} accelerators occupied"
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


CHECKS: tuple[Callable[[Case, Bill], Iterator[Violation]], ...] = (
    check_v2301_capacity,
    check_v2302_gang,
    check_v2303_power,
)
