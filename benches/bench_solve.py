"""A whole solve with its check, under a work limit; once, since every run does the same work."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import BENCH_OPTIONS, WORK_LIMIT_ROUNDS, problem_of, size_of
from tehai.pipeline import solve_valid


def test_solve(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times everything from a valid problem to a verified answer."""
    result = benchmark.pedantic(solve_valid, (problem_of(case_name), BENCH_OPTIONS), rounds=1, iterations=1)
    benchmark.extra_info |= {
        "size": size_of(case_name),
        "work_limit": WORK_LIMIT_ROUNDS,
        "gap": result.gap,
        "gap_on_bill": result.gap_on_bill,
        "status": result.status.value,
        "stop_reason": result.stop_reason.value,
    }
    assert result.verified
