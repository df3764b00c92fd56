"""The oracle: the full time-indexed model of docs/rules.md, solved by OR-Tools without a gap.

Small problems only. It shares no code with the product beyond the domain dataclasses: numbers come from
``oracle_numbers`` (a second reading of the rules), rows from ``oracle_rows``, the solver from ``linear_model``.

Two linear relaxations are of interest. ``lp_bound_yen`` has every row. ``lp_priced_rows_yen`` leaves gang rows and
exclusivity out, as the certificate does. Both describe each column's claims by its own polytope {0 <= claim <= rate *
eligible, sum <= cap}; where nothing pauses under a cap the second therefore equals the best bound that any certificate
can prove (the Lagrangian dual of the priced rows), and is never below it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tehai.domain.problem import Problem
from tests.linear_model import (
    FEASIBILITY_TOLERANCE,
    SOLVE_SECONDS_MAX,
    TIGHT_FEASIBILITY_TOLERANCE,
    LinearModel,
    Solution,
    SolverFailedError,
)
from tests.oracle_numbers import Numbers
from tests.oracle_rows import ModelBuilder
from tests.oracle_sums import MILLION

RELATIVE_ERROR = 1e-9

OrderKey = tuple[str, int, int, int, str]


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
    """A chosen column with its claims in nominal yen by programme and fiscal year."""

    workload_id: str
    pool_id: str
    accelerators: int
    touched: tuple[int, ...]
    claim_set: tuple[str, ...]
    claims_yen: dict[tuple[str, int], float]

    @property
    def start(self) -> int:
        """The first touched period."""
        return self.touched[0]


@dataclass(frozen=True, slots=True)
class OraclePrices:
    """Row prices of the priced relaxation in the units of the certificate; zero prices are left out.

    Keys: capacity (pool, t), power (site, t), domestic share, budget, capital ceiling and carbon (year), programme
    budget (programme, year), project cap (programme, project), concentration (operator, year), member budget (member,
    year), member cap (programme, member, year), precedence (before, after, t).
    """

    capacity: dict[tuple[str, int], float]
    power: dict[tuple[str, int], float]
    domestic_share: dict[int, float]
    budget: dict[int, float]
    programme_budget: dict[tuple[str, int], float]
    project_cap: dict[tuple[str, str], float]
    concentration: dict[tuple[str, int], float]
    member_budget: dict[tuple[str, int], float]
    member_cap: dict[tuple[str, str, int], float]
    capital_ceiling: dict[int, float]
    carbon: dict[int, float]
    precedence: dict[tuple[str, str, int], float]
    waiting: float = 0.0


@dataclass(frozen=True, slots=True)
class OracleResult:
    """The proven optimum with one plan that reaches it, and the two relaxations.

    ``optimum_yen`` is None where no plan keeps every rule. ``unplaceable`` lists mandatory and locked workloads without
    a legal column; they are left out of the relaxations. Orders are (offer, term or -1, period, booking period,
    programme or ""): count; use is in accelerator-hours.
    """

    status: OracleStatus
    optimum_yen: float | None
    lp_bound_yen: float
    lp_priced_rows_yen: float
    prices: OraclePrices
    unplaceable: tuple[str, ...]
    placements: tuple[OraclePlacement, ...]
    not_run: tuple[str, ...]
    orders: dict[OrderKey, int]
    use_hours: dict[str, tuple[float, ...]]


def solve_oracle(problem: Problem) -> OracleResult:
    """Return optimum, plan and relaxations of a small problem."""
    numbers = Numbers(problem)
    unplaceable = _unplaceable(numbers)
    left_out = frozenset(unplaceable)
    exact = ModelBuilder(numbers, claims_per_column=True)
    lp_all = exact.build(left_out).relaxed().solve()
    priced_model = exact.build(left_out, gang=False, exclusivity=False)
    lp_priced = priced_model.relaxed().solve()
    model = ModelBuilder(numbers).build(left_out)
    best = None if unplaceable else _solve_exactly(model)
    return OracleResult(
        status=OracleStatus.INFEASIBLE if best is None else OracleStatus.OPTIMAL,
        optimum_yen=None if best is None else best.objective * MILLION,
        lp_bound_yen=math.inf if lp_all is None else lp_all.objective * MILLION,
        lp_priced_rows_yen=math.inf if lp_priced is None else lp_priced.objective * MILLION,
        prices=_prices(priced_model, lp_priced, exact),
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
    model = ModelBuilder(numbers).build(gang=Row.GANG not in rows, quota=Row.QUOTA not in rows)
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
    return tuple(w.id for w in numbers.problem.workloads if numbers.must_run(w) and w.id not in placeable)


def _prices(model: LinearModel, solution: Solution | None, builder: ModelBuilder) -> OraclePrices:
    """Return the duals of the priced rows in the certificate's units and signs (none is negative)."""
    found: dict[str, dict[tuple[object, ...], float]] = {}
    for key, factor in builder.factors.items():
        row = model.rows.get(key)
        if solution is None or row is None:
            continue
        price = abs(solution.duals[row]) * MILLION * factor
        if price:
            assert isinstance(key, tuple)
            found.setdefault(key[0], {})[key[1:]] = price

    def by_year(name: str) -> dict[int, float]:
        return {int(str(key[0])): price for key, price in found.get(name, {}).items()}

    return OraclePrices(
        capacity=_typed(found, "capacity"),
        power=_typed(found, "power"),
        domestic_share=by_year("share"),
        budget=by_year("budget"),
        programme_budget=_typed(found, "programme"),
        project_cap=_typed(found, "project"),
        concentration=_typed(found, "concentration"),
        member_budget=_typed(found, "member"),
        member_cap=_typed(found, "member cap"),
        capital_ceiling=by_year("capital ceiling"),
        carbon=by_year("carbon"),
        precedence=_typed(found, "precedence"),
        waiting=found.get("waiting", {}).get((), 0.0),
    )


def _typed(found: dict[str, dict[tuple[object, ...], float]], name: str) -> Any:  # noqa: ANN401
    """Return the prices of one kind of row; its keys have the types that ``OraclePrices`` says."""
    return found.get(name, {})


def _placements(model: LinearModel, best: Solution, numbers: Numbers) -> tuple[OraclePlacement, ...]:
    placements = []
    for column in numbers.columns:
        if best.values[model.variables[("x", *column.key)]] > 0.5:
            claims = {
                (r, year): best.values[model.variables[("claim", column.workload_id, r, year)]] * MILLION
                for r, year in column.claim_max
            }
            placements.append(OraclePlacement(*column.key, claims_yen=claims))
    return tuple(placements)


def _not_run(model: LinearModel, best: Solution) -> tuple[str, ...]:
    keys = [key for key in model.variables if isinstance(key, tuple) and key[0] == "skip"]
    return tuple(str(key[1]) for key in keys if best.values[model.variables[key]] > 0.5)


def _orders(model: LinearModel, best: Solution) -> dict[OrderKey, int]:
    orders = {}
    for key, variable in model.variables.items():
        match key:
            case ("order", str(offer_id), int(term), int(period), int(booked), str(programme_id)):
                if best.values[variable] > 0.5:
                    orders[(offer_id, term, period, booked, programme_id)] = round(best.values[variable])
    return orders


def _use_hours(model: LinearModel, best: Solution, numbers: Numbers) -> dict[str, tuple[float, ...]]:
    use = {}
    for supply in numbers.supplies:
        variables = [model.variables.get(("use", supply.offer.id, t)) for t in numbers.periods]
        use[supply.offer.id] = tuple(0.0 if v is None else best.values[v] * numbers.hours for v in variables)
    return use
