"""Rules on accelerators, sites and pools, E13xx."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from tehai.domain.limits import LIMITS
from tehai.validation.common import count_out_of_range, is_country_code, repeats, shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

MEMORY_GB_MAX = 1e9
POWER_KW_MAX = 1e9
THROUGHPUT_MAX = 1e9
POWER_USAGE_EFFECTIVENESS_MAX = 10.0


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
    "a throughput is not positive",
    "Give the speed relative to the reference accelerator, or remove the family.",
)
def check_e1304_throughput_not_positive(view: ProblemView) -> Iterator[Found]:
    """A listed family makes progress."""
    for i, accelerator in enumerate(view.problem.accelerators):
        for k, throughput in enumerate(accelerator.throughputs):
            if not 0 < throughput.normalised_throughput <= THROUGHPUT_MAX:
                path = f"accelerators[{i}].throughputs[{k}].normalised_throughput"
                yield Found(path, f"{throughput.normalised_throughput} is not above 0")


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


@rule("E1321", "the largest gang of a pool is out of range", "Give a whole number from 1 on.")
def check_e1321_pool_gang_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A pool takes at least one accelerator."""
    for i, pool in enumerate(view.problem.pools):
        yield from count_out_of_range(
            pool.gang_accelerators_max, f"pools[{i}].gang_accelerators_max", "accelerators at most"
        )


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
