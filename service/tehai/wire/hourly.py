"""Offers without a commitment - on demand, existing and allocation - between message and domain."""

from __future__ import annotations

from tehai.domain.limits import LIMITS
from tehai.domain.market import UnitPrice
from tehai.domain.offer import Allocation, Existing, FiscalYearHours, OnDemand
from tehai.v1 import market_pb2, supply_pb2
from tehai.wire.market import (
    double_to_wire,
    fiscal_year_amounts_from_proto,
    fiscal_year_amounts_to_proto,
    required_price_from_proto,
    unit_price_from_proto,
    unit_price_to_proto,
)
from tehai.wire.offer_fields import (
    date_to_text,
    from_date_from_proto,
    quota_steps_from_proto,
    quota_steps_to_proto,
    until_date_from_proto,
)
from tehai.wire.reading import Reader, member_path


def on_demand_from_proto(message: supply_pb2.OnDemand, reader: Reader, path: str) -> OnDemand:
    """Read capacity paid by the hour used."""
    return OnDemand(
        price_per_accelerator_hour=required_price_from_proto(message, reader, path, "price_per_accelerator_hour"),
        quota_accelerators=message.quota_accelerators,
        from_date=from_date_from_proto(message, reader, path),
        until_date=until_date_from_proto(message, reader, path),
        quota_steps=quota_steps_from_proto(message.quota_steps, reader, path, "quota_steps"),
    )


def on_demand_to_proto(kind: OnDemand) -> supply_pb2.OnDemand:
    """Write capacity paid by the hour used."""
    return supply_pb2.OnDemand(
        price_per_accelerator_hour=unit_price_to_proto(kind.price_per_accelerator_hour),
        quota_accelerators=kind.quota_accelerators,
        from_date=date_to_text(kind.from_date),
        until_date=date_to_text(kind.until_date),
        quota_steps=quota_steps_to_proto(kind.quota_steps),
    )


def existing_from_proto(message: supply_pb2.Existing, reader: Reader, path: str) -> Existing:
    """Read capacity already there."""
    return Existing(
        accelerators=message.accelerators,
        from_date=from_date_from_proto(message, reader, path),
        until_date=until_date_from_proto(message, reader, path),
        metered=message.metered,
        accelerator_steps=quota_steps_from_proto(message.accelerator_steps, reader, path, "accelerator_steps"),
        payments=fiscal_year_amounts_from_proto(message.payments, reader, path, "payments"),
        reference_price_per_accelerator_hour=_reference_price_from_proto(message, reader, path),
    )


def _reference_price_from_proto(message: supply_pb2.Existing, reader: Reader, path: str) -> UnitPrice | None:
    name = "reference_price_per_accelerator_hour"
    if not message.HasField("reference_price_per_accelerator_hour"):
        return None
    return unit_price_from_proto(message.reference_price_per_accelerator_hour, reader, member_path(path, name))


def existing_to_proto(kind: Existing) -> supply_pb2.Existing:
    """Write capacity already there."""
    return supply_pb2.Existing(
        accelerators=kind.accelerators,
        from_date=date_to_text(kind.from_date),
        until_date=date_to_text(kind.until_date),
        metered=kind.metered,
        accelerator_steps=quota_steps_to_proto(kind.accelerator_steps),
        payments=fiscal_year_amounts_to_proto(kind.payments),
        reference_price_per_accelerator_hour=_optional_price(kind.reference_price_per_accelerator_hour),
    )


def _optional_price(price: UnitPrice | None) -> market_pb2.UnitPrice | None:
    return None if price is None else unit_price_to_proto(price)


def _hours_from_proto(message: supply_pb2.FiscalYearHours, reader: Reader, path: str) -> FiscalYearHours:
    hours = reader.number(message.accelerator_hours, path, "accelerator_hours")
    return FiscalYearHours(fiscal_year=message.fiscal_year, accelerator_hours=hours)


def allocation_from_proto(message: supply_pb2.Allocation, reader: Reader, path: str) -> Allocation:
    """Read hours granted on a public machine."""
    return Allocation(
        price_per_accelerator_hour=required_price_from_proto(message, reader, path, "price_per_accelerator_hour"),
        accelerators=message.accelerators,
        quotas=reader.each(_hours_from_proto, message.quotas, LIMITS.fiscal_year_rows_per_list, path, "quotas"),
        from_date=from_date_from_proto(message, reader, path),
        until_date=until_date_from_proto(message, reader, path),
        accelerator_steps=quota_steps_from_proto(message.accelerator_steps, reader, path, "accelerator_steps"),
    )


def allocation_to_proto(kind: Allocation) -> supply_pb2.Allocation:
    """Write hours granted on a public machine."""
    return supply_pb2.Allocation(
        price_per_accelerator_hour=unit_price_to_proto(kind.price_per_accelerator_hour),
        accelerators=kind.accelerators,
        quotas=[
            supply_pb2.FiscalYearHours(fiscal_year=q.fiscal_year, accelerator_hours=double_to_wire(q.accelerator_hours))
            for q in kind.quotas
        ],
        from_date=date_to_text(kind.from_date),
        until_date=date_to_text(kind.until_date),
        accelerator_steps=quota_steps_to_proto(kind.accelerator_steps),
    )
