"""The rows of docs/rules.md as a linear model: decisions, supply and claims here, yearly sums in ``oracle_sums``.

Variables                                                    unit
    ("x", column)                 chosen, binary             1
    ("skip", w)                   not run                    1
    ("order", order)              blocks or units, integer   1
    ("use", offer, t)             capacity used              accelerators, mean over the period
    ("claim", group, r, fy)       grant claimed on use       million yen
    ("capital", order, r)         grant claimed on an order  million yen
    ("from", holder, group, r)    claims from r, binary      1
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable

from tehai.domain.offer import Purchase
from tehai.domain.programme import Programme
from tests.linear_model import LinearModel
from tests.oracle_columns import Column
from tests.oracle_numbers import Numbers
from tests.oracle_offers import Order, Supply
from tests.oracle_sums import MILLION, Sums, Terms


class ModelBuilder:
    """Fills a linear model, one function per kind of row in docs/rules.md.

    ``claims_per_column`` gives each column claims of its own instead of sharing them among those of a workload: the
    same integer optimum, and a relaxation that describes each column's claims exactly. ``factors`` has for each priced
    row its unit in the model over its unit in the rules.
    """

    def __init__(self, numbers: Numbers, claims_per_column: bool = False) -> None:
        """Keep the numbers of a problem."""
        self.numbers = numbers
        self.problem = numbers.problem
        self.claims_per_column = claims_per_column
        self.projects = {w.id: w.project_id or w.id for w in self.problem.workloads}
        self.project_sizes = Counter(self.projects.values())
        self.model = LinearModel()
        self.factors: dict[Hashable, float] = {}
        self.sums = Sums(numbers)

    def build(
        self,
        left_out: frozenset[str] = frozenset(),
        gang: bool = True,
        exclusivity: bool = True,
        quota: bool = True,
    ) -> LinearModel:
        """Return the model, without the workloads ``left_out`` and with or without some kinds of rows."""
        self.model = LinearModel()
        self.factors = {}
        self.sums = Sums(self.numbers)
        columns = [c for c in self.numbers.columns if c.workload_id not in left_out]
        self._assignment(columns, left_out)
        for supply in self.numbers.supplies:
            self._orders(supply)
            self._use(supply, quota)
            self._allocation_quota(supply)
        self._usage_claims(columns)
        self._capital_claims()
        self._capacity(columns)
        if gang:
            self._gangs(columns)
        if exclusivity:
            self._exclusivity(columns)
        self._power(columns)
        self._waiting(columns)
        self._precedence(columns)
        for row in self.sums.rows(columns, self.x, self.project_sizes):
            self._priced(row.key, row.terms, row.factor, row.lower, row.upper)
        return self.model

    def x(self, column: Column) -> int:
        """Return the variable of a column."""
        return self.model.variables[("x", *column.key)]

    def order(self, order: Order) -> int:
        """Return the variable of an order."""
        return self.model.variables[("order", *order.key)]

    def _priced(
        self, key: Hashable, terms: Terms, factor: float, lower: float = -math.inf, upper: float = math.inf
    ) -> None:
        self.model.add_row(key, terms, lower, upper)
        self.factors[key] = factor

    def _assignment(self, columns: list[Column], left_out: frozenset[str]) -> None:
        choices: dict[str, Terms] = {w.id: {} for w in self.problem.workloads if w.id not in left_out}
        for column in columns:
            cost = self.numbers.column_cost_yen(column) / MILLION
            variable = self.model.add_variable(("x", *column.key), upper=1.0, cost=cost, integer=True)
            choices[column.workload_id][variable] = 1.0
            self.sums.add_column(variable, column)
        for workload in self.problem.workloads:
            if workload.id in left_out:
                continue
            if not self.numbers.must_run(workload):
                cost = self.numbers.not_run_yen(workload.id) / MILLION
                choices[workload.id][self.model.add_variable(("skip", workload.id), 1.0, cost)] = 1.0
            self.model.add_row(("one", workload.id), choices[workload.id], lower=1.0, upper=1.0)

    # Supply

    def _orders(self, supply: Supply) -> None:
        kind = supply.offer.kind
        most = float(getattr(kind, "blocks_max", getattr(kind, "units_max", 0)))
        for order in supply.orders:
            cost = order.cost_yen / MILLION
            variable = self.model.add_variable(("order", *order.key), most, cost, integer=True)
            self.sums.add_order(variable, order)
        if hasattr(kind, "blocks_max"):
            for t in self.numbers.periods:
                live = {self.order(o): 1.0 for o in supply.orders if o.capacity[t] > 0}
                self.model.add_row(("overlap", supply.offer.id, t), live, upper=most)
        elif hasattr(kind, "units_max"):
            ordered = {self.order(o): 1.0 for o in supply.orders}
            self.model.add_row(("units", supply.offer.id), ordered, upper=most)

    def _use(self, supply: Supply, quota: bool) -> None:
        """Use of an offer is at most the hours it offers; without ``quota`` capacity without orders has no end."""
        hours = self.numbers.hours
        for t in self.numbers.periods:
            if supply.largest_capacity[t] == 0:
                continue
            upper = math.inf if supply.orders or not quota else float(supply.fixed_capacity[t])
            use = self.model.add_variable(("use", supply.offer.id, t), upper, supply.use_cost_yen[t] * hours / MILLION)
            self.sums.add_cash(use, self.numbers.fiscal_year(t), supply.use_yen[t] * hours)
            if supply.orders:
                terms = {self.order(o): -o.hours[t] / hours for o in supply.orders}
                self.model.add_row(("live", supply.offer.id, t), terms | {use: 1.0}, upper=0.0)

    def _allocation_quota(self, supply: Supply) -> None:
        for year, hours in (supply.quota_hours or {}).items():
            used = {
                self.model.variables[("use", supply.offer.id, t)]: 1.0
                for t in self.numbers.periods
                if self.numbers.fiscal_year(t) == year and supply.largest_capacity[t] > 0
            }
            self.model.add_row(("allocation", supply.offer.id, year), used, upper=hours / self.numbers.hours)

    # Claims

    def _usage_claims(self, columns: list[Column]) -> None:
        """Claims of a column are at most what its hours allow and, in all, the cap of its project."""
        groups: dict[tuple[Hashable, ...], list[Column]] = defaultdict(list)
        for column in columns:
            for programme_id in column.claim_set:
                one: tuple[Hashable, ...] = column.key if self.claims_per_column else ()
                groups[(column.workload_id, programme_id, *one)].append(column)
        for group, members in groups.items():
            workload = self.numbers.workloads[members[0].workload_id]
            programme = self.numbers.grants.programmes[str(group[1])]
            project = self.projects[workload.id]
            total: Terms = {}
            for year in sorted({y for c in members for r, y in c.claim_max if r == programme.id}):
                claim = self._claim(("claim", *group, year), programme, year)
                most = {self.x(c): -c.claim_max.get((programme.id, year), 0.0) / MILLION for c in members}
                self.model.add_row(("rate", *group, year), most | {claim: 1.0}, upper=0.0)
                self.sums.add_usage_claim(claim, programme, year, workload.member_id, project)
                total[claim] = 1.0
            cap = self.numbers.grants.project_cap_left(programme, project)
            if cap is not None:
                chosen = {self.x(c): -cap / MILLION for c in members}
                self.model.add_row(("cap", *group), total | chosen, upper=0.0)

    def _capital_claims(self) -> None:
        """Claims of an order are at most the rate of the price of its units."""
        for supply in self.numbers.supplies:
            for order in supply.orders:
                if order.programme_id:
                    kind = supply.offer.kind
                    assert isinstance(kind, Purchase)
                    programme = self.numbers.grants.programmes[order.programme_id]
                    year = self.numbers.fiscal_year(order.period)
                    claim = self._claim(("capital", *order.key), programme, year)
                    most = {self.order(order): -order.claim_max_yen / MILLION}
                    self.model.add_row(("capital rate", *order.key), most | {claim: 1.0}, upper=0.0)
                    self.sums.add_capital_claim(claim, programme, year, kind.owner_member_id)

    def _claim(self, key: tuple[Hashable, ...], programme: Programme, year: int) -> int:
        return self.model.add_variable(key, cost=-self.numbers.grants.present_value(programme, year))

    def _exclusivity(self, columns: list[Column]) -> None:
        """A project, and an owner's orders, claim from at most one programme of each exclusivity group."""
        usage: dict[tuple[str, str, str], dict[str, Terms]] = defaultdict(lambda: defaultdict(dict))
        for column in columns:
            for r in column.claim_set:
                group = self.numbers.grants.programmes[r].exclusivity_group
                if group:
                    holder = ("project", self.projects[column.workload_id], group)
                    usage[(*holder,)][r] |= {self.x(column): 1.0}
        for supply in self.numbers.supplies:
            kind = supply.offer.kind
            for order in supply.orders:
                programme = self.numbers.grants.programmes.get(order.programme_id)
                group = programme.exclusivity_group if programme else ""
                if group:
                    assert isinstance(kind, Purchase)
                    holder = ("owner", kind.owner_member_id, group)
                    usage[(*holder,)][order.programme_id] |= {self.order(order): 1.0 / kind.units_max}
        for holder, programmes in usage.items():
            if len(programmes) < 2:
                continue
            chosen: Terms = {}
            for r, terms in programmes.items():
                flag = self.model.add_variable(("from", *holder, r), upper=1.0, integer=True)
                chosen[flag] = 1.0
                for variable, weight in terms.items():
                    # a row for each column keeps the relaxation tight
                    self.model.add_row(("exclusive", *holder, r, variable), {variable: weight, flag: -1.0}, upper=0.0)
            self.model.add_row(("one of group", *holder), chosen, upper=1.0)

    # Placements

    def _capacity(self, columns: list[Column]) -> None:
        """Row 1: use of a pool's offers covers the hours placed there."""
        rows: dict[tuple[str, int], Terms] = defaultdict(dict)
        for column in columns:
            for t, hours in zip(column.touched, column.hours, strict=True):
                rows[(column.pool_id, t)][self.x(column)] = -hours / self.numbers.hours
        for supply in self.numbers.supplies:
            for t in self.numbers.periods:
                use = self.model.variables.get(("use", supply.offer.id, t))
                if use is not None and (supply.offer.pool_id, t) in rows:
                    rows[(supply.offer.pool_id, t)][use] = 1.0
        for (pool_id, t), terms in rows.items():
            self._priced(("capacity", pool_id, t), terms, 1 / self.numbers.hours, lower=0.0)

    def _gangs(self, columns: list[Column]) -> None:
        """Row 2: what each workload occupies is at most the accelerators live in its pool and period."""
        rows: dict[tuple[str, str, int], Terms] = defaultdict(dict)
        for column in columns:
            for t in column.touched:
                rows[(column.workload_id, column.pool_id, t)][self.x(column)] = float(column.occupied)
        for (workload_id, pool_id, t), terms in rows.items():
            fixed = 0.0
            for supply in self.numbers.supplies_in(pool_id):
                fixed += supply.fixed_capacity[t]
                terms |= {self.order(o): -o.capacity[t] for o in supply.orders}
            self.model.add_row(("gang", workload_id, pool_id, t), terms, upper=fixed)

    def _power(self, columns: list[Column]) -> None:
        """Row 3: facility power of a site."""
        rows: dict[tuple[str, int], Terms] = defaultdict(dict)
        for column in columns:
            site = self.numbers.site_of(column.pool_id)
            if site.power_limit_kw is not None:
                kw = self.numbers.facility_kw(column.pool_id)
                for t, hours in zip(column.touched, column.hours, strict=True):
                    rows[(site.id, t)][self.x(column)] = hours / self.numbers.hours * kw
        for (site_id, t), terms in rows.items():
            limit = self.numbers.sites[site_id].power_limit_kw
            assert limit is not None
            self._priced(("power", site_id, t), terms, 1 / self.numbers.hours, upper=limit)

    def _waiting(self, columns: list[Column]) -> None:
        """Row 11: waiting of all placed workloads together."""
        most = self.problem.rules.total_waiting_periods_max
        if most is not None:
            terms = {self.x(column): float(column.waiting_periods) for column in columns}
            self._priced(("waiting",), terms, 1.0, upper=float(most))

    def _precedence(self, columns: list[Column]) -> None:
        """Row 12: whoever has started by t has every predecessor placed and ended by t."""
        for after in self.problem.workloads:
            for before_id in after.after_workload_ids:
                for t in self.numbers.periods:
                    started = {self.x(c): 1.0 for c in columns if c.workload_id == after.id and c.start <= t}
                    ended = {self.x(c): -1.0 for c in columns if c.workload_id == before_id and c.end <= t}
                    self._priced(("precedence", before_id, after.id, t), started | ended, 1.0, upper=0.0)
