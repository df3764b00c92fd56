"""The proof of the lower bound: one price for each dualised row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PricePath:
    """A price for each period, shape (period_count,), of a pool or a site."""

    subject_id: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FiscalYearPrice:
    """A price of one fiscal year's row."""

    fiscal_year: int
    value: float


@dataclass(frozen=True, slots=True)
class ProgrammePrice:
    """Yen per yen of a programme's budget in one fiscal year."""

    programme_id: str
    fiscal_year: int
    value: float


@dataclass(frozen=True, slots=True)
class ProjectCapPrice:
    """Yen per yen of a project's cap in a programme."""

    programme_id: str
    project_id: str
    value: float


@dataclass(frozen=True, slots=True)
class ConcentrationPrice:
    """Yen per normalised accelerator-hour of an operator's limit in one fiscal year."""

    operator_id: str
    fiscal_year: int
    value: float


@dataclass(frozen=True, slots=True)
class MemberPrice:
    """Yen per yen of a member's budget in one fiscal year."""

    member_id: str
    fiscal_year: int
    value: float


@dataclass(frozen=True, slots=True)
class MemberCapPrice:
    """Yen per yen of a member's cap in a programme in one fiscal year."""

    programme_id: str
    member_id: str
    fiscal_year: int
    value: float


@dataclass(frozen=True, slots=True)
class PrecedencePrices:
    """Yen per workload for each period, shape (period_count,), of one precedence."""

    before_workload_id: str
    after_workload_id: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Row prices and the bound they prove; docs/rules.md, "The certificate", gives units and signs."""

    schema_version: int
    problem_sha256: str
    capacity_prices: tuple[PricePath, ...]
    power_prices: tuple[PricePath, ...]
    domestic_share_prices: tuple[FiscalYearPrice, ...]
    budget_prices: tuple[FiscalYearPrice, ...]
    programme_budget_prices: tuple[ProgrammePrice, ...]
    project_cap_prices: tuple[ProjectCapPrice, ...]
    lower_bound_yen: int
    concentration_prices: tuple[ConcentrationPrice, ...] = ()
    member_budget_prices: tuple[MemberPrice, ...] = ()
    member_cap_prices: tuple[MemberCapPrice, ...] = ()
    capital_ceiling_prices: tuple[FiscalYearPrice, ...] = ()
    carbon_prices: tuple[FiscalYearPrice, ...] = ()
    waiting_price: float = 0.0
    precedence_prices: tuple[PrecedencePrices, ...] = ()
