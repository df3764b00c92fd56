"""The restricted master: chosen columns, every row of docs/rules.md, commitments as integers.

Money is in million yen and hours in accelerator-periods, so that coefficients stay near one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.engine.search import PlanArrays
from tehai.master.linear_model import (
    INFINITY,
    FloatArray,
    IntArray,
    ModelAnswer,
    ModelArrays,
    SolveLimits,
    Solver,
    solve_model,
)

YEN = 1e-6
# Share by which an integer plan keeps a share row, so that solver tolerances cannot break it.
SHARE_MARGIN = 1e-8


@dataclass(frozen=True)
class ColumnSet:
    """Columns by workload, mode, start and programme (-1: none), each (C,), without repeats."""

    workload: IntArray
    mode: IntArray
    start: IntArray
    programme: IntArray

    @staticmethod
    def from_dict(found: dict[str, IntArray]) -> ColumnSet:
        """Take the columns of an engine answer that are run."""
        run = np.asarray(found["mode"]) >= 0
        return ColumnSet(*(np.asarray(found[name])[run] for name in ("workload", "mode", "start", "programme")))

    def union(self, other: ColumnSet) -> ColumnSet:
        """Return both without repeats, ordered by mode, start and programme."""
        stacked = np.stack(
            [np.concatenate([getattr(self, n), getattr(other, n)]) for n in ("mode", "start", "programme", "workload")]
        )
        mode, start, programme, workload = np.unique(stacked, axis=1)
        return ColumnSet(workload, mode, start, programme)

    def __len__(self) -> int:
        """Return the count of columns."""
        return len(self.mode)


def columns_of_plan(plan: PlanArrays) -> ColumnSet:
    """Return the columns a plan uses."""
    placed = np.flatnonzero(plan.mode >= 0)
    return ColumnSet(placed, plan.mode[placed], plan.start[placed], plan.programme[placed])


@dataclass(frozen=True)
class MasterSolution:
    """An answer of the master: units by order option, objective, and prices (linear) or a plan (integer)."""

    units: FloatArray
    objective_yen: float
    prices: FloatArray | None
    plan: PlanArrays | None
    proven: bool


class RestrictedMaster:
    """Builds and solves the model over one set of columns and all order options."""

    def __init__(self, instance: EngineInstance, columns: ColumnSet, *, integer: bool) -> None:
        """Lay out variables and rows."""
        self.instance = instance
        self.columns = columns
        self.integer = integer
        arrays = instance.arrays
        self.years, self.periods = len(instance.years), arrays["periods"]
        self.period_hours = arrays["period_hours"]
        self.rows = instance.native.expand(
            {"mode": columns.mode, "start": columns.start, "programme": columns.programme}
        )
        self.model = ModelArrays()
        self._add_variables()
        self._add_assignment_rows()
        self._add_capacity_rows()
        self._add_commitment_rows()
        self._add_power_rows()
        self._add_share_rows()
        self._add_claim_rows()
        self._add_budget_rows()
        if integer:
            self._add_gang_rows()

    def _add_variables(self) -> None:
        arrays, model = self.instance.arrays, self.model
        charges = arrays["not_run_yen"]
        charges = np.where(np.isfinite(charges), charges, self.instance.mandatory_yen)
        self.x = model.add_variables(self.rows["late_yen"] * YEN, 1.0, integer=self.integer)
        self.skip = model.add_variables(charges * YEN, 1.0, integer=self.integer)
        self.hourly_row, self.hourly_period = np.nonzero(arrays["hourly_limit_hours"] > 0.0)
        limit = arrays["hourly_limit_hours"][self.hourly_row, self.hourly_period] / self.period_hours
        unit_cost = arrays["hourly_unit_cost"][self.hourly_row, self.hourly_period]
        self.hourly_yen = unit_cost * self.period_hours
        self.hourly = model.add_variables(self.hourly_yen * YEN, limit, integer=False)
        self.offer_of_option = np.repeat(np.arange(len(arrays["committed_pool"])), np.diff(arrays["option_offset"]))
        limits = arrays["unit_limit"][self.offer_of_option]
        self.units = model.add_variables(arrays["option_cost"] * YEN, limits, integer=self.integer)
        self._add_live_variables()
        self._add_claim_variables()

    def _add_live_variables(self) -> None:
        """Units live (for reservations; accelerators for purchases) and metered use, by committed offer and period."""
        arrays, model, periods = self.instance.arrays, self.model, self.periods
        count = len(arrays["committed_pool"])
        self.block = np.where(arrays["limit_is_live"], _block_accelerators(arrays), 1.0)
        most = np.where(arrays["limit_is_live"], arrays["unit_limit"], INFINITY)
        self.live = model.add_variables(np.zeros(count * periods), np.repeat(most, periods), integer=False)
        self.live = self.live.reshape(count, periods)
        self.metered = np.flatnonzero(arrays["use_cost"].max(axis=1, initial=0.0) > 0.0)
        self.metered_yen = arrays["use_cost"][self.metered] * self.period_hours
        flat = self.metered_yen.ravel() * YEN
        self.metered_use = model.add_variables(flat, INFINITY, integer=False).reshape(-1, periods)

    def _add_claim_variables(self) -> None:
        """Yen claimed by workload, programme and fiscal year: one variable for all columns of a workload.

        ``claimable`` (C, Y) and ``claimable_in_all`` (C,) are what a chosen column allows in one year and in all. Both
        are cut at the project cap: the claims of one column form a polymatroid, so rows over single years and over all
        of them describe the sum of all columns exactly as long as none touches three fiscal years. Without the cut
        half a column would allow the whole cap, and the linear master would be weaker than the bound.
        """
        columns = self.columns
        claimable = np.asarray(self.rows["claimable_yen"]).reshape(len(columns), self.years)
        caps = np.append(self.instance.arrays["project_cap_yen"], INFINITY)[columns.programme]
        self.claimable = np.minimum(claimable, caps[:, None])
        self.claimable_in_all = np.minimum(claimable.sum(axis=1), caps)
        programmes = self.instance.arrays["programmes"]
        with_claim = columns.programme >= 0
        pair = np.where(with_claim, columns.workload * max(programmes, 1) + columns.programme, -1)
        self.pairs = np.unique(pair[with_claim])
        self.pair_of_column = np.where(with_claim, np.searchsorted(self.pairs, pair), -1)
        self.pair_workload, self.pair_programme = self.pairs // max(programmes, 1), self.pairs % max(programmes, 1)
        count = len(self.pairs) * self.years
        self.claim = self.model.add_variables(np.full(count, -1.0), INFINITY, integer=False)

    def _add_assignment_rows(self) -> None:
        workloads = self.instance.arrays["workloads"]
        rows = self.model.add_rows(workloads, 1.0, 1.0)
        self.model.add_entries(rows[self.columns.workload], self.x, np.ones(len(self.x)))
        self.model.add_entries(rows, self.skip, np.ones(workloads))

    def _add_capacity_rows(self) -> None:
        """Use of the offers of a pool less the hours placed there is not negative."""
        arrays, model, periods = self.instance.arrays, self.model, self.periods
        self.capacity_rows = model.add_rows(arrays["pools"] * periods, 0.0, INFINITY)
        hours = np.asarray(self.rows["hours"]) / self.period_hours
        column = np.repeat(np.arange(len(self.columns)), np.diff(self.rows["offset"]))
        model.add_entries(self.capacity_rows[self.rows["cell"]], self.x[column], -hours)
        cell = arrays["hourly_pool"][self.hourly_row] * periods + self.hourly_period
        model.add_entries(self.capacity_rows[cell], self.hourly, np.ones(len(cell)))
        capacity = self.capacity_rows.reshape(-1, periods)
        free = np.setdiff1d(np.arange(len(self.live)), self.metered)
        of_pool = capacity[arrays["committed_pool"]]
        model.add_entries(of_pool[free], self.live[free], self.block[free, None])
        model.add_entries(of_pool[self.metered], self.metered_use, np.ones(1))

    def _add_commitment_rows(self) -> None:
        """Live capacity follows the orders: what begins is added, what ends is taken away, period by period.

        The differences of an order's profile are a handful of numbers where the profile itself has one for each period,
        which is what makes this master sparse. Blocks live at once are bounded on the variable.
        """
        arrays, model, periods = self.instance.arrays, self.model, self.periods
        count = len(self.live)
        rows = model.add_rows(count * periods, 0.0, 0.0).reshape(count, periods)
        model.add_entries(rows, self.live, np.ones(1))
        model.add_entries(rows[:, 1:], self.live[:, :-1], -np.ones(1))
        position, period, change = self._profile_changes()
        offer = self.offer_of_option[position]
        model.add_entries(rows[offer, period], self.units[position], -change / self.block[offer])
        rows = model.add_rows(self.metered_use.size, 0.0, INFINITY).reshape(-1, periods)
        model.add_entries(rows, self.metered_use, -np.ones(1))
        model.add_entries(rows, self.live[self.metered], self.block[self.metered, None])
        limited = ~arrays["limit_is_live"][self.offer_of_option]
        total_rows = model.add_rows(count, -INFINITY, arrays["unit_limit"])
        model.add_entries(total_rows[self.offer_of_option[limited]], self.units[limited], np.ones(1))

    def _profile_changes(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Return (order option, period, change of live accelerators) wherever an option's profile changes."""
        arrays = self.instance.arrays
        offset = arrays["live_offset"]
        lengths = np.diff(offset)
        position = np.repeat(np.arange(len(lengths)), lengths + 1)
        first = np.cumsum(lengths + 1) - (lengths + 1)
        within = np.arange(len(position)) - np.repeat(first, lengths + 1)
        padded = np.append(arrays["live_accelerators"], 0.0)
        start = offset[:-1][position]
        inside = within < lengths[position]
        now = np.where(inside, padded[np.where(inside, start + within, 0)], 0.0)
        before = np.where(within > 0, padded[np.where(within > 0, start + within - 1, 0)], 0.0)
        period = arrays["option_first"][position] + within
        kept = (now != before) & (period < self.periods)
        return position[kept], period[kept], (now - before)[kept]

    def _add_power_rows(self) -> None:
        arrays, periods = self.instance.arrays, self.periods
        limit = np.repeat(arrays["site_limit_kwh"], periods) / self.period_hours
        self.power_rows = self.model.add_rows(len(limit), -INFINITY, limit)
        kwh = np.asarray(self.rows["kwh"]) / self.period_hours
        mask = kwh > 0.0
        cell = np.asarray(self.rows["cell"])[mask]
        site = arrays["pool_site"][cell // periods]
        column = np.repeat(np.arange(len(self.columns)), np.diff(self.rows["offset"]))[mask]
        self.model.add_entries(self.power_rows[site * periods + cell % periods], self.x[column], kwh[mask])

    def _add_share_rows(self) -> None:
        """Domestic work less the least share of all work is not negative, in accelerator-periods of normalised work."""
        arrays = self.instance.arrays
        work = np.asarray(self.rows["work"]).reshape(len(self.columns), self.years) / self.period_hours
        pool = self.instance.native.modes()["pool"][self.columns.mode]
        home = arrays["pool_domestic"][pool].astype(np.float64)
        listed = arrays["share_min"] >= 0.0
        self.share_rows = self.model.add_rows(self.years, np.where(listed, 0.0, -INFINITY), INFINITY)
        least = arrays["share_min"] + (SHARE_MARGIN if self.integer else 0.0)
        for y in np.flatnonzero(listed):
            values = work[:, y] * (home - least[y])
            used = np.flatnonzero(values)
            self.model.add_entries(np.full(len(used), self.share_rows[y]), self.x[used], values[used])

    def _add_claim_rows(self) -> None:
        arrays, model, years = self.instance.arrays, self.model, self.years
        pair_count = len(self.pairs)
        grid = np.arange(pair_count * years).reshape(pair_count, years)
        rows = model.add_rows(pair_count * years, -INFINITY, 0.0)
        model.add_entries(rows, self.claim, np.ones(len(rows)))
        column, year = np.nonzero((self.pair_of_column >= 0)[:, None] & (self.claimable > 0.0))
        row = rows[grid[self.pair_of_column[column], year]] if pair_count else rows[:0]
        model.add_entries(row, self.x[column], -self.claimable[column, year] * YEN)
        capped = np.flatnonzero(np.isfinite(arrays["project_cap_yen"][self.pair_programme]))
        rows = model.add_rows(len(capped), -INFINITY, 0.0)
        model.add_entries(np.repeat(rows, years), self.claim[grid[capped].ravel()], np.ones(len(capped) * years))
        row_of_pair = np.full(pair_count + 1, -1)
        row_of_pair[capped] = np.arange(len(capped))
        column = np.flatnonzero((self.pair_of_column >= 0) & (row_of_pair[self.pair_of_column] >= 0))
        row = rows[row_of_pair[self.pair_of_column[column]]] if len(capped) else rows
        model.add_entries(row, self.x[column], -self.claimable_in_all[column] * YEN)
        budget = arrays["programme_budget_yen"].ravel() * YEN
        self.programme_rows = model.add_rows(len(budget), -INFINITY, budget)
        cell = (self.pair_programme[:, None] * years + np.arange(years)[None, :]).ravel()
        model.add_entries(self.programme_rows[cell], self.claim, np.ones(len(cell)))
        self._add_project_rows(grid)

    def _add_project_rows(self, grid: IntArray) -> None:
        arrays = self.instance.arrays
        listed = self.instance.native.project_rows()
        caps = np.array([arrays["project_cap_yen"][r] for r, _ in listed]) * YEN
        self.project_rows = self.model.add_rows(len(listed), -INFINITY, caps)
        for row, (programme, project) in zip(self.project_rows, listed, strict=True):
            mask = (self.pair_programme == programme) & (arrays["project"][self.pair_workload] == project)
            variables = self.claim[grid[mask].ravel()]
            self.model.add_entries(np.full(len(variables), row), variables, np.ones(len(variables)))

    def _add_budget_rows(self) -> None:
        arrays, model, years = self.instance.arrays, self.model, self.years
        limit = arrays["plan_budget_yen" if self.integer else "budget_yen"]
        self.budget_rows = model.add_rows(years, -INFINITY, limit * YEN)
        year_of = arrays["year_of_period"]
        listed = np.isfinite(arrays["budget_yen"])

        def add(year: IntArray, variables: IntArray, yen: FloatArray) -> None:
            keep = listed[year]
            model.add_entries(self.budget_rows[year[keep]], variables[keep], yen[keep] * YEN)

        add(year_of[self.hourly_period], self.hourly, self.hourly_yen)
        add(np.tile(year_of, len(self.metered)), self.metered_use.ravel(), self.metered_yen.ravel())
        option, year = np.nonzero(arrays["option_cash"])
        add(year, self.units[option], arrays["option_cash"][option, year])
        year = np.tile(np.arange(years), len(self.pairs))
        add(year, self.claim, np.full(len(self.claim), -1.0 / YEN))

    def _add_gang_rows(self) -> None:
        """A gang fits what is live: for each workload, pool and period whose standing capacity is below the gang."""
        arrays, model, periods = self.instance.arrays, self.model, self.periods
        standing = np.zeros((arrays["pools"], periods))
        np.add.at(standing, arrays["hourly_pool"], arrays["hourly_limit_hours"] / self.period_hours)
        cell = np.asarray(self.rows["cell"])
        column = np.repeat(np.arange(len(self.columns)), np.diff(self.rows["offset"]))
        gang = self.instance.native.modes()["gang"][self.columns.mode][column]
        short = gang > standing.ravel()[cell] + 1e-6
        key = self.columns.workload[column[short]] * (arrays["pools"] * periods) + cell[short]
        keys, row_of = np.unique(key, return_inverse=True)
        cells = keys % (arrays["pools"] * periods)
        rows = model.add_rows(len(keys), -INFINITY, standing.ravel()[cells])
        model.add_entries(rows[row_of], self.x[column[short]], gang[short])
        for offer, pool in enumerate(arrays["committed_pool"]):
            here = np.flatnonzero(cells // periods == pool)
            live = self.live[offer, cells[here] % periods]
            model.add_entries(rows[here], live, -np.full(len(here), self.block[offer]))

    def solve(self, solver: Solver, limits: SolveLimits) -> MasterSolution | None:
        """Solve; None where the limit came before any solution."""
        answer = solve_model(self.model.to_proto(), solver, limits)
        return None if answer is None else self._solution(answer)

    def _solution(self, answer: ModelAnswer) -> MasterSolution:
        return MasterSolution(
            units=answer.values[self.units],
            objective_yen=answer.objective / YEN,
            prices=None if answer.duals is None else self._prices(answer.duals),
            plan=self._plan(answer) if self.integer else None,
            proven=answer.proven,
        )

    def _prices(self, duals: FloatArray) -> FloatArray:
        """Row duals as the flat vector of the ascent: signs turned, million yen and accelerator-periods undone."""
        per_hour = 1.0 / (YEN * self.period_hours)
        parts = [
            duals[self.capacity_rows] * per_hour,
            -duals[self.power_rows] * per_hour,
            duals[self.share_rows] * per_hour,
            -duals[self.budget_rows],
            -duals[self.programme_rows],
            -duals[self.project_rows],
        ]
        prices: FloatArray = np.maximum(np.concatenate(parts), 0.0)
        return prices

    def _plan(self, answer: ModelAnswer) -> PlanArrays:
        workloads = self.instance.arrays["workloads"]
        chosen = np.flatnonzero(answer.values[self.x] > 0.5)
        mode, start = np.full(workloads, -1, dtype=np.int64), np.zeros(workloads, dtype=np.int64)
        programme = np.full(workloads, -1, dtype=np.int64)
        where = self.columns.workload[chosen]
        mode[where], start[where] = self.columns.mode[chosen], self.columns.start[chosen]
        programme[where] = self.columns.programme[chosen]
        claims = np.zeros((workloads, self.years))
        amounts = answer.values[self.claim].reshape(len(self.pairs), self.years) / YEN
        pair = self.pair_of_column[chosen]
        claims[where[pair >= 0]] = np.maximum(amounts[pair[pair >= 0]], 0.0)
        units = np.round(answer.values[self.units]).astype(np.int64)
        return PlanArrays(mode, start, programme, claims, units)


def _block_accelerators(arrays: Mapping[str, Any]) -> FloatArray:
    """Return the accelerators of one block of each committed offer, 1 where it has no order option."""
    first = arrays["live_offset"][np.minimum(arrays["option_offset"][:-1], max(len(arrays["live_offset"]) - 2, 0))]
    some = arrays["option_offset"][:-1] < arrays["option_offset"][1:]
    padded = np.append(arrays["live_accelerators"], 1.0)
    blocks: FloatArray = np.where(some, padded[np.where(some, first, -1)], 1.0)
    return blocks
