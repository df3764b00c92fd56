"""The oracle: the full time-indexed model of docs/rules.md, solved by OR-Tools without a gap.

Small problems only. It shares no code with the product beyond the domain dataclasses: numbers come from
``oracle_numbers`` (a second reading of the rules), the solver from ``linear_model``.

Variables                                                    unit
    ("x", column)                 chosen, binary             1
    ("skip", w)                   not run                    1
    ("order", offer, term, s)     blocks or units, integer   1
    ("use", offer, t)             capacity used              accelerators, mean over the period
    ("claim", w, r, fy[, column]) grant claimed              million yen

Two linear relaxations are of interest. ``lp_bound_yen`` has every row. ``lp_priced_rows_yen`` leaves the gang rows out,
as the certificate does. Both describe each column's claims by its own polytope {0 <= claim <= rate * eligible,
sum <= cap}; the second therefore equals the best bound that any certificate can prove (the Lagrangian dual of the
priced rows).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import Enum

from tehai.domain.problem import Problem
from tests.linear_model import (
    FEASIBILITY_TOLERANCE,
    SOLVE_SECONDS_MAX,
    TIGHT_FEASIBILITY_TOLERANCE,
    LinearModel,
    Solution,
    SolverFailedError,
)
from tests.oracle_numbers import Column, Numbers, Order, Supply

MILLION = 1e6
RELATIVE_ERROR = 1e-9

Terms = dict[int, float]


class Row(Enum):
    """Kinds of rows that a test can leave out of the integer model."""

    QUOTA = "quota"
    GANG = "gang"


class OracleStatus(Enum):
    """Whether a plan exists that keeps every rule."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"


@dataclass(frozen=True, slots=True)
class OraclePlacement:
    """A chosen column with its claims in yen by fiscal year."""

    workload_id: str
    pool_id: str
    accelerators: int
    start: int
    programme_id: str
    claims_yen: dict[int, float]


@dataclass(frozen=True, slots=True)
class OraclePrices:
    """Row prices of the priced relaxation in the units of the certificate; zero prices are left out."""

    capacity: dict[tuple[str, int], float]
    power: dict[tuple[str, int], float]
    domestic_share: dict[int, float]
    budget: dict[int, float]
    programme_budget: dict[tuple[str, int], float]
    project_cap: dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class OracleResult:
    """The proven optimum with one plan that reaches it, and the two relaxations.

    ``optimum_yen`` is None where no plan keeps every rule. ``unplaceable`` lists mandatory workloads without a legal
    column; they are left out of the relaxations. Orders are (offer, term or -1, period): count; use is in
    accelerator-hours.
    """

    status: OracleStatus
    optimum_yen: float | None
    lp_bound_yen: float
    lp_priced_rows_yen: float
    prices: OraclePrices
    unplaceable: tuple[str, ...]
    placements: tuple[OraclePlacement, ...]
    not_run: tuple[str, ...]
    orders: dict[tuple[str, int, int], int]
    use_hours: dict[str, tuple[float, ...]]


def solve_oracle(problem: Problem) -> OracleResult:
    """Return optimum, plan and relaxations of a small problem."""
    numbers = Numbers(problem)
    unplaceable = _unplaceable(numbers)
    exact = _Builder(numbers, claims_per_column=True)
    lp_all = exact.build(left_out=frozenset(unplaceable), gang=True).relaxed().solve()
    priced_model = exact.build(left_out=frozenset(unplaceable), gang=False)
    lp_priced = priced_model.relaxed().solve()
    builder = _Builder(numbers)
    model = builder.build()
    best = None if unplaceable else _solve_exactly(model)
    return OracleResult(
        status=OracleStatus.INFEASIBLE if best is None else OracleStatus.OPTIMAL,
        optimum_yen=None if best is None else best.objective * MILLION,
        lp_bound_yen=math.inf if lp_all is None else lp_all.objective * MILLION,
        lp_priced_rows_yen=math.inf if lp_priced is None else lp_priced.objective * MILLION,
        prices=_prices(priced_model, lp_priced, numbers),
        unplaceable=unplaceable,
        placements=() if best is None else _placements(model, best, numbers),
        not_run=() if best is None else _not_run(model, best),
        orders={} if best is None else _orders(model, best),
        use_hours={} if best is None else _use_hours(model, best, numbers),
    )


def optimum_yen(problem: Problem, without: Iterable[Row] = (), seconds_max: float = SOLVE_SECONDS_MAX) -> float | None:
    """Return only the optimum, with some kinds of rows left out; None where no plan keeps the rules.

    Raises:
        SolverFailedError: the optimum is not proven after ``seconds_max``.
    """
    numbers = Numbers(problem)
    if _unplaceable(numbers):
        return None
    rows = frozenset(without)
    model = _Builder(numbers).build(gang=Row.GANG not in rows, quota=Row.QUOTA not in rows)
    best = _solve_exactly(model, seconds_max)
    return None if best is None else best.objective * MILLION


def _solve_exactly(model: LinearModel, seconds_max: float = SOLVE_SECONDS_MAX) -> Solution | None:
    """Return the optimum of an integer model, exact up to ``RELATIVE_ERROR``.

    The solver works within a tolerance, so its value is at most the optimum. The linear program that remains once its
    integers are fixed is a plan, so that value is at least the optimum. Where both agree the optimum is proven.
    """
    for tolerance in (FEASIBILITY_TOLERANCE, TIGHT_FEASIBILITY_TOLERANCE):
        relaxed = model.solve(tolerance=tolerance, seconds_max=seconds_max)
        if relaxed is None:
            return None
        exact = model.with_integers_fixed(relaxed.values).solve()
        if exact is not None and exact.objective - relaxed.objective <= RELATIVE_ERROR * max(1.0, exact.objective):
            return exact
    raise SolverFailedError("solver value and rounded plan do not agree")


def _unplaceable(numbers: Numbers) -> tuple[str, ...]:
    placeable = {column.workload_id for column in numbers.columns}
    return tuple(w.id for w in numbers.problem.workloads if w.mandatory and w.id not in placeable)


class _Builder:
    """Fills a linear model, one function per kind of row in docs/rules.md."""

    def __init__(self, numbers: Numbers, claims_per_column: bool = False) -> None:
        self.numbers = numbers
        self.problem = numbers.problem
        self.claims_per_column = claims_per_column
        self.projects = {w.id: w.project_id or w.id for w in self.problem.workloads}
        self.project_sizes = Counter(self.projects.values())
        self.model = LinearModel()
        # filled while variables are added: claims by programme and year, by programme and project, by year
        self.claims_in_budget: dict[tuple[str, int], Terms] = {}
        self.claims_in_project: dict[tuple[str, str], Terms] = {}
        self.cash: dict[int, Terms] = {}

    def build(self, left_out: frozenset[str] = frozenset(), gang: bool = True, quota: bool = True) -> LinearModel:
        """Return the model, without the workloads ``left_out`` and with or without gang and quota rows."""
        self.model = LinearModel()
        self.claims_in_budget = defaultdict(dict)
        self.claims_in_project = defaultdict(dict)
        self.cash = defaultdict(dict)
        columns = [c for c in self.numbers.columns if c.workload_id not in left_out]
        self._assignment(columns, left_out)
        for supply in self.numbers.supplies:
            self._orders(supply)
            self._use(supply, quota)
        self._claims(columns)
        self._capacity(columns)
        if gang:
            self._gangs(columns)
        self._power(columns)
        self._domestic_share(columns)
        self._budgets()
        return self.model

    def x(self, column: Column) -> int:
        """Return the variable of a column."""
        return self.model.variables[("x", *column.key)]

    def order(self, order: Order) -> int:
        """Return the variable of an order."""
        return self.model.variables[("order", order.offer_id, order.term, order.period)]

    def _assignment(self, columns: list[Column], left_out: frozenset[str]) -> None:
        choices: dict[str, Terms] = {w.id: {} for w in self.problem.workloads if w.id not in left_out}
        for column in columns:
            variable = self.model.add_variable(
                ("x", *column.key), upper=1.0, cost=column.lateness_yen / MILLION, integer=True
            )
            choices[column.workload_id][variable] = 1.0
        for workload in self.problem.workloads:
            if workload.id in left_out:
                continue
            if workload.cost_not_run_yen is not None:
                skip = self.model.add_variable(("skip", workload.id), 1.0, workload.cost_not_run_yen / MILLION)
                choices[workload.id][skip] = 1.0
            self.model.add_row(("one", workload.id), choices[workload.id], lower=1.0, upper=1.0)

    def _orders(self, supply: Supply) -> None:
        kind = supply.offer.kind
        most = float(getattr(kind, "blocks_max", getattr(kind, "units_max", 0)))
        for order in supply.orders:
            key = ("order", order.offer_id, order.term, order.period)
            variable = self.model.add_variable(key, most, order.cost_yen / MILLION, integer=True)
            for year, cash in order.cash_by_year.items():
                self.cash[year][variable] = cash / MILLION
        if hasattr(kind, "blocks_max"):
            for t in self.numbers.periods:
                live = {self.order(o): 1.0 for o in supply.orders if o.capacity[t] > 0}
                self.model.add_row(("overlap", supply.offer.id, t), live, upper=most)
        elif hasattr(kind, "units_max"):
            ordered = {self.order(o): 1.0 for o in supply.orders}
            self.model.add_row(("units", supply.offer.id), ordered, upper=most)

    def _use(self, supply: Supply, quota: bool) -> None:
        hours = self.numbers.hours
        for t in self.numbers.periods:
            if supply.largest_capacity[t] == 0:
                continue
            cost = supply.use_cost_yen[t] * hours / MILLION
            limited = bool(supply.orders) or not quota
            upper = math.inf if limited else float(supply.fixed_capacity[t])
            use = self.model.add_variable(("use", supply.offer.id, t), upper, cost)
            if cost != 0.0:
                self.cash[self.numbers.fiscal_year(t)][use] = cost
            if supply.orders:
                terms = {self.order(o): -o.capacity[t] for o in supply.orders}
                self.model.add_row(("live", supply.offer.id, t), terms | {use: 1.0}, upper=0.0)

    def _claims(self, columns: list[Column]) -> None:
        """Row 6: claims of a column at most what its hours allow, in all at most the cap of its project."""
        caps = {p.id: p.kind.project_cap_yen for p in self.problem.programmes}
        groups: dict[tuple[Hashable, ...], list[Column]] = defaultdict(list)
        for column in columns:
            if column.programme_id:
                one: tuple[Hashable, ...] = column.key if self.claims_per_column else ()
                groups[(column.workload_id, column.programme_id, *one)].append(column)
        for group, members in groups.items():
            workload_id, programme_id = members[0].workload_id, members[0].programme_id
            total: Terms = {}
            for year in sorted({y for c in members for y in c.claim_max_by_year}):
                claim = self.model.add_variable(("claim", *group, year), cost=-1.0)
                most = {self.x(c): -c.claim_max_by_year.get(year, 0.0) / MILLION for c in members}
                self.model.add_row(("rate", *group, year), most | {claim: 1.0}, upper=0.0)
                self.claims_in_budget[(programme_id, year)][claim] = 1.0
                self.claims_in_project[(programme_id, self.projects[workload_id])][claim] = 1.0
                self.cash[year][claim] = -1.0
                total[claim] = 1.0
            cap = caps[programme_id]
            if cap is not None:
                chosen = {self.x(c): -cap / MILLION for c in members}
                self.model.add_row(("cap", *group), total | chosen, upper=0.0)

    def _capacity(self, columns: list[Column]) -> None:
        """Row 1: use of a pool's offers covers the hours placed there."""
        rows: dict[tuple[str, int], Terms] = defaultdict(dict)
        for column in columns:
            for t, hours in zip(column.periods(), column.hours, strict=True):
                rows[(column.pool_id, t)][self.x(column)] = -hours / self.numbers.hours
        for supply in self.numbers.supplies:
            for t in self.numbers.periods:
                use = self.model.variables.get(("use", supply.offer.id, t))
                if use is not None and (supply.offer.pool_id, t) in rows:
                    rows[(supply.offer.pool_id, t)][use] = 1.0
        for (pool_id, t), terms in rows.items():
            self.model.add_row(("capacity", pool_id, t), terms, lower=0.0)

    def _gangs(self, columns: list[Column]) -> None:
        """Row 2: the gang of each workload is at most the accelerators live in its pool and period."""
        rows: dict[tuple[str, str, int], Terms] = defaultdict(dict)
        for column in columns:
            for t in column.periods():
                rows[(column.workload_id, column.pool_id, t)][self.x(column)] = float(column.accelerators)
        for (workload_id, pool_id, t), terms in rows.items():
            fixed = 0.0
            for supply in self.numbers.supplies:
                if supply.offer.pool_id == pool_id:
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
                for t, hours in zip(column.periods(), column.hours, strict=True):
                    rows[(site.id, t)][self.x(column)] = hours / self.numbers.hours * kw
        for (site_id, t), terms in rows.items():
            limit = self.numbers.sites[site_id].power_limit_kw
            assert limit is not None
            self.model.add_row(("power", site_id, t), terms, upper=limit)

    def _domestic_share(self, columns: list[Column]) -> None:
        """Row 4: domestic work of a fiscal year at least its share of all work."""
        for listed in self.problem.rules.minimum_domestic_shares:
            terms: Terms = {}
            for column in columns:
                work = column.work_by_year.get(listed.fiscal_year, 0.0) / self.numbers.hours
                domestic = 1.0 if self.numbers.domestic(column.pool_id) else 0.0
                terms[self.x(column)] = (domestic - listed.share_fraction) * work
            self.model.add_row(("share", listed.fiscal_year), terms, lower=0.0)

    def _budgets(self) -> None:
        """Row 5 and the caps that join several workloads: portfolio, programme and project."""
        for amount in self.problem.rules.portfolio_budgets:
            terms = self.cash[amount.fiscal_year]
            self.model.add_row(("budget", amount.fiscal_year), terms, upper=amount.amount_yen / MILLION)
        for programme in self.problem.programmes:
            for amount in programme.kind.budgets:
                terms = self.claims_in_budget[(programme.id, amount.fiscal_year)]
                key = ("programme", programme.id, amount.fiscal_year)
                self.model.add_row(key, terms, upper=amount.amount_yen / MILLION)
            cap = programme.kind.project_cap_yen
            for (programme_id, project), terms in self.claims_in_project.items():
                # the cap of a project of one workload is already in that workload's own rows
                if programme_id == programme.id and cap is not None and self.project_sizes[project] > 1:
                    self.model.add_row(("project", programme_id, project), terms, upper=cap / MILLION)


def _prices(model: LinearModel, solution: Solution | None, numbers: Numbers) -> OraclePrices:
    """Return the duals of the priced rows in the certificate's units and signs (none is negative)."""
    prices = OraclePrices({}, {}, {}, {}, {}, {})
    scale = MILLION / numbers.hours
    for key, row in model.rows.items() if solution is not None else ():
        assert solution is not None
        assert isinstance(key, tuple)
        dual = solution.duals[row]
        match key:
            case ("capacity", pool_id, t) if dual:
                prices.capacity[(pool_id, t)] = dual * scale
            case ("power", site_id, t) if dual:
                prices.power[(site_id, t)] = -dual * scale
            case ("share", year) if dual:
                prices.domestic_share[year] = dual * scale
            case ("budget", year) if dual:
                prices.budget[year] = -dual
            case ("programme", programme_id, year) if dual:
                prices.programme_budget[(programme_id, year)] = -dual
            case ("project", programme_id, project) if dual:
                prices.project_cap[(programme_id, project)] = -dual
    return prices


def _placements(model: LinearModel, best: Solution, numbers: Numbers) -> tuple[OraclePlacement, ...]:
    placements = []
    for column in numbers.columns:
        if best.values[model.variables[("x", *column.key)]] > 0.5:
            claims = {
                year: best.values[model.variables[("claim", column.workload_id, column.programme_id, year)]] * MILLION
                for year in column.claim_max_by_year
            }
            placements.append(OraclePlacement(*column.key, claims_yen=claims))
    return tuple(placements)


def _not_run(model: LinearModel, best: Solution) -> tuple[str, ...]:
    keys = [key for key in model.variables if isinstance(key, tuple) and key[0] == "skip"]
    return tuple(str(key[1]) for key in keys if best.values[model.variables[key]] > 0.5)


def _orders(model: LinearModel, best: Solution) -> dict[tuple[str, int, int], int]:
    orders = {}
    for key, variable in model.variables.items():
        match key:
            case ("order", str(offer_id), int(term), int(period)) if best.values[variable] > 0.5:
                orders[(offer_id, term, period)] = round(best.values[variable])
    return orders


def _use_hours(model: LinearModel, best: Solution, numbers: Numbers) -> dict[str, tuple[float, ...]]:
    use = {}
    for supply in numbers.supplies:
        variables = [model.variables.get(("use", supply.offer.id, t)) for t in numbers.periods]
        use[supply.offer.id] = tuple(0.0 if v is None else best.values[v] * numbers.hours for v in variables)
    return use
