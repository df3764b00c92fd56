"""The bound against the linear relaxation of the oracle, a third reading of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tehai.domain.certificate import (
    Certificate,
    ConcentrationPrice,
    FiscalYearPrice,
    MemberCapPrice,
    MemberPrice,
    PrecedencePrices,
    PricePath,
    ProgrammePrice,
    ProjectCapPrice,
)
from tehai.domain.problem import Problem
from tehai.verify import compute_bound
from tests.oracle import OraclePrices, solve_oracle
from tests.random_problems import random_problem
from tests.verify.prices import no_prices


def certificate_of(problem: Problem, prices: OraclePrices) -> Certificate:
    """Return the oracle's dual prices as a certificate."""
    periods = range(problem.calendar.period_count)

    def paths(by_period: Mapping[tuple[str, int], float]) -> tuple[PricePath, ...]:
        subjects = sorted({subject for subject, _ in by_period})
        return tuple(
            PricePath(subject, tuple(by_period.get((subject, t), 0.0) for t in periods)) for subject in subjects
        )

    def by_year(values: Mapping[int, float]) -> tuple[FiscalYearPrice, ...]:
        return tuple(FiscalYearPrice(year, value) for year, value in values.items())

    pairs = sorted({(before, after) for before, after, _ in prices.precedence})
    return replace(
        no_prices(),
        capacity_prices=paths(prices.capacity),
        power_prices=paths(prices.power),
        domestic_share_prices=by_year(prices.domestic_share),
        budget_prices=by_year(prices.budget),
        programme_budget_prices=tuple(ProgrammePrice(*key, value) for key, value in prices.programme_budget.items()),
        project_cap_prices=tuple(ProjectCapPrice(*key, value) for key, value in prices.project_cap.items()),
        concentration_prices=tuple(ConcentrationPrice(*key, value) for key, value in prices.concentration.items()),
        member_budget_prices=tuple(MemberPrice(*key, value) for key, value in prices.member_budget.items()),
        member_cap_prices=tuple(MemberCapPrice(*key, value) for key, value in prices.member_cap.items()),
        capital_ceiling_prices=by_year(prices.capital_ceiling),
        carbon_prices=by_year(prices.carbon),
        waiting_price=prices.waiting,
        precedence_prices=tuple(
            PrecedencePrices(*pair, tuple(prices.precedence.get((*pair, t), 0.0) for t in periods)) for pair in pairs
        ),
    )


@pytest.mark.parametrize("seed", [1, 3, 4, 7, 9, 12, 14, 47])
def test_bound_at_dual_prices_is_the_relaxation(seed: int) -> None:
    """Strong duality: at the dual prices of the relaxation with the priced rows the bound is its optimum, no less.

    Where a workload pauses under a cap, the bound may be lower.
    """
    problem = random_problem(seed)
    found = solve_oracle(problem)
    bound = compute_bound(problem, certificate_of(problem, found.prices))
    if any(workload.pausing for workload in problem.workloads):
        assert bound <= found.lp_priced_rows_yen * (1 + 1e-7)
    else:
        assert bound == pytest.approx(found.lp_priced_rows_yen, rel=1e-7)
    assert found.optimum_yen is None or bound <= found.optimum_yen * (1 + 1e-9)
