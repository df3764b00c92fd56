"""The catalogue's nouns: what can be had in the market, each figure with its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tehai.catalog.figure import Figure, QuotedPrice, Source
from tehai.domain.offer import PaymentTiming
from tehai.domain.workload import CountryRule, SizeClass


@dataclass(frozen=True, slots=True)
class CatalogMarket:
    """Exchange rate, interest rates, discount rate and what a bank takes for a dollar."""

    usd_jpy_spot: Figure
    spot_date: date
    yen_interest_rate: Figure
    dollar_interest_rate: Figure
    reference_sustained_flops: Figure
    discount_rate: Figure
    usd_conversion_spread_yen: Figure


@dataclass(frozen=True, slots=True)
class CatalogAccelerator:
    """A type of accelerator; throughputs are (software family, sustained speed with the H100 at 1)."""

    id: str
    display_name: str
    memory_gb: Figure
    power_kw: Figure
    throughputs: tuple[tuple[str, Figure], ...]


@dataclass(frozen=True, slots=True)
class CatalogSite:
    """A data centre or cloud region; electricity is quoted in yen per kWh, emissions in kg per kWh."""

    id: str
    display_name: str
    country_code: str
    operator_country_code: str
    power_usage_effectiveness: Figure
    electricity_yen_per_kwh: Figure | None
    operator_id: str
    grid_carbon_kg_per_kwh: Figure | None


@dataclass(frozen=True, slots=True)
class CatalogPool:
    """Accelerators of one type at one site, let in nodes (None: one by one)."""

    id: str
    display_name: str
    site_id: str
    accelerator_id: str
    gang_accelerators_max: Figure
    node_accelerators: Figure | None


@dataclass(frozen=True, slots=True)
class CatalogTerm:
    """One length of a reservation, in days."""

    days: Figure
    payment_timing: PaymentTiming
    price: QuotedPrice


@dataclass(frozen=True, slots=True)
class CatalogOnDemand:
    """Paid by use."""

    price: QuotedPrice
    quota_accelerators: Figure


@dataclass(frozen=True, slots=True)
class CatalogReservation:
    """Blocks for a term; the lead time is in days."""

    block_accelerators: Figure
    blocks_max: Figure
    lead_days: Figure
    terms: tuple[CatalogTerm, ...]


@dataclass(frozen=True, slots=True)
class CatalogPurchase:
    """Servers bought; delivery steps are (days after the order, cumulative fraction)."""

    unit_accelerators: Figure
    units_max: Figure
    price: QuotedPrice
    delivery: tuple[tuple[Figure, Figure], ...]
    life_days: Figure
    residual_fraction: Figure
    residual_haircut_fraction: Figure
    metered: bool


@dataclass(frozen=True, slots=True)
class CatalogAllocation:
    """Hours granted for each fiscal year on a public machine, used at a price."""

    price: QuotedPrice
    accelerators: Figure
    hours_per_fiscal_year: Figure


@dataclass(frozen=True, slots=True)
class CatalogCapacityBlock:
    """Blocks for days, booked so many days ahead; terms are (days, price)."""

    block_accelerators: Figure
    blocks_max: Figure
    booking_days_min: Figure
    booking_days_max: Figure
    terms: tuple[tuple[Figure, QuotedPrice], ...]


CatalogOfferKind = CatalogOnDemand | CatalogReservation | CatalogPurchase | CatalogAllocation | CatalogCapacityBlock


@dataclass(frozen=True, slots=True)
class CatalogOffer:
    """One way to get capacity in a pool; open from ``from_date`` until ``until_date`` (None: no edge)."""

    id: str
    display_name: str
    pool_id: str
    kind: CatalogOfferKind
    from_date: date | None
    until_date: date | None


@dataclass(frozen=True, slots=True)
class CatalogProgramme:
    """A grant on usage; budgets are a buyer's share of the programme, in yen per fiscal year."""

    id: str
    display_name: str
    from_date: date
    until_date: date
    rates: tuple[tuple[SizeClass, Figure], ...]
    eligible_countries: CountryRule
    eligible_tags: tuple[str, ...]
    project_cap_yen: Figure | None
    budgets: tuple[tuple[int, Figure], ...]
    payment_lag_days: Figure


@dataclass(frozen=True, slots=True)
class WorkloadPreset:
    """A size of training job: allowed gangs with the part of speed kept, and memory of the whole gang."""

    id: str
    display_name: str
    gang_options: tuple[tuple[int, Figure], ...]
    memory_gb: Figure
    # Published size of such a job, in accelerator-hours of its source; a note, not used in arithmetic.
    published_hours: Figure


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the packaged data files hold."""

    sources: tuple[Source, ...]
    market: CatalogMarket
    accelerators: tuple[CatalogAccelerator, ...]
    sites: tuple[CatalogSite, ...]
    pools: tuple[CatalogPool, ...]
    offers: tuple[CatalogOffer, ...]
    programmes: tuple[CatalogProgramme, ...]
    presets: tuple[WorkloadPreset, ...]
