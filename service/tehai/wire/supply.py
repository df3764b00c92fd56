"""Accelerators, sites and pools, between message and domain."""

from __future__ import annotations

from tehai.domain.limits import LIMITS
from tehai.domain.supply import Accelerator, FamilyThroughput, Pool, Site
from tehai.v1 import supply_pb2
from tehai.wire.market import decimal_to_text, double_to_wire
from tehai.wire.reading import Reader


def accelerator_from_proto(message: supply_pb2.Accelerator, reader: Reader, path: str) -> Accelerator:
    """Read an accelerator with its speed in each software family."""
    throughputs = reader.limited(message.throughputs, LIMITS.strings_per_list, path, "throughputs")
    return Accelerator(
        id=message.id,
        display_name=message.display_name,
        memory_gb=reader.number(message.memory_gb, path, "memory_gb"),
        power_kw=reader.number(message.power_kw, path, "power_kw"),
        throughputs=tuple(
            FamilyThroughput(
                software_family=m.software_family,
                normalised_throughput=reader.number(
                    m.normalised_throughput, f"{path}.throughputs[{i}]", "normalised_throughput"
                ),
            )
            for i, m in enumerate(throughputs)
        ),
    )


def accelerator_to_proto(accelerator: Accelerator) -> supply_pb2.Accelerator:
    """Write an accelerator."""
    return supply_pb2.Accelerator(
        id=accelerator.id,
        display_name=accelerator.display_name,
        memory_gb=double_to_wire(accelerator.memory_gb),
        power_kw=double_to_wire(accelerator.power_kw),
        throughputs=[
            supply_pb2.FamilyThroughput(
                software_family=t.software_family, normalised_throughput=double_to_wire(t.normalised_throughput)
            )
            for t in accelerator.throughputs
        ],
    )


def site_from_proto(message: supply_pb2.Site, reader: Reader, path: str) -> Site:
    """Read a site."""
    power_limit_kw = message.power_limit_kw if message.HasField("power_limit_kw") else None
    electricity = message.electricity_yen_per_kwh if message.HasField("electricity_yen_per_kwh") else None
    return Site(
        id=message.id,
        display_name=message.display_name,
        country_code=message.country_code,
        operator_country_code=message.operator_country_code,
        power_limit_kw=None if power_limit_kw is None else reader.number(power_limit_kw, path, "power_limit_kw"),
        power_usage_effectiveness=reader.number(message.power_usage_effectiveness, path, "power_usage_effectiveness"),
        electricity_yen_per_kwh=(
            None if electricity is None else reader.decimal(electricity, path, "electricity_yen_per_kwh")
        ),
    )


def site_to_proto(site: Site) -> supply_pb2.Site:
    """Write a site."""
    electricity = site.electricity_yen_per_kwh
    return supply_pb2.Site(
        id=site.id,
        display_name=site.display_name,
        country_code=site.country_code,
        operator_country_code=site.operator_country_code,
        power_limit_kw=None if site.power_limit_kw is None else double_to_wire(site.power_limit_kw),
        power_usage_effectiveness=double_to_wire(site.power_usage_effectiveness),
        electricity_yen_per_kwh=None if electricity is None else decimal_to_text(electricity),
    )


def pool_from_proto(message: supply_pb2.Pool) -> Pool:
    """Read a pool."""
    return Pool(
        id=message.id,
        display_name=message.display_name,
        site_id=message.site_id,
        accelerator_id=message.accelerator_id,
        gang_accelerators_max=message.gang_accelerators_max,
    )


def pool_to_proto(pool: Pool) -> supply_pb2.Pool:
    """Write a pool."""
    return supply_pb2.Pool(
        id=pool.id,
        display_name=pool.display_name,
        site_id=pool.site_id,
        accelerator_id=pool.accelerator_id,
        gang_accelerators_max=pool.gang_accelerators_max,
    )
