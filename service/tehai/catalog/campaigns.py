"""Campaigns of a portfolio file: rows of similar workloads, with windows, worth and tags that follow one pattern."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tehai.catalog.figure import CatalogError
from tehai.catalog.model import Catalog, WorkloadPreset
from tehai.catalog.reader import Row
from tehai.domain.workload import CountryRule, GangOption, Member, Pausing, Workload

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

    def worth_yen(self, hours: Decimal, value: Decimal, position: int) -> Decimal:
        """Return the worth of the workload at ``position`` of the portfolio."""
        return hours * self.reference_yen_per_hour * value * self.spread[position % len(self.spread)]


def read_values(row: Row) -> Values:
    """Return how worth follows from size in this portfolio."""
    spread = tuple(Decimal(text) for text in row.texts("spread"))
    values = Values(row.decimal("reference_yen_per_hour"), spread, row.decimal("late_fraction"))
    row.finish()
    return values


def read_campaigns(
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
        common = _common(row, presets[preset_id], member_id)
        works = _works(row, catalog.market.reference_sustained_flops.value)
        row.finish()
        campaign = [
            _workload(common, work, index, values.worth_yen(work.hours, common.value, len(workloads) + index), values)
            for index, work in enumerate(works)
        ]
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
    one_project: bool
    first_release: date
    every: timedelta
    window: timedelta
    family: str
    sovereignty: CountryRule
    tags: tuple[str, ...]
    value: Decimal
    gang_options: tuple[GangOption, ...]
    memory_gb: float
    mandatory: bool
    chained: bool
    pausing: Pausing | None


@dataclass(frozen=True, slots=True)
class _Work:
    """The work of one workload in normalised accelerator-hours; ``flops`` is set where the file gives it that way."""

    hours: Decimal
    flops: Decimal | None


def _common(row: Row, preset: WorkloadPreset, member_id: str) -> _Common:
    rule = row.text("sovereignty", "none")
    if rule not in SOVEREIGNTY_RULES:
        raise row.fail("sovereignty", f"{rule!r} is not one of {sorted(SOVEREIGNTY_RULES)}")
    return _Common(
        id=row.text("id"),
        title=row.text("title"),
        member_id=member_id,
        one_project=row.flag("one_project"),
        first_release=row.day("first_release"),
        every=timedelta(weeks=row.integer("every_weeks", "0")),
        window=timedelta(weeks=row.integer("window_weeks")),
        family=row.text("family"),
        sovereignty=SOVEREIGNTY_RULES[rule],
        tags=row.texts("tags"),
        value=row.decimal("value"),
        gang_options=tuple(GangOption(count, float(kept.value)) for count, kept in preset.gang_options),
        memory_gb=float(row.decimal("memory_gb") if row.has("memory_gb") else preset.memory_gb.value),
        mandatory=row.flag("mandatory"),
        chained=row.flag("chained"),
        pausing=_pausing(row),
    )


def _pausing(row: Row) -> Pausing | None:
    """Return how the campaign's workloads may pause; ``pauses`` is most pauses and hours for each."""
    if not row.has("pauses"):
        return None
    pauses = row.row("pauses")
    pausing = Pausing(pauses.integer("most"), float(pauses.decimal("resume_hours")))
    pauses.finish()
    return pausing


def _works(row: Row, sustained_flops: Decimal) -> tuple[_Work, ...]:
    hours, flops = row.texts("hours"), row.texts("flops")
    if bool(hours) == bool(flops):
        raise row.fail("hours", "exactly one of hours and flops is given")
    if hours:
        return tuple(_Work(Decimal(text), None) for text in hours)
    return tuple(_Work(Decimal(text) / (3600 * sustained_flops), Decimal(text)) for text in flops)


def _workload(common: _Common, work: _Work, index: int, worth_yen: Decimal, values: Values) -> Workload:
    release = common.first_release + index * common.every
    return Workload(
        id=f"{common.id}-{index + 1}",
        display_name=f"{common.title} {index + 1}",
        member_id=common.member_id,
        project_id=common.id if common.one_project else "",
        release_date=release,
        deadline_date=release + common.window,
        normalised_accelerator_hours=float(work.hours) if work.flops is None else None,
        flops=None if work.flops is None else float(work.flops),
        gang_options=common.gang_options,
        memory_gb=common.memory_gb,
        software_family=common.family,
        sovereignty=common.sovereignty,
        tags=common.tags,
        late_start_yen_per_period=_rounded(worth_yen * values.late_fraction),
        cost_not_run_yen=None if common.mandatory else _rounded(worth_yen),
        # A chained campaign is one development: each run starts from the checkpoint of the one before.
        after_workload_ids=(f"{common.id}-{index}",) if common.chained and index else (),
        pausing=common.pausing,
    )


def _rounded(yen: Decimal) -> int:
    return int((yen / COST_STEP_YEN).to_integral_value()) * COST_STEP_YEN
