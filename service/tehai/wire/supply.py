"""Accelerators, sites and pools, between message and domain."""

from __future__ import annotations

from tehai.domain.limits import LIMITS
from tehai.domain.supply import Accelerator, FamilyThroughput, Pool, Site
from tehai.v1 import supply_pb2
from tehai.wire.market import (
    double_or_unset,
    double_to_wire,
    optional_decimal_from_proto,
    optional_decimal_to_text,
    optional_double_to_wire,
    optional_number_from_proto,
    optional_price_from_proto,
    price_step_from_proto,
    price_steps_to_proto,
    unit_price_to_proto,
)
from tehai.wire.reading import Reader

NODE_ACCELERATORS_BY_DEFAULT = 1


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
    """Read a site; unset emissions are 0."""
    steps = message.electricity_steps
    return Site(
        id=message.id,
        display_name=message.display_name,
        country_code=message.country_code,
        operator_country_code=message.operator_country_code,
        power_limit_kw=optional_number_from_proto(message, reader, path, "power_limit_kw"),
        power_usage_effectiveness=reader.number(message.power_usage_effectiveness, path, "power_usage_effectiveness"),
        electricity_yen_per_kwh=optional_decimal_from_proto(message, reader, path, "electricity_yen_per_kwh"),
        electricity_steps=reader.each(price_step_from_proto, steps, LIMITS.steps_per_path, path, "electricity_steps"),
        operator_id=message.operator_id,
        grid_carbon_kg_per_kwh=optional_number_from_proto(message, reader, path, "grid_carbon_kg_per_kwh") or 0.0,
    )


def site_to_proto(site: Site) -> supply_pb2.Site:
    """Write a site; emissions of 0 are left unset."""
    return supply_pb2.Site(
        id=site.id,
        display_name=site.display_name,
        country_code=site.country_code,
        operator_country_code=site.operator_country_code,
        power_limit_kw=optional_double_to_wire(site.power_limit_kw),
        power_usage_effectiveness=double_to_wire(site.power_usage_effectiveness),
        electricity_yen_per_kwh=optional_decimal_to_text(site.electricity_yen_per_kwh),
        electricity_steps=price_steps_to_proto(site.electricity_steps),
        operator_id=site.operator_id,
        grid_carbon_kg_per_kwh=double_or_unset(site.grid_carbon_kg_per_kwh),
    )


def pool_from_proto(message: supply_pb2.Pool, reader: Reader, path: str) -> Pool:
    """Read a pool; an unset node is one accelerator."""
    return Pool(
        id=message.id,
        display_name=message.display_name,
        site_id=message.site_id,
        accelerator_id=message.accelerator_id,
        gang_accelerators_max=message.gang_accelerators_max,
        node_accelerators=(
            message.node_accelerators if message.HasField("node_accelerators") else NODE_ACCELERATORS_BY_DEFAULT
        ),
        grant_reference=optional_price_from_proto(message, reader, path, "grant_reference"),
        charge_reference=optional_price_from_proto(message, reader, path, "charge_reference"),
    )


def pool_to_proto(pool: Pool) -> supply_pb2.Pool:
    """Write a pool; a node of one accelerator is left unset."""
    grant, charge = pool.grant_reference, pool.charge_reference
    node = pool.node_accelerators
    return supply_pb2.Pool(
        id=pool.id,
        display_name=pool.display_name,
        site_id=pool.site_id,
        accelerator_id=pool.accelerator_id,
        gang_accelerators_max=pool.gang_accelerators_max,
        node_accelerators=None if node == NODE_ACCELERATORS_BY_DEFAULT else node,
        grant_reference=None if grant is None else unit_price_to_proto(grant),
        charge_reference=None if charge is None else unit_price_to_proto(charge),
    )
