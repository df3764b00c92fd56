"""Programmes, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from tehai.domain.limits import LIMITS
from tehai.domain.programme import CapitalGrant, ClaimMade, Programme, ProgrammeKind, SizeClassRate, UsageGrant
from tehai.domain.workload import CountryRule
from tehai.v1 import programme_pb2
from tehai.wire.market import double_to_wire, fiscal_year_amounts_from_proto, fiscal_year_amounts_to_proto
from tehai.wire.reading import Reader
from tehai.wire.workload import ANYWHERE, SIZE_CLASSES, strings_from_proto

KIND_NAMES = tuple(field.name for field in programme_pb2.Programme.DESCRIPTOR.oneofs_by_name["kind"].fields)


def size_class_rate_from_proto(message: programme_pb2.SizeClassRate, reader: Reader, path: str) -> SizeClassRate:
    """Read the rate of one size class."""
    return SizeClassRate(
        size_class=SIZE_CLASSES.from_wire(message.size_class, reader, path, "size_class"),
        rate_fraction=reader.number(message.rate_fraction, path, "rate_fraction"),
        required_member_flag=message.required_member_flag,
    )


def _rates_to_proto(rates: Iterable[SizeClassRate]) -> list[programme_pb2.SizeClassRate]:
    return [
        programme_pb2.SizeClassRate(
            size_class=SIZE_CLASSES.to_wire(rate.size_class),
            rate_fraction=double_to_wire(rate.rate_fraction),
            required_member_flag=rate.required_member_flag,
        )
        for rate in rates
    ]


def _eligible_countries_from_proto(
    message: programme_pb2.UsageGrant | programme_pb2.CapitalGrant, reader: Reader, path: str
) -> CountryRule:
    site_codes, operator_codes = message.eligible_site_country_codes, message.eligible_operator_country_codes
    return CountryRule(
        strings_from_proto(site_codes, reader, path, "eligible_site_country_codes"),
        strings_from_proto(operator_codes, reader, path, "eligible_operator_country_codes"),
    )


def usage_grant_from_proto(message: programme_pb2.UsageGrant, reader: Reader, path: str) -> UsageGrant:
    """Read a grant on usage."""
    return UsageGrant(
        rates=reader.each(size_class_rate_from_proto, message.rates, LIMITS.strings_per_list, path, "rates"),
        eligible_pool_ids=strings_from_proto(message.eligible_pool_ids, reader, path, "eligible_pool_ids"),
        eligible_countries=_eligible_countries_from_proto(message, reader, path),
        eligible_tags=strings_from_proto(message.eligible_tags, reader, path, "eligible_tags"),
        project_cap_yen=message.project_cap_yen if message.HasField("project_cap_yen") else None,
    )


def usage_grant_to_proto(grant: UsageGrant) -> programme_pb2.UsageGrant:
    """Write a grant on usage."""
    return programme_pb2.UsageGrant(
        rates=_rates_to_proto(grant.rates),
        eligible_pool_ids=grant.eligible_pool_ids,
        eligible_site_country_codes=grant.eligible_countries.site_country_codes,
        eligible_operator_country_codes=grant.eligible_countries.operator_country_codes,
        eligible_tags=grant.eligible_tags,
        project_cap_yen=grant.project_cap_yen,
    )


def capital_grant_from_proto(message: programme_pb2.CapitalGrant, reader: Reader, path: str) -> CapitalGrant:
    """Read a grant on purchases."""
    return CapitalGrant(
        rates=reader.each(size_class_rate_from_proto, message.rates, LIMITS.strings_per_list, path, "rates"),
        eligible_pool_ids=strings_from_proto(message.eligible_pool_ids, reader, path, "eligible_pool_ids"),
        eligible_countries=_eligible_countries_from_proto(message, reader, path),
    )


def capital_grant_to_proto(grant: CapitalGrant) -> programme_pb2.CapitalGrant:
    """Write a grant on purchases."""
    return programme_pb2.CapitalGrant(
        rates=_rates_to_proto(grant.rates),
        eligible_pool_ids=grant.eligible_pool_ids,
        eligible_site_country_codes=grant.eligible_countries.site_country_codes,
        eligible_operator_country_codes=grant.eligible_countries.operator_country_codes,
    )


def claims_made_from_proto(
    messages: Sequence[programme_pb2.ClaimMade], reader: Reader, path: str
) -> tuple[ClaimMade, ...]:
    """Read what was claimed before; ``path`` is that of the programme."""
    return tuple(
        ClaimMade(project_id=m.project_id, member_id=m.member_id, fiscal_year=m.fiscal_year, amount_yen=m.amount_yen)
        for m in reader.limited(messages, LIMITS.claims_made_per_programme, path, "claims_made")
    )


def claims_made_to_proto(claims: Iterable[ClaimMade]) -> list[programme_pb2.ClaimMade]:
    """Write what was claimed before."""
    return [
        programme_pb2.ClaimMade(
            project_id=c.project_id, member_id=c.member_id, fiscal_year=c.fiscal_year, amount_yen=c.amount_yen
        )
        for c in claims
    ]


def _kind_from_proto(message: programme_pb2.Programme, reader: Reader, path: str) -> ProgrammeKind:
    match message.WhichOneof("kind"):
        case "usage_grant":
            return usage_grant_from_proto(message.usage_grant, reader, f"{path}.usage_grant")
        case "capital_grant":
            return capital_grant_from_proto(message.capital_grant, reader, f"{path}.capital_grant")
        case None:
            reader.no_alternative(path, KIND_NAMES, taint="usage_grant")
            return UsageGrant((), (), ANYWHERE, (), None)
        case other:
            assert_never(other)


def programme_from_proto(message: programme_pb2.Programme, reader: Reader, path: str) -> Programme:
    """Read a programme of any kind."""
    stackable = message.stackable_programme_ids
    return Programme(
        id=message.id,
        display_name=message.display_name,
        from_date=reader.date(message.from_date, path, "from_date"),
        until_date=reader.date(message.until_date, path, "until_date"),
        kind=_kind_from_proto(message, reader, path),
        member_cap_yen=message.member_cap_yen if message.HasField("member_cap_yen") else None,
        budgets=fiscal_year_amounts_from_proto(message.budgets, reader, path, "budgets"),
        payment_lag_days=message.payment_lag_days,
        exclusivity_group=message.exclusivity_group,
        stackable_programme_ids=tuple(reader.limited(stackable, LIMITS.programmes, path, "stackable_programme_ids")),
        claims_made=claims_made_from_proto(message.claims_made, reader, path),
    )


def programme_to_proto(programme: Programme) -> programme_pb2.Programme:
    """Write a programme of any kind."""
    message = programme_pb2.Programme(
        id=programme.id,
        display_name=programme.display_name,
        from_date=programme.from_date.isoformat(),
        until_date=programme.until_date.isoformat(),
        member_cap_yen=programme.member_cap_yen,
        budgets=fiscal_year_amounts_to_proto(programme.budgets),
        payment_lag_days=programme.payment_lag_days,
        exclusivity_group=programme.exclusivity_group,
        stackable_programme_ids=programme.stackable_programme_ids,
        claims_made=claims_made_to_proto(programme.claims_made),
    )
    match programme.kind:
        case UsageGrant():
            message.usage_grant.CopyFrom(usage_grant_to_proto(programme.kind))
        case CapitalGrant():
            message.capital_grant.CopyFrom(capital_grant_to_proto(programme.kind))
        case _ as other:
            assert_never(other)
    return message
