"""The dual ascent: all passes of one solve."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import instance_of, size_of
from tehai.solve.price import ASCENT_STEPS, ascend


def test_ascent(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times the ascent from the cheapest unit costs to its last pass."""
    state = benchmark(ascend, instance_of(case_name))
    benchmark.extra_info |= {"size": size_of(case_name), "passes": ASCENT_STEPS, "bound_yen": int(state.bound)}
    assert state.bound > 0.0
