"""Certificates, between message and domain. Whether one proves its bound is for tehai.verify to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

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
from tehai.domain.limits import LIMITS
from tehai.domain.problem import SCHEMA_VERSION
from tehai.domain.violation import Violation
from tehai.v1 import plan_pb2
from tehai.wire.reading import Reader
from tehai.wire.unknown import report_unknown_fields

YEARS_MAX = LIMITS.fiscal_year_rows_per_list
PROGRAMME_PRICES_MAX = LIMITS.programmes * YEARS_MAX
PROJECT_PRICES_MAX = LIMITS.programmes * LIMITS.workloads
MEMBER_PRICES_MAX = LIMITS.members * YEARS_MAX
# A price for each programme, member and fiscal year would be more; no certificate needs that many rows.
MEMBER_CAP_PRICES_MAX = 2_000_000


class DecodedCertificate(NamedTuple):
    """A certificate, or None and why not."""

    certificate: Certificate | None
    violations: tuple[Violation, ...]


def _price_path_from_proto(message: plan_pb2.PricePath, reader: Reader, path: str) -> PricePath:
    values = reader.numbers(message.values, LIMITS.period_count, path, "values")
    return PricePath(subject_id=message.subject_id, values=values)


def _fiscal_year_price_from_proto(message: plan_pb2.FiscalYearPrice, reader: Reader, path: str) -> FiscalYearPrice:
    return FiscalYearPrice(fiscal_year=message.fiscal_year, value=reader.number(message.value, path, "value"))


def _fiscal_year_prices_from_proto(
    messages: Sequence[plan_pb2.FiscalYearPrice], reader: Reader, path: str, name: str
) -> tuple[FiscalYearPrice, ...]:
    return reader.each(_fiscal_year_price_from_proto, messages, YEARS_MAX, path, name)


def _programme_price_from_proto(message: plan_pb2.ProgrammePrice, reader: Reader, path: str) -> ProgrammePrice:
    return ProgrammePrice(
        programme_id=message.programme_id,
        fiscal_year=message.fiscal_year,
        value=reader.number(message.value, path, "value"),
    )


def _project_cap_price_from_proto(message: plan_pb2.ProjectCapPrice, reader: Reader, path: str) -> ProjectCapPrice:
    return ProjectCapPrice(
        programme_id=message.programme_id,
        project_id=message.project_id,
        value=reader.number(message.value, path, "value"),
    )


def _concentration_price_from_proto(
    message: plan_pb2.ConcentrationPrice, reader: Reader, path: str
) -> ConcentrationPrice:
    return ConcentrationPrice(
        operator_id=message.operator_id,
        fiscal_year=message.fiscal_year,
        value=reader.number(message.value, path, "value"),
    )


def _member_price_from_proto(message: plan_pb2.MemberPrice, reader: Reader, path: str) -> MemberPrice:
    return MemberPrice(
        member_id=message.member_id,
        fiscal_year=message.fiscal_year,
        value=reader.number(message.value, path, "value"),
    )


def _member_cap_price_from_proto(message: plan_pb2.MemberCapPrice, reader: Reader, path: str) -> MemberCapPrice:
    return MemberCapPrice(
        programme_id=message.programme_id,
        member_id=message.member_id,
        fiscal_year=message.fiscal_year,
        value=reader.number(message.value, path, "value"),
    )


def _precedence_prices_from_proto(message: plan_pb2.PrecedencePrices, reader: Reader, path: str) -> PrecedencePrices:
    return PrecedencePrices(
        before_workload_id=message.before_workload_id,
        after_workload_id=message.after_workload_id,
        values=reader.numbers(message.values, LIMITS.period_count, path, "values"),
    )


def read_certificate(message: plan_pb2.Certificate, reader: Reader, path: str) -> Certificate:
    """Read a certificate that stands at ``path``, with placeholders where something is wrong."""

    def years(messages: Sequence[plan_pb2.FiscalYearPrice], name: str) -> tuple[FiscalYearPrice, ...]:
        return _fiscal_year_prices_from_proto(messages, reader, path, name)

    return Certificate(
        schema_version=reader.schema_version(message.schema_version, SCHEMA_VERSION, path),
        problem_sha256=message.problem_sha256,
        capacity_prices=reader.each(
            _price_path_from_proto, message.capacity_prices, LIMITS.pools, path, "capacity_prices"
        ),
        power_prices=reader.each(_price_path_from_proto, message.power_prices, LIMITS.sites, path, "power_prices"),
        domestic_share_prices=years(message.domestic_share_prices, "domestic_share_prices"),
        budget_prices=years(message.budget_prices, "budget_prices"),
        programme_budget_prices=reader.each(
            _programme_price_from_proto,
            message.programme_budget_prices,
            PROGRAMME_PRICES_MAX,
            path,
            "programme_budget_prices",
        ),
        project_cap_prices=reader.each(
            _project_cap_price_from_proto, message.project_cap_prices, PROJECT_PRICES_MAX, path, "project_cap_prices"
        ),
        lower_bound_yen=message.lower_bound_yen,
        concentration_prices=reader.each(
            _concentration_price_from_proto,
            message.concentration_prices,
            LIMITS.concentration_limits,
            path,
            "concentration_prices",
        ),
        member_budget_prices=reader.each(
            _member_price_from_proto, message.member_budget_prices, MEMBER_PRICES_MAX, path, "member_budget_prices"
        ),
        member_cap_prices=reader.each(
            _member_cap_price_from_proto, message.member_cap_prices, MEMBER_CAP_PRICES_MAX, path, "member_cap_prices"
        ),
        capital_ceiling_prices=years(message.capital_ceiling_prices, "capital_ceiling_prices"),
        carbon_prices=years(message.carbon_prices, "carbon_prices"),
        waiting_price=reader.number(message.waiting_price, path, "waiting_price"),
        precedence_prices=reader.each(
            _precedence_prices_from_proto, message.precedence_prices, LIMITS.precedences, path, "precedence_prices"
        ),
    )


def certificate_from_proto(message: plan_pb2.Certificate) -> DecodedCertificate:
    """Read a certificate; the violations are of form only."""
    reader = Reader()
    report_unknown_fields(message, reader)
    certificate = read_certificate(message, reader, "")
    return DecodedCertificate(None if reader.violations else certificate, tuple(reader.violations))


def _price_paths_to_proto(prices: Iterable[PricePath]) -> list[plan_pb2.PricePath]:
    return [plan_pb2.PricePath(subject_id=p.subject_id, values=p.values) for p in prices]


def _fiscal_year_prices_to_proto(prices: Iterable[FiscalYearPrice]) -> list[plan_pb2.FiscalYearPrice]:
    return [plan_pb2.FiscalYearPrice(fiscal_year=p.fiscal_year, value=p.value) for p in prices]


def _programme_prices_to_proto(prices: Iterable[ProgrammePrice]) -> list[plan_pb2.ProgrammePrice]:
    return [
        plan_pb2.ProgrammePrice(programme_id=p.programme_id, fiscal_year=p.fiscal_year, value=p.value) for p in prices
    ]


def _project_cap_prices_to_proto(prices: Iterable[ProjectCapPrice]) -> list[plan_pb2.ProjectCapPrice]:
    return [
        plan_pb2.ProjectCapPrice(programme_id=p.programme_id, project_id=p.project_id, value=p.value) for p in prices
    ]


def _concentration_prices_to_proto(prices: Iterable[ConcentrationPrice]) -> list[plan_pb2.ConcentrationPrice]:
    return [
        plan_pb2.ConcentrationPrice(operator_id=p.operator_id, fiscal_year=p.fiscal_year, value=p.value) for p in prices
    ]


def _member_prices_to_proto(prices: Iterable[MemberPrice]) -> list[plan_pb2.MemberPrice]:
    return [plan_pb2.MemberPrice(member_id=p.member_id, fiscal_year=p.fiscal_year, value=p.value) for p in prices]


def _member_cap_prices_to_proto(prices: Iterable[MemberCapPrice]) -> list[plan_pb2.MemberCapPrice]:
    return [
        plan_pb2.MemberCapPrice(
            programme_id=p.programme_id, member_id=p.member_id, fiscal_year=p.fiscal_year, value=p.value
        )
        for p in prices
    ]


def _precedence_prices_to_proto(prices: Iterable[PrecedencePrices]) -> list[plan_pb2.PrecedencePrices]:
    return [
        plan_pb2.PrecedencePrices(
            before_workload_id=p.before_workload_id, after_workload_id=p.after_workload_id, values=p.values
        )
        for p in prices
    ]


def certificate_to_proto(certificate: Certificate) -> plan_pb2.Certificate:
    """Write a certificate; every number as it is."""
    return plan_pb2.Certificate(
        schema_version=certificate.schema_version,
        problem_sha256=certificate.problem_sha256,
        capacity_prices=_price_paths_to_proto(certificate.capacity_prices),
        power_prices=_price_paths_to_proto(certificate.power_prices),
        domestic_share_prices=_fiscal_year_prices_to_proto(certificate.domestic_share_prices),
        budget_prices=_fiscal_year_prices_to_proto(certificate.budget_prices),
        programme_budget_prices=_programme_prices_to_proto(certificate.programme_budget_prices),
        project_cap_prices=_project_cap_prices_to_proto(certificate.project_cap_prices),
        lower_bound_yen=certificate.lower_bound_yen,
        concentration_prices=_concentration_prices_to_proto(certificate.concentration_prices),
        member_budget_prices=_member_prices_to_proto(certificate.member_budget_prices),
        member_cap_prices=_member_cap_prices_to_proto(certificate.member_cap_prices),
        capital_ceiling_prices=_fiscal_year_prices_to_proto(certificate.capital_ceiling_prices),
        carbon_prices=_fiscal_year_prices_to_proto(certificate.carbon_prices),
        waiting_price=certificate.waiting_price,
        precedence_prices=_precedence_prices_to_proto(certificate.precedence_prices),
    )
