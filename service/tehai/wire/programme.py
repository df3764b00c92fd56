"""Programmes, between message and domain."""

from __future__ import annotations

from typing import assert_never

from tehai.domain.limits import LIMITS
from tehai.domain.programme import Programme, SizeClassRate, UsageGrant
from tehai.domain.workload import CountryRule
from tehai.v1 import programme_pb2
from tehai.wire.market import double_to_wire, fiscal_year_amounts_from_proto, fiscal_year_amounts_to_proto
from tehai.wire.reading import Reader
from tehai.wire.workload import ANYWHERE, SIZE_CLASSES, strings_from_proto


def usage_grant_from_proto(message: programme_pb2.UsageGrant, reader: Reader, path: str) -> UsageGrant:
    """Read a grant on usage."""
    rates = reader.limited(message.rates, LIMITS.strings_per_list, path, "rates")
    site_codes, operator_codes = message.eligible_site_country_codes, message.eligible_operator_country_codes
    return UsageGrant(
        rates=tuple(
            SizeClassRate(
                size_class=SIZE_CLASSES.from_wire(m.size_class, reader, f"{path}.rates[{i}]", "size_class"),
                rate_fraction=reader.number(m.rate_fraction, f"{path}.rates[{i}]", "rate_fraction"),
            )
            for i, m in enumerate(rates)
        ),
        eligible_pool_ids=strings_from_proto(message.eligible_pool_ids, reader, path, "eligible_pool_ids"),
        eligible_countries=CountryRule(
            strings_from_proto(site_codes, reader, path, "eligible_site_country_codes"),
            strings_from_proto(operator_codes, reader, path, "eligible_operator_country_codes"),
        ),
        eligible_tags=strings_from_proto(message.eligible_tags, reader, path, "eligible_tags"),
        project_cap_yen=message.project_cap_yen if message.HasField("project_cap_yen") else None,
        budgets=fiscal_year_amounts_from_proto(message.budgets, reader, path, "budgets"),
    )


def usage_grant_to_proto(grant: UsageGrant) -> programme_pb2.UsageGrant:
    """Write a grant on usage."""
    return programme_pb2.UsageGrant(
        rates=[
            programme_pb2.SizeClassRate(
                size_class=SIZE_CLASSES.to_wire(rate.size_class), rate_fraction=double_to_wire(rate.rate_fraction)
            )
            for rate in grant.rates
        ],
        eligible_pool_ids=grant.eligible_pool_ids,
        eligible_site_country_codes=grant.eligible_countries.site_country_codes,
        eligible_operator_country_codes=grant.eligible_countries.operator_country_codes,
        eligible_tags=grant.eligible_tags,
        project_cap_yen=grant.project_cap_yen,
        budgets=fiscal_year_amounts_to_proto(grant.budgets),
    )


def programme_from_proto(message: programme_pb2.Programme, reader: Reader, path: str) -> Programme:
    """Read a programme of any kind."""
    match message.WhichOneof("kind"):
        case "usage_grant":
            kind = usage_grant_from_proto(message.usage_grant, reader, f"{path}.usage_grant")
        case None:
            reader.no_alternative(path, ("usage_grant",), taint="usage_grant")
            kind = UsageGrant((), (), ANYWHERE, (), None, ())
        case other:
            assert_never(other)
    return Programme(
        id=message.id,
        display_name=message.display_name,
        from_date=reader.date(message.from_date, path, "from_date"),
        until_date=reader.date(message.until_date, path, "until_date"),
        kind=kind,
    )


def programme_to_proto(programme: Programme) -> programme_pb2.Programme:
    """Write a programme of any kind."""
    return programme_pb2.Programme(
        id=programme.id,
        display_name=programme.display_name,
        from_date=programme.from_date.isoformat(),
        until_date=programme.until_date.isoformat(),
        usage_grant=usage_grant_to_proto(programme.kind),
    )
