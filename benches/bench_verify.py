"""The second opinion on a plan and its certificate."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import problem_of, size_of
from tehai.domain.plan import SolveOptions
from tehai.pipeline import solve_valid
from tehai.verify import check_answer
from tehai.wire import problem_sha256


def test_verify(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times the check of an answer after one round of search."""
    problem = problem_of(case_name)
    result = solve_valid(problem, SolveOptions(work_limit=1))
    digest = problem_sha256(problem)
    checked = benchmark(check_answer, problem, digest, result.plan, result.certificate)
    benchmark.extra_info |= {"size": size_of(case_name), "placements": len(result.plan.placements)}
    assert checked.valid
