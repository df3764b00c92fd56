"""From the catalogue to the supply side of a problem: prices without tax, terms in periods, notes of every figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from tehai.catalog.figure import Figure, source_note
from tehai.catalog.model import (
    Catalog,
    CatalogAccelerator,
    CatalogAllocation,
    CatalogCapacityBlock,
    CatalogMarket,
    CatalogOffer,
    CatalogOnDemand,
    CatalogPool,
    CatalogProgramme,
    CatalogPurchase,
    CatalogReservation,
    CatalogSite,
)
from tehai.domain.calendar import Calendar
from tehai.domain.market import FiscalYearAmount, Market
from tehai.domain.offer import (
    Allocation,
    CapacityBlock,
    CapacityBlockTerm,
    DeliveryStep,
    FiscalYearHours,
    Offer,
    OfferKind,
    OnDemand,
    Purchase,
    Reservation,
    ReservationTerm,
)
from tehai.domain.problem import SourceNote
from tehai.domain.programme import Programme, SizeClassRate, UsageGrant
from tehai.domain.supply import Accelerator, FamilyThroughput, Pool, Site

HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Availability:
    """How much of the market one buyer can get: the part of a problem that is not the market's.

    ``limits`` replaces quota, blocks_max or units_max by offer id; ``power_limits_kw`` is by site id and
    ``budgets_yen`` by (programme id, fiscal year). What is absent keeps the catalogue's figure, or has no limit.
    """

    limits: Mapping[str, int]
    power_limits_kw: Mapping[str, Decimal]
    budgets_yen: Mapping[tuple[str, int], int]


def periods_of_term(days: Decimal, period_hours: int) -> int:
    """Return a term or life of ``days`` in periods: the nearest whole number, halves up, at least 1."""
    periods = (days * HOURS_PER_DAY / period_hours).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return max(1, int(periods))


def periods_of_lead(days: Decimal, period_hours: int) -> int:
    """Return a lead time of ``days`` in periods, rounded up: nothing arrives early."""
    return int((days * HOURS_PER_DAY / period_hours).quantize(Decimal(1), rounding=ROUND_CEILING))


def market_of(catalog: CatalogMarket) -> Market:
    """Return the market of a problem."""
    return Market(
        usd_jpy_spot=catalog.usd_jpy_spot.value,
        spot_date=catalog.spot_date,
        yen_interest_rate=catalog.yen_interest_rate.value,
        dollar_interest_rate=catalog.dollar_interest_rate.value,
        discount_rate=catalog.discount_rate.value,
        usd_conversion_spread_yen=catalog.usd_conversion_spread_yen.value,
    )


def accelerator_of(catalog: CatalogAccelerator) -> Accelerator:
    """Return an accelerator of a problem."""
    return Accelerator(
        id=catalog.id,
        display_name=catalog.display_name,
        memory_gb=float(catalog.memory_gb.value),
        power_kw=float(catalog.power_kw.value),
        throughputs=tuple(FamilyThroughput(family, float(figure.value)) for family, figure in catalog.throughputs),
    )


def site_of(catalog: CatalogSite, availability: Availability) -> Site:
    """Return a site of a problem, with the buyer's power limit."""
    limit = availability.power_limits_kw.get(catalog.id)
    electricity, carbon = catalog.electricity_yen_per_kwh, catalog.grid_carbon_kg_per_kwh
    return Site(
        id=catalog.id,
        display_name=catalog.display_name,
        country_code=catalog.country_code,
        operator_country_code=catalog.operator_country_code,
        power_limit_kw=None if limit is None else float(limit),
        power_usage_effectiveness=float(catalog.power_usage_effectiveness.value),
        electricity_yen_per_kwh=None if electricity is None else electricity.value,
        operator_id=catalog.operator_id,
        grid_carbon_kg_per_kwh=0.0 if carbon is None else float(carbon.value),
    )


def pool_of(catalog: CatalogPool) -> Pool:
    """Return a pool of a problem."""
    return Pool(
        id=catalog.id,
        display_name=catalog.display_name,
        site_id=catalog.site_id,
        accelerator_id=catalog.accelerator_id,
        gang_accelerators_max=int(catalog.gang_accelerators_max.value),
        node_accelerators=1 if catalog.node_accelerators is None else int(catalog.node_accelerators.value),
    )


def offer_of(catalog: CatalogOffer, availability: Availability, calendar: Calendar) -> Offer:
    """Return an offer of a problem, its days turned into periods and the buyer's quantity put in."""
    limit = availability.limits.get(catalog.id)
    return Offer(catalog.id, catalog.display_name, catalog.pool_id, _kind_of(catalog, limit, calendar))


def _kind_of(catalog: CatalogOffer, limit: int | None, calendar: Calendar) -> OfferKind:
    period_hours = calendar.period_hours
    match catalog.kind:
        case CatalogOnDemand() as kind:
            quota = int(kind.quota_accelerators.value) if limit is None else limit
            return OnDemand(kind.price.unit_price(), quota, catalog.from_date, catalog.until_date)
        case CatalogReservation() as kind:
            return Reservation(
                block_accelerators=int(kind.block_accelerators.value),
                blocks_max=int(kind.blocks_max.value) if limit is None else limit,
                lead_time_periods=periods_of_lead(kind.lead_days.value, period_hours),
                terms=tuple(
                    ReservationTerm(
                        periods_of_term(term.days.value, period_hours), term.price.unit_price(), term.payment_timing
                    )
                    for term in kind.terms
                ),
                from_date=catalog.from_date,
                until_date=catalog.until_date,
            )
        case CatalogPurchase() as kind:
            return _purchase_of(catalog, kind, limit, period_hours)
        case CatalogAllocation() as kind:
            hours = float(kind.hours_per_fiscal_year.value)
            return Allocation(
                price_per_accelerator_hour=kind.price.unit_price(),
                accelerators=int(kind.accelerators.value) if limit is None else limit,
                quotas=tuple(FiscalYearHours(year, hours) for year in calendar.fiscal_years()),
                from_date=catalog.from_date,
                until_date=catalog.until_date,
            )
        case CatalogCapacityBlock() as kind:
            return CapacityBlock(
                block_accelerators=int(kind.block_accelerators.value),
                blocks_max=int(kind.blocks_max.value) if limit is None else limit,
                booking_periods_min=periods_of_lead(kind.booking_days_min.value, period_hours),
                booking_periods_max=int(kind.booking_days_max.value * HOURS_PER_DAY / period_hours),
                terms=tuple(CapacityBlockTerm(int(days.value), price.unit_price()) for days, price in kind.terms),
                from_date=catalog.from_date,
                until_date=catalog.until_date,
            )


def _purchase_of(catalog: CatalogOffer, kind: CatalogPurchase, limit: int | None, period_hours: int) -> Purchase:
    steps: dict[int, float] = {}
    for days, fraction in kind.delivery:
        # Two steps that fall into one period become the later one: fractions are cumulative.
        steps[periods_of_lead(days.value, period_hours)] = float(fraction.value)
    return Purchase(
        unit_accelerators=int(kind.unit_accelerators.value),
        units_max=int(kind.units_max.value) if limit is None else limit,
        price_per_unit=kind.price.unit_price(),
        delivery_steps=tuple(DeliveryStep(period, fraction) for period, fraction in sorted(steps.items())),
        life_periods=periods_of_term(kind.life_days.value, period_hours),
        residual_fraction=float(kind.residual_fraction.value),
        residual_haircut_fraction=float(kind.residual_haircut_fraction.value),
        metered=kind.metered,
        from_date=catalog.from_date,
        until_date=catalog.until_date,
    )


def programme_of(catalog: CatalogProgramme, availability: Availability, fiscal_years: tuple[int, ...]) -> Programme:
    """Return a programme of a problem, with the buyer's share of its budgets in the fiscal years of the horizon."""
    cap = catalog.project_cap_yen
    return Programme(
        id=catalog.id,
        display_name=catalog.display_name,
        from_date=catalog.from_date,
        until_date=catalog.until_date,
        kind=UsageGrant(
            rates=tuple(SizeClassRate(size_class, float(figure.value)) for size_class, figure in catalog.rates),
            eligible_pool_ids=(),
            eligible_countries=catalog.eligible_countries,
            eligible_tags=catalog.eligible_tags,
            project_cap_yen=None if cap is None else int(cap.value),
        ),
        budgets=tuple(
            FiscalYearAmount(year, availability.budgets_yen.get((catalog.id, year), int(figure.value)))
            for year, figure in catalog.budgets
            if year in fiscal_years
        ),
        payment_lag_days=int(catalog.payment_lag_days.value),
    )


def figures_of_offer(offer: CatalogOffer) -> tuple[tuple[str, Figure], ...]:
    """Return the figures of an offer other than its prices, by field name."""
    match offer.kind:
        case CatalogOnDemand() as kind:
            return (("quota_accelerators", kind.quota_accelerators),)
        case CatalogReservation() as kind:
            terms = tuple((f"terms/{index}/term_periods", term.days) for index, term in enumerate(kind.terms))
            return (
                ("block_accelerators", kind.block_accelerators),
                ("blocks_max", kind.blocks_max),
                ("lead_time_periods", kind.lead_days),
                *terms,
            )
        case CatalogPurchase() as kind:
            steps: list[tuple[str, Figure]] = []
            for index, (days, fraction) in enumerate(kind.delivery):
                steps.append((f"delivery_steps/{index}/periods_after_order", days))
                steps.append((f"delivery_steps/{index}/delivered_fraction", fraction))
            return (
                ("unit_accelerators", kind.unit_accelerators),
                ("units_max", kind.units_max),
                *steps,
                ("life_periods", kind.life_days),
                ("residual_fraction", kind.residual_fraction),
                ("residual_haircut_fraction", kind.residual_haircut_fraction),
            )
        case CatalogAllocation() as kind:
            return (("accelerators", kind.accelerators), ("quotas", kind.hours_per_fiscal_year))
        case CatalogCapacityBlock() as kind:
            days_of_terms = tuple((f"terms/{index}/term_days", days) for index, (days, _) in enumerate(kind.terms))
            return (
                ("block_accelerators", kind.block_accelerators),
                ("blocks_max", kind.blocks_max),
                ("booking_periods_min", kind.booking_days_min),
                ("booking_periods_max", kind.booking_days_max),
                *days_of_terms,
            )


def notes_of_offer(offer: CatalogOffer) -> tuple[SourceNote, ...]:
    """Return one note for each price of an offer and one for each other figure."""
    subject = f"offers/{offer.id}"
    if isinstance(offer.kind, CatalogReservation):
        prices = [(f"terms/{index}/price", term.price) for index, term in enumerate(offer.kind.terms)]
    elif isinstance(offer.kind, CatalogCapacityBlock):
        prices = [(f"terms/{index}/price", price) for index, (_, price) in enumerate(offer.kind.terms)]
    else:
        prices = [("price", offer.kind.price)]
    notes = [source_note(subject, field, price.provenance) for field, price in prices]
    notes += [source_note(subject, field, figure.provenance) for field, figure in figures_of_offer(offer)]
    return tuple(notes)


def notes_of_supply(catalog: Catalog, pool_ids: frozenset[str]) -> tuple[SourceNote, ...]:
    """Return the notes of market, accelerators, sites, pools and offers that ``pool_ids`` need."""
    pools = [pool for pool in catalog.pools if pool.id in pool_ids]
    site_ids = {pool.site_id for pool in pools}
    accelerator_ids = {pool.accelerator_id for pool in pools}
    market = catalog.market
    notes = [
        source_note("market", "usd_jpy_spot", market.usd_jpy_spot.provenance),
        source_note("market", "yen_interest_rate", market.yen_interest_rate.provenance),
        source_note("market", "dollar_interest_rate", market.dollar_interest_rate.provenance),
        source_note("market", "reference_sustained_flops", market.reference_sustained_flops.provenance),
        source_note("market", "discount_rate", market.discount_rate.provenance),
        source_note("market", "usd_conversion_spread_yen", market.usd_conversion_spread_yen.provenance),
    ]
    for accelerator in catalog.accelerators:
        if accelerator.id in accelerator_ids:
            notes += _notes_of_accelerator(accelerator)
    for site in catalog.sites:
        if site.id in site_ids:
            notes += _notes_of_site(site)
    for pool in pools:
        notes.append(source_note(f"pools/{pool.id}", "gang_accelerators_max", pool.gang_accelerators_max.provenance))
        if pool.node_accelerators is not None:
            notes.append(source_note(f"pools/{pool.id}", "node_accelerators", pool.node_accelerators.provenance))
    for offer in catalog.offers:
        if offer.pool_id in pool_ids:
            notes += notes_of_offer(offer)
    return tuple(notes)


def _notes_of_accelerator(accelerator: CatalogAccelerator) -> list[SourceNote]:
    subject = f"accelerators/{accelerator.id}"
    notes = [
        source_note(subject, "memory_gb", accelerator.memory_gb.provenance),
        source_note(subject, "power_kw", accelerator.power_kw.provenance),
    ]
    for family, figure in accelerator.throughputs:
        notes.append(source_note(subject, f"throughputs/{family}", figure.provenance))
    return notes


def _notes_of_site(site: CatalogSite) -> list[SourceNote]:
    subject = f"sites/{site.id}"
    notes = [source_note(subject, "power_usage_effectiveness", site.power_usage_effectiveness.provenance)]
    if site.electricity_yen_per_kwh is not None:
        notes.append(source_note(subject, "electricity_yen_per_kwh", site.electricity_yen_per_kwh.provenance))
    if site.grid_carbon_kg_per_kwh is not None:
        notes.append(source_note(subject, "grid_carbon_kg_per_kwh", site.grid_carbon_kg_per_kwh.provenance))
    return notes


def notes_of_programme(programme: CatalogProgramme, fiscal_years: tuple[int, ...]) -> tuple[SourceNote, ...]:
    """Return the notes of a programme's rates, cap, budgets and payment."""
    subject = f"programmes/{programme.id}"
    notes = [source_note(subject, f"rates/{size.value}", figure.provenance) for size, figure in programme.rates]
    if programme.project_cap_yen is not None:
        notes.append(source_note(subject, "project_cap_yen", programme.project_cap_yen.provenance))
    for year, figure in programme.budgets:
        if year in fiscal_years:
            notes.append(source_note(subject, f"budgets/{year}", figure.provenance))
    notes.append(source_note(subject, "payment_lag_days", programme.payment_lag_days.provenance))
    return tuple(notes)
