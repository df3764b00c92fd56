"""The whole input: a portfolio, the ways to get compute for it, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from tehai.domain.calendar import Calendar
from tehai.domain.market import FiscalYearAmount, Market, UnitPrice
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
class ConcentrationLimit:
    """The largest share of an operator's sites in the normalised work of one fiscal year, in [0, 1]."""

    operator_id: str
    fiscal_year: int
    share_fraction: float


@dataclass(frozen=True, slots=True)
class FiscalYearMass:
    """Kilograms of carbon dioxide in one fiscal year."""

    fiscal_year: int
    mass_kg: float


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules over the whole portfolio; a fiscal year that is not listed is free.

    ``carbon_price_yen_per_kg`` is a guide for decisions, not a payment.
    """

    domestic: CountryRule
    minimum_domestic_shares: tuple[FiscalYearShare, ...]
    portfolio_budgets: tuple[FiscalYearAmount, ...]
    capital_ceilings: tuple[FiscalYearAmount, ...] = ()
    concentration_limits: tuple[ConcentrationLimit, ...] = ()
    carbon_price_yen_per_kg: Decimal = Decimal(0)
    carbon_limits: tuple[FiscalYearMass, ...] = ()
    total_waiting_periods_max: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A way for data between two sites and its price."""

    from_site_id: str
    to_site_id: str
    price_per_terabyte: UnitPrice


@dataclass(frozen=True, slots=True)
class CurrentPlacement:
    """Where a workload runs or was planned to; ``change_yen`` None takes that of the current plan."""

    workload_id: str
    pool_id: str
    accelerators: int
    start_date: date
    locked: bool
    change_yen: int | None = None


@dataclass(frozen=True, slots=True)
class CurrentPlan:
    """The plan in force: a new plan pays ``change_yen`` for each placement that it changes."""

    change_yen: int = 0
    placements: tuple[CurrentPlacement, ...] = ()


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
    routes: tuple[Route, ...] = ()
    current_plan: CurrentPlan = CurrentPlan()
