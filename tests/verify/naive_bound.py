"""The certificate of docs/rules.md evaluated column by column: the witness of ``compute_bound``."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import product

from tehai.domain.certificate import Certificate
from tehai.domain.offer import Existing
from tehai.domain.problem import Problem
from tehai.domain.programme import Programme
from tehai.domain.workload import Workload
from tests.verify.naive_columns import NaiveColumn, NaiveColumns
from tests.verify.naive_supply import NaivePrices, naive_supply


def naive_bound(problem: Problem, certificate: Certificate) -> float:
    """Return the bound of projected prices, yen."""
    return _NaiveBound(problem, certificate).value()


class _NaiveBound:
    def __init__(self, problem: Problem, certificate: Certificate) -> None:
        self.naive = NaiveColumns(problem)
        self.problem = problem
        self.prices = NaivePrices(certificate)

    def value(self) -> float:
        """The whole sum."""
        total = sum(self._workload(workload) for workload in self.problem.workloads)
        total += sum(naive_supply(self.naive, self.prices, offer) for offer in self.problem.offers)
        return total - self._limits()

    def _limits(self) -> float:
        prices, rules, total = self.prices, self.problem.rules, 0.0
        for site in self.problem.sites:
            if site.power_limit_kw is not None:
                for t in range(self.naive.count):
                    total += prices.rho[site.id, t] * site.power_limit_kw * self.naive.period_hours
        for budget in rules.portfolio_budgets:
            sunk = sum(
                p.amount_yen
                for offer in self.problem.offers
                if isinstance(offer.kind, Existing)
                for p in offer.kind.payments
                if p.fiscal_year == budget.fiscal_year and p.fiscal_year in self.problem.calendar.fiscal_years()
            )
            total += prices.beta[budget.fiscal_year] * (budget.amount_yen - sunk)
        for member in self.problem.members:
            for budget in member.budgets:
                total += prices.gamma[member.id, budget.fiscal_year] * budget.amount_yen
        total += sum(prices.alpha[c.fiscal_year] * c.amount_yen for c in rules.capital_ceilings)
        total += sum(prices.delta[c.fiscal_year] * c.mass_kg for c in rules.carbon_limits)
        total += prices.omega * (rules.total_waiting_periods_max or 0)
        programmes = {programme.id: programme for programme in self.problem.programmes}
        for (r, year), price in prices.nu.items():
            total += price * self.naive.budget_left(programmes[r], year)
        for (r, member_id, year), price in prices.eta.items():
            total += price * self.naive.member_left(programmes[r], member_id, year)
        for (r, project), price in prices.mu.items():
            total += price * self.naive.project_left(programmes[r], project)
        return total

    def _workload(self, workload: Workload) -> float:
        found = []
        paused: defaultdict[tuple[str, int, int], list[NaiveColumn]] = defaultdict(list)
        for column in self.naive.columns(workload):
            if column.pauses == 0:
                worths = [sum(self._worth(r, column) for r in chosen) for chosen in self.naive.claim_sets()]
                found.append(self._price(column) - max(worths))
            else:
                paused[column.pool.id, column.gang.accelerators, column.pauses].append(column)
        for columns in paused.values():
            found += [self._paused(columns, chosen) for chosen in self.naive.claim_sets()]
        if not self.naive.must_run(workload):
            found.append(float((workload.cost_not_run_yen or 0) + self.naive.change(workload, None)))
        return min(found, default=0.0)

    def _price(self, column: NaiveColumn) -> float:
        """The price of a column before its claims."""
        naive, prices, workload, pool = self.naive, self.prices, column.workload, column.pool
        member, s, rules = workload.member_id, column.start, self.problem.rules
        price = (workload.late_start_yen_per_period + prices.omega) * (s - naive.release(workload))
        price += naive.change(workload, column)
        once = (naive.transfer(workload, pool, s) or 0.0) + naive.porting(workload, pool)
        price += once * (naive.discount(s) + prices.beta[naive.year(s)] + prices.gamma[member, naive.year(s)])
        whole = sum(column.hours.values())
        shares = {c.fiscal_year: c.share_fraction for c in rules.minimum_domestic_shares}
        for t, hours in column.hours.items():
            year = naive.year(t)
            price += hours * prices.pi[pool.id, t]
            price += hours * prices.rho[pool.site_id, t] * naive.kilowatts(pool)
            price += hours * (float(rules.carbon_price_yen_per_kg) + prices.delta[year]) * naive.carbon(pool)
            price += hours * prices.gamma[member, year] * naive.charge_reference(pool, t)
            work = naive.work(workload) * hours / whole
            price += prices.sigma[year] * (shares.get(year, 0) - naive.domestic(pool)) * work
            for limit in rules.concentration_limits:
                if limit.fiscal_year == year:
                    there = naive.site(pool).operator_id == limit.operator_id
                    price += prices.chi[limit.operator_id, year] * (there - limit.share_fraction) * work
        for (before, after), theta in prices.theta.items():
            if after == workload.id:
                price += sum(theta[s:])
            if before == workload.id:
                price -= sum(theta[column.end :])
        return price

    def _value(self, programme: Programme, workload: Workload, year: int) -> float:
        """What a claimed yen of a fiscal year is worth."""
        prices, member = self.prices, workload.member_id
        value = self.naive.discount(self.naive.pay_day(programme, year)) - prices.nu[programme.id, year]
        value -= prices.eta[programme.id, member, year] + prices.mu[programme.id, workload.project]
        paid_in = self.naive.pay_year(programme, year)
        return value if paid_in is None else value + prices.beta[paid_in] + prices.gamma[member, paid_in]

    def _worth(self, programme: Programme, column: NaiveColumn) -> float:
        rate = self.naive.grant_rate(programme, column.workload, column.pool)
        left = self.naive.project_left(programme, column.workload.project)
        years = [
            (self._value(programme, column.workload, year), rate * cost)
            for year, cost in self.naive.eligible(programme, column).items()
        ]
        worth = 0.0
        for value, most in sorted(years, reverse=True):
            if value > 0:
                claim = min(most, left)
                left -= claim
                worth += value * claim
        return worth

    def _paused(self, columns: list[NaiveColumn], chosen: tuple[Programme, ...]) -> float:
        """The largest over the multipliers of the least over the columns."""
        workload = columns[0].workload
        values = {(r.id, y): self._value(r, workload, y) for r in chosen for y in self.naive.years}
        left = {r.id: self.naive.project_left(r, workload.project) for r in chosen}
        tried = [
            [0.0] if math.isinf(left[r.id]) else [0.0, *(v for (q, _), v in values.items() if q == r.id and v > 0)]
            for r in chosen
        ]
        priced = [
            (
                self._price(column),
                [
                    (i, values[r.id, y], self.naive.grant_rate(r, workload, column.pool) * cost)
                    for i, r in enumerate(chosen)
                    for y, cost in self.naive.eligible(r, column).items()
                ],
            )
            for column in columns
        ]
        best = -math.inf
        for multipliers in product(*tried):
            least = min(
                price - sum(max(0.0, value - multipliers[i]) * most for i, value, most in claims)
                for price, claims in priced
            )
            taken = sum(m * left[r.id] for m, r in zip(multipliers, chosen, strict=True) if m > 0)
            best = max(best, least - taken)
        return best
