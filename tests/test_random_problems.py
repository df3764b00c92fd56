"""The random problems: valid, repeatable, within their sizes, and with every feature binding often enough."""

from __future__ import annotations

import pytest

from tehai.validation import validate
from tests.binding_counts import count_binding, table
from tests.feature_drops import FEATURES, features
from tests.random_problems import (
    DEFAULT_SEEDS,
    PERIODS_MAX,
    POOLS_MAX,
    SLOW_SEEDS,
    WORKLOADS_MAX,
    random_problem,
)

BINDING_MIN = 10
BINDING_IN_DEFAULT_MIN = 3


def test_every_problem_is_valid() -> None:
    """The product accepts all of them."""
    assert {seed: validate(random_problem(seed)) for seed in SLOW_SEEDS if validate(random_problem(seed))} == {}


def test_same_seed_same_problem() -> None:
    """A seed names one problem; different seeds give different ones."""
    assert random_problem(7) == random_problem(7)
    assert len({repr(random_problem(seed)) for seed in DEFAULT_SEEDS}) == len(DEFAULT_SEEDS)


def test_sizes() -> None:
    """No problem is larger than the oracle is meant for, and the largest sizes occur."""
    problems = [random_problem(seed) for seed in SLOW_SEEDS]
    assert max(len(problem.workloads) for problem in problems) == WORKLOADS_MAX
    assert max(len(problem.pools) for problem in problems) == POOLS_MAX
    assert max(problem.calendar.period_count for problem in problems) == PERIODS_MAX


def test_every_feature_occurs_in_the_default_suite() -> None:
    """Each drop has something to drop in many of the default seeds."""
    present = [features(random_problem(seed)) for seed in DEFAULT_SEEDS]
    rare = {name: sum(name in names for names in present) for name in FEATURES}
    assert {name: count for name, count in rare.items() if count < BINDING_MIN} == {}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_feature_binds(capsys: pytest.CaptureFixture[str]) -> None:
    """Dropping each feature moves the optimum in 10 of the 300 seeds and in 3 of the 40 of the default suite."""
    in_default = count_binding(DEFAULT_SEEDS, enough=BINDING_IN_DEFAULT_MIN)
    in_all = count_binding(SLOW_SEEDS, enough=BINDING_MIN)
    with capsys.disabled():
        print(f"\nseeds in which a feature binds, counted up to {BINDING_MIN}\n{table(in_all)}")
    assert [name for name in FEATURES if in_default[name] < BINDING_IN_DEFAULT_MIN] == []
    assert [name for name in FEATURES if in_all[name] < BINDING_MIN] == []
