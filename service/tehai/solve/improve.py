"""The plan: commitments from the master, ruin and recreate on exact cost, and integer masters over cheap columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tehai.domain.plan import StopReason
from tehai.engine.instance import IntArray
from tehai.engine.search import Cooling, Search
from tehai.master.linear_model import MasterError, SolveLimits, Solver
from tehai.master.restricted import ColumnSet, RestrictedMaster, columns_of_plan
from tehai.solve.current_start import current_start, planned_fraction
from tehai.solve.effort import Effort
from tehai.solve.state import State

# Iterations of one round; the first round of a large instance is shorter, later ones last about this many seconds.
ROUND_ITERATIONS = 10_000
ROUND_ITERATIONS_MIN = 500
ROUND_SECONDS = 1.5
# Temperatures of the first and the last iteration of a whole solve, as parts of the mean cost of a workload.
HOT, COLD = 0.02, 0.0005
# First temperature where a plan in force places most workloads: it is mended, not thrown away.
WARM, MOSTLY_PLANNED = 0.002, 0.5
RUIN_COUNT_MAX = 8
# Factors on the weights of broken fiscal-year rows, first and last.
PENALTY_FIRST, PENALTY_LAST = 1.2, 20.0
ORDER_FRACTION = 0.3
# Workloads beyond which the first round is short.
LARGE_WORKLOADS = 2_000
# Part of the solve after which every chain continues from the best plan of all.
SHARE_BEST_FROM = 0.6
# Columns of one integer master, and branch-and-bound nodes under a work limit.
POLISH_COLUMNS_MAX = 6_000
# Starts of an instance beyond which its columns are not even counted.
POLISH_STARTS_MAX = 200_000
POLISH_NODES = 2_000
POLISH_TIME_FRACTION = 0.25
# The threshold on reduced costs is loosened by this, so that ties with the incumbent stay in.
TIE = 1e-7


def improve_plan(state: State, effort: Effort, report: Callable[[str], None]) -> StopReason:
    """Alternate search and polish until a limit, the gap, or no column can improve the plan; return why it ended."""
    search = _first_search(state, effort)
    schedule = _Schedule(state, effort)
    report("search")
    while True:
        reason = _reached(state, effort)
        if reason is not None:
            return reason
        effort.begin_round()
        _search_round(state, search, schedule, effort)
        report("search")
        if _reached(state, effort) is None and is_polish_worthwhile(state):
            report("polish")
            _polish_round(state, search, effort)
            report("polish")


def _reached(state: State, effort: Effort) -> StopReason | None:
    if state.gap_reached(0.0):
        return StopReason.OPTIMAL
    if state.proven_best:
        return StopReason.EXHAUSTED
    if state.gap_reached(effort.options.gap_fraction):
        return StopReason.GAP_REACHED
    return effort.stop_reason()


def is_polish_worthwhile(state: State) -> bool:
    """Whether the columns that can still improve the plan are few enough for an integer master, and not tried yet."""
    if state.objective == state.polished_yen:
        return False
    if state.instance.native.start_count() > POLISH_STARTS_MAX:
        return False
    threshold = state.objective - state.bound if np.isfinite(state.objective) else abs(state.bound)
    counted = state.instance.native.cheap_columns(state.prices, threshold, POLISH_COLUMNS_MAX)
    return len(counted["mode"]) <= POLISH_COLUMNS_MAX


def _first_search(state: State, effort: Effort) -> Search:
    """Start the chains from the linear optimum's commitments, rounded, and the plan in force; insert all the others."""
    instance = state.instance
    start = current_start(instance, rounded_units(state))
    search = Search(instance, state.prices, start, max(1, effort.options.threads), effort.options.seed)
    search.construct()
    state.offer_plan(search.best_objective, search.best_plan())
    return search


def rounded_units(state: State) -> IntArray:
    """Round the linear optimum's commitments offer by offer, keeping each offer's running total near the fraction's."""
    arrays = state.instance.arrays
    units = np.zeros(len(state.fractional_units), dtype=np.int64)
    for low, high in zip(arrays["option_offset"][:-1], arrays["option_offset"][1:], strict=True):
        total = np.cumsum(state.fractional_units[low:high])
        whole = np.floor(total + 1e-6)
        units[low:high] = np.diff(whole, prepend=0.0).astype(np.int64)
    return units


class _Schedule:
    """One cooling over the whole solve, cut into rounds: by the clock, or by rounds under a work limit."""

    def __init__(self, state: State, effort: Effort) -> None:
        workloads = max(1, state.instance.arrays["workloads"])
        self._mean_yen = max(1.0, abs(state.bound) / workloads)
        self._first = WARM if planned_fraction(state.instance) > MOSTLY_PLANNED else HOT
        self._effort = effort
        self._iterations = ROUND_ITERATIONS if workloads <= LARGE_WORKLOADS else ROUND_ITERATIONS_MIN
        self._seconds = 0.0

    def next_round(self) -> Cooling:
        """Return the next slice of the cooling."""
        effort = self._effort
        if effort.options.work_limit is not None:
            first, last = effort.round_count - 1, effort.round_count
            return self._slice(first / effort.options.work_limit, last / effort.options.work_limit)
        if self._seconds > 0.0:
            wanted = self._iterations * min(2.0, ROUND_SECONDS / self._seconds)
            self._iterations = int(max(ROUND_ITERATIONS_MIN, wanted))
        step = max(self._seconds, ROUND_SECONDS) / effort.options.time_limit_seconds
        return self._slice(effort.fraction_done, effort.fraction_done + step)

    def took(self, seconds: float) -> None:
        """Note how long the last round took; not read under a work limit."""
        self._seconds = seconds

    def _slice(self, first: float, last: float) -> Cooling:
        def temperature(part: float) -> float:
            cooled: float = self._mean_yen * self._first * (COLD / self._first) ** min(part, 1.0)
            return cooled

        penalty_scale = PENALTY_FIRST * (PENALTY_LAST / PENALTY_FIRST) ** min(last, 1.0)

        return Cooling(
            self._iterations, temperature(first), temperature(last), RUIN_COUNT_MAX, ORDER_FRACTION, penalty_scale
        )


def _search_round(state: State, search: Search, schedule: _Schedule, effort: Effort) -> None:
    started = effort.elapsed_seconds
    search.run(schedule.next_round())
    schedule.took(effort.elapsed_seconds - started)
    state.offer_plan(search.best_objective, search.best_plan())
    if effort.fraction_done >= SHARE_BEST_FROM:
        search.restart_from_best()


def _polish_round(state: State, search: Search, effort: Effort) -> None:
    """Solve the integer master over the columns that can still improve the plan; adopt what it finds."""
    columns, complete = improving_columns(state)
    state.polished_yen = state.objective
    master = RestrictedMaster(state.instance, columns, integer=True)
    limits = SolveLimits(
        time_seconds=effort.seconds_for(POLISH_TIME_FRACTION),
        work=POLISH_NODES if effort.deterministic else None,
        seed=effort.options.seed,
        relative_gap=TIE,
    )
    try:
        solved = master.solve(Solver.HIGHS, limits)
    except MasterError:
        return
    if solved is None or solved.plan is None:
        return
    search.restart_from(solved.plan)
    state.offer_plan(search.best_objective, search.best_plan())
    # Only a plan that the exact cost has taken up ends the solve.
    taken = state.objective <= solved.objective_yen + TIE * abs(solved.objective_yen) + 1.0
    state.proven_best = complete and solved.proven and taken


def improving_columns(state: State) -> tuple[ColumnSet, bool]:
    """Return columns whose price exceeds their workload's cheapest by at most plan less bound, and whether all fit.

    A column beyond that threshold is in no better plan (reduced-cost fixing), so an integer master over all the others
    that is solved to the end proves the plan it finds the best there is. Columns with pauses are not all listed, so
    nothing is proven where a workload that can run may pause.
    """
    threshold = state.objective - state.bound if np.isfinite(state.objective) else abs(state.bound)
    threshold += TIE * abs(state.bound) + 1.0
    workloads = max(1, state.instance.arrays["workloads"])
    each = POLISH_COLUMNS_MAX // workloads + 1
    found = state.instance.native.cheap_columns(state.prices, threshold, each)
    counts = np.bincount(found["workload"], minlength=workloads)
    may_pause = bool((state.instance.arrays["pauses_max"][state.instance.modes["workload"]] > 0).any())
    complete = bool((counts < each).all()) and np.isfinite(state.objective) and not may_pause
    columns = ColumnSet.from_dict(found)
    if may_pause:
        columns = columns.union(state.columns.with_pauses())
    if state.plan is not None:
        columns = columns.union(columns_of_plan(state.plan))
    return columns, complete
