"""Certificates for tests: of prices by hand, and of the oracle's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
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
from tests.oracle import OraclePrices


def certificate_of(problem: Problem, prices: OraclePrices) -> Certificate:
    """Return the certificate of prices in the oracle's shape; its bound is left at 0."""
    count = problem.calendar.period_count
    return Certificate(
        schema_version=SCHEMA_VERSION,
        problem_sha256="",
        capacity_prices=tuple(PricePath(*item) for item in _paths(prices.capacity, count).items()),
        power_prices=tuple(PricePath(*item) for item in _paths(prices.power, count).items()),
        domestic_share_prices=tuple(FiscalYearPrice(*item) for item in prices.domestic_share.items()),
        budget_prices=tuple(FiscalYearPrice(*item) for item in prices.budget.items()),
        programme_budget_prices=tuple(ProgrammePrice(*key, value) for key, value in prices.programme_budget.items()),
        project_cap_prices=tuple(ProjectCapPrice(*key, value) for key, value in prices.project_cap.items()),
        lower_bound_yen=0,
        concentration_prices=tuple(ConcentrationPrice(*key, value) for key, value in prices.concentration.items()),
        member_budget_prices=tuple(MemberPrice(*key, value) for key, value in prices.member_budget.items()),
        member_cap_prices=tuple(MemberCapPrice(*key, value) for key, value in prices.member_cap.items()),
        capital_ceiling_prices=tuple(FiscalYearPrice(*item) for item in prices.capital_ceiling.items()),
        carbon_prices=tuple(FiscalYearPrice(*item) for item in prices.carbon.items()),
        waiting_price=prices.waiting,
        precedence_prices=tuple(
            PrecedencePrices(before, after, path) for (before, after), path in _paths(prices.precedence, count).items()
        ),
    )


def oracle_prices(**given: Any) -> OraclePrices:  # noqa: ANN401 - fields of several types
    """Return prices in the oracle's shape: those that are given, none of any other row."""
    names = (
        "capacity power domestic_share budget programme_budget project_cap concentration member_budget member_cap "
        "capital_ceiling carbon precedence"
    )
    return OraclePrices(**({name: {} for name in names.split()} | given))


def _paths(prices: Mapping[Any, float], count: int) -> dict[Any, tuple[float, ...]]:
    """Return paths by subject of prices by (subject, ..., period)."""
    paths: dict[Any, list[float]] = defaultdict(lambda: [0.0] * count)
    for (*subject, period), value in prices.items():
        paths[subject[0] if len(subject) == 1 else tuple(subject)][period] = value
    return {subject: tuple(path) for subject, path in paths.items()}
