"""Rules on accelerators, sites and pools, E13xx."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from tehai.domain.limits import LIMITS
from tehai.validation.common import (
    count_out_of_range,
    is_country_code,
    repeats,
    shown,
    steps_not_rising,
    unit_amount_out_of_range,
)
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

MEMORY_GB_MAX = 1e9
POWER_KW_MAX = 1e9
THROUGHPUT_MAX = 1e9
# Below this an accelerator stands still.
THROUGHPUT_MIN = 1e-6
POWER_USAGE_EFFECTIVENESS_MAX = 10.0
# The dirtiest grids emit about 1 kg per kWh; more is a slip of the unit.
GRID_CARBON_MAX = 10.0


@rule("E1301", "the memory of an accelerator is not positive", "Give its memory in gigabytes.")
def check_e1301_accelerator_memory_not_positive(view: ProblemView) -> Iterator[Found]:
    """An accelerator has some memory."""
    for i, accelerator in enumerate(view.problem.accelerators):
        if not 0 < accelerator.memory_gb <= MEMORY_GB_MAX:
            yield Found(f"accelerators[{i}].memory_gb", f"{accelerator.memory_gb} GB; above 0 is needed")


@rule("E1302", "the power of an accelerator is not positive", "Give the power of one accelerator with its host in kW.")
def check_e1302_accelerator_power_not_positive(view: ProblemView) -> Iterator[Found]:
    """An accelerator takes some power."""
    for i, accelerator in enumerate(view.problem.accelerators):
        if not 0 < accelerator.power_kw <= POWER_KW_MAX:
            yield Found(f"accelerators[{i}].power_kw", f"{accelerator.power_kw} kW; above 0 is needed")


@rule("E1303", "an accelerator runs no software family", "List the families it runs, each with its throughput.")
def check_e1303_accelerator_without_families(view: ProblemView) -> Iterator[Found]:
    """An accelerator that runs nothing is an omission."""
    for i, accelerator in enumerate(view.problem.accelerators):
        if not accelerator.throughputs:
            yield Found(f"accelerators[{i}].throughputs", "the list is empty")


@rule(
    "E1304",
    "a throughput is out of range",
    "Give the speed relative to the reference accelerator, or remove the family.",
)
def check_e1304_throughput_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A listed family makes progress."""
    for i, accelerator in enumerate(view.problem.accelerators):
        for k, throughput in enumerate(accelerator.throughputs):
            if not THROUGHPUT_MIN <= throughput.normalised_throughput <= THROUGHPUT_MAX:
                path = f"accelerators[{i}].throughputs[{k}].normalised_throughput"
                yield Found(
                    path, f"{throughput.normalised_throughput} is not between {THROUGHPUT_MIN:f} and {THROUGHPUT_MAX:g}"
                )


@rule("E1305", "a software family is listed twice for an accelerator", "Keep one of the two.")
def check_e1305_software_family_repeated(view: ProblemView) -> Iterator[Found]:
    """A family has one throughput on an accelerator."""
    for i, accelerator in enumerate(view.problem.accelerators):
        families = [throughput.software_family for throughput in accelerator.throughputs]
        for k in repeats(families):
            path = f"accelerators[{i}].throughputs[{k}].software_family"
            yield Found(path, f"{shown(families[k])} is listed again")


@rule("E1306", "the name of a software family is missing", "Name the family.")
def check_e1306_software_family_missing(view: ProblemView) -> Iterator[Found]:
    """A throughput belongs to a family."""
    for i, accelerator in enumerate(view.problem.accelerators):
        for k, throughput in enumerate(accelerator.throughputs):
            if not throughput.software_family.strip():
                yield Found(f"accelerators[{i}].throughputs[{k}].software_family", "the name is missing")


@rule("E1311", "a site's country is not a country code", 'Write two capital letters of ISO 3166-1, for example "JP".')
def check_e1311_site_country_malformed(view: ProblemView) -> Iterator[Found]:
    """Both countries of a site are given."""
    for i, site in enumerate(view.problem.sites):
        for name in ("country_code", "operator_country_code"):
            code: str = getattr(site, name)
            if not is_country_code(code):
                yield Found(f"sites[{i}].{name}", f"{shown(code)} is not a country code")


@rule("E1312", "a power limit is not positive", "Give the limit in kW, or leave it unset for no limit.")
def check_e1312_power_limit_not_positive(view: ProblemView) -> Iterator[Found]:
    """A limit that is given leaves some power."""
    for i, site in enumerate(view.problem.sites):
        if site.power_limit_kw is not None and not 0 < site.power_limit_kw <= POWER_KW_MAX:
            yield Found(f"sites[{i}].power_limit_kw", f"{site.power_limit_kw} kW; above 0 is needed")


@rule("E1313", "power usage effectiveness is out of range", "Give facility power divided by machine power, 1.0 to 10.")
def check_e1313_power_usage_effectiveness_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A facility takes at least the power of its machines."""
    for i, site in enumerate(view.problem.sites):
        if not 1 <= site.power_usage_effectiveness <= POWER_USAGE_EFFECTIVENESS_MAX:
            path = f"sites[{i}].power_usage_effectiveness"
            yield Found(path, f"{site.power_usage_effectiveness} is not between 1 and 10")


@rule("E1314", "a price of electricity is out of range", "Give yen per kWh, 0 or more.")
def check_e1314_electricity_price_out_of_range(view: ProblemView) -> Iterator[Found]:
    """Electricity does not have a negative price."""
    for i, site in enumerate(view.problem.sites):
        price = site.electricity_yen_per_kwh
        if price is not None and not (price.is_finite() and 0 <= price <= LIMITS.unit_price):
            message = f"{price:.20g} yen is not between 0 and {LIMITS.unit_price:,}"
            yield Found(f"sites[{i}].electricity_yen_per_kwh", message)


@rule("E1315", "steps of electricity do not rise in time", "Order the steps by from_date, each later than the last.")
def check_e1315_electricity_steps_not_rising(view: ProblemView) -> Iterator[Found]:
    """On every day one price of electricity is in force."""
    for i, site in enumerate(view.problem.sites):
        yield from steps_not_rising(site.electricity_steps, f"sites[{i}].electricity_steps")


@rule("E1316", "a later price of electricity is out of range", "Give yen per kWh, 0 or more.")
def check_e1316_electricity_step_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A price that holds later is a price too."""
    for i, site in enumerate(view.problem.sites):
        for k, step in enumerate(site.electricity_steps):
            yield from unit_amount_out_of_range(step.amount, f"sites[{i}].electricity_steps[{k}].amount")


@rule(
    "E1317",
    "later prices of electricity follow no first one",
    "Give electricity_yen_per_kwh, the price before the first step.",
)
def check_e1317_electricity_steps_without_price(view: ProblemView) -> Iterator[Found]:
    """Before the first step a price is in force as well."""
    for i, site in enumerate(view.problem.sites):
        if site.electricity_steps and site.electricity_yen_per_kwh is None:
            path = f"sites[{i}].electricity_steps"
            yield Found(path, "electricity_yen_per_kwh is missing", (f"sites[{i}].electricity_yen_per_kwh",))


@rule(
    "E1318",
    "emissions of the grid are out of range",
    "Give kilograms (not grams) per kWh, 0 to 10; Japan has about 0.4.",
)
def check_e1318_grid_carbon_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A grid emits nothing or something, by the kilogram."""
    for i, site in enumerate(view.problem.sites):
        if not 0 <= site.grid_carbon_kg_per_kwh <= GRID_CARBON_MAX:
            message = f"{site.grid_carbon_kg_per_kwh} kg per kWh is not between 0 and {GRID_CARBON_MAX:g}"
            yield Found(f"sites[{i}].grid_carbon_kg_per_kwh", message)


@rule("E1321", "the largest gang of a pool is out of range", "Give a whole number from 1 on.")
def check_e1321_pool_gang_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A pool takes at least one accelerator."""
    for i, pool in enumerate(view.problem.pools):
        yield from count_out_of_range(
            pool.gang_accelerators_max, f"pools[{i}].gang_accelerators_max", "accelerators at most"
        )


@rule("E1322", "the size of a node is out of range", "Give a whole number of accelerators from 1 on, often 8.")
def check_e1322_node_size_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A node has accelerators."""
    for i, pool in enumerate(view.problem.pools):
        yield from count_out_of_range(pool.node_accelerators, f"pools[{i}].node_accelerators", "accelerators in a node")


@rule("E1331", "there is no accelerator", "List at least one.")
def check_e1331_no_accelerators(view: ProblemView) -> Iterator[Found]:
    """Compute needs accelerators."""
    if not view.problem.accelerators:
        yield Found("accelerators", "the list is empty")


@rule("E1332", "there is no site", "List at least one.")
def check_e1332_no_sites(view: ProblemView) -> Iterator[Found]:
    """Compute stands somewhere."""
    if not view.problem.sites:
        yield Found("sites", "the list is empty")


@rule("E1333", "there is no pool", "List at least one.")
def check_e1333_no_pools(view: ProblemView) -> Iterator[Found]:
    """Workloads are placed in pools."""
    if not view.problem.pools:
        yield Found("pools", "the list is empty")


@rule(
    "E1334",
    "the speed of the reference accelerator is not positive",
    "Give its sustained floating-point operations per second, or leave it unset where no work is in flops.",
)
def check_e1334_reference_flops_not_positive(view: ProblemView) -> Iterator[Found]:
    """Work in flops is divided by this speed."""
    flops = view.problem.reference_sustained_flops
    if flops is not None and not (isfinite(flops) and flops > 0):
        yield Found("reference_sustained_flops", f"{flops} is not above 0")


@rule("E1341", "a route leads from a site to itself", "Remove it: data that stays is free.")
def check_e1341_route_to_itself(view: ProblemView) -> Iterator[Found]:
    """A route joins two sites."""
    for i, route in enumerate(view.problem.routes):
        if route.from_site_id == route.to_site_id:
            where = f"routes[{i}].to_site_id"
            yield Found(where, f"{shown(route.to_site_id)} is both ends", (f"routes[{i}].from_site_id",))


@rule("E1342", "two routes join the same two sites in the same direction", "Keep the cheaper of the two.")
def check_e1342_route_repeated(view: ProblemView) -> Iterator[Found]:
    """A pair of sites has one price."""
    pairs = [(route.from_site_id, route.to_site_id) for route in view.problem.routes]
    for i in repeats(pairs):
        message = f"from {shown(pairs[i][0])} to {shown(pairs[i][1])} again"
        yield Found(f"routes[{i}].to_site_id", message, ("routes[].from_site_id", "routes[].to_site_id"))
