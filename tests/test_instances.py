"""The bench instances: valid, repeatable, of the sizes they are registered with, with every feature in them."""

from __future__ import annotations

import pytest

from benches.instances import INSTANCES, build_instance
from tehai.validation import validate
from tests.feature_drops import FEATURES, features


@pytest.mark.parametrize("name", ["S", "S-loose", "S-tight", "M", "S-all", "M-all"])
def test_instance_is_valid(name: str) -> None:
    """The product accepts it, and the same name gives the same problem."""
    problem = build_instance(name)
    assert validate(problem) == ()
    assert build_instance(name) == problem


@pytest.mark.parametrize("name", sorted(INSTANCES))
def test_instance_has_its_size(name: str) -> None:
    """As many workloads, pools and periods as its entry says."""
    problem, size = build_instance(name), INSTANCES[name].size
    found = (len(problem.workloads), len(problem.pools), problem.calendar.period_count)
    assert found == (size.workloads, size.pools, size.periods)


def test_every_feature_is_present() -> None:
    """Each feature that the oracle's tests know is in the smallest instance with everything already."""
    assert set(features(build_instance("S-all"))) == set(FEATURES)
