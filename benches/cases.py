"""What the benches run on: two problems, each made once in a process."""

from __future__ import annotations

from functools import cache

from benches.instances import build_instance as build_named_problem
from tehai.catalog import DEMO_PROBLEM_NAMES, demo_problem
from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.engine import EngineInstance, build_instance
from tehai.solve.price import ascend
from tehai.solve.state import State

EXAMPLE = "team-japan"
# The example, and 100 workloads x 10 pools x 52 periods.
CASES = (EXAMPLE, "S")
# Rounds of search of a whole solve: no clock decides, so every run does the same work.
WORK_LIMIT_ROUNDS = 3
BENCH_OPTIONS = SolveOptions(work_limit=WORK_LIMIT_ROUNDS)

__all__ = ["BENCH_OPTIONS", "CASES", "EXAMPLE", "ascended", "instance_of", "problem_of", "size_of"]


@cache
def problem_of(name: str) -> Problem:
    """Return the example, or a problem of ``benches.instances`` by its name."""
    return demo_problem(name) if name in DEMO_PROBLEM_NAMES else build_named_problem(name)


@cache
def instance_of(name: str) -> EngineInstance:
    """Return the engine's arrays of that problem."""
    return build_instance(problem_of(name))


@cache
def ascended(name: str) -> State:
    """Return prices and bound after the dual ascent: the prices that a solve spends its time at."""
    return ascend(instance_of(name))


def size_of(name: str) -> str:
    """Return "workloads x pools x periods"."""
    problem = problem_of(name)
    return f"{len(problem.workloads)} x {len(problem.pools)} x {problem.calendar.period_count}"
