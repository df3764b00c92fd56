"""The ascent ends when it is told to, with prices that prove its bound, and asking changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tehai.domain.plan import SolveOptions, StopReason
from tehai.engine.instance import EngineInstance, build_instance
from tehai.pipeline import solve_problem
from tehai.solve.effort import Effort
from tehai.solve.price import ascend
from tehai.solve.state import State
from tests.random_problems import random_problem

SEED = 5
# So many passes take hours: an ascent that is not stopped does not end within the time of a test.
ENDLESS_STEPS = 100_000_000


class _Switch:
    """Counts the questions and says yes from the ``yes_from``-th on."""

    def __init__(self, yes_from: int) -> None:
        self.yes_from, self.asked = yes_from, 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked >= self.yes_from


def _instance() -> EngineInstance:
    return build_instance(random_problem(SEED))


def _ascend(instance: EngineInstance, steps: int, should_stop: Callable[[], bool] | None) -> State:
    bound, prices, units, met = instance.native.ascend(np.zeros(0), steps, 0.1, 1e-3, ENDLESS_STEPS, should_stop)
    assert not len(met["mode"])
    return State(instance, prices, bound, ascend(instance).columns, fractional_units=units)


def test_an_ascent_ends_with_the_first_yes() -> None:
    """It is asked now and then, ends with the first yes, and the prices it returns prove the bound it returns."""
    switch = _Switch(3)
    instance = _instance()
    state = _ascend(instance, ENDLESS_STEPS, switch)
    assert switch.asked == 3
    assert state.bound > 0.0
    assert instance.native.evaluate(state.prices)[0] == state.bound
    # It ended long before the passes whose orders are averaged.
    assert not state.fractional_units.any()


def test_asking_changes_nothing() -> None:
    """An ascent that is asked about and not stopped returns what one without a question returns, to the last bit."""
    instance, switch = _instance(), _Switch(ENDLESS_STEPS)
    steps = 20_000
    asked, alone = _ascend(instance, steps, switch), _ascend(instance, steps, None)
    assert switch.asked > 0
    assert asked.bound == alone.bound
    assert asked.prices.tobytes() == alone.prices.tobytes()
    assert asked.fractional_units.tobytes() == alone.fractional_units.tobytes()


def test_what_a_question_raises_comes_through() -> None:
    """An error of the function that is asked ends the ascent and is raised, not swallowed."""

    def broken() -> bool:
        raise OSError("the pipe is gone")

    with pytest.raises(OSError, match="the pipe is gone"):
        _ascend(_instance(), ENDLESS_STEPS, broken)


def test_a_work_limit_without_rounds_ascends_to_the_end() -> None:
    """Rounds of a work limit are those of the search: a limit of none does not cut the ascent, a wish to stop does."""
    instance = _instance()
    whole = ascend(instance)
    limited = ascend(instance, Effort(SolveOptions(work_limit=0), lambda: False))
    assert limited.bound == whole.bound
    assert limited.prices.tobytes() == whole.prices.tobytes()


@pytest.mark.parametrize("options", [SolveOptions(work_limit=10), SolveOptions(time_limit_seconds=300.0)])
def test_a_solve_that_is_stopped_at_once_has_an_answer(options: SolveOptions) -> None:
    """Whoever stops a solve in its ascent still gets a plan and a bound that pass the second opinion."""
    result = solve_problem(random_problem(SEED), options, should_stop=lambda: True)
    assert result.verified
    assert result.stop_reason is StopReason.CANCELLED
