"""Decoding: YAML text to message to domain."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from benches.cases import problem_of, size_of
from tehai.v1 import problem_pb2
from tehai.wire import DecodedProblem, parse_text, problem_from_proto, problem_to_proto, to_yaml


def decode(text: bytes) -> DecodedProblem:
    """Read a problem as the command line does."""
    message, violations = parse_text(text, problem_pb2.Problem, source_name="bench.yaml")
    assert message is not None, violations
    return problem_from_proto(message)


def test_decode(benchmark: BenchmarkFixture, case_name: str) -> None:
    """Times text to domain, and the problem comes back as it was."""
    problem = problem_of(case_name)
    text = to_yaml(problem_to_proto(problem)).encode()
    decoded = benchmark(decode, text)
    benchmark.extra_info |= {"size": size_of(case_name), "yaml_bytes": len(text)}
    assert decoded.problem == problem
