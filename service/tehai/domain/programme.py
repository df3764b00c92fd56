"""Programmes: grants that pay part of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tehai.domain.market import FiscalYearAmount
from tehai.domain.workload import CountryRule, SizeClass


@dataclass(frozen=True, slots=True)
class SizeClassRate:
    """The part of eligible cost paid to members of one size class, in (0, 1]; to all or those that carry a flag."""

    size_class: SizeClass
    rate_fraction: float
    required_member_flag: str = ""


@dataclass(frozen=True, slots=True)
class UsageGrant:
    """Pays rate times accelerator-hours times the grant reference price of the pool.

    An empty tuple of pools, countries or tags accepts every one; None is no cap.
    """

    rates: tuple[SizeClassRate, ...]
    eligible_pool_ids: tuple[str, ...]
    eligible_countries: CountryRule
    eligible_tags: tuple[str, ...]
    project_cap_yen: int | None


@dataclass(frozen=True, slots=True)
class CapitalGrant:
    """Pays rate times price, times the share of life within the horizon, of units ordered; empty tuples accept all."""

    rates: tuple[SizeClassRate, ...]
    eligible_pool_ids: tuple[str, ...]
    eligible_countries: CountryRule


ProgrammeKind = UsageGrant | CapitalGrant


@dataclass(frozen=True, slots=True)
class ClaimMade:
    """Whole yen claimed before the horizon; ``project_id`` is empty where it uses up the cap of no project."""

    project_id: str
    member_id: str
    fiscal_year: int
    amount_yen: int


@dataclass(frozen=True, slots=True)
class Programme:
    """A grant; use (or orders) in periods whose first day lies in [from_date, until_date) is eligible.

    ``member_cap_yen`` is for each member and fiscal year. Claims are paid ``payment_lag_days`` after their fiscal year.
    """

    id: str
    display_name: str
    from_date: date
    until_date: date
    kind: ProgrammeKind
    member_cap_yen: int | None = None
    budgets: tuple[FiscalYearAmount, ...] = ()
    payment_lag_days: int = 0
    exclusivity_group: str = ""
    stackable_programme_ids: tuple[str, ...] = ()
    claims_made: tuple[ClaimMade, ...] = ()
