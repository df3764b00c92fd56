"""From a portfolio file to a problem: members, campaigns of workloads, what the buyer can get, its rules."""

from __future__ import annotations

from tehai.catalog.campaigns import read_campaigns, read_values
from tehai.catalog.figure import CatalogError
from tehai.catalog.load import load_catalog
from tehai.catalog.model import Catalog
from tehai.catalog.notes import portfolio_notes, size_notes
from tehai.catalog.reader import Row, read_document
from tehai.catalog.supply import (
    Availability,
    accelerator_of,
    market_of,
    notes_of_programme,
    notes_of_supply,
    offer_of,
    pool_of,
    programme_of,
    site_of,
)
from tehai.domain.calendar import Calendar
from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Existing, Offer
from tehai.domain.problem import SCHEMA_VERSION, ConcentrationLimit, FiscalYearShare, Problem, Rules
from tehai.domain.workload import CountryRule, Member, SizeClass

DEMO_PROBLEM_NAMES = ("team-japan", "small")


def demo_problem(name: str) -> Problem:
    """Return the packaged portfolio ``name``: "team-japan" or "small"; raises KeyError for another name."""
    if name not in DEMO_PROBLEM_NAMES:
        raise KeyError(f"no demo problem {name!r}; there are {', '.join(DEMO_PROBLEM_NAMES)}")
    return problem_of(load_catalog(), read_document(f"{name.replace('-', '_')}.yaml"))


def problem_of(catalog: Catalog, document: Row) -> Problem:
    """Return the problem of a portfolio file; raises CatalogError on anything unknown in it."""
    display_name = document.text("display_name")
    calendar = _calendar(document.row("calendar"))
    pool_ids = frozenset(document.texts("pools"))
    availability = _availability(document)
    existing = tuple(_existing(row) for row in document.rows("existing"))
    members = tuple(_member(row) for row in document.rows("members"))
    values = read_values(document.row("values"))
    workloads, sizes = read_campaigns(document.rows("campaigns"), catalog, values, members)
    programme_ids = frozenset(document.texts("programmes"))
    rules = _rules(document.row("rules"))
    document.finish()
    _check(catalog, pool_ids, programme_ids, availability, existing)
    pools = [pool for pool in catalog.pools if pool.id in pool_ids]
    site_ids, accelerator_ids = {pool.site_id for pool in pools}, {pool.accelerator_id for pool in pools}
    programmes = [programme for programme in catalog.programmes if programme.id in programme_ids]
    offers = [offer for offer in catalog.offers if offer.pool_id in pool_ids]
    fiscal_years = calendar.fiscal_years()
    notes = notes_of_supply(catalog, pool_ids)
    for programme in programmes:
        notes += notes_of_programme(programme, fiscal_years)
    return Problem(
        schema_version=SCHEMA_VERSION,
        display_name=display_name,
        calendar=calendar,
        market=market_of(catalog.market),
        reference_sustained_flops=float(catalog.market.reference_sustained_flops.value),
        accelerators=tuple(accelerator_of(item) for item in catalog.accelerators if item.id in accelerator_ids),
        sites=tuple(site_of(item, availability) for item in catalog.sites if item.id in site_ids),
        pools=tuple(pool_of(pool) for pool in pools),
        offers=existing + tuple(offer_of(offer, availability, calendar) for offer in offers),
        members=members,
        workloads=workloads,
        programmes=tuple(programme_of(programme, availability, fiscal_years) for programme in programmes),
        rules=rules,
        source_notes=notes + portfolio_notes(existing, availability) + size_notes(sizes, catalog),
    )


def _calendar(row: Row) -> Calendar:
    calendar = Calendar(row.day("first_date"), row.integer("period_hours"), row.integer("period_count"))
    row.finish()
    return calendar


def _availability(document: Row) -> Availability:
    limits, power, budgets = document.row("limits"), document.row("power_limits_kw"), document.row("programme_budgets")
    budgets_yen: dict[tuple[str, int], int] = {}
    for programme_id in budgets.names():
        years = budgets.row(programme_id)
        for year in years.names():
            budgets_yen[programme_id, int(year)] = years.integer(year)
    return Availability(
        limits={offer_id: limits.integer(offer_id) for offer_id in limits.names()},
        power_limits_kw={site_id: power.decimal(site_id) for site_id in power.names()},
        budgets_yen=budgets_yen,
    )


def _existing(row: Row) -> Offer:
    kind = Existing(
        accelerators=row.integer("accelerators"),
        from_date=row.optional_day("from_date"),
        until_date=row.optional_day("until_date"),
        metered=row.flag("metered"),
    )
    offer = Offer(row.text("id"), row.text("display_name"), row.text("pool"), kind)
    row.finish()
    return offer


def _member(row: Row) -> Member:
    member = Member(row.text("id"), row.text("display_name"), row.choice("size_class", SizeClass))
    row.finish()
    return member


def _rules(row: Row) -> Rules:
    shares, budgets = row.row("minimum_domestic_shares"), row.row("portfolio_budgets_yen")
    rules = Rules(
        domestic=CountryRule(("JP",), ()),
        minimum_domestic_shares=tuple(
            FiscalYearShare(int(year), float(shares.decimal(year))) for year in shares.names()
        ),
        portfolio_budgets=tuple(FiscalYearAmount(int(year), budgets.integer(year)) for year in budgets.names()),
        concentration_limits=_concentration_limits(row),
    )
    row.finish()
    return rules


def _concentration_limits(row: Row) -> tuple[ConcentrationLimit, ...]:
    """Return the largest shares by operator and fiscal year."""
    if not row.has("concentration_limits"):
        return ()
    found = []
    operators = row.row("concentration_limits")
    for operator_id in operators.names():
        years = operators.row(operator_id)
        found += [ConcentrationLimit(operator_id, int(year), float(years.decimal(year))) for year in years.names()]
    return tuple(found)


def _check(
    catalog: Catalog,
    pool_ids: frozenset[str],
    programme_ids: frozenset[str],
    availability: Availability,
    existing: tuple[Offer, ...],
) -> None:
    """Raise CatalogError where the portfolio names something that the catalogue, or its own choice, does not hold."""
    offer_ids = {offer.id for offer in catalog.offers if offer.pool_id in pool_ids}
    site_ids = {pool.site_id for pool in catalog.pools if pool.id in pool_ids}
    unknown = {
        "pools": pool_ids - {pool.id for pool in catalog.pools},
        "programmes": programme_ids - {programme.id for programme in catalog.programmes},
        "limits": set(availability.limits) - offer_ids,
        "power_limits_kw": set(availability.power_limits_kw) - site_ids,
        "programme_budgets": {programme_id for programme_id, _ in availability.budgets_yen} - programme_ids,
        "existing": {offer.pool_id for offer in existing} - pool_ids,
    }
    for key, names in unknown.items():
        if names:
            raise CatalogError(f"{key}: unknown {sorted(names)}")
