"""Random certificates for tests."""

from __future__ import annotations

from random import Random

from tehai.domain.certificate import (
    Certificate,
    FiscalYearPrice,
    PricePath,
    ProgrammePrice,
    ProjectCapPrice,
)
from tehai.domain.problem import SCHEMA_VERSION, Problem


def random_certificate(problem: Problem, seed: int, problem_sha256: str = "") -> Certificate:
    """Return prices of about the size that matters for every row of a problem, some of them missing or negative."""
    random = Random(f"certificate {seed}")
    count = problem.calendar.period_count
    rules = problem.rules
    capacity = 10 ** random.uniform(1.0, 3.2)
    sizes: dict[str, int] = {}
    for workload in problem.workloads:
        sizes[workload.project] = sizes.get(workload.project, 0) + 1
    projects = sorted(project for project, workloads in sizes.items() if workloads > 1)

    def path(subject: str, scale: float) -> PricePath:
        return PricePath(subject, tuple(scale * random.uniform(-0.2, 1.0) for _ in range(count)))

    def small() -> float:
        return random.uniform(-0.2, 0.8)

    return Certificate(
        schema_version=SCHEMA_VERSION,
        problem_sha256=problem_sha256,
        capacity_prices=tuple(path(pool.id, capacity) for pool in problem.pools if random.random() < 0.9),
        power_prices=tuple(path(site.id, 100.0) for site in problem.sites if site.power_limit_kw is not None),
        domestic_share_prices=tuple(
            FiscalYearPrice(rule.fiscal_year, random.uniform(-50.0, 300.0)) for rule in rules.minimum_domestic_shares
        ),
        budget_prices=tuple(FiscalYearPrice(budget.fiscal_year, small()) for budget in rules.portfolio_budgets),
        programme_budget_prices=tuple(
            ProgrammePrice(programme.id, budget.fiscal_year, small())
            for programme in problem.programmes
            for budget in programme.kind.budgets
        ),
        project_cap_prices=tuple(
            ProjectCapPrice(programme.id, project, small())
            for programme in problem.programmes
            for project in projects
            if programme.kind.project_cap_yen is not None
        ),
        lower_bound_yen=0,
    )
