"""Random certificates for tests."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random
from typing import Any

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
from tehai.domain.problem import SCHEMA_VERSION, Problem
from tehai.domain.programme import UsageGrant


def no_prices(problem_sha256: str = "") -> Certificate:
    """Return a certificate without a price."""
    empty: dict[str, Any] = {item.name: () for item in fields(Certificate) if item.name.endswith("_prices")}
    return Certificate(schema_version=SCHEMA_VERSION, problem_sha256=problem_sha256, lower_bound_yen=0, **empty)


def random_certificate(problem: Problem, seed: int, problem_sha256: str = "") -> Certificate:
    """Return prices of about the size that matters for every row of a problem, some of them missing or negative."""
    return _Drawer(problem, seed).certificate(problem_sha256)


class _Drawer:
    def __init__(self, problem: Problem, seed: int) -> None:
        self.problem = problem
        self.random = Random(f"certificate {seed}")
        self.capacity = 10 ** self.random.uniform(1.0, 3.2)

    def certificate(self, problem_sha256: str) -> Certificate:
        """Return the prices of every row."""
        problem, rules, random = self.problem, self.problem.rules, self.random
        certificate = replace(
            no_prices(problem_sha256),
            capacity_prices=tuple(self._path(p.id, self.capacity) for p in problem.pools if random.random() < 0.9),
            power_prices=tuple(self._path(j.id, 100.0) for j in problem.sites if j.power_limit_kw is not None),
            domestic_share_prices=tuple(
                FiscalYearPrice(rule.fiscal_year, random.uniform(-50.0, 300.0))
                for rule in rules.minimum_domestic_shares
            ),
            budget_prices=tuple(FiscalYearPrice(item.fiscal_year, self._small()) for item in rules.portfolio_budgets),
            concentration_prices=tuple(
                ConcentrationPrice(rule.operator_id, rule.fiscal_year, random.uniform(-50.0, 300.0))
                for rule in rules.concentration_limits
            ),
            capital_ceiling_prices=tuple(
                FiscalYearPrice(item.fiscal_year, self._small()) for item in rules.capital_ceilings
            ),
            carbon_prices=tuple(
                FiscalYearPrice(rule.fiscal_year, random.uniform(-20.0, 200.0)) for rule in rules.carbon_limits
            ),
            member_budget_prices=tuple(
                MemberPrice(member.id, budget.fiscal_year, self._small())
                for member in problem.members
                for budget in member.budgets
            ),
            precedence_prices=tuple(
                PrecedencePrices(before, w.id, self._path("", 10.0 ** random.uniform(3.0, 6.0)).values)
                for w in problem.workloads
                for before in w.after_workload_ids
            ),
        )
        if rules.total_waiting_periods_max is not None:
            certificate = replace(certificate, waiting_price=random.uniform(-1e4, 1e6))
        return self._with_claim_prices(certificate)

    def _with_claim_prices(self, certificate: Certificate) -> Certificate:
        problem = self.problem
        sizes: dict[str, int] = {}
        for workload in problem.workloads:
            sizes[workload.project] = sizes.get(workload.project, 0) + 1
        projects = sorted(project for project, workloads in sizes.items() if workloads > 1)
        return replace(
            certificate,
            programme_budget_prices=tuple(
                ProgrammePrice(programme.id, budget.fiscal_year, self._small())
                for programme in problem.programmes
                for budget in programme.budgets
            ),
            project_cap_prices=tuple(
                ProjectCapPrice(programme.id, project, self._small())
                for programme in problem.programmes
                for project in projects
                if isinstance(programme.kind, UsageGrant) and programme.kind.project_cap_yen is not None
            ),
            member_cap_prices=tuple(
                MemberCapPrice(programme.id, member.id, year, self._small())
                for programme in problem.programmes
                if programme.member_cap_yen is not None
                for member in problem.members
                for year in problem.calendar.fiscal_years()
            ),
        )

    def _path(self, subject: str, scale: float) -> PricePath:
        count = self.problem.calendar.period_count
        return PricePath(subject, tuple(scale * self.random.uniform(-0.2, 1.0) for _ in range(count)))

    def _small(self) -> float:
        return self.random.uniform(-0.2, 0.8)
