"""Rules on allocations of public machines and on capacity that is there already, E145x and E147x."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tehai.domain.limits import LIMITS
from tehai.domain.offer import Allocation, Existing
from tehai.validation.common import (
    amounts_out_of_range,
    repeated_years,
    shown,
    year_out_of_range,
)
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

# All accelerators of one place, all hours of a leap year.
ACCELERATOR_HOURS_MAX = LIMITS.accelerators_in_one_place * 8_784


def _allocations(view: ProblemView) -> Iterator[tuple[str, Allocation]]:
    for i, offer in enumerate(view.problem.offers):
        if isinstance(offer.kind, Allocation):
            yield f"offers[{i}].allocation", offer.kind


def _existing(view: ProblemView) -> Iterator[tuple[str, Existing]]:
    for i, offer in enumerate(view.problem.offers):
        if isinstance(offer.kind, Existing):
            yield f"offers[{i}].existing", offer.kind


@rule("E1451", "an allocation has no quota", "List the accelerator-hours of at least one fiscal year.")
def check_e1451_no_quotas(view: ProblemView) -> Iterator[Found]:
    """An allocation grants some hours."""
    for path, kind in _allocations(view):
        if not kind.quotas:
            yield Found(f"{path}.quotas", "the list is empty")


@rule(
    "E1452",
    "the hours of an allocation are out of range",
    "Give accelerator-hours above 0; leave a year without hours out.",
)
def check_e1452_quota_hours_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A year that is listed has hours."""
    for path, kind in _allocations(view):
        for k, quota in enumerate(kind.quotas):
            if not 0 < quota.accelerator_hours <= ACCELERATOR_HOURS_MAX:
                message = f"{quota.accelerator_hours:g} hours is not above 0 and at most {ACCELERATOR_HOURS_MAX:,}"
                yield Found(f"{path}.quotas[{k}].accelerator_hours", message)


@rule(
    "E1453",
    "the fiscal years of an allocation do not rise",
    "Order the quotas by fiscal year, each year once.",
)
def check_e1453_quota_years_not_rising(view: ProblemView) -> Iterator[Found]:
    """A year has one quota."""
    for path, kind in _allocations(view):
        for k, (before, after) in enumerate(pairwise(quota.fiscal_year for quota in kind.quotas), start=1):
            if after <= before:
                where = f"{path}.quotas[{k}].fiscal_year"
                yield Found(where, f"{after} is not after {before}", (f"{path}.quotas[{k - 1}].fiscal_year",))


@rule("E1454", "a pool has two allocations", "Keep one of the two, with the quotas of both; or make two pools.")
def check_e1454_second_allocation_in_pool(view: ProblemView) -> Iterator[Found]:
    """What is used in a pool is used of one allocation."""
    first: dict[str, str] = {}
    for i, offer in enumerate(view.problem.offers):
        if not isinstance(offer.kind, Allocation):
            continue
        if offer.pool_id in first:
            message = f"pool {shown(offer.pool_id)} has allocation {shown(first[offer.pool_id])} already"
            yield Found(f"offers[{i}].pool_id", message)
        first.setdefault(offer.pool_id, offer.id)


@rule("E1455", "an allocation is for a fiscal year that cannot be meant", "Write the year of its April, as in 2028.")
def check_e1455_quota_year_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Hours belong to a year; one outside the horizon is allowed and without effect."""
    for path, kind in _allocations(view):
        for k, quota in enumerate(kind.quotas):
            yield from year_out_of_range(quota.fiscal_year, f"{path}.quotas[{k}].fiscal_year")


@rule("E1471", "a payment for existing capacity is out of range", "Give whole yen, 0 or more.")
def check_e1471_sunk_payment_out_of_range(view: ProblemView) -> Iterator[Found]:
    """What is still to be paid is an amount."""
    for path, kind in _existing(view):
        yield from amounts_out_of_range(kind.payments, f"{path}.payments")


@rule("E1472", "a fiscal year has two payments for the same existing capacity", "Keep one entry with their sum.")
def check_e1472_sunk_payment_year_repeated(view: ProblemView) -> Iterator[Found]:
    """A year has one amount."""
    for path, kind in _existing(view):
        yield from repeated_years([payment.fiscal_year for payment in kind.payments], f"{path}.payments")


@rule("E1473", "a payment is for a fiscal year that cannot be meant", "Write the year of its April, as in 2028.")
def check_e1473_sunk_payment_year_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A payment belongs to a year; one outside the horizon is allowed and without effect."""
    for path, kind in _existing(view):
        for k, payment in enumerate(kind.payments):
            yield from year_out_of_range(payment.fiscal_year, f"{path}.payments[{k}].fiscal_year")
