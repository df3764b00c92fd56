"""The bound: dual ascent in Rust, then the linear master as long as it still improves the prices."""

from __future__ import annotations

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.master.linear_model import MasterError, SolveLimits, Solver
from tehai.master.restricted import ColumnSet, RestrictedMaster
from tehai.solve.effort import Effort
from tehai.solve.state import State

ASCENT_STEPS = 1_500
STEP_FIRST, STEP_LAST = 0.1, 3e-4
# Columns met before this pass come from prices that mean little yet.
KEEP_COLUMNS_FROM = 500
MASTER_ROUNDS_MAX = 30
# Parts of the way from the master's prices back to the best prices (Wentges 1997 smoothing).
SMOOTHING = (0.0, 0.5, 0.9)
# Relative difference between master and bound that is left alone.
CONVERGED = 1e-6
# Part of a time limit that the master may take.
MASTER_TIME_FRACTION = 0.25
# Entries of the master beyond which the ascent alone has to do: a simplex would take minutes.
MASTER_ENTRIES_MAX = 60_000


def ascend(instance: EngineInstance) -> State:
    """Return the state after the dual ascent: prices, bound, and the columns that were cheapest on the way."""
    bound, prices, mean_units, met = instance.native.ascend(
        np.zeros(0), ASCENT_STEPS, STEP_FIRST, STEP_LAST, KEEP_COLUMNS_FROM
    )
    return State(instance, prices, bound, ColumnSet.from_dict(met), fractional_units=mean_units)


def improve_prices(state: State, effort: Effort) -> None:
    """Alternate linear master and pricing until both agree; keeps the master's commitments."""
    started = effort.elapsed_seconds
    limit = effort.seconds_for(MASTER_TIME_FRACTION)
    for _ in range(MASTER_ROUNDS_MAX):
        if effort.stop_reason() is not None or entry_count(state) > MASTER_ENTRIES_MAX:
            break
        left = None if limit is None else limit - (effort.elapsed_seconds - started)
        if left is not None and left <= 0.0:
            break
        try:
            solved = RestrictedMaster(state.instance, state.columns, integer=False).solve(
                Solver.HIGHS, SolveLimits(time_seconds=left)
            )
        except MasterError:
            break
        if solved is None or solved.prices is None:
            break
        state.fractional_units = solved.units
        if solved.objective_yen - state.bound <= CONVERGED * abs(state.bound):
            break
        _price_between(state, solved.prices)


def _price_between(state: State, lp_prices: FloatArray) -> None:
    center = state.prices
    for part in SMOOTHING:
        prices = part * center + (1.0 - part) * lp_prices
        bound, _, cheapest = state.instance.native.evaluate(prices)
        state.columns = state.columns.union(ColumnSet.from_dict(cheapest))
        state.offer_bound(bound, prices)


def entry_count(state: State) -> int:
    """Return the entries of the linear master's largest part: periods of columns."""
    modes = state.instance.native.modes()
    return int(modes["length"][state.columns.mode].sum())
