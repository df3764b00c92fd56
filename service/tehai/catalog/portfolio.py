"""From a portfolio file to a problem: members, campaigns of workloads, what the buyer can get, its rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tehai.catalog.figure import CatalogError
from tehai.catalog.load import load_catalog
from tehai.catalog.model import Catalog, WorkloadPreset
from tehai.catalog.reader import Row, read_document
from tehai.catalog.notes import portfolio_notes, size_notes
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
from tehai.domain.problem import SCHEMA_VERSION, FiscalYearShare, Problem, Rules
from tehai.domain.workload import CountryRule, GangOption, Member, SizeClass, Workload

DEMO_PROBLEM_NAMES = ("team-japan", "small")

# Named sovereignty rules of a campaign: countries of the site, countries of the operator.
SOVEREIGNTY_RULES = {
    "none": CountryRule((), ()),
    "site-jp": CountryRule(("JP",), ()),
    "operator-jp": CountryRule(("JP",), ("JP",)),
}
# Costs are rounded to this many yen: nobody quotes a value of results to the yen.
COST_STEP_YEN = 1000


@dataclass(frozen=True, slots=True)
class Values:
    """How the worth of a workload follows from its size.

    ``reference_yen_per_hour`` is the yen of one normalised accelerator-hour; a campaign's ``value`` multiplies it,
    and ``spread`` varies it from one workload of a campaign to the next. ``late_fraction`` of cost not run is
    charged for each period of late start.
    """

    reference_yen_per_hour: Decimal
    spread: tuple[Decimal, ...]
    late_fraction: Decimal


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
    values = _values(document.row("values"))
    workloads, sizes = _workloads(document.rows("campaigns"), catalog, values, members)
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
        offers=existing + tuple(offer_of(offer, availability, calendar.period_hours) for offer in offers),
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
    for programme_id in budgets.keys():
        years = budgets.row(programme_id)
        for year in years.keys():
            budgets_yen[programme_id, int(year)] = years.integer(year)
    return Availability(
        limits={offer_id: limits.integer(offer_id) for offer_id in limits.keys()},
        power_limits_kw={site_id: power.decimal(site_id) for site_id in power.keys()},
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


def _values(row: Row) -> Values:
    spread = tuple(Decimal(text) for text in row.texts("spread"))
    values = Values(row.decimal("reference_yen_per_hour"), spread, row.decimal("late_fraction"))
    row.finish()
    return values


def _rules(row: Row) -> Rules:
    shares, budgets = row.row("minimum_domestic_shares"), row.row("portfolio_budgets_yen")
    rules = Rules(
        domestic=CountryRule(("JP",), ()),
        minimum_domestic_shares=tuple(
            FiscalYearShare(int(year), float(shares.decimal(year))) for year in shares.keys()
        ),
        portfolio_budgets=tuple(FiscalYearAmount(int(year), budgets.integer(year)) for year in budgets.keys()),
    )
    row.finish()
    return rules


def _workloads(
    rows: tuple[Row, ...], catalog: Catalog, values: Values, members: tuple[Member, ...]
) -> tuple[tuple[Workload, ...], dict[str, str]]:
    """Return the workloads of all campaigns, and for each preset the id of the first workload of that size."""
    presets = {preset.id: preset for preset in catalog.presets}
    member_ids = {member.id for member in members}
    workloads: list[Workload] = []
    sizes: dict[str, str] = {}
    for row in rows:
        preset_id, member_id = row.text("preset"), row.text("member")
        if preset_id not in presets or member_id not in member_ids:
            raise CatalogError(f"{row.path}: unknown preset {preset_id!r} or member {member_id!r}")
        campaign = _campaign(row, presets[preset_id], member_id, values, len(workloads), catalog)
        sizes.setdefault(preset_id, campaign[0].id)
        workloads += campaign
    ids = [workload.id for workload in workloads]
    if len(set(ids)) != len(ids):
        raise CatalogError("campaigns: two workloads have the same id")
    return tuple(workloads), sizes


@dataclass(frozen=True, slots=True)
class _Common:
    """What all workloads of a campaign share."""

    id: str
    title: str
    member_id: str
    shared_project: bool
    first_release: date
    every: timedelta
    window: timedelta
    family: str
    sovereignty: CountryRule
    tags: tuple[str, ...]
    value: Decimal
    memory_gb: Decimal
    mandatory: bool


def _campaign(
    row: Row, preset: WorkloadPreset, member_id: str, values: Values, position: int, catalog: Catalog
) -> list[Workload]:
    rule = row.text("sovereignty", "none")
    if rule not in SOVEREIGNTY_RULES:
        raise row.fail("sovereignty", f"{rule!r} is not one of {sorted(SOVEREIGNTY_RULES)}")
    common = _Common(
        id=row.text("id"),
        title=row.text("title"),
        member_id=member_id,
        shared_project=row.flag("one_project"),
        first_release=row.day("first_release"),
        every=timedelta(weeks=row.integer("every_weeks", "0")),
        window=timedelta(weeks=row.integer("window_weeks")),
        family=row.text("family"),
        sovereignty=SOVEREIGNTY_RULES[rule],
        tags=row.texts("tags"),
        value=row.decimal("value"),
        memory_gb=row.decimal("memory_gb") if row.has("memory_gb") else preset.memory_gb.value,
        mandatory=row.flag("mandatory"),
    )
    hours, flops = row.texts("hours"), row.texts("flops")
    row.finish()
    if bool(hours) == bool(flops):
        raise CatalogError(f"{row.path}: exactly one of hours and flops is given")
    sizes = [(Decimal(text), None) for text in hours] or [(None, Decimal(text)) for text in flops]
    sustained = catalog.market.reference_sustained_flops.value
    workloads = []
    for index, (given_hours, given_flops) in enumerate(sizes):
        work = given_hours if given_flops is None else given_flops / (3600 * sustained)
        assert work is not None
        spread = values.spread[(position + index) % len(values.spread)]
        worth = work * values.reference_yen_per_hour * common.value * spread
        workloads.append(
            Workload(
                id=f"{common.id}-{index + 1}",
                display_name=f"{common.title} {index + 1}",
                member_id=common.member_id,
                project_id=common.id if common.shared_project else "",
                release_date=common.first_release + index * common.every,
                deadline_date=common.first_release + index * common.every + common.window,
                normalised_accelerator_hours=None if given_hours is None else float(given_hours),
                flops=None if given_flops is None else float(given_flops),
                gang_options=tuple(GangOption(count, float(kept.value)) for count, kept in preset.gang_options),
                memory_gb=float(common.memory_gb),
                software_family=common.family,
                sovereignty=common.sovereignty,
                tags=common.tags,
                late_start_yen_per_period=_rounded(worth * values.late_fraction),
                cost_not_run_yen=None if common.mandatory else _rounded(worth),
            )
        )
    return workloads


def _rounded(yen: Decimal) -> int:
    return int((yen / COST_STEP_YEN).to_integral_value()) * COST_STEP_YEN


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
