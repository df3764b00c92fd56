"""Search and polish: every column that can improve a plan is found, and proofs are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tehai.domain.plan import SolveOptions, StopReason
from tehai.engine.instance import EngineInstance, IntArray, build_instance
from tehai.engine.search import Search, empty_plan
from tehai.master.linear_model import SolveLimits, Solver
from tehai.master.restricted import ColumnSet, RestrictedMaster
from tehai.solve.effort import Effort
from tehai.solve.improve import improve_plan, improving_columns, rounded_units
from tehai.solve.price import ascend, improve_prices
from tehai.solve.state import State
from tests import builders as make
from tests.master.columns import every_column, seeds_without_pauses
from tests.oracle import solve_oracle
from tests.random_problems import random_problem
from tests.solve.plans import pause_code

SEEDS = seeds_without_pauses(12)


def _effort(rounds: int, gap: float = 0.0) -> Effort:
    return Effort(SolveOptions(work_limit=rounds, gap_fraction=gap, threads=1), lambda: False)


def _with_first_plan(seed: int) -> State:
    """Prices of the ascent, and the plan that insertion alone makes of them."""
    state = ascend(build_instance(random_problem(seed)))
    search = Search(state.instance, state.prices, empty_plan(state.instance), 1, 1)
    search.construct()
    assert state.offer_plan(search.best_objective, search.best_plan())
    return state


def _keys(columns: ColumnSet) -> set[tuple[int, int, int, int]]:
    names = (columns.mode, columns.start, columns.pauses, columns.claim_set)
    return set(zip(*(values.tolist() for values in names), strict=True))


def _near_the_optimum(seed: int) -> tuple[State, float]:
    """Best prices, and a plan a hair dearer than the best whose own columns are not known."""
    optimum = solve_oracle(random_problem(seed)).optimum_yen
    assert optimum is not None
    state = ascend(build_instance(random_problem(seed)))
    improve_prices(state, _effort(60))
    state.objective = optimum * (1 + 1e-6)
    return state, optimum


@pytest.mark.parametrize("seed", SEEDS)
def test_improving_columns_hold_the_optimum(seed: int) -> None:
    """The master over the columns within plan less bound finds the oracle's optimum."""
    state, optimum = _near_the_optimum(seed)
    columns, complete = improving_columns(state)
    assert complete
    solved = RestrictedMaster(state.instance, columns, integer=True).solve(Solver.HIGHS, SolveLimits())
    assert solved is not None
    assert solved.objective_yen == pytest.approx(optimum, rel=1e-6)


def test_improving_columns_are_a_part() -> None:
    """Where the bound is near, most columns are left out, so that the test above is about a choice."""
    parts = []
    for seed in SEEDS:
        state, _ = _near_the_optimum(seed)
        parts.append(len(improving_columns(state)[0]) / len(every_column(state.instance)))
    assert min(parts) < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_improving_columns_are_all_within_the_difference(seed: int) -> None:
    """Every column that is dearer than its workload's cheapest by less than plan less bound is in the set."""
    state = _with_first_plan(seed)
    columns, _ = improving_columns(state)
    threshold = state.objective - state.bound
    within = ColumnSet.from_dict(state.instance.native.cheap_columns(state.prices, threshold, 10**9))
    assert _keys(within) <= _keys(columns)


def test_a_set_that_is_cut_is_not_called_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the limit on columns bites, nothing is proven."""
    monkeypatch.setattr("tehai.solve.improve.POLISH_COLUMNS_MAX", 10)
    assert not improving_columns(_with_first_plan(1))[1]


def test_columns_with_pauses_are_not_all_listed() -> None:
    """Where a workload may pause nothing is proven; the pausing columns that were met are among those tried."""
    job = make.make_workload(hours=2688.0)
    for workload, complete in ((job, True), (replace(job, pausing=make.pausing()), False)):
        state = ascend(build_instance(make.make_problem([workload])))
        state.objective = state.bound + 1e6
        assert improving_columns(state)[1] is complete
    # one pause of one period after the first
    state.columns = ColumnSet(*(np.array([value]) for value in (0, 0, 0, pause_code((1, 1)), -1)))
    assert _keys(state.columns) <= _keys(improving_columns(state)[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_reason_for_the_end_is_true(seed: int) -> None:
    """OPTIMAL is said only where bound and plan agree, EXHAUSTED only for the oracle's optimum."""
    state = ascend(build_instance(random_problem(seed)))
    effort = _effort(60)
    improve_prices(state, effort)
    reason = improve_plan(state, effort, lambda _: None)
    optimum = solve_oracle(random_problem(seed)).optimum_yen
    assert optimum is not None
    assert state.bound <= optimum * (1 + 1e-9)
    if reason is StopReason.OPTIMAL:
        assert state.objective - state.bound <= 1e-6 * state.objective
    elif reason is StopReason.EXHAUSTED:
        assert state.objective == pytest.approx(optimum, rel=1e-6)
    else:
        assert reason is StopReason.WORK_LIMIT


def test_exhausted_is_met() -> None:
    """One of the first seeds ends by exhaustion with a gap left open, so that the test above is not empty."""
    reasons = set()
    for seed in SEEDS:
        state = ascend(build_instance(random_problem(seed)))
        effort = _effort(60)
        improve_prices(state, effort)
        reasons.add(improve_plan(state, effort, lambda _: None))
    assert StopReason.EXHAUSTED in reasons


def test_a_wide_gap_stops_at_once() -> None:
    """With any gap allowed the first full plan is enough."""
    state = ascend(build_instance(random_problem(2)))
    effort = _effort(60, gap=1e9)
    assert improve_plan(state, effort, lambda _: None) is StopReason.GAP_REACHED
    assert effort.round_count <= 2


def _keep_limits(instance: EngineInstance, units: IntArray) -> bool:
    """Return whether the live blocks of each offer, and the units of each purchase, are within its limit."""
    arrays, periods = instance.arrays, np.arange(instance.arrays["periods"])
    for offer, limit in enumerate(arrays["unit_limit"]):
        options = slice(*arrays["option_offset"][offer : offer + 2])
        first = np.asarray(arrays["option_first"][options])[:, None]
        length = np.diff(arrays["live_offset"])[options][:, None]
        live = (first <= periods) & (periods < first + length) | (not arrays["limit_is_live"][offer])
        if (units[options] @ live > limit).any():
            return False
    return True


def _keep_exclusivity(instance: EngineInstance, units: IntArray) -> bool:
    """Return whether the orders of each owner claim from at most one programme of each exclusivity group."""
    arrays, programmes = instance.arrays, instance.problem.programmes
    claimed = set()
    for option in np.flatnonzero((units > 0) & (np.asarray(arrays["option_programme"]) >= 0)):
        offer = int(np.searchsorted(arrays["option_offset"], option, side="right")) - 1
        programme = programmes[arrays["option_programme"][option]]
        claimed.add((arrays["committed_owner"][offer], programme.exclusivity_group, programme.id))
    groups = [(owner, group) for owner, group, _ in claimed if group]
    return len(groups) == len(set(groups))


@pytest.mark.parametrize("seed", range(10))
def test_rounded_units_can_be_ordered(seed: int) -> None:
    """Rounding keeps commitments near the fractions, and the search takes them without breaking an offer's limit."""
    state = ascend(build_instance(random_problem(seed)))
    units = rounded_units(state)
    assert (np.abs(units - state.fractional_units) <= 1.0 + 1e-6).all()
    search = Search(state.instance, state.prices, replace(empty_plan(state.instance), units=units), 1, 1)
    plan = search.best_plan()
    if plan is not None:
        assert _keep_limits(state.instance, plan.units)
        assert _keep_exclusivity(state.instance, plan.units)
        assert (plan.units <= units).all()
        for option in np.flatnonzero(plan.units < units):
            more = plan.units.copy()
            more[option] += 1
            assert not (_keep_limits(state.instance, more) and _keep_exclusivity(state.instance, more))
