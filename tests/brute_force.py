"""Every plan of a tiny problem, one by one: the witness for the oracle's model. No solver is involved.

Placements and orders are enumerated. What remains is easy: hours go to the cheapest offers first, hours of an
allocation to where they save most, and the most that can be claimed is a maximum flow, found as the smallest cut.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from tehai.domain.offer import Purchase
from tehai.domain.problem import Problem
from tehai.domain.programme import UsageGrant
from tests.brute_claims import capital_claims, exclusive, usage_claims
from tests.oracle_columns import Column
from tests.oracle_numbers import Numbers
from tests.oracle_offers import Order, Supply

TOLERANCE = 1e-9

Chosen = tuple[tuple[Order, int], ...]
Income = dict[int, float]
# hours an allocation could serve: (saving per hour, infinite where nobody else serves them; hours; its own price)
Piece = tuple[float, float, float]


def brute_force_yen(problem: Problem) -> float | None:
    """Return the optimum of a tiny problem, None where no plan keeps the rules.

    Portfolio and member budgets may stand beside programmes without caps only: else claims would have to be chosen by
    year.
    """
    limited = any(
        p.budgets
        or p.member_cap_yen is not None
        or (isinstance(p.kind, UsageGrant) and p.kind.project_cap_yen is not None)
        for p in problem.programmes
    )
    budgeted = bool(problem.rules.portfolio_budgets) or any(m.budgets for m in problem.members)
    assert not (limited and budgeted), "claims would have to be chosen by year"
    search = _Search(Numbers(problem))
    best = search.best()
    return None if best == math.inf else best


@dataclass
class _Search:
    """A search of all placements; the best orders for each set of placements are found once."""

    numbers: Numbers
    cheapest: dict[object, float] = field(default_factory=dict)

    def best(self) -> float:
        numbers = self.numbers
        self.orders = sorted(self._priced_orders(), key=lambda entry: entry[0])
        choices: list[list[Column | None]] = []
        for workload in numbers.problem.workloads:
            columns: list[Column | None] = [c for c in numbers.columns if c.workload_id == workload.id]
            choices.append(columns if numbers.must_run(workload) else [None, *columns])
        best = math.inf
        for choice in product(*choices):
            placed = [column for column in choice if column is not None]
            if _rules_hold(numbers, placed) and _members_can_pay(numbers, placed):
                fixed = _placement_yen(numbers, placed) - usage_claims(numbers, placed)
                best = min(best, fixed + self._supply(placed))
        return best

    def _priced_orders(self) -> Iterator[tuple[float, Chosen]]:
        """Return each list of orders that keeps the limits on orders, with its cost less its claims."""
        owners = {
            s.offer.id: s.offer.kind.owner_member_id
            for s in self.numbers.supplies
            if isinstance(s.offer.kind, Purchase)
        }
        for chosen in _order_choices(self.numbers):
            groups = [
                (owners[o.offer_id], self.numbers.grants.programmes[o.programme_id].exclusivity_group, o.programme_id)
                for o, _ in chosen
                if o.programme_id
            ]
            if exclusive(groups) and _within_capital(self.numbers, chosen):
                cost = sum(count * order.cost_yen for order, count in chosen)
                yield cost - capital_claims(self.numbers, chosen, owners), chosen

    def _supply(self, placed: Sequence[Column]) -> float:
        """Return the least cost of orders and use for these placements, infinite where none carries them."""
        income = _income(self.numbers, placed)
        key = (tuple((c.pool_id, c.occupied, c.touched, c.hours) for c in placed), tuple(sorted(income.items())))
        if key not in self.cheapest:
            best = math.inf
            for cost, chosen in self.orders:
                if cost >= best:
                    break  # orders are sorted and use costs nothing less than zero
                best = min(best, cost + _use_yen(self.numbers, placed, chosen, income))
            self.cheapest[key] = best
        return self.cheapest[key]


def _placement_yen(numbers: Numbers, placed: Sequence[Column]) -> float:
    running = {column.workload_id for column in placed}
    left = sum(numbers.not_run_yen(w.id) for w in numbers.problem.workloads if w.id not in running)
    return left + sum(numbers.column_cost_yen(column) for column in placed)


def _order_choices(numbers: Numbers) -> Iterator[Chosen]:
    """Return every list of orders with counts that keeps blocks_max and units_max."""
    for parts in product(*(list(_choices_of(s, numbers)) for s in numbers.supplies if s.orders)):
        yield tuple(entry for part in parts for entry in part)


def _choices_of(supply: Supply, numbers: Numbers) -> Iterator[Chosen]:
    kind = supply.offer.kind
    most = kind.units_max if isinstance(kind, Purchase) else getattr(kind, "blocks_max", 0)
    for counts in product(range(most + 1), repeat=len(supply.orders)):
        chosen = tuple((o, c) for o, c in zip(supply.orders, counts, strict=True) if c)
        if isinstance(kind, Purchase):
            fits = sum(counts) <= most
        else:
            fits = all(sum(c for o, c in chosen if o.capacity[t] > 0) <= most for t in numbers.periods)
        if fits:
            yield chosen


def _within_capital(numbers: Numbers, chosen: Chosen) -> bool:
    return all(
        sum(count * order.capital_by_year.get(ceiling.fiscal_year, 0.0) for order, count in chosen)
        <= ceiling.amount_yen + TOLERANCE
        for ceiling in numbers.problem.rules.capital_ceilings
    )


def _rules_hold(numbers: Numbers, placed: Sequence[Column]) -> bool:
    """Return whether every row holds that depends on placements alone."""
    groups = [
        (numbers.workloads[c.workload_id].project, numbers.grants.programmes[r].exclusivity_group, r)
        for c in placed
        for r in c.claim_set
    ]
    waiting = numbers.problem.rules.total_waiting_periods_max
    return (
        exclusive(groups)
        and (waiting is None or sum(column.waiting_periods for column in placed) <= waiting)
        and _in_order(numbers, placed)
        and _power_holds(numbers, placed)
        and _shares_hold(numbers, placed)
        and all(
            sum(c.carbon_kg_by_year.get(limit.fiscal_year, 0.0) for c in placed) <= limit.mass_kg + TOLERANCE
            for limit in numbers.problem.rules.carbon_limits
        )
    )


def _in_order(numbers: Numbers, placed: Sequence[Column]) -> bool:
    ends = {column.workload_id: column.end for column in placed}
    return all(
        before in ends and ends[before] <= column.start
        for column in placed
        for before in numbers.workloads[column.workload_id].after_workload_ids
    )


def _power_holds(numbers: Numbers, placed: Sequence[Column]) -> bool:
    power: dict[tuple[str, int], float] = defaultdict(float)
    for column in placed:
        for t, hours in zip(column.touched, column.hours, strict=True):
            power[(numbers.pools[column.pool_id].site_id, t)] += hours * numbers.facility_kw(column.pool_id)
    for (site_id, _), kwh in power.items():
        limit = numbers.sites[site_id].power_limit_kw
        if limit is not None and kwh > limit * numbers.hours + TOLERANCE:
            return False
    return True


def _shares_hold(numbers: Numbers, placed: Sequence[Column]) -> bool:
    rules = numbers.problem.rules
    for share in rules.minimum_domestic_shares:
        work = [(numbers.domestic(c.pool_id), c.work_by_year.get(share.fiscal_year, 0.0)) for c in placed]
        if sum(d for at_home, d in work if at_home) < share.share_fraction * sum(d for _, d in work) - TOLERANCE:
            return False
    for limit in rules.concentration_limits:
        done = [(numbers.site_of(c.pool_id).operator_id, c.work_by_year.get(limit.fiscal_year, 0.0)) for c in placed]
        own = sum(d for operator_id, d in done if operator_id == limit.operator_id)
        if own > limit.share_fraction * sum(d for _, d in done) + TOLERANCE:
            return False
    return True


def _income(numbers: Numbers, placed: Sequence[Column]) -> Income:
    """Return claims on use less transfer and porting by fiscal year of payment, where a budget makes them matter."""
    income: Income = defaultdict(float)
    if numbers.problem.rules.portfolio_budgets:
        for column in placed:
            income[numbers.fiscal_year(column.start)] -= column.moving_yen
            for (r, year), amount in column.claim_max.items():
                paid = numbers.grants.payment_year(numbers.grants.programmes[r], year)
                if paid is not None:
                    income[paid] += amount
    return income


def _members_can_pay(numbers: Numbers, placed: Sequence[Column]) -> bool:
    for member in numbers.problem.members:
        for budget in member.budgets:
            left = float(budget.amount_yen)
            for column in placed:
                if numbers.workloads[column.workload_id].member_id != member.id:
                    continue
                left -= column.list_bill_by_year.get(budget.fiscal_year, 0.0)
                for (r, year), amount in column.claim_max.items():
                    if numbers.grants.payment_year(numbers.grants.programmes[r], year) == budget.fiscal_year:
                        left += amount
            if left < -TOLERANCE:
                return False
    return True


def _use_yen(numbers: Numbers, placed: Sequence[Column], chosen: Chosen, income: Income) -> float:
    """Return the present value of use, hours on the cheapest offers first; infinite where a row is broken."""
    cost = 0.0
    cash: dict[int, float] = defaultdict(float)
    for pool_id in numbers.pools:
        supplies = numbers.supplies_in(pool_id)
        savings: dict[int, list[Piece]] = defaultdict(list)
        for t in numbers.periods:
            here = [column for column in placed if column.pool_id == pool_id and t in column.touched]
            if any(column.occupied > sum(_live(s, t, chosen) for s in supplies) + TOLERANCE for column in here):
                return math.inf
            hours = sum(column.hours[column.touched.index(t)] for column in here)
            year = numbers.fiscal_year(t)
            served = []
            for supply in sorted((s for s in supplies if s.quota_hours is None), key=lambda s: s.use_cost_yen[t]):
                used = min(hours, _offered(numbers, supply, t, chosen))
                hours -= used
                cost += used * supply.use_cost_yen[t]
                cash[year] += used * supply.use_yen[t]
                served.append((supply.use_cost_yen[t], used))
            if hours > TOLERANCE:
                served.append((math.inf, hours))
            allocation = next((s for s in supplies if s.quota_hours is not None), None)
            if allocation is not None:
                savings[year] += _replaceable(numbers, allocation, t, served)
            elif hours > TOLERANCE:
                return math.inf
        for supply in supplies:
            for year, quota in (supply.quota_hours or {}).items():
                cost -= _saved(savings[year], quota)
    budgets = numbers.problem.rules.portfolio_budgets
    return (
        cost
        if all(_cash_holds(numbers, b.fiscal_year, b.amount_yen, cash, chosen, income) for b in budgets)
        else math.inf
    )


def _replaceable(numbers: Numbers, allocation: Supply, t: int, served: list[tuple[float, float]]) -> list[Piece]:
    """Return what the allocation could serve instead in a period, dearest first."""
    room = float(allocation.fixed_capacity[t] * numbers.hours)
    own = allocation.use_cost_yen[t]
    pieces: list[Piece] = []
    for price, used in sorted(served, reverse=True):
        taken = min(room, used)
        room -= taken
        pieces.append((price - own, taken, own))
        if price == math.inf and used - taken > TOLERANCE:
            pieces.append((math.inf, math.inf, own))  # hours that nobody serves
    return [piece for piece in pieces if piece[1] > 0]


def _saved(pieces: list[Piece], quota: float) -> float:
    """Return what a fiscal year's quota saves; minus infinity where hours without another offer do not fit."""
    saved = 0.0
    for saving, hours, price in sorted(pieces, reverse=True):
        if saving == math.inf:
            if hours > quota + TOLERANCE:
                return -math.inf
            quota = max(0.0, quota - hours)
            saved -= price * hours
        elif saving > 0:
            saved += saving * min(hours, quota)
            quota -= min(hours, quota)
    return saved


def _cash_holds(
    numbers: Numbers, year: int, amount: int, cash: dict[int, float], chosen: Chosen, income: Income
) -> bool:
    """Return whether the portfolio budget of a year holds; claims on orders are income too."""
    paid = cash[year] - income.get(year, 0.0)
    paid += sum(yen for s in numbers.supplies for at, yen in s.payments if at == year)
    for order, count in chosen:
        paid += count * order.cash_by_year.get(year, 0.0)
        programme = numbers.grants.programmes.get(order.programme_id)
        if programme and numbers.grants.payment_year(programme, numbers.fiscal_year(order.period)) == year:
            paid -= count * order.claim_max_yen
    return paid <= amount + TOLERANCE


def _live(supply: Supply, t: int, chosen: Chosen) -> float:
    ordered = sum(count * order.capacity[t] for order, count in chosen if order.offer_id == supply.offer.id)
    return supply.fixed_capacity[t] + ordered


def _offered(numbers: Numbers, supply: Supply, t: int, chosen: Chosen) -> float:
    ordered = sum(count * order.hours[t] for order, count in chosen if order.offer_id == supply.offer.id)
    return supply.fixed_capacity[t] * numbers.hours + ordered
