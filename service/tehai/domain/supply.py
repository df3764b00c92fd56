"""Accelerators, sites and pools: where a workload can be placed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tehai.domain.market import PriceStep, UnitPrice


@dataclass(frozen=True, slots=True)
class FamilyThroughput:
    """Normalised accelerator-hours of work done per hour in one software family."""

    software_family: str
    normalised_throughput: float


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A type of accelerator; ``power_kw`` is one accelerator with its part of the host."""

    id: str
    display_name: str
    memory_gb: float
    power_kw: float
    throughputs: tuple[FamilyThroughput, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A data centre or cloud region; ``power_limit_kw`` limits facility power (machines times PUE).

    ``electricity_steps`` are later prices of electricity; ``operator_id`` is empty where no limit names the operator.
    """

    id: str
    display_name: str
    country_code: str
    operator_country_code: str
    power_limit_kw: float | None
    power_usage_effectiveness: float
    electricity_yen_per_kwh: Decimal | None
    electricity_steps: tuple[PriceStep, ...] = ()
    operator_id: str = ""
    grid_carbon_kg_per_kwh: float = 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """Accelerators of one type at one site, in nodes of ``node_accelerators``.

    ``grant_reference`` lowers what a grant counts for an accelerator-hour, ``charge_reference`` replaces what member
    budgets and list bills count; None: derived from the offers (docs/rules.md, "Claims").
    """

    id: str
    display_name: str
    site_id: str
    accelerator_id: str
    gang_accelerators_max: int
    node_accelerators: int = 1
    grant_reference: UnitPrice | None = None
    charge_reference: UnitPrice | None = None
