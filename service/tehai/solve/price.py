"""The bound: dual ascent in Rust, then the linear master as long as it still improves the prices."""

from __future__ import annotations

import numpy as np

from tehai.engine.instance import EngineInstance
from tehai.engine.market_arrays import FloatArray
from tehai.master.linear_model import MasterError, SolveLimits, Solver
from tehai.master.restricted import ColumnSet, RestrictedMaster
from tehai.solve.effort import Effort
from tehai.solve.state import State

ASCENT_STEPS, ASCENT_STEPS_MIN = 1_500, 200
STEP_FIRST, STEP_LAST = 0.1, 3e-4
# Part of a time limit that the ascent may take, judged by a few passes at prices of zero.
ASCENT_TIME_FRACTION = 0.25
TIMED_PASSES = 3
# Part of the passes whose columns are not kept: their prices mean little yet.
FORGET_FRACTION = 1 / 3
MASTER_ROUNDS_MAX = 30
# Parts of the way from the master's prices back to the best prices (Wentges 1997 smoothing).
SMOOTHING = (0.0, 0.5, 0.9)
# Relative difference between master and bound that is left alone.
CONVERGED = 1e-6
# Part of a time limit that the master may take.
MASTER_TIME_FRACTION = 0.25
# Entries of the master beyond which the ascent alone has to do: a simplex would take minutes.
MASTER_ENTRIES_MAX = 60_000


def ascend(instance: EngineInstance, effort: Effort | None = None) -> State:
    """Return the state after the dual ascent: prices, bound, and the columns that were cheapest on the way.

    Without an effort, or under a work limit, it takes ``ASCENT_STEPS`` passes. Where somebody asks to stop, or the time
    is over, it ends after the pass at hand with the best prices so far.
    """
    steps = ASCENT_STEPS if effort is None else _affordable_steps(instance, effort)
    bound, prices, mean_units, met = instance.native.ascend(
        np.zeros(0),
        steps,
        STEP_FIRST,
        STEP_LAST,
        int(steps * FORGET_FRACTION),
        None if effort is None else effort.must_stop,
    )
    return State(instance, prices, bound, ColumnSet.from_dict(met), fractional_units=mean_units)


def _affordable_steps(instance: EngineInstance, effort: Effort) -> int:
    """Return the passes that fit the ascent's part of a time limit."""
    limit = effort.seconds_for(ASCENT_TIME_FRACTION)
    if limit is None:
        return ASCENT_STEPS
    prices = np.zeros(instance.native.price_layout()["count"])
    started = effort.elapsed_seconds
    for _ in range(TIMED_PASSES):
        instance.native.evaluate(prices)
    each = (effort.elapsed_seconds - started) / TIMED_PASSES
    return int(min(max(limit / max(each, 1e-9), ASCENT_STEPS_MIN), ASCENT_STEPS))


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
        bound, _, cheapest, _ = state.instance.native.evaluate(prices)
        state.columns = state.columns.union(ColumnSet.from_dict(cheapest))
        state.offer_bound(bound, prices)


def entry_count(state: State) -> int:
    """Return the entries of the linear master's largest part: periods of columns."""
    return int(state.instance.modes["length"][state.columns.mode].sum())
