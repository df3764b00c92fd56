"""Validation of a problem in its domain shape."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import problem_of, size_of
from tehai.validation import validate


def test_validate(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times every rule on a valid problem."""
    violations = benchmark(validate, problem_of(case_name))
    benchmark.extra_info["size"] = size_of(case_name)
    assert violations == ()
