"""Programmes: grants that pay part of a bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tehai.domain.market import FiscalYearAmount
from tehai.domain.workload import CountryRule, SizeClass


@dataclass(frozen=True, slots=True)
class SizeClassRate:
    """The part of eligible cost paid to members of one size class, in (0, 1]."""

    size_class: SizeClass
    rate_fraction: float


@dataclass(frozen=True, slots=True)
class UsageGrant:
    """Pays rate times accelerator-hours times the grant reference price of the pool.

    An empty tuple of pools, countries or tags accepts every one; None and absent years are no cap.
    """

    rates: tuple[SizeClassRate, ...]
    eligible_pool_ids: tuple[str, ...]
    eligible_countries: CountryRule
    eligible_tags: tuple[str, ...]
    project_cap_yen: int | None
    budgets: tuple[FiscalYearAmount, ...]


ProgrammeKind = UsageGrant


@dataclass(frozen=True, slots=True)
class Programme:
    """A grant; use in periods whose first day lies in [from_date, until_date) is eligible."""

    id: str
    display_name: str
    from_date: date
    until_date: date
    kind: ProgrammeKind
