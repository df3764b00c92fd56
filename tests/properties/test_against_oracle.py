"""Bound, optimum and plan in their order, on seeded random problems with every feature of docs/rules.md.

    best provable bound - 0.1 %  <=  bound  <=  optimum  <=  plan,    and plan = optimum in 95 % of the seeds

Where a workload may pause and a programme caps what its project claims, the bound rests on model.md's relaxation of
the cap and may be weaker than what prices over exact columns prove: there the first difference is up to 2 %. 120 of the
300 seeds are such, and 6 of them need more than 0.1 %.

The optimum and the best provable bound (the linear relaxation of the rows that have a price) come from the oracle,
which shares nothing with the product but the domain dataclasses. TEHAI_ORACLE_SEEDS=100:150 runs ``test_some_seeds``
on a part of the seeds.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.programme import UsageGrant
from tehai.pipeline import solve_problem
from tests.oracle import solve_oracle
from tests.random_problems import DEFAULT_SEEDS, SLOW_SEEDS, random_problem

WORK_LIMIT = 200
TOLERANCE = 1e-6
BOUND_SHORTFALL_MAX = 1e-3
RELAXED_SHORTFALL_MAX = 2e-2
OPTIMAL_SHARE_MIN = 0.95
SEEDS_VARIABLE = "TEHAI_ORACLE_SEEDS"
OPTIONS = SolveOptions(work_limit=WORK_LIMIT, seed=1, threads=1, gap_fraction=0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One seed: what the product answers against what the oracle proves, in yen."""

    seed: int
    bound: int
    best_bound: float
    optimum: float
    plan: int
    is_relaxed: bool

    @property
    def bound_is_valid(self) -> bool:
        """Bound and optimum are in order, up to a millionth."""
        return self.bound <= self.optimum + TOLERANCE * abs(self.optimum)

    @property
    def plan_is_possible(self) -> bool:
        """No plan is better than the optimum, up to a millionth."""
        return self.optimum <= self.plan + TOLERANCE * abs(self.optimum)

    @property
    def bound_is_strong(self) -> bool:
        """The bound is the best that prices can prove, less 0.1 %, or 2 % with pauses under a project cap."""
        shortfall = RELAXED_SHORTFALL_MAX if self.is_relaxed else BOUND_SHORTFALL_MAX
        return self.bound >= self.best_bound - shortfall * abs(self.best_bound)

    @property
    def plan_is_optimal(self) -> bool:
        """The plan reaches the optimum, up to a millionth."""
        return self.plan <= self.optimum + TOLERANCE * abs(self.optimum)

    def __str__(self) -> str:
        bound, best, plan = ((value / self.optimum - 1) * 100 for value in (self.bound, self.best_bound, self.plan))
        return (
            f"seed {self.seed:3d}: optimum {self.optimum:16,.0f} yen, bound {bound:+8.4f} %, "
            f"best bound {best:+8.4f} %, plan {plan:+9.5f} %{', relaxed' if self.is_relaxed else ''}"
        )


def compare(seed: int) -> Comparison:
    """Solve one seed twice: with the product and with the oracle."""
    problem = random_problem(seed)
    proven = solve_oracle(problem)
    assert proven.optimum_yen is not None, f"seed {seed} has no plan: the generator promises one"
    answer = solve_problem(problem, OPTIONS)
    return Comparison(
        seed,
        answer.lower_bound_yen,
        proven.lp_priced_rows_yen,
        proven.optimum_yen,
        answer.objective_yen,
        pauses_under_a_project_cap(problem),
    )


def pauses_under_a_project_cap(problem: Problem) -> bool:
    """Return whether some workload may pause and some usage programme caps what a project claims."""
    pauses = any(workload.pausing is not None for workload in problem.workloads)
    kinds = [programme.kind for programme in problem.programmes]
    return pauses and any(isinstance(kind, UsageGrant) and kind.project_cap_yen is not None for kind in kinds)


def _assert_in_order(seeds: Sequence[int]) -> None:
    found = [compare(seed) for seed in seeds]
    assert found, "no seed was compared"

    def failing(check: str) -> str:
        return "\n".join(str(comparison) for comparison in found if not getattr(comparison, check))

    optimal = sum(comparison.plan_is_optimal for comparison in found)
    report = {check: failing(check) for check in ("bound_is_valid", "plan_is_possible", "bound_is_strong")}
    wrong = [f"{check} fails\n{lines}" for check, lines in report.items() if lines]
    if optimal < OPTIMAL_SHARE_MIN * len(found):
        wrong.append(f"only {optimal} of {len(found)} plans are optimal\n{failing('plan_is_optimal')}")
    if wrong:
        pytest.fail("\n\n".join(wrong), pytrace=False)


@pytest.mark.timeout(900)
def test_default_seeds() -> None:
    """Forty seeds: every bound and plan on its side of the optimum, strong bounds, 95 % of the plans optimal."""
    _assert_in_order(DEFAULT_SEEDS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_all_seeds() -> None:
    """The same on three hundred seeds."""
    _assert_in_order(SLOW_SEEDS)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.skipif(SEEDS_VARIABLE not in os.environ, reason=f"runs the seeds that {SEEDS_VARIABLE} names, first:end")
def test_some_seeds() -> None:
    """The same on the seeds of an environment variable."""
    first, end = os.environ[SEEDS_VARIABLE].split(":")
    _assert_in_order(range(int(first), int(end)))
