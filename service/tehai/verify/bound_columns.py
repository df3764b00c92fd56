"""The demand side of the bound: every workload's cheapest legal column at given prices.

Works on matrices of (workloads, starts), one for each pool and number of accelerators. Sums over the periods that a
column touches are differences of prefix sums, which are accumulated with their rounding errors carried along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tehai.domain.workload import CountryRule
from tehai.verify.certificate import Prices
from tehai.verify.columns import gang_is_too_large, split_run
from tehai.verify.offers import BoolArray, FloatArray, IntArray
from tehai.verify.reference import (
    Reference,
    accepts,
    grant_rate,
    programme_covers_pool,
    programme_periods,
    project_name,
    throughput_of,
)

# workloads times starts in one matrix: stays in the cache of one core
CELLS_PER_MATRIX = 1 << 16


@dataclass(frozen=True, slots=True)
class Cheapest:
    """For each workload: price of its cheapest legal column (inf: none), and the size of the amounts behind it."""

    price: FloatArray
    size: FloatArray


@dataclass(frozen=True, slots=True)
class _Demand:
    """Workloads as arrays; ``rate`` and ``cap_price`` are (programmes, workloads)."""

    release: IntArray
    deadline: IntArray
    work: FloatArray
    late_yen: FloatArray
    memory_gb: FloatArray
    family: IntArray
    rule: IntArray
    rate: FloatArray
    cap_price: FloatArray


@dataclass(frozen=True, slots=True)
class _Gang:
    """The workloads that list a number of accelerators, with their efficiencies there."""

    accelerators: int
    workloads: IntArray
    efficiency: FloatArray


@dataclass(frozen=True, slots=True)
class _Path:
    """A price for each period as windows: row F of a window array starts F periods later; ``size`` is its sum."""

    prefix: FloatArray
    prefix_windows: FloatArray
    value_windows: FloatArray
    size: float


@dataclass(frozen=True, slots=True)
class _Grant:
    """One programme in one pool: the worth of a claimed yen and the eligible cost, by year, dearest year first."""

    programme: int
    worth: tuple[float, ...]
    cost: tuple[_Path, ...]
    cap_yen: float


@dataclass(frozen=True, slots=True)
class _PoolPrices:
    """What a column pays and earns in one pool."""

    hour: _Path
    work: _Path
    grants: tuple[_Grant, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """The columns of some workloads in one pool with one gang: everything is (workloads,)."""

    workloads: IntArray
    accelerators: int
    full: IntArray
    rest: FloatArray
    length: IntArray


def cheapest_columns(reference: Reference, prices: Prices) -> Cheapest:
    """Return every workload's cheapest legal column at projected ``prices``."""
    count = len(reference.problem.workloads)
    best = Cheapest(np.full(count, np.inf), np.zeros(count))
    demand, families, rules = _demand(reference, prices)
    gangs = _gangs(reference)
    for p, pool in enumerate(reference.problem.pools):
        accelerator, site = reference.accelerator_of_pool[p], reference.site(p)
        throughput = np.array([throughput_of(accelerator, family) for family in families])[demand.family]
        accepted = np.array([accepts(rule, site) for rule in rules])[demand.rule]
        pool_prices = _pool_prices(reference, prices, p)
        for gang in gangs:
            if gang.accelerators > pool.gang_accelerators_max:
                continue
            fits = accepted & (throughput > 0.0) & (gang.accelerators * accelerator.memory_gb >= demand.memory_gb)
            rows = _rows(reference, demand, gang, throughput, fits)
            blocked = gang_is_too_large(gang.accelerators, reference.gang_max[p])
            step = max(1, CELLS_PER_MATRIX // reference.period_count)
            for at in range(0, len(rows.workloads), step):
                _price_rows(best, demand, pool_prices, _slice(rows, at, at + step), blocked, reference.period_hours)
    return best


def _demand(reference: Reference, prices: Prices) -> tuple[_Demand, list[str], list[CountryRule]]:
    """Return the workloads as arrays, with the families and sovereignty rules that their codes stand for."""
    problem = reference.problem
    families = sorted({workload.software_family for workload in problem.workloads})
    rules = list(dict.fromkeys(workload.sovereignty for workload in problem.workloads))
    indexes = range(len(problem.workloads))
    demand = _Demand(
        release=reference.release,
        deadline=reference.deadline,
        work=reference.work,
        late_yen=np.array([w.late_start_yen_per_period for w in problem.workloads], dtype=np.float64),
        memory_gb=np.array([w.memory_gb for w in problem.workloads], dtype=np.float64),
        family=np.array([families.index(w.software_family) for w in problem.workloads], dtype=np.int64),
        rule=np.array([rules.index(w.sovereignty) for w in problem.workloads], dtype=np.int64),
        rate=np.array([[grant_rate(reference, r, w) for w in indexes] for r in problem.programmes], dtype=np.float64),
        cap_price=np.array(
            [
                [prices.project_cap.get((r.id, project_name(w)), 0.0) for w in problem.workloads]
                for r in problem.programmes
            ],
            dtype=np.float64,
        ),
    )
    return demand, families, rules


def _gangs(reference: Reference) -> list[_Gang]:
    """Return the workloads grouped by the numbers of accelerators they list."""
    listed: dict[int, list[tuple[int, float]]] = {}
    for index, workload in enumerate(reference.problem.workloads):
        for gang in workload.gang_options:
            listed.setdefault(gang.accelerators, []).append((index, gang.scaling_efficiency_fraction))
    return [
        _Gang(n, np.array([w for w, _ in items], dtype=np.int64), np.array([e for _, e in items], dtype=np.float64))
        for n, items in sorted(listed.items())
    ]


def _pool_prices(reference: Reference, prices: Prices, pool: int) -> _PoolPrices:
    """Return the prices of one pool as paths."""
    site = reference.site_of_pool[pool]
    hour = prices.capacity[pool] + prices.power[site] * reference.facility_kw[pool]
    least = {rule.fiscal_year: rule.share_fraction for rule in reference.problem.rules.minimum_domestic_shares}
    home = 1.0 if reference.domestic[pool] else 0.0
    work = np.array(
        [prices.share.get(int(year), 0.0) * (least.get(int(year), 0.0) - home) for year in reference.fiscal_year]
    )
    grants = []
    for r, programme in enumerate(reference.problem.programmes):
        if programme_covers_pool(reference, programme, pool):
            cap = programme.kind.project_cap_yen
            worth, cost = _claim_years(reference, prices, r, pool)
            if worth:
                grants.append(_Grant(r, worth, cost, np.inf if cap is None else float(cap)))
    return _PoolPrices(_path(hour), _path(work), tuple(grants))


def _claim_years(
    reference: Reference, prices: Prices, programme_index: int, pool: int
) -> tuple[tuple[float, ...], tuple[_Path, ...]]:
    """Return 1 + beta - nu of each claimable year, descending, and its eligible cost per accelerator-hour."""
    programme = reference.problem.programmes[programme_index]
    inside = np.zeros(reference.period_count, dtype=bool)
    inside[list(programme_periods(reference, programme))] = True
    years = []
    for year in reference.years:
        cost = np.where(inside & (reference.fiscal_year == year), reference.grant_reference[pool], 0.0)
        nu = prices.programme_budget.get((programme.id, year), 0.0)
        worth = 1.0 + prices.budget.get(year, 0.0) - nu
        if worth > 0.0 and cost.any():
            years.append((worth, year, cost))
    years.sort(key=lambda item: (-item[0], item[1]))
    return tuple(worth for worth, _, _ in years), tuple(_path(cost) for _, _, cost in years)


def _path(values: FloatArray) -> _Path:
    """Return windows of a path (period_count,) and of its prefix sums, padded beyond the horizon."""
    count = len(values)
    total, carried = 0.0, 0.0
    prefix = np.zeros(2 * count + 2)
    for t, value in enumerate(values.tolist()):
        # error-free sum of two doubles (Knuth): carried keeps what rounding drops
        after = total + value
        back = after - total
        carried += (total - (after - back)) + (value - back)
        total = after
        prefix[t + 1] = total + carried
    prefix[count + 1 :] = prefix[count]
    padded = np.zeros(2 * count + 2)
    padded[:count] = values
    return _Path(
        prefix=prefix[:count],
        prefix_windows=sliding_window_view(prefix, count),
        value_windows=sliding_window_view(padded, count),
        size=float(np.abs(values).sum()),
    )


def _rows(reference: Reference, demand: _Demand, gang: _Gang, throughput: FloatArray, fits: BoolArray) -> _Rows:
    """Return the runs of a gang's workloads that fit the pool and their own window."""
    keep = fits[gang.workloads]
    workloads, efficiency = gang.workloads[keep], gang.efficiency[keep]
    run = demand.work[workloads] / (gang.accelerators * throughput[workloads] * efficiency)
    full, rest = split_run(run, reference.period_hours)
    length = full + (rest > 0.0)
    keep = demand.release[workloads] + length <= demand.deadline[workloads]
    return _Rows(workloads[keep], gang.accelerators, full[keep], rest[keep], length[keep])


def _slice(rows: _Rows, low: int, high: int) -> _Rows:
    """Return some of the rows."""
    part = slice(low, high)
    return _Rows(rows.workloads[part], rows.accelerators, rows.full[part], rows.rest[part], rows.length[part])


def _price_rows(
    best: Cheapest, demand: _Demand, paid: _PoolPrices, rows: _Rows, blocked: BoolArray, period_hours: int
) -> None:
    """Price all starts of the rows and keep each workload's cheapest in ``best``."""
    w = rows.workloads
    last = demand.deadline[w] - rows.length
    low, high = int(demand.release[w].min()), int(last.max()) + 1
    starts = np.arange(low, high)
    late = starts - demand.release[w][:, np.newaxis]
    cost = _along(paid.hour, rows, low, high, period_hours)
    cost += demand.late_yen[w][:, np.newaxis] * late
    whole = rows.accelerators * period_hours
    size = whole * paid.hour.size + demand.late_yen[w] * len(blocked)
    if paid.work.size > 0.0:
        density = demand.work[w] / (rows.accelerators * (rows.full * period_hours + rows.rest))
        cost += density[:, np.newaxis] * _along(paid.work, rows, low, high, period_hours)
        size += density * whole * paid.work.size
    earned, earned_size = _best_claims(demand, paid.grants, rows, low, high, period_hours)
    cost -= earned
    illegal = (late < 0) | (starts > last[:, np.newaxis])
    if blocked.any():
        illegal |= _along_count(blocked, rows.length, low, high) > 0
    cost[illegal] = np.inf
    np.minimum.at(best.price, w, cost.min(axis=1))
    np.maximum.at(best.size, w, size + earned_size)


def _along(path: _Path, rows: _Rows, low: int, high: int, period_hours: int) -> FloatArray:
    """Return the sum of hours(t) times the path over each column, (workloads, starts low to high)."""
    total = path.prefix_windows[:, low:high][rows.full]
    total -= path.prefix[low:high]
    total *= rows.accelerators * period_hours
    remaining = path.value_windows[:, low:high][rows.full]
    remaining *= (rows.accelerators * rows.rest)[:, np.newaxis]
    total += remaining
    return total


def _along_count(marked: BoolArray, length: IntArray, low: int, high: int) -> IntArray:
    """Return how many marked periods each column touches, (workloads, starts low to high)."""
    count = len(marked)
    prefix = np.zeros(2 * count + 1, dtype=np.int64)
    np.cumsum(marked, out=prefix[1 : count + 1])
    prefix[count + 1 :] = prefix[count]
    touched: IntArray = sliding_window_view(prefix, count)[:, low:high][length] - prefix[low:high]
    return touched


def _best_claims(
    demand: _Demand, grants: tuple[_Grant, ...], rows: _Rows, low: int, high: int, period_hours: int
) -> tuple[FloatArray, FloatArray]:
    """Return the worth of the best claims of each column, 0 without a programme, and the size of the amounts."""
    w = rows.workloads
    earned = np.zeros((len(w), high - low))
    size = np.zeros(len(w))
    whole = rows.accelerators * period_hours
    for grant in grants:
        rate, price = demand.rate[grant.programme][w], demand.cap_price[grant.programme][w]
        left: FloatArray | float = grant.cap_yen
        worth_of_column = np.zeros_like(earned)
        size_of_grant = np.zeros(len(w))
        for worth, cost in zip(grant.worth, grant.cost, strict=True):
            claim = _along(cost, rows, low, high, period_hours)
            claim *= rate[:, np.newaxis]
            # a prefix difference may come out a rounding error below zero
            np.clip(claim, 0.0, left, out=claim)
            left = left - claim
            value = np.maximum(0.0, worth - price)
            worth_of_column += value[:, np.newaxis] * claim
            size_of_grant += value * rate * whole * cost.size
        np.maximum(earned, worth_of_column, out=earned)
        np.maximum(size, size_of_grant, out=size)
    return earned, size
