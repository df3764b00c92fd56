"""Checks of a certificate's form."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator

from tehai.domain.certificate import Certificate, PrecedencePrices, PricePath
from tehai.domain.problem import SCHEMA_VERSION
from tehai.domain.violation import Violation
from tehai.verify.faults import violation
from tehai.verify.grants import project_cap_of, projects_of_several
from tehai.verify.reference import Reference

# yen; far above any price with a meaning, far below what could overflow a double when multiplied
LARGEST_PRICE = 1e30
PATH_LISTS = ("capacity_prices", "power_prices", "precedence_prices")
SCALAR_LISTS = (
    "domestic_share_prices",
    "budget_prices",
    "programme_budget_prices",
    "project_cap_prices",
    "concentration_prices",
    "member_budget_prices",
    "member_cap_prices",
    "capital_ceiling_prices",
    "carbon_prices",
)


def check_v2601_certificate_schema(reference: Reference, sha256: str, certificate: Certificate) -> Iterator[Violation]:
    """The certificate has this schema version."""
    del reference, sha256
    if certificate.schema_version != SCHEMA_VERSION:
        message = f"expected {SCHEMA_VERSION}, found {certificate.schema_version}"
        yield violation("V2601", "certificate.schema_version", message)


def check_v2602_certificate_problem(reference: Reference, sha256: str, certificate: Certificate) -> Iterator[Violation]:
    """The certificate carries the hash of this problem."""
    del reference
    if certificate.problem_sha256 != sha256:
        message = f'expected "{sha256}", found "{certificate.problem_sha256}"'
        yield violation("V2602", "certificate.problem_sha256", message)


def check_v2603_no_such_row(reference: Reference, sha256: str, certificate: Certificate) -> Iterator[Violation]:
    """Every price is that of a row of the problem."""
    del sha256
    rows = _existing_rows(reference)
    for name, keys in _priced_rows(certificate).items():
        for i, key in enumerate(keys):
            if key not in rows[name]:
                yield violation("V2603", f"certificate.{name}[{i}]", f"no row of {_row_name(key)}")
    if certificate.waiting_price != 0.0 and reference.problem.rules.total_waiting_periods_max is None:
        yield violation("V2603", "certificate.waiting_price", "no limit on waiting")


def check_v2604_row_repeated(reference: Reference, sha256: str, certificate: Certificate) -> Iterator[Violation]:
    """No row has two prices."""
    del reference, sha256
    for name, keys in _priced_rows(certificate).items():
        for key, count in Counter(keys).items():
            if count > 1:
                message = f"row of {_row_name(key)} expected once, found {count} times"
                yield violation("V2604", f"certificate.{name}", message)


def check_v2605_path_length(reference: Reference, sha256: str, certificate: Certificate) -> Iterator[Violation]:
    """A price path has one figure for each period."""
    del sha256
    for name, i, path in _paths(certificate):
        if len(path.values) != reference.period_count:
            message = f"expected {reference.period_count}, found {len(path.values)}"
            yield violation("V2605", f"certificate.{name}[{i}].values", message)


def check_v2606_price_finite(reference: Reference, sha256: str, certificate: Certificate) -> Iterator[Violation]:
    """Every price is a finite number of a size that has a meaning."""
    del reference, sha256
    for name, i, path in _paths(certificate):
        bad = [t for t, value in enumerate(path.values) if not _usable(value)]
        if bad:
            where = f"certificate.{name}[{i}].values[{bad[0]}]"
            yield violation("V2606", where, f"found {path.values[bad[0]]} in {len(bad)} periods")
    for name in SCALAR_LISTS:
        for i, item in enumerate(getattr(certificate, name)):
            if not _usable(item.value):
                yield violation("V2606", f"certificate.{name}[{i}].value", f"found {item.value}")
    if not _usable(certificate.waiting_price):
        yield violation("V2606", "certificate.waiting_price", f"found {certificate.waiting_price}")


def _usable(price: float) -> bool:
    """Return whether a price can be computed with."""
    return math.isfinite(price) and abs(price) <= LARGEST_PRICE


RowKey = tuple[str | int, ...]


def _paths(certificate: Certificate) -> Iterator[tuple[str, int, PricePath | PrecedencePrices]]:
    """Yield (list name, position, path) of every price path."""
    for name in PATH_LISTS:
        for i, path in enumerate(getattr(certificate, name)):
            yield name, i, path


def _priced_rows(certificate: Certificate) -> dict[str, list[RowKey]]:
    """Return what each entry of each list prices, in order."""
    return {
        "capacity_prices": [(item.subject_id,) for item in certificate.capacity_prices],
        "power_prices": [(item.subject_id,) for item in certificate.power_prices],
        "domestic_share_prices": [(item.fiscal_year,) for item in certificate.domestic_share_prices],
        "budget_prices": [(item.fiscal_year,) for item in certificate.budget_prices],
        "programme_budget_prices": [
            (item.programme_id, item.fiscal_year) for item in certificate.programme_budget_prices
        ],
        "project_cap_prices": [(item.programme_id, item.project_id) for item in certificate.project_cap_prices],
        "concentration_prices": [(item.operator_id, item.fiscal_year) for item in certificate.concentration_prices],
        "member_budget_prices": [(item.member_id, item.fiscal_year) for item in certificate.member_budget_prices],
        "member_cap_prices": [
            (item.programme_id, item.member_id, item.fiscal_year) for item in certificate.member_cap_prices
        ],
        "capital_ceiling_prices": [(item.fiscal_year,) for item in certificate.capital_ceiling_prices],
        "carbon_prices": [(item.fiscal_year,) for item in certificate.carbon_prices],
        "precedence_prices": [
            (item.before_workload_id, item.after_workload_id) for item in certificate.precedence_prices
        ],
    }


def _existing_rows(reference: Reference) -> dict[str, set[RowKey]]:
    """Return the rows of the problem that may carry a price, by list."""
    problem, rules = reference.problem, reference.problem.rules
    projects = projects_of_several(problem)
    return {
        "capacity_prices": {(pool.id,) for pool in problem.pools},
        "power_prices": {(site.id,) for site in problem.sites if site.power_limit_kw is not None},
        "domestic_share_prices": {(rule.fiscal_year,) for rule in rules.minimum_domestic_shares},
        "budget_prices": {(budget.fiscal_year,) for budget in rules.portfolio_budgets},
        "programme_budget_prices": {
            (programme.id, budget.fiscal_year) for programme in problem.programmes for budget in programme.budgets
        },
        "project_cap_prices": {
            (programme.id, project)
            for programme in problem.programmes
            for project in projects
            if project_cap_of(programme) is not None
        },
        "concentration_prices": {(rule.operator_id, rule.fiscal_year) for rule in rules.concentration_limits},
        "member_budget_prices": {
            (member.id, budget.fiscal_year) for member in problem.members for budget in member.budgets
        },
        "member_cap_prices": {
            (programme.id, member.id, year)
            for programme in problem.programmes
            if programme.member_cap_yen is not None
            for member in problem.members
            for year in reference.years
        },
        "capital_ceiling_prices": {(ceiling.fiscal_year,) for ceiling in rules.capital_ceilings},
        "carbon_prices": {(limit.fiscal_year,) for limit in rules.carbon_limits},
        "precedence_prices": {
            (before, workload.id) for workload in problem.workloads for before in workload.after_workload_ids
        },
    }


def _row_name(key: RowKey) -> str:
    """Return a row's key in words."""
    return " and ".join(f'"{part}"' if isinstance(part, str) else f"fiscal year {part}" for part in key)


CHECKS: tuple[Callable[[Reference, str, Certificate], Iterator[Violation]], ...] = (
    check_v2601_certificate_schema,
    check_v2602_certificate_problem,
    check_v2603_no_such_row,
    check_v2604_row_repeated,
    check_v2605_path_length,
    check_v2606_price_finite,
)
