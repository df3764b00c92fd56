"""What the demand side of the bound knows of workloads, gangs and pools, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.workload import CountryRule, Workload
from tehai.verify.bound_paths import Path, make_path
from tehai.verify.grants import (
    covers_pool,
    largest_claim_sets,
    programme_periods,
    project_cap_left,
    project_name,
    usage_rate,
)
from tehai.verify.prices import Prices, by_period
from tehai.verify.reference import Reference, moved_terabytes, porting_yen
from tehai.verify.timeline import BoolArray, FloatArray, IntArray, payment_offset, payment_year


@dataclass(frozen=True, slots=True)
class Demand:
    """Workloads as arrays, (workloads,) each unless said otherwise.

    ``late_yen`` is per period of waiting, price of waiting included. ``rate``, ``cap_left`` are (programmes,
    workloads), ``claim_value`` (programmes, workloads, years): what a claimed yen is worth, maybe negative.
    ``charge_price`` is (workloads, years). The current plan is -1 in ``current_pool`` where there is none.
    ``before`` and ``after`` are rows of ``starting`` and ``ending``, (rows, period_count + 1): what a start in a period
    pays, and an end by a period earns, for precedences.
    """

    release: IntArray
    deadline: IntArray
    work: FloatArray
    late_yen: FloatArray
    memory_gb: FloatArray
    family: IntArray
    rule: IntArray
    rate: FloatArray
    cap_left: FloatArray
    claim_value: FloatArray
    charge_price: FloatArray
    change_yen: FloatArray
    current_pool: IntArray
    current_gang: IntArray
    current_start: IntArray
    locked: BoolArray
    pauses_max: IntArray
    resume_hours: FloatArray
    before: IntArray
    after: IntArray
    starting: FloatArray
    ending: FloatArray


@dataclass(frozen=True, slots=True)
class Gang:
    """The workloads that list a number of accelerators, by release, with their efficiencies there."""

    accelerators: int
    workloads: IntArray
    efficiency: FloatArray


@dataclass(frozen=True, slots=True)
class Grant:
    """A programme in a pool: positions of the years with an eligible cost, and that cost per accelerator-hour."""

    programme: int
    years: IntArray
    cost: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PoolPrices:
    """What a column pays and earns in one pool.

    ``hour`` is yen per accelerator-hour, ``work`` yen per normalised hour; ``charge`` gives (position of the year, list
    price of its hours) of the years in which a member budget has a price. ``terabytes`` and ``porting_yen``
    (workloads,) are paid at the start, ``route_yen`` (workloads with data, period_count) per terabyte by ``route_row``.
    ``paid`` (period_count,) is what a yen paid by the portfolio counts, ``year_of_period`` (period_count,) the position
    of the fiscal year. ``claim_sets`` are positions in ``grants``.
    """

    pool: int
    hour: Path
    work: Path
    charge: tuple[tuple[int, Path], ...]
    grants: tuple[Grant, ...]
    claim_sets: tuple[tuple[int, ...], ...]
    paid: FloatArray
    year_of_period: IntArray
    once: bool
    terabytes: FloatArray
    porting_yen: FloatArray
    route_row: IntArray
    route_yen: FloatArray
    no_route: BoolArray


def make_demand(reference: Reference, prices: Prices) -> tuple[Demand, list[str], list[CountryRule]]:
    """Return the workloads as arrays, with the families and sovereignty rules that their codes stand for."""
    workloads = reference.problem.workloads
    families = sorted({workload.software_family for workload in workloads})
    rules = list(dict.fromkeys(workload.sovereignty for workload in workloads))
    rule_code = {rule: i for i, rule in enumerate(rules)}
    currents = [reference.current.get(w) for w in range(len(workloads))]
    before, starting = _precedence_rows(reference, prices, 1)
    after, ending = _precedence_rows(reference, prices, 0)
    demand = Demand(
        release=reference.release,
        deadline=reference.deadline,
        work=reference.work,
        late_yen=np.array([w.late_start_yen_per_period + prices.waiting for w in workloads], dtype=np.float64),
        memory_gb=np.array([w.memory_gb for w in workloads], dtype=np.float64),
        family=np.array([families.index(w.software_family) for w in workloads], dtype=np.int64),
        rule=np.array([rule_code[w.sovereignty] for w in workloads], dtype=np.int64),
        rate=_rates(reference),
        cap_left=_caps_left(reference),
        claim_value=_claim_values(reference, prices),
        charge_price=np.array(
            [[prices.member_budget.get((w.member_id, year), 0.0) for year in reference.years] for w in workloads],
            dtype=np.float64,
        ).reshape(-1, len(reference.years)),
        change_yen=np.array([0.0 if c is None else float(c.change_yen) for c in currents], dtype=np.float64),
        current_pool=np.array([-1 if c is None else c.pool for c in currents], dtype=np.int64),
        current_gang=np.array([-1 if c is None else c.accelerators for c in currents], dtype=np.int64),
        current_start=np.array([-1 if c is None else c.start for c in currents], dtype=np.int64),
        locked=np.array([c is not None and c.locked for c in currents], dtype=np.bool_),
        pauses_max=np.array([0 if w.pausing is None else w.pausing.pauses_max for w in workloads], dtype=np.int64),
        resume_hours=np.array([_resume_hours(w) for w in workloads], dtype=np.float64),
        before=before,
        after=after,
        starting=starting,
        ending=ending,
    )
    return demand, families, rules


def make_gangs(reference: Reference) -> list[Gang]:
    """Return the workloads grouped by the numbers of accelerators they list."""
    listed: dict[int, list[tuple[int, float]]] = {}
    for index in np.argsort(reference.release, kind="stable").tolist():
        for gang in reference.problem.workloads[index].gang_options:
            listed.setdefault(gang.accelerators, []).append((index, gang.scaling_efficiency_fraction))
    return [
        Gang(n, np.array([w for w, _ in items], dtype=np.int64), np.array([e for _, e in items], dtype=np.float64))
        for n, items in sorted(listed.items())
    ]


def make_pool_prices(reference: Reference, prices: Prices, demand: Demand, pool: int) -> PoolPrices:
    """Return the prices of one pool as paths."""
    site = reference.site_of_pool[pool]
    carbon = float(reference.problem.rules.carbon_price_yen_per_kg) + by_period(reference, prices.carbon)
    hour = prices.capacity[pool] + prices.power[site] * reference.facility_kw[pool]
    charge = []
    for y, year in enumerate(reference.years):
        if demand.charge_price[:, y].any():
            cost = np.where(reference.fiscal_year == year, reference.charge_reference[pool], 0.0)
            charge.append((y, make_path(cost)))
    grants = _grants(reference, pool)
    position = {grant.programme: i for i, grant in enumerate(grants)}
    sets = largest_claim_sets(reference.problem, tuple(position))
    terabytes, porting, route_row, route_yen, no_route = _moves(reference, pool)
    return PoolPrices(
        pool=pool,
        hour=make_path(hour + carbon * reference.carbon_kg[pool]),
        work=make_path(_work_prices(reference, prices, pool)),
        charge=tuple(charge),
        grants=grants,
        claim_sets=tuple(tuple(position[r] for r in chosen) for chosen in sets),
        paid=reference.money.discount + by_period(reference, prices.budget),
        year_of_period=reference.fiscal_year - reference.years[0],
        once=bool(terabytes.any() or porting.any()),
        terabytes=terabytes,
        porting_yen=porting,
        route_row=route_row,
        route_yen=route_yen,
        no_route=no_route,
    )


def _resume_hours(workload: Workload) -> float:
    """Return the hours that a pause costs, 0 where there is none."""
    return 0.0 if workload.pausing is None else workload.pausing.resume_overhead_hours


def _rates(reference: Reference) -> FloatArray:
    """Return the rate of each programme for each workload, (programmes, workloads)."""
    indexes = range(len(reference.problem.workloads))
    rates = [[usage_rate(reference, r, w) for w in indexes] for r in reference.problem.programmes]
    return np.array(rates, dtype=np.float64).reshape(-1, len(indexes))


def _caps_left(reference: Reference) -> FloatArray:
    """Return what is left of the cap of each workload's project, (programmes, workloads), inf without a cap."""
    names = [project_name(workload) for workload in reference.problem.workloads]
    left = []
    for programme in reference.problem.programmes:
        by_name = {name: project_cap_left(programme, name) for name in dict.fromkeys(names)}
        left.append([by_name[name] for name in names])
    return np.array(left, dtype=np.float64).reshape(-1, len(names))


def _claim_values(reference: Reference, prices: Prices) -> FloatArray:
    """Return v of each programme, workload and fiscal year, (programmes, workloads, years)."""
    problem, years = reference.problem, reference.years
    values = np.zeros((len(problem.programmes), len(problem.workloads), len(years)))
    members = [workload.member_id for workload in problem.workloads]
    for r, programme in enumerate(problem.programmes):
        for y, year in enumerate(years):
            paid_in = payment_year(problem, programme, year)
            common = reference.money.discount_on(payment_offset(problem, programme, year))
            common -= prices.programme_budget.get((programme.id, year), 0.0)
            if paid_in in years:
                common += prices.budget.get(paid_in, 0.0)
            own = {
                member.id: (prices.member_budget.get((member.id, paid_in), 0.0) if paid_in in years else 0.0)
                - prices.member_cap.get((programme.id, member.id, year), 0.0)
                for member in problem.members
            }
            values[r, :, y] = [common + own[member_id] for member_id in members]
        caps = [prices.project_cap.get((programme.id, project_name(w)), 0.0) for w in problem.workloads]
        values[r] -= np.array(caps, dtype=np.float64)[:, np.newaxis]
    return values


def _precedence_rows(reference: Reference, prices: Prices, side: int) -> tuple[IntArray, FloatArray]:
    """Return each workload's row, and rows of the sums of theta from a period on, (rows, period_count + 1).

    ``side`` 1 is the workload after, which pays by its start; 0 the one before, which earns by its end. Row 0 is zero.
    """
    row_of = np.zeros(len(reference.problem.workloads), dtype=np.int64)
    rows = [np.zeros(reference.period_count + 1)]
    for pair, path in prices.precedence.items():
        if row_of[pair[side]] == 0:
            row_of[pair[side]] = len(rows)
            rows.append(np.zeros(reference.period_count + 1))
        rows[row_of[pair[side]]][:-1] += np.cumsum(path[::-1])[::-1]
    return row_of, np.array(rows)


def _work_prices(reference: Reference, prices: Prices, pool: int) -> FloatArray:
    """Return yen per normalised accelerator-hour of shares and concentration, shape (period_count,)."""
    rules, site = reference.problem.rules, reference.site(pool)
    home = 1.0 if reference.domestic[pool] else 0.0
    by_year: dict[int, float] = {}
    for share in rules.minimum_domestic_shares:
        year = share.fiscal_year
        by_year[year] = by_year.get(year, 0.0) + prices.share.get(year, 0.0) * (share.share_fraction - home)
    for limit in rules.concentration_limits:
        year, there = limit.fiscal_year, 1.0 if site.operator_id == limit.operator_id else 0.0
        price = prices.concentration.get((limit.operator_id, year), 0.0)
        by_year[year] = by_year.get(year, 0.0) + price * (there - limit.share_fraction)
    return by_period(reference, by_year)


def _grants(reference: Reference, pool: int) -> tuple[Grant, ...]:
    """Return the usage programmes that accept the pool and pay for some period there."""
    grants = []
    for r, programme in enumerate(reference.problem.programmes):
        if not covers_pool(reference, programme, pool):
            continue
        inside = np.zeros(reference.period_count, dtype=bool)
        inside[list(programme_periods(reference, programme))] = True
        costs = [
            np.where(inside & (reference.fiscal_year == year), reference.grant_reference[pool], 0.0)
            for year in reference.years
        ]
        paying = [y for y, cost in enumerate(costs) if cost.any()]
        if paying:
            grants.append(Grant(r, np.array(paying, dtype=np.int64), tuple(make_path(costs[y]) for y in paying)))
    return tuple(grants)


def _moves(reference: Reference, pool: int) -> tuple[FloatArray, FloatArray, IntArray, FloatArray, BoolArray]:
    """Return terabytes, porting, row of the route, yen per terabyte of each route, and who has no route to a pool."""
    count = len(reference.problem.workloads)
    terabytes, porting = np.zeros(count), np.zeros(count)
    row, no_route = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    rows, row_of_origin = [np.zeros(reference.period_count)], dict[str | None, int]()
    target = reference.problem.pools[pool].site_id
    for w, workload in enumerate(reference.problem.workloads):
        if workload.porting:
            porting[w] = porting_yen(reference, w, pool)
        if workload.data_site_id is None or workload.data_site_id == target:
            continue
        terabytes[w] = moved_terabytes(reference, w, pool)
        price = reference.routes.get((workload.data_site_id, target))
        if price is None:
            no_route[w] = terabytes[w] > 0.0
            continue
        if workload.data_site_id not in row_of_origin:
            row_of_origin[workload.data_site_id] = len(rows)
            rows.append(reference.money.path(price))
        row[w] = row_of_origin[workload.data_site_id]
    return terabytes, porting, row, np.array(rows), no_route
