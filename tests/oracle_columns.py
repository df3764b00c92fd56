"""Every legal placement of a workload with its hours, charges, work and the most it can claim."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tehai.domain.supply import Pool
from tehai.domain.workload import GangOption, Workload
from tests.oracle_basics import Basics
from tests.oracle_grants import Grants

WHOLE_PERIOD_TOLERANCE = 1e-9

ColumnKey = tuple[str, str, int, tuple[int, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Column:
    """A legal placement with its claim set; ``hours`` are occupied accelerator-hours in each touched period.

    ``moving_yen`` is transfer and porting, nominal, paid in the first touched period; ``list_bill_by_year`` counts it
    too. ``claim_max`` is by (programme, fiscal year), nominal.
    """

    workload_id: str
    pool_id: str
    accelerators: int
    touched: tuple[int, ...]
    claim_set: tuple[str, ...]
    occupied: int
    hours: tuple[float, ...]
    lateness_yen: int
    waiting_periods: int
    change_yen: int
    carbon_kg_by_year: dict[int, float]
    moving_yen: float
    list_bill_by_year: dict[int, float]
    work_by_year: dict[int, float]
    claim_max: dict[tuple[str, int], float]

    @property
    def key(self) -> ColumnKey:
        """The decision that this column is."""
        return (self.workload_id, self.pool_id, self.accelerators, self.touched, self.claim_set)

    @property
    def start(self) -> int:
        """The first touched period."""
        return self.touched[0]

    @property
    def end(self) -> int:
        """The last touched period plus one."""
        return self.touched[-1] + 1


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """What the offers of a pool say by period: largest capacity, grant and charge reference."""

    largest_capacity: tuple[float, ...]
    grant_reference_yen: tuple[float, ...]
    charge_reference_yen: tuple[float, ...]


def columns_of(
    basics: Basics, grants: Grants, figures: Mapping[str, PoolFigures], workload: Workload
) -> Iterator[Column]:
    """Return every legal column of a workload, in the order pool, gang, pauses, touched periods, claim set."""
    for pool in basics.problem.pools:
        moving = _moving_price(basics, workload, pool)
        if moving is None or not _suits(basics, workload, pool):
            continue
        for option in workload.gang_options:
            memory = option.accelerators * basics.accelerators[pool.accelerator_id].memory_gb
            if option.accelerators > pool.gang_accelerators_max or memory < workload.memory_gb:
                continue
            yield from _columns_of_gang(basics, grants, figures[pool.id], workload, pool, option)


def _suits(basics: Basics, workload: Workload, pool: Pool) -> bool:
    site = basics.sites[pool.site_id]
    families = {f.software_family for f in basics.accelerators[pool.accelerator_id].throughputs}
    accepted = workload.sovereignty.accepts(site.country_code, site.operator_country_code)
    return workload.software_family in families and accepted


def _moving_price(basics: Basics, workload: Workload, pool: Pool, period: int = 0) -> float | None:
    """Return transfer and porting into a pool in a period; None where the data has no route."""
    porting = {entry.accelerator_id: entry.amount_yen for entry in workload.porting}
    yen = float(porting.get(pool.accelerator_id, 0))
    moved = workload.data_site_id is not None and workload.data_terabytes > 0
    if not moved or workload.data_site_id == pool.site_id:
        return yen
    route = basics.routes.get((str(workload.data_site_id), pool.site_id))
    if route is None:
        return None
    return yen + workload.data_terabytes * basics.yen(route.price_per_terabyte, period)


def _columns_of_gang(
    basics: Basics, grants: Grants, figures: PoolFigures, w: Workload, pool: Pool, option: GangOption
) -> Iterator[Column]:
    n = option.accelerators
    occupied = math.ceil(n / pool.node_accelerators) * pool.node_accelerators
    throughputs = basics.accelerators[pool.accelerator_id].throughputs
    speed = next(f.normalised_throughput for f in throughputs if f.software_family == w.software_family)
    run = basics.work(w) / (n * speed * option.scaling_efficiency_fraction)
    for pauses in range(1 + (w.pausing.pauses_max if w.pausing else 0)):
        overhead = w.pausing.resume_overhead_hours if w.pausing else 0.0
        hours = hours_in_periods(run + pauses * overhead, occupied, basics.hours)
        for touched in touched_periods(basics.release(w), basics.deadline(w), len(hours), pauses):
            fits = all(occupied <= figures.largest_capacity[t] for t in touched)
            if fits and _kept_by_lock(basics, w, pool, n, touched[0]):
                yield from _columns_at(basics, grants, figures, w, pool, n, occupied, touched, hours)


def hours_in_periods(run_hours: float, occupied: int, period_hours: int) -> tuple[float, ...]:
    """Return occupied accelerator-hours of each touched period: full ones and the rest last."""
    quotient = run_hours / period_hours
    whole = math.floor(quotient + WHOLE_PERIOD_TOLERANCE)
    rest = (quotient - whole) * period_hours if quotient - whole > WHOLE_PERIOD_TOLERANCE else 0.0
    if whole == 0 and rest == 0.0:
        rest = run_hours
    last = (occupied * rest,) if rest > 0 else ()
    return tuple(float(occupied * period_hours) for _ in range(whole)) + last


def touched_periods(first: int, end: int, length: int, pauses: int) -> Iterator[tuple[int, ...]]:
    """Return every choice of ``length`` periods of [first, end) in ``pauses + 1`` runs with a period between two."""
    if pauses == 0:
        for start in range(first, end - length + 1):
            yield tuple(range(start, start + length))
        return
    for run in range(1, length - pauses + 1):
        for start in range(first, end - length - pauses + 1):
            head = tuple(range(start, start + run))
            for tail in touched_periods(start + run + 1, end, length - run, pauses - 1):
                yield head + tail


def _kept_by_lock(basics: Basics, w: Workload, pool: Pool, accelerators: int, start: int) -> bool:
    current = basics.current.get(w.id)
    return current is None or not current.locked or _is_current(basics, w, pool, accelerators, start)


def _is_current(basics: Basics, w: Workload, pool: Pool, accelerators: int, start: int) -> bool:
    current = basics.current[w.id]
    # the first period that begins on that day; where several do, the others are another start
    first = next((t for t in basics.periods if basics.first_day(t) == current.start_date), None)
    return current.pool_id == pool.id and current.accelerators == accelerators and start == first


def _columns_at(
    basics: Basics,
    grants: Grants,
    figures: PoolFigures,
    w: Workload,
    pool: Pool,
    n: int,
    occupied: int,
    touched: tuple[int, ...],
    hours: tuple[float, ...],
) -> Iterator[Column]:
    start = touched[0]
    work: dict[int, float] = defaultdict(float)
    bill: dict[int, float] = defaultdict(float)
    carbon: dict[int, float] = defaultdict(float)
    for t, value in zip(touched, hours, strict=True):
        year = basics.fiscal_year(t)
        work[year] += basics.work(w) * value / sum(hours)
        bill[year] += value * figures.charge_reference_yen[t]
        carbon[year] += value * basics.carbon_kg(pool.id)
    moving = _moving_price(basics, w, pool, start)
    assert moving is not None
    bill[basics.fiscal_year(start)] += moving
    waiting = start - basics.release(w)
    changed = w.id in basics.current and not _is_current(basics, w, pool, n, start)
    most = {
        programme_id: claims
        for programme_id in grants.programmes
        if (claims := _claim_max(basics, grants, figures, programme_id, w, pool, touched, hours))
    }
    for claim_set in grants.claim_sets(most):
        yield Column(
            workload_id=w.id,
            pool_id=pool.id,
            accelerators=n,
            touched=touched,
            claim_set=claim_set,
            occupied=occupied,
            hours=hours,
            lateness_yen=w.late_start_yen_per_period * waiting,
            waiting_periods=waiting,
            change_yen=basics.change_yen(w) if changed else 0,
            carbon_kg_by_year=dict(carbon),
            moving_yen=moving,
            list_bill_by_year=dict(bill),
            work_by_year=dict(work),
            claim_max={(r, year): yen for r in claim_set for year, yen in most[r].items()},
        )


def _claim_max(
    basics: Basics,
    grants: Grants,
    figures: PoolFigures,
    programme_id: str,
    w: Workload,
    pool: Pool,
    touched: tuple[int, ...],
    hours: tuple[float, ...],
) -> dict[int, float]:
    """Return the most yen by fiscal year from one programme; empty where nothing can be claimed."""
    programme = grants.programmes[programme_id]
    rate = grants.usage_rate(programme, w, pool.id)
    claims: dict[int, float] = defaultdict(float)
    for t, value in zip(touched, hours, strict=True):
        if rate > 0 and grants.in_window(programme, t):
            claims[basics.fiscal_year(t)] += rate * value * figures.grant_reference_yen[t]
    return {year: yen for year, yen in claims.items() if yen > 0}
