"""The whole input: a portfolio, the ways to get compute for it, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tehai.domain.calendar import Calendar
from tehai.domain.market import FiscalYearAmount, Market
from tehai.domain.offer import Offer
from tehai.domain.programme import Programme
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import CountryRule, Member, Workload

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class FiscalYearShare:
    """A least share of the normalised work done in one fiscal year, in [0, 1]."""

    fiscal_year: int
    share_fraction: float


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules over the whole portfolio; a fiscal year that is not listed is free."""

    domestic: CountryRule
    minimum_domestic_shares: tuple[FiscalYearShare, ...]
    portfolio_budgets: tuple[FiscalYearAmount, ...]


class FigureStatus(Enum):
    """How much a figure can be trusted."""

    VERIFIED = "verified"
    SURVEY = "survey"
    DERIVED = "derived"
    MEMORY = "memory"
    ASSUMPTION = "assumption"


@dataclass(frozen=True, slots=True)
class SourceNote:
    """Where a figure comes from; no effect on the plan."""

    subject: str
    status: FigureStatus
    source: str
    as_of_date: str
    quoted: str
    tax_basis: str
    remark: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A sourcing problem; see docs/rules.md for the meaning of every field."""

    schema_version: int
    display_name: str
    calendar: Calendar
    market: Market
    reference_sustained_flops: float | None
    accelerators: tuple[Accelerator, ...]
    sites: tuple[Site, ...]
    pools: tuple[Pool, ...]
    offers: tuple[Offer, ...]
    members: tuple[Member, ...]
    workloads: tuple[Workload, ...]
    programmes: tuple[Programme, ...]
    rules: Rules
    source_notes: tuple[SourceNote, ...]
