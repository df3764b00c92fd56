"""Every plan of a tiny problem, one by one: the witness for the oracle's model. No solver is involved.

Placements and orders are enumerated. What remains is easy: hours go to the cheapest offers first, and the most that can
be claimed is a maximum flow, found as the smallest cut.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain, combinations, product
from random import Random
from typing import TypeVar

from tehai.domain.offer import OfferKind, Purchase, Reservation
from tehai.domain.problem import Problem
from tehai.domain.workload import Workload
from tests import builders as make
from tests.oracle_numbers import Column, Numbers, Order, Supply

T = TypeVar("T")
TOLERANCE = 1e-9


def tiny_problem(seed: int) -> Problem:
    """Return two or three workloads, two pools and three weeks around 1 April, with all kinds of offers and rows."""
    random = Random(f"tiny {seed}")
    first = date(2028, 3, 20)
    sites = [
        make.make_site(power_limit_kw=random.choice((None, 12.0, 20.0)), electricity_yen_per_kwh="25"),
        make.make_site("abroad", "US", "US", electricity_yen_per_kwh="20"),
    ]
    pools = [make.make_pool(), make.make_pool("far", "abroad")]
    term = make.term(random.choice((1, 2)), make.yen(random.randint(150, 400)), prepaid=random.random() < 0.5)
    unit_price = make.yen(random.randint(200, 900) * 1000)
    kinds: list[tuple[OfferKind, str]] = [
        (make.on_demand(make.yen(random.randint(400, 700)), quota=random.choice((4, 8, 16))), "pool"),
        (make.reservation([term], blocks_max=random.choice((1, 2)), lead=random.choice((0, 1))), "pool"),
        (make.existing(random.choice((2, 4)), metered=True), "pool"),
        (make.on_demand(make.dollars(random.randint(2, 4)), quota=random.choice((4, 8))), "far"),
        (make.purchase(unit_price, units_max=1, steps=[(0, 0.5), (1, 1.0)], life=3), "far"),
    ]
    offers = [make.make_offer(kind, f"offer-{number}", pool) for number, (kind, pool) in enumerate(kinds)]
    programmes, budgets = [], {}
    if random.random() < 0.7:
        yearly = {year: random.randint(50, 400) * 1000 for year in (2027, 2028) if random.random() < 0.7}
        cap = random.choice((None, 200_000, 300_000))
        programmes = [make.make_programme(pool_ids=random.choice(((), ("pool",))), project_cap_yen=cap, budgets=yearly)]
    else:
        budgets = {2028: random.randint(300, 1200) * 1000}
    shares = {2027: 0.5} if random.random() < 0.4 else {}
    return make.make_problem(
        workloads=[_tiny_workload(random, number) for number in range(random.choice((2, 2, 3)))],
        offers=offers,
        pools=pools,
        sites=sites,
        programmes=programmes,
        rules=make.make_rules(shares=shares, budgets=budgets),
        calendar=make.make_calendar(3, first),
        market=make.make_market(spot_date=first, dollar_rate="0.05"),
    )


def _tiny_workload(random: Random, number: int) -> Workload:
    hours = 1344 * random.choice((0.4, 0.75, 1.0, 1.5))
    return make.make_workload(
        f"job-{number}",
        hours=hours,
        gangs=random.choice(({8: 1.0}, {8: 1.0, 16: 0.9})),
        release=date(2028, 3, 20),
        deadline=date(2028, 4, 10),
        project_id=random.choice(("", "project")),
        late_yen=random.choice((0, 20_000)),
        not_run_yen=round(hours * random.choice((120, 350, 900))),
    )


def brute_force_yen(problem: Problem) -> float:
    """Return the optimum of a tiny problem with grants or a portfolio budget, not both."""
    assert not (problem.programmes and problem.rules.portfolio_budgets), "claims would have to be chosen by year"
    numbers = Numbers(problem)
    choices = [[None, *(c for c in numbers.columns if c.workload_id == w.id)] for w in problem.workloads]
    all_orders = list(_order_choices(numbers))
    best = math.inf
    for columns in product(*choices):
        placed = [column for column in columns if column is not None]
        fixed = _placement_yen(problem, placed)
        if fixed >= best + sum(sum(c.claim_max_by_year.values()) for c in placed) or not _rules_hold(numbers, placed):
            continue
        fixed -= _largest_claim(numbers, placed)
        for orders in all_orders:
            if fixed + sum(count * order.cost_yen for order, count in orders) < best:
                best = min(best, fixed + _supply_yen(numbers, placed, orders))
    return best


def _placement_yen(problem: Problem, placed: Sequence[Column]) -> float:
    running = {column.workload_id for column in placed}
    left = sum(w.cost_not_run_yen or 0 for w in problem.workloads if w.id not in running)
    return left + sum(column.lateness_yen for column in placed)


def _order_choices(numbers: Numbers) -> Iterator[list[tuple[Order, int]]]:
    """Return every list of orders with counts that keeps blocks_max and units_max."""
    limited = [s for s in numbers.supplies if s.orders]
    for counts in product(*(range(_limit(s) + 1) for s in limited for _ in s.orders)):
        chosen = [(o, c) for o, c in zip(chain(*(s.orders for s in limited)), counts, strict=True) if c]
        if all(_within_limit(s, chosen, numbers) for s in limited):
            yield chosen


def _limit(supply: Supply) -> int:
    kind = supply.offer.kind
    assert isinstance(kind, (Reservation, Purchase))
    return kind.blocks_max if isinstance(kind, Reservation) else kind.units_max


def _within_limit(supply: Supply, chosen: list[tuple[Order, int]], numbers: Numbers) -> bool:
    own = [(o, c) for o, c in chosen if o.offer_id == supply.offer.id]
    if isinstance(supply.offer.kind, Purchase):
        return sum(c for _, c in own) <= _limit(supply)
    return all(sum(c for o, c in own if o.capacity[t] > 0) <= _limit(supply) for t in numbers.periods)


def _rules_hold(numbers: Numbers, placed: Sequence[Column]) -> bool:
    """Return whether power and domestic share hold, which depend on placements alone."""
    power: dict[tuple[str, int], float] = defaultdict(float)
    for column in placed:
        for t, hours in zip(column.periods(), column.hours, strict=True):
            power[(numbers.pools[column.pool_id].site_id, t)] += hours * numbers.facility_kw(column.pool_id)
    for (site_id, _), kwh in power.items():
        limit = numbers.sites[site_id].power_limit_kw
        if limit is not None and kwh > limit * numbers.hours + TOLERANCE:
            return False
    for share in numbers.problem.rules.minimum_domestic_shares:
        work = [(numbers.domestic(c.pool_id), c.work_by_year.get(share.fiscal_year, 0.0)) for c in placed]
        domestic = sum(done for at_home, done in work if at_home)
        if domestic < share.share_fraction * sum(done for _, done in work) - TOLERANCE:
            return False
    return True


def _supply_yen(numbers: Numbers, placed: Sequence[Column], orders: list[tuple[Order, int]]) -> float:
    """Return the cost of orders and use, hours on the cheapest offers first; infinite where a row is broken."""
    cost = sum(count * order.cost_yen for order, count in orders)
    cash: dict[int, float] = defaultdict(float)
    for order, count in orders:
        for year, amount in order.cash_by_year.items():
            cash[year] += count * amount
    for pool_id, t in product(numbers.pools, numbers.periods):
        live = [(s.use_cost_yen[t], _live(s, t, orders)) for s in numbers.supplies if s.offer.pool_id == pool_id]
        here = [column for column in placed if column.pool_id == pool_id and t in column.periods()]
        if any(column.accelerators > sum(k for _, k in live) + TOLERANCE for column in here):
            return math.inf
        hours = sum(column.hours[t - column.start] for column in here)
        for price, accelerators in sorted(live):
            used = min(hours, accelerators * numbers.hours)
            hours -= used
            cost += used * price
            cash[numbers.fiscal_year(t)] += used * price
        if hours > TOLERANCE:
            return math.inf
    budgets = numbers.problem.rules.portfolio_budgets
    return cost if all(cash[b.fiscal_year] <= b.amount_yen + TOLERANCE for b in budgets) else math.inf


def _live(supply: Supply, t: int, orders: list[tuple[Order, int]]) -> float:
    ordered = sum(count * order.capacity[t] for order, count in orders if order.offer_id == supply.offer.id)
    return supply.fixed_capacity[t] + ordered


def _largest_claim(numbers: Numbers, placed: Sequence[Column]) -> float:
    """Return the most that can be claimed: the smallest cut between projects' caps and yearly budgets."""
    total = 0.0
    projects = {w.id: w.project for w in numbers.problem.workloads}
    for programme in numbers.problem.programmes:
        claiming = [column for column in placed if column.programme_id == programme.id]
        cap = math.inf if programme.kind.project_cap_yen is None else programme.kind.project_cap_yen
        budgets = {b.fiscal_year: b.amount_yen for b in programme.kind.budgets}
        owners = sorted({projects[column.workload_id] for column in claiming})
        years = numbers.fiscal_years
        total += min(
            sum(cap for _ in cut_owners)
            + sum(budgets.get(year, math.inf) for year in cut_years)
            + sum(
                amount
                for column in claiming
                for year, amount in column.claim_max_by_year.items()
                if projects[column.workload_id] not in cut_owners and year not in cut_years
            )
            for cut_owners in _subsets(owners)
            for cut_years in _subsets(years)
        )
    return total


def _subsets(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    for size in range(len(items) + 1):
        yield from combinations(items, size)
