"""Rows over fiscal years: shares of work, emissions, cash, instalments, list bills and claims of docs/rules.md."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tehai.domain.programme import Programme
from tests.oracle_columns import Column
from tests.oracle_numbers import Numbers
from tests.oracle_offers import Order

MILLION = 1e6

Terms = dict[int, float]


@dataclass(frozen=True, slots=True)
class SumRow:
    """A priced row; ``factor`` is its unit in the model over its unit in the rules."""

    key: tuple[str | int, ...]
    terms: Terms
    factor: float
    lower: float = -math.inf
    upper: float = math.inf


class Sums:
    """Collects what each variable adds to the money of a fiscal year, in million yen, and makes the yearly rows."""

    def __init__(self, numbers: Numbers) -> None:
        """Start without any variable."""
        self.numbers = numbers
        self.cash: dict[int, Terms] = defaultdict(lambda: defaultdict(float))
        self.capital: dict[int, Terms] = defaultdict(lambda: defaultdict(float))
        self.list_bills: dict[tuple[str, int], Terms] = defaultdict(lambda: defaultdict(float))
        self.by_programme: dict[tuple[str, int], Terms] = defaultdict(dict)
        self.by_member: dict[tuple[str, str, int], Terms] = defaultdict(dict)
        self.by_project: dict[tuple[str, str], Terms] = defaultdict(dict)

    # What variables add

    def add_cash(self, variable: int, year: int, yen: float) -> None:
        """Add a payment of a fiscal year for one unit of a variable."""
        self.cash[year][variable] += yen / MILLION

    def add_column(self, variable: int, column: Column) -> None:
        """Add transfer and porting to cash, and list bills to those of the member."""
        self.add_cash(variable, self.numbers.fiscal_year(column.start), column.moving_yen)
        member_id = self.numbers.workloads[column.workload_id].member_id
        for year, yen in column.list_bill_by_year.items():
            self.list_bills[(member_id, year)][variable] += yen / MILLION

    def add_order(self, variable: int, order: Order) -> None:
        """Add payments and, for units, instalments."""
        for year, yen in order.cash_by_year.items():
            self.add_cash(variable, year, yen)
        for year, yen in order.capital_by_year.items():
            self.capital[year][variable] += yen / MILLION

    def add_usage_claim(self, claim: int, programme: Programme, year: int, member_id: str, project: str) -> None:
        """Add a claim on use: against three limits, and as income of the year in which it is paid."""
        paid = self._add_claim(claim, programme, year, member_id)
        self.by_project[(programme.id, project)][claim] = 1.0
        if paid is not None:
            self.list_bills[(member_id, paid)][claim] -= 1.0

    def add_capital_claim(self, claim: int, programme: Programme, year: int, owner_id: str) -> None:
        """Add a claim on an order."""
        self._add_claim(claim, programme, year, owner_id)

    def _add_claim(self, claim: int, programme: Programme, year: int, member_id: str) -> int | None:
        self.by_programme[(programme.id, year)][claim] = 1.0
        self.by_member[(programme.id, member_id, year)][claim] = 1.0
        paid = self.numbers.grants.payment_year(programme, year)
        if paid is not None:
            self.cash[paid][claim] -= 1.0
        return paid

    # Rows

    def rows(
        self, columns: list[Column], x: Callable[[Column], int], project_sizes: Mapping[str, int]
    ) -> Iterator[SumRow]:
        """Return every row over a fiscal year or over several."""
        yield from self._work_rows(columns, x)
        yield from self._carbon_rows(columns, x)
        yield from self._money_rows()
        yield from self._claim_rows(project_sizes)

    def _work_rows(self, columns: list[Column], x: Callable[[Column], int]) -> Iterator[SumRow]:
        """Rows 4 and 5: domestic work at least its share, an operator's at most."""
        factor = 1 / self.numbers.hours
        for share in self.numbers.problem.rules.minimum_domestic_shares:
            terms = {
                x(c): (self.numbers.domestic(c.pool_id) - share.share_fraction)
                * c.work_by_year.get(share.fiscal_year, 0.0)
                * factor
                for c in columns
            }
            yield SumRow(("share", share.fiscal_year), terms, factor, lower=0.0)
        for limit in self.numbers.problem.rules.concentration_limits:
            terms = {
                x(c): ((self.numbers.site_of(c.pool_id).operator_id == limit.operator_id) - limit.share_fraction)
                * c.work_by_year.get(limit.fiscal_year, 0.0)
                * factor
                for c in columns
            }
            yield SumRow(("concentration", limit.operator_id, limit.fiscal_year), terms, factor, upper=0.0)

    def _carbon_rows(self, columns: list[Column], x: Callable[[Column], int]) -> Iterator[SumRow]:
        """Row 9."""
        factor = 1 / self.numbers.hours
        for limit in self.numbers.problem.rules.carbon_limits:
            terms = {x(c): c.carbon_kg_by_year.get(limit.fiscal_year, 0.0) * factor for c in columns}
            yield SumRow(("carbon", limit.fiscal_year), terms, factor, upper=limit.mass_kg * factor)

    def _money_rows(self) -> Iterator[SumRow]:
        """Rows 6, 7 and 8: portfolio budget, member budgets, capital ceiling."""
        rules = self.numbers.problem.rules
        for budget in rules.portfolio_budgets:
            year = budget.fiscal_year
            sunk = sum(yen for s in self.numbers.supplies for paid, yen in s.payments if paid == year)
            left = (budget.amount_yen - sunk) / MILLION
            yield SumRow(("budget", year), self.cash[year], 1 / MILLION, upper=left)
        for member in self.numbers.problem.members:
            for budget in member.budgets:
                key = (member.id, budget.fiscal_year)
                upper = budget.amount_yen / MILLION
                yield SumRow(("member", *key), self.list_bills[key], 1 / MILLION, upper=upper)
        for ceiling in rules.capital_ceilings:
            terms = self.capital[ceiling.fiscal_year]
            yield SumRow(
                ("capital ceiling", ceiling.fiscal_year), terms, 1 / MILLION, upper=ceiling.amount_yen / MILLION
            )

    def _claim_rows(self, project_sizes: Mapping[str, int]) -> Iterator[SumRow]:
        """Row 10: programme budgets, member caps and caps of projects of several workloads."""
        grants = self.numbers.grants
        for (programme_id, year), terms in self.by_programme.items():
            left = grants.budget_left(grants.programmes[programme_id], year)
            if left is not None:
                yield SumRow(("programme", programme_id, year), terms, 1 / MILLION, upper=left / MILLION)
        for (programme_id, member_id, year), terms in self.by_member.items():
            left = grants.member_cap_left(grants.programmes[programme_id], member_id, year)
            if left is not None:
                key = ("member cap", programme_id, member_id, year)
                yield SumRow(key, terms, 1 / MILLION, upper=left / MILLION)
        for (programme_id, project), terms in self.by_project.items():
            left = grants.project_cap_left(grants.programmes[programme_id], project)
            # the cap of a project of one workload is already in that workload's own rows
            if left is not None and project_sizes[project] > 1:
                yield SumRow(("project", programme_id, project), terms, 1 / MILLION, upper=left / MILLION)
