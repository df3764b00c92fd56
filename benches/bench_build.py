"""A valid problem to the engine's arrays and its legal placements."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import problem_of, size_of
from tehai.engine import build_instance


def test_build(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times the arrays, the crossing to Rust and the derivation of legal modes."""
    instance = benchmark(build_instance, problem_of(case_name))
    benchmark.extra_info |= {"size": size_of(case_name), "starts": instance.native.start_count()}
    assert instance.native.start_count() > 0
