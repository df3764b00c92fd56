"""Checks of the use of offers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from tehai.domain.offer import Allocation
from tehai.domain.violation import Violation
from tehai.verify.case import Case, use_can_be_read
from tehai.verify.faults import violation
from tehai.verify.tolerances import TOLERANCES


def check_v2221_unknown_offer(case: Case) -> Iterator[Violation]:
    """Every use names an offer of the problem."""
    for i, item in enumerate(case.plan.offer_uses):
        if item.offer_id not in case.reference.offer_index:
            yield violation("V2221", f"offer_uses[{i}].offer_id", f'no offer has the id "{item.offer_id}"')


def check_v2222_use_repeated(case: Case) -> Iterator[Violation]:
    """An offer has at most one use; one that is not used may be left out."""
    counts = Counter(item.offer_id for item in case.plan.offer_uses)
    for offer_id, count in counts.items():
        if count > 1:
            yield violation("V2222", "offer_uses", f'offer "{offer_id}" expected once, found {count} times')


def check_v2223_use_length(case: Case) -> Iterator[Violation]:
    """A use has one figure for each period."""
    for i, item in enumerate(case.plan.offer_uses):
        if len(item.accelerator_hours) != case.reference.period_count:
            message = f"expected {case.reference.period_count}, found {len(item.accelerator_hours)}"
            yield violation("V2223", f"offer_uses[{i}].accelerator_hours", message)


def check_v2224_use_finite(case: Case) -> Iterator[Violation]:
    """Every figure of a use is finite."""
    for i, item in enumerate(case.plan.offer_uses):
        bad = [t for t, hours in enumerate(item.accelerator_hours) if not math.isfinite(hours)]
        if bad:
            message = f"found {item.accelerator_hours[bad[0]]} in {len(bad)} periods"
            yield violation("V2224", f"offer_uses[{i}].accelerator_hours[{bad[0]}]", message)


def check_v2225_use_negative(case: Case) -> Iterator[Violation]:
    """No figure of a use is negative."""
    for i, item in enumerate(case.plan.offer_uses):
        if not use_can_be_read(case.reference, item.accelerator_hours):
            continue
        t = int(np.argmin(item.accelerator_hours))
        if item.accelerator_hours[t] < -TOLERANCES.hours_absolute.value:
            message = f"expected 0 or more, found {item.accelerator_hours[t]!r} hours"
            yield violation("V2225", f"offer_uses[{i}].accelerator_hours[{t}]", message)


def check_v2226_use_over_capacity(case: Case) -> Iterator[Violation]:
    """No figure of a use is above the hours that are offered: K * H, or those of the capacity blocks."""
    for i, item in enumerate(case.plan.offer_uses):
        index = case.reference.offer_index.get(item.offer_id)
        if index is None or not use_can_be_read(case.reference, item.accelerator_hours):
            continue
        most = case.offered[index]
        slack = np.maximum(TOLERANCES.hours_absolute.value, TOLERANCES.hours_relative.value * most)
        over = np.array(item.accelerator_hours) - most - slack
        t = int(over.argmax())
        if over[t] > 0.0:
            limit, found = float(most[t]), item.accelerator_hours[t]
            message = f'offer "{item.offer_id}": expected at most {limit!r}, found {found!r} hours'
            yield violation("V2226", f"offer_uses[{i}].accelerator_hours[{t}]", message)


def check_v2227_allocation_quota(case: Case) -> Iterator[Violation]:
    """The use of an allocation in a fiscal year stays within its hours, none in a year that is not listed."""
    for o, offer in enumerate(case.problem.offers):
        if not isinstance(offer.kind, Allocation):
            continue
        quotas = {quota.fiscal_year: quota.accelerator_hours for quota in offer.kind.quotas}
        for year in case.reference.years:
            used, quota = float(case.use[o, case.reference.fiscal_year == year].sum()), quotas.get(year, 0.0)
            slack = max(TOLERANCES.hours_absolute.value, TOLERANCES.hours_relative.value * quota)
            if used > quota + slack:
                message = f'offer "{offer.id}" in fiscal year {year}: expected at most {quota!r}, found {used!r} hours'
                yield violation("V2227", "offer_uses", message)


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2221_unknown_offer,
    check_v2222_use_repeated,
    check_v2223_use_length,
    check_v2224_use_finite,
    check_v2225_use_negative,
    check_v2226_use_over_capacity,
    check_v2227_allocation_quota,
)
