"""What follows from plan and prices for those who pay, between message and domain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tehai.domain.limits import LIMITS
from tehai.domain.result import Breakdown, ClaimUse, MemberBill, NamedAmount, ShadowPrice
from tehai.v1 import plan_pb2
from tehai.wire.market import fiscal_year_amounts_from_proto, fiscal_year_amounts_to_proto
from tehai.wire.reading import Reader

# A row for each limit of each programme, or each pool and period; far above what a report shows.
ROWS_MAX = 2_000_000


def _named_amounts_from_proto(
    messages: Sequence[plan_pb2.NamedAmount], reader: Reader, path: str, name: str
) -> tuple[NamedAmount, ...]:
    listed = reader.limited(messages, LIMITS.members, path, name)
    return tuple(NamedAmount(name=m.name, amount_yen=m.amount_yen) for m in listed)


def _claim_uses_from_proto(messages: Sequence[plan_pb2.ClaimUse], reader: Reader, path: str) -> tuple[ClaimUse, ...]:
    return tuple(
        ClaimUse(limit=m.limit, claimed_yen=m.claimed_yen, made_yen=m.made_yen, limit_yen=m.limit_yen)
        for m in reader.limited(messages, ROWS_MAX, path, "claim_uses")
    )


def _shadow_price_from_proto(message: plan_pb2.ShadowPrice, reader: Reader, path: str) -> ShadowPrice:
    return ShadowPrice(
        row=message.row,
        value=reader.number(message.value, path, "value"),
        unit=message.unit,
        used=reader.number(message.used, path, "used"),
        limit=reader.number(message.limit, path, "limit"),
    )


def _member_bills_from_proto(
    messages: Sequence[plan_pb2.MemberBill], reader: Reader, path: str
) -> tuple[MemberBill, ...]:
    return tuple(
        MemberBill(
            member_id=m.member_id,
            bill_yen=m.bill_yen,
            remainder_yen=m.remainder_yen,
            list_bill_yen=m.list_bill_yen,
        )
        for m in reader.limited(messages, LIMITS.members, path, "member_bills")
    )


def breakdown_from_proto(message: plan_pb2.Breakdown, reader: Reader, path: str) -> Breakdown:
    """Read a breakdown that stands at ``path``."""
    return Breakdown(
        by_component=_named_amounts_from_proto(message.by_component, reader, path, "by_component"),
        by_member=_named_amounts_from_proto(message.by_member, reader, path, "by_member"),
        by_site=_named_amounts_from_proto(message.by_site, reader, path, "by_site"),
        by_currency=_named_amounts_from_proto(message.by_currency, reader, path, "by_currency"),
        by_fiscal_year=fiscal_year_amounts_from_proto(message.by_fiscal_year, reader, path, "by_fiscal_year"),
        claim_uses=_claim_uses_from_proto(message.claim_uses, reader, path),
        shadow_prices=reader.each(_shadow_price_from_proto, message.shadow_prices, ROWS_MAX, path, "shadow_prices"),
        member_bills=_member_bills_from_proto(message.member_bills, reader, path),
    )


def _named_amounts_to_proto(amounts: Iterable[NamedAmount]) -> list[plan_pb2.NamedAmount]:
    return [plan_pb2.NamedAmount(name=a.name, amount_yen=a.amount_yen) for a in amounts]


def breakdown_to_proto(breakdown: Breakdown) -> plan_pb2.Breakdown:
    """Write a breakdown; every number as it is."""
    return plan_pb2.Breakdown(
        by_component=_named_amounts_to_proto(breakdown.by_component),
        by_member=_named_amounts_to_proto(breakdown.by_member),
        by_site=_named_amounts_to_proto(breakdown.by_site),
        by_currency=_named_amounts_to_proto(breakdown.by_currency),
        by_fiscal_year=fiscal_year_amounts_to_proto(breakdown.by_fiscal_year),
        claim_uses=[
            plan_pb2.ClaimUse(limit=u.limit, claimed_yen=u.claimed_yen, made_yen=u.made_yen, limit_yen=u.limit_yen)
            for u in breakdown.claim_uses
        ],
        shadow_prices=[
            plan_pb2.ShadowPrice(row=p.row, value=p.value, unit=p.unit, used=p.used, limit=p.limit)
            for p in breakdown.shadow_prices
        ],
        member_bills=[
            plan_pb2.MemberBill(
                member_id=b.member_id,
                bill_yen=b.bill_yen,
                remainder_yen=b.remainder_yen,
                list_bill_yen=b.list_bill_yen,
            )
            for b in breakdown.member_bills
        ],
    )
