"""Loading of the packaged catalogue: data files to frozen dataclasses, every key and reference checked."""

from __future__ import annotations

from collections.abc import Iterable

from tehai.catalog.figure import CatalogError, Figure, Source
from tehai.catalog.model import (
    Catalog,
    CatalogAccelerator,
    CatalogAllocation,
    CatalogCapacityBlock,
    CatalogMarket,
    CatalogOffer,
    CatalogOfferKind,
    CatalogOnDemand,
    CatalogPool,
    CatalogProgramme,
    CatalogPurchase,
    CatalogReservation,
    CatalogSite,
    CatalogTerm,
    WorkloadPreset,
)
from tehai.catalog.reader import Row, read_document, read_figure, read_price, read_sources
from tehai.domain.offer import PaymentTiming
from tehai.domain.workload import CountryRule, SizeClass

Sources = dict[str, Source]


def load_catalog() -> Catalog:
    """Return the packaged catalogue; raises CatalogError on any key, value or reference that is wrong."""
    sources = read_sources(read_document("sources.yaml"))
    accelerators, sites = read_document("accelerators.yaml"), read_document("sites.yaml")
    programmes, presets = read_document("programmes.yaml"), read_document("presets.yaml")
    catalog = Catalog(
        sources=tuple(sources.values()),
        market=_market(read_document("market.yaml"), sources),
        accelerators=tuple(_accelerator(row, sources) for row in accelerators.rows("accelerators")),
        sites=tuple(_site(row, sources) for row in sites.rows("sites")),
        pools=tuple(_pool(row, sources) for row in sites.rows("pools")),
        offers=_offers(read_document("offers.yaml"), sources),
        programmes=tuple(_programme(row, sources) for row in programmes.rows("programmes")),
        presets=tuple(_preset(row, sources) for row in presets.rows("presets")),
    )
    for row in (accelerators, sites, programmes, presets):
        row.finish()
    check_references(catalog)
    return catalog


def check_references(catalog: Catalog) -> None:
    """Raise CatalogError where an id is given twice or a reference points nowhere."""
    accelerators = _unique("accelerators", (item.id for item in catalog.accelerators))
    sites = _unique("sites", (item.id for item in catalog.sites))
    pools = _unique("pools", (item.id for item in catalog.pools))
    _unique("offers", (item.id for item in catalog.offers))
    _unique("programmes", (item.id for item in catalog.programmes))
    _unique("presets", (item.id for item in catalog.presets))
    for pool in catalog.pools:
        if pool.site_id not in sites or pool.accelerator_id not in accelerators:
            raise CatalogError(f"pools.{pool.id}: unknown site {pool.site_id!r} or accelerator {pool.accelerator_id!r}")
    for offer in catalog.offers:
        if offer.pool_id not in pools:
            raise CatalogError(f"offers.{offer.id}: unknown pool {offer.pool_id!r}")


def _unique(kind: str, ids: Iterable[str]) -> frozenset[str]:
    listed = list(ids)
    twice = sorted({item for item in listed if listed.count(item) > 1})
    if twice:
        raise CatalogError(f"{kind}: ids given twice: {twice}")
    return frozenset(listed)


def _figure(row: Row, key: str, sources: Sources) -> Figure:
    return read_figure(row.row(key), sources)


def _optional_figure(row: Row, key: str, sources: Sources) -> Figure | None:
    return _figure(row, key, sources) if row.has(key) else None


def _market(document: Row, sources: Sources) -> CatalogMarket:
    row = document.row("market")
    market = CatalogMarket(
        usd_jpy_spot=_figure(row, "usd_jpy_spot", sources),
        spot_date=row.day("spot_date"),
        yen_interest_rate=_figure(row, "yen_interest_rate", sources),
        dollar_interest_rate=_figure(row, "dollar_interest_rate", sources),
        reference_sustained_flops=_figure(row, "reference_sustained_flops", sources),
        discount_rate=_figure(row, "discount_rate", sources),
        usd_conversion_spread_yen=_figure(row, "usd_conversion_spread_yen", sources),
    )
    row.finish()
    document.finish()
    return market


def _accelerator(row: Row, sources: Sources) -> CatalogAccelerator:
    accelerator = CatalogAccelerator(
        id=row.text("id"),
        display_name=row.text("display_name"),
        memory_gb=_figure(row, "memory_gb", sources),
        power_kw=_figure(row, "power_kw", sources),
        throughputs=tuple((item.text("family"), read_figure(item, sources)) for item in row.rows("throughputs")),
    )
    row.finish()
    return accelerator


def _site(row: Row, sources: Sources) -> CatalogSite:
    site = CatalogSite(
        id=row.text("id"),
        display_name=row.text("display_name"),
        country_code=row.text("country"),
        operator_country_code=row.text("operator"),
        power_usage_effectiveness=_figure(row, "pue", sources),
        electricity_yen_per_kwh=_optional_figure(row, "electricity_yen_per_kwh", sources),
        operator_id=row.text("operator_id"),
        grid_carbon_kg_per_kwh=_optional_figure(row, "grid_carbon_kg_per_kwh", sources),
    )
    row.finish()
    return site


def _pool(row: Row, sources: Sources) -> CatalogPool:
    pool = CatalogPool(
        id=row.text("id"),
        display_name=row.text("display_name"),
        site_id=row.text("site"),
        accelerator_id=row.text("accelerator"),
        gang_accelerators_max=_figure(row, "gang_max", sources),
        node_accelerators=_optional_figure(row, "node", sources),
    )
    row.finish()
    return pool


def _offers(document: Row, sources: Sources) -> tuple[CatalogOffer, ...]:
    offers = [_offer(row, _on_demand(row, sources)) for row in document.rows("on_demand")]
    offers += [_offer(row, _reservation(row, sources)) for row in document.rows("reservations")]
    offers += [_offer(row, _purchase(row, sources)) for row in document.rows("purchases")]
    offers += [_offer(row, _allocation(row, sources)) for row in document.rows("allocations")]
    offers += [_offer(row, _capacity_block(row, sources)) for row in document.rows("capacity_blocks")]
    document.finish()
    return tuple(offers)


def _offer(row: Row, kind: CatalogOfferKind) -> CatalogOffer:
    offer = CatalogOffer(
        id=row.text("id"),
        display_name=row.text("display_name"),
        pool_id=row.text("pool"),
        kind=kind,
        from_date=row.optional_day("from_date"),
        until_date=row.optional_day("until_date"),
    )
    row.finish()
    return offer


def _on_demand(row: Row, sources: Sources) -> CatalogOnDemand:
    return CatalogOnDemand(read_price(row.row("price"), sources), _figure(row, "quota", sources))


def _reservation(row: Row, sources: Sources) -> CatalogReservation:
    terms = tuple(_term(item, sources) for item in row.rows("terms"))
    if not terms:
        raise row.fail("terms", "at least one term is needed")
    return CatalogReservation(
        block_accelerators=_figure(row, "block", sources),
        blocks_max=_figure(row, "blocks_max", sources),
        lead_days=_figure(row, "lead_days", sources),
        terms=terms,
    )


def _term(row: Row, sources: Sources) -> CatalogTerm:
    term = CatalogTerm(
        days=_figure(row, "days", sources),
        payment_timing=row.choice("payment", PaymentTiming),
        price=read_price(row.row("price"), sources),
    )
    row.finish()
    return term


def _purchase(row: Row, sources: Sources) -> CatalogPurchase:
    steps = []
    for item in row.rows("delivery"):
        steps.append((_figure(item, "days", sources), _figure(item, "fraction", sources)))
        item.finish()
    if not steps or steps[-1][1].value != 1:
        raise row.fail("delivery", "the last step delivers everything")
    return CatalogPurchase(
        unit_accelerators=_figure(row, "unit", sources),
        units_max=_figure(row, "units_max", sources),
        price=read_price(row.row("price"), sources),
        delivery=tuple(steps),
        life_days=_figure(row, "life_days", sources),
        residual_fraction=_figure(row, "residual", sources),
        residual_haircut_fraction=_figure(row, "residual_haircut", sources),
        metered=row.flag("metered"),
    )


def _allocation(row: Row, sources: Sources) -> CatalogAllocation:
    return CatalogAllocation(
        read_price(row.row("price"), sources),
        _figure(row, "accelerators", sources),
        _figure(row, "hours_per_fiscal_year", sources),
    )


def _capacity_block(row: Row, sources: Sources) -> CatalogCapacityBlock:
    terms = []
    for item in row.rows("terms"):
        terms.append((_figure(item, "days", sources), read_price(item.row("price"), sources)))
        item.finish()
    if not terms:
        raise row.fail("terms", "at least one term is needed")
    return CatalogCapacityBlock(
        block_accelerators=_figure(row, "block", sources),
        blocks_max=_figure(row, "blocks_max", sources),
        booking_days_min=_figure(row, "booking_days_min", sources),
        booking_days_max=_figure(row, "booking_days_max", sources),
        terms=tuple(terms),
    )


def _programme(row: Row, sources: Sources) -> CatalogProgramme:
    programme = CatalogProgramme(
        id=row.text("id"),
        display_name=row.text("display_name"),
        from_date=row.day("from_date"),
        until_date=row.day("until_date"),
        rates=tuple((item.choice("size_class", SizeClass), read_figure(item, sources)) for item in row.rows("rates")),
        eligible_countries=CountryRule(row.texts("eligible_site_countries"), row.texts("eligible_operator_countries")),
        eligible_tags=row.texts("eligible_tags"),
        project_cap_yen=_optional_figure(row, "project_cap_yen", sources),
        budgets=tuple((item.integer("fiscal_year"), read_figure(item, sources)) for item in row.rows("budgets")),
        payment_lag_days=_figure(row, "payment_lag_days", sources),
    )
    row.finish()
    return programme


def _preset(row: Row, sources: Sources) -> WorkloadPreset:
    preset = WorkloadPreset(
        id=row.text("id"),
        display_name=row.text("display_name"),
        gang_options=tuple((item.integer("accelerators"), read_figure(item, sources)) for item in row.rows("gangs")),
        memory_gb=_figure(row, "memory_gb", sources),
        published_hours=_figure(row, "published_hours", sources),
    )
    row.finish()
    return preset
