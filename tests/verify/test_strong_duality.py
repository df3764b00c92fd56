"""The bound against the linear relaxation of the oracle, a third reading of the rules."""

from __future__ import annotations

import pytest

from tehai.domain.certificate import Certificate, FiscalYearPrice, PricePath, ProgrammePrice, ProjectCapPrice
from tehai.domain.problem import Problem
from tehai.verify import compute_bound
from tests.oracle import OraclePrices, solve_oracle
from tests.random_problems import random_problem


def certificate_of(problem: Problem, prices: OraclePrices) -> Certificate:
    """Return the oracle's dual prices as a certificate."""
    periods = range(problem.calendar.period_count)

    def paths(by_period: dict[tuple[str, int], float]) -> tuple[PricePath, ...]:
        subjects = sorted({subject for subject, _ in by_period})
        return tuple(
            PricePath(subject, tuple(by_period.get((subject, t), 0.0) for t in periods)) for subject in subjects
        )

    return Certificate(
        schema_version=1,
        problem_sha256="",
        capacity_prices=paths(prices.capacity),
        power_prices=paths(prices.power),
        domestic_share_prices=tuple(FiscalYearPrice(year, value) for year, value in prices.domestic_share.items()),
        budget_prices=tuple(FiscalYearPrice(year, value) for year, value in prices.budget.items()),
        programme_budget_prices=tuple(ProgrammePrice(*key, value) for key, value in prices.programme_budget.items()),
        project_cap_prices=tuple(ProjectCapPrice(*key, value) for key, value in prices.project_cap.items()),
        lower_bound_yen=0,
    )


@pytest.mark.parametrize("seed", [1, 2, 5, 7])
def test_bound_at_dual_prices_is_the_relaxation(seed: int) -> None:
    """Strong duality: at the dual prices of the relaxation with the priced rows the bound is its optimum, no less."""
    problem = random_problem(seed)
    found = solve_oracle(problem)
    bound = compute_bound(problem, certificate_of(problem, found.prices))
    assert bound == pytest.approx(found.lp_priced_rows_yen, rel=1e-7)
    assert found.optimum_yen is None or bound <= found.optimum_yen * (1 + 1e-9)
