"""The most that can be claimed from programmes by given placements and orders, without any solver."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeVar

from tehai.domain.programme import Programme
from tests.oracle_columns import Column
from tests.oracle_numbers import Numbers
from tests.oracle_offers import Order

T = TypeVar("T")


def usage_claims(numbers: Numbers, placed: Sequence[Column]) -> float:
    """Return the largest present value of claims on use.

    What a set of fiscal years can carry is a smallest cut, and such sets form a polymatroid; so the years of the
    greatest worth are filled first.
    """
    return sum(_programme_claims(numbers, placed, p) for p in numbers.problem.programmes)


def _programme_claims(numbers: Numbers, placed: Sequence[Column], programme: Programme) -> float:
    claiming = [column for column in placed if programme.id in column.claim_set]
    years = sorted({y for c in claiming for r, y in c.claim_max if r == programme.id})
    worth = {year: numbers.grants.present_value(programme, year) for year in years}
    ordered = sorted(years, key=lambda year: -worth[year])
    filled = [_most_in(numbers, claiming, programme, ordered[:count]) for count in range(len(ordered) + 1)]
    return sum(worth[year] * (filled[k + 1] - filled[k]) for k, year in enumerate(ordered))


def _most_in(numbers: Numbers, claiming: Sequence[Column], programme: Programme, years: Sequence[int]) -> float:
    """Return the most that can be claimed for these years: the smallest cut through caps and budgets."""
    grants = numbers.grants
    projects = {column.workload_id: numbers.workloads[column.workload_id].project for column in claiming}
    owners = sorted(set(projects.values()))

    def or_infinite(limit: float | None) -> float:
        return math.inf if limit is None else limit

    best = math.inf
    for cut_projects in subsets(owners):
        for cut_years in subsets(years):
            cut = sum(or_infinite(grants.project_cap_left(programme, project)) for project in cut_projects)
            cut += sum(or_infinite(grants.budget_left(programme, year)) for year in cut_years)
            by_member: dict[tuple[str, int], float] = defaultdict(float)
            for column in claiming:
                if projects[column.workload_id] in cut_projects:
                    continue
                member_id = numbers.workloads[column.workload_id].member_id
                for (r, year), amount in column.claim_max.items():
                    if r == programme.id and year in years and year not in cut_years:
                        by_member[(member_id, year)] += amount
            for (member_id, year), amount in by_member.items():
                cut += min(amount, or_infinite(grants.member_cap_left(programme, member_id, year)))
            best = min(best, cut)
    return best


def capital_claims(numbers: Numbers, orders: Sequence[tuple[Order, int]], owners: dict[str, str]) -> float:
    """Return the largest present value of claims on orders; ``owners`` is the owner of each offer."""
    total = 0.0
    for programme in numbers.problem.programmes:
        by_year: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for order, count in orders:
            if order.programme_id == programme.id:
                by_year[numbers.fiscal_year(order.period)][owners[order.offer_id]] += count * order.claim_max_yen
        for year, by_owner in by_year.items():
            caps = {o: numbers.grants.member_cap_left(programme, o, year) for o in by_owner}
            amounts = [a if caps[o] is None else min(a, caps[o] or 0.0) for o, a in by_owner.items()]
            budget = numbers.grants.budget_left(programme, year)
            claimed = sum(amounts) if budget is None else min(sum(amounts), budget)
            total += numbers.grants.present_value(programme, year) * claimed
    return total


def exclusive(groups: Sequence[tuple[str, str, str]]) -> bool:
    """Return whether each (holder, group) has at most one programme; entries are (holder, group, programme)."""
    chosen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for holder, group, programme_id in groups:
        if group:
            chosen[(holder, group)].add(programme_id)
    return all(len(programmes) <= 1 for programmes in chosen.values())


def subsets(items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """Return every subset."""
    for size in range(len(items) + 1):
        yield from combinations(items, size)
