"""Certificates, between message and domain. Whether one proves its bound is for tehai.verify to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tehai.domain.certificate import Certificate, FiscalYearPrice, PricePath, ProgrammePrice, ProjectCapPrice
from tehai.domain.limits import LIMITS
from tehai.domain.problem import SCHEMA_VERSION
from tehai.domain.violation import Violation
from tehai.v1 import plan_pb2
from tehai.wire.market import FISCAL_YEARS_MAX
from tehai.wire.reading import Reader, member_path
from tehai.wire.unknown import report_unknown_fields

PROGRAMME_PRICES_MAX = LIMITS.programmes * FISCAL_YEARS_MAX
PROJECT_PRICES_MAX = LIMITS.programmes * LIMITS.workloads


class DecodedCertificate(NamedTuple):
    """A certificate, or None and why not."""

    certificate: Certificate | None
    violations: tuple[Violation, ...]


def _price_paths_from_proto(
    messages: Sequence[plan_pb2.PricePath], limit: int, reader: Reader, path: str, name: str
) -> tuple[PricePath, ...]:
    where = member_path(path, name)
    return tuple(
        PricePath(
            subject_id=m.subject_id,
            values=reader.numbers(m.values, LIMITS.period_count, f"{where}[{i}]", "values"),
        )
        for i, m in enumerate(reader.limited(messages, limit, path, name))
    )


def _fiscal_year_prices_from_proto(
    messages: Sequence[plan_pb2.FiscalYearPrice], reader: Reader, path: str, name: str
) -> tuple[FiscalYearPrice, ...]:
    where = member_path(path, name)
    return tuple(
        FiscalYearPrice(fiscal_year=m.fiscal_year, value=reader.number(m.value, f"{where}[{i}]", "value"))
        for i, m in enumerate(reader.limited(messages, FISCAL_YEARS_MAX, path, name))
    )


def _programme_prices_from_proto(
    messages: Sequence[plan_pb2.ProgrammePrice], reader: Reader, path: str, name: str
) -> tuple[ProgrammePrice, ...]:
    where = member_path(path, name)
    return tuple(
        ProgrammePrice(
            programme_id=m.programme_id,
            fiscal_year=m.fiscal_year,
            value=reader.number(m.value, f"{where}[{i}]", "value"),
        )
        for i, m in enumerate(reader.limited(messages, PROGRAMME_PRICES_MAX, path, name))
    )


def _project_cap_prices_from_proto(
    messages: Sequence[plan_pb2.ProjectCapPrice], reader: Reader, path: str, name: str
) -> tuple[ProjectCapPrice, ...]:
    where = member_path(path, name)
    return tuple(
        ProjectCapPrice(
            programme_id=m.programme_id,
            project_id=m.project_id,
            value=reader.number(m.value, f"{where}[{i}]", "value"),
        )
        for i, m in enumerate(reader.limited(messages, PROJECT_PRICES_MAX, path, name))
    )


def read_certificate(message: plan_pb2.Certificate, reader: Reader, path: str) -> Certificate:
    """Read a certificate that stands at ``path``, with placeholders where something is wrong."""
    return Certificate(
        schema_version=reader.schema_version(message.schema_version, SCHEMA_VERSION, path),
        problem_sha256=message.problem_sha256,
        capacity_prices=_price_paths_from_proto(message.capacity_prices, LIMITS.pools, reader, path, "capacity_prices"),
        power_prices=_price_paths_from_proto(message.power_prices, LIMITS.sites, reader, path, "power_prices"),
        domestic_share_prices=_fiscal_year_prices_from_proto(
            message.domestic_share_prices, reader, path, "domestic_share_prices"
        ),
        budget_prices=_fiscal_year_prices_from_proto(message.budget_prices, reader, path, "budget_prices"),
        programme_budget_prices=_programme_prices_from_proto(
            message.programme_budget_prices, reader, path, "programme_budget_prices"
        ),
        project_cap_prices=_project_cap_prices_from_proto(
            message.project_cap_prices, reader, path, "project_cap_prices"
        ),
        lower_bound_yen=message.lower_bound_yen,
    )


def certificate_from_proto(message: plan_pb2.Certificate) -> DecodedCertificate:
    """Read a certificate; the violations are of form only."""
    reader = Reader()
    report_unknown_fields(message, reader)
    certificate = read_certificate(message, reader, "")
    return DecodedCertificate(None if reader.violations else certificate, tuple(reader.violations))


def certificate_to_proto(certificate: Certificate) -> plan_pb2.Certificate:
    """Write a certificate; every number as it is."""
    return plan_pb2.Certificate(
        schema_version=certificate.schema_version,
        problem_sha256=certificate.problem_sha256,
        capacity_prices=[
            plan_pb2.PricePath(subject_id=p.subject_id, values=p.values) for p in certificate.capacity_prices
        ],
        power_prices=[plan_pb2.PricePath(subject_id=p.subject_id, values=p.values) for p in certificate.power_prices],
        domestic_share_prices=[
            plan_pb2.FiscalYearPrice(fiscal_year=p.fiscal_year, value=p.value)
            for p in certificate.domestic_share_prices
        ],
        budget_prices=[
            plan_pb2.FiscalYearPrice(fiscal_year=p.fiscal_year, value=p.value) for p in certificate.budget_prices
        ],
        programme_budget_prices=[
            plan_pb2.ProgrammePrice(programme_id=p.programme_id, fiscal_year=p.fiscal_year, value=p.value)
            for p in certificate.programme_budget_prices
        ],
        project_cap_prices=[
            plan_pb2.ProjectCapPrice(programme_id=p.programme_id, project_id=p.project_id, value=p.value)
            for p in certificate.project_cap_prices
        ],
        lower_bound_yen=certificate.lower_bound_yen,
    )
