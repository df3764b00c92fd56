"""Faults of form, one at a time: a change of the small problem, and the code and path that answer it."""

from __future__ import annotations

import math
from collections.abc import Callable

from tehai.domain.limits import LIMITS
from tehai.v1 import problem_pb2

Change = Callable[[problem_pb2.Problem], object]
Case = tuple[str, Change, str, str]
UNKNOWN_FIELD = b"\xa2\x06\x03abc"  # field 100, three bytes


def at(message: problem_pb2.Problem, path: str) -> object:
    """Return what stands at a path such as "offers.0.on_demand"; numbers are positions."""
    target: object = message
    for part in path.split(".") if path else ():
        target = target[int(part)] if part.isdecimal() else getattr(target, part)  # type: ignore[index]
    return target


def put(path: str, value: object) -> Change:
    """Return a change that sets one field."""
    holder, _, name = path.rpartition(".")
    return lambda message: setattr(at(message, holder), name, value)


def clear(path: str) -> Change:
    """Return a change that leaves one field out."""
    holder, _, name = path.rpartition(".")
    return lambda message: at(message, holder).ClearField(name)  # type: ignore[attr-defined]


def _many_gangs(message: problem_pb2.Problem) -> None:
    for i in range(LIMITS.gang_options_per_workload + 1):
        message.workloads[3].gang_options.add(accelerators=i + 1, scaling_efficiency_fraction=1)


def _many_sites(message: problem_pb2.Problem) -> None:
    for i in range(LIMITS.sites + 1):
        message.sites.add(id=f"s{i}")


def _later_kind_of_offer(message: problem_pb2.Problem) -> None:
    message.offers[2].ClearField("existing")
    message.offers[2].MergeFromString(UNKNOWN_FIELD)


def path_of(dotted: str) -> str:
    """Return a path as violations write it: "offers.0.on_demand" is "offers[0].on_demand"."""
    return "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in dotted.split(".")).lstrip(".")


def _missing(path: str) -> Case:
    return (f"no {path}", clear(path), "E1103", path_of(path))


def _not_a(what: str, value: object, code: str, path: str) -> Case:
    return (f"{what}: {path}", put(path, value), code, path_of(path))


ON_DEMAND = "offers[0].on_demand"
PRICE_STEP = "pools.0.charge_reference.steps.0"
CASES: list[Case] = [
    ("no version", lambda m: m.ClearField("schema_version"), "E1101", "schema_version"),
    ("negative version", put("schema_version", -1), "E1101", "schema_version"),
    ("newer version", put("schema_version", 2), "E1102", "schema_version"),
    ("no calendar", lambda m: m.ClearField("calendar"), "E1103", "calendar"),
    ("no market", lambda m: m.ClearField("market"), "E1103", "market"),
    (
        "no price",
        lambda m: m.offers[0].on_demand.ClearField("price_per_accelerator_hour"),
        "E1103",
        f"{ON_DEMAND}.price_per_accelerator_hour",
    ),
    (
        "no price of a unit",
        lambda m: m.offers[3].purchase.ClearField("price_per_unit"),
        "E1103",
        "offers[3].purchase.price_per_unit",
    ),
    ("decimal with an exponent", put("market.usd_jpy_spot", "1e2"), "E1104", "market.usd_jpy_spot"),
    ("decimal with a comma", put("market.usd_jpy_spot", "150,25"), "E1104", "market.usd_jpy_spot"),
    ("decimal NaN", put("market.yen_interest_rate", "NaN"), "E1104", "market.yen_interest_rate"),
    ("decimal in other digits", put("market.usd_jpy_spot", "１５０"), "E1104", "market.usd_jpy_spot"),
    ("decimal too long", put("market.usd_jpy_spot", "1" * 41), "E1104", "market.usd_jpy_spot"),
    (
        "no decimal",
        put("offers.0.on_demand.price_per_accelerator_hour.amount", ""),
        "E1104",
        f"{ON_DEMAND}.price_per_accelerator_hour.amount",
    ),
    ("no such day", put("workloads.1.release_date", "2028-02-30"), "E1105", "workloads[1].release_date"),
    ("another order of a date", put("calendar.first_date", "10-01-2028"), "E1105", "calendar.first_date"),
    ("a date without dashes", put("calendar.first_date", "20280110"), "E1105", "calendar.first_date"),
    ("a week date", put("calendar.first_date", "2028-W02-1"), "E1105", "calendar.first_date"),
    ("a date with a time", put("programmes.0.until_date", "2028-05-01T00:00"), "E1105", "programmes[0].until_date"),
    ("an empty edge", put("offers.0.on_demand.from_date", ""), "E1105", f"{ON_DEMAND}.from_date"),
    ("a note's date", put("source_notes.0.as_of_date", "last May"), "E1105", "source_notes[0].as_of_date"),
    ("NaN", put("sites.0.power_usage_effectiveness", math.nan), "E1106", "sites[0].power_usage_effectiveness"),
    ("infinity", put("sites.1.power_limit_kw", math.inf), "E1106", "sites[1].power_limit_kw"),
    ("minus infinity", put("workloads.1.flops", -math.inf), "E1106", "workloads[1].flops"),
    ("offer without a kind", lambda m: m.offers[2].ClearField("existing"), "E1107", "offers[2]"),
    ("workload without work", lambda m: m.workloads[1].ClearField("flops"), "E1107", "workloads[1]"),
    ("neither cost nor mandatory", lambda m: m.workloads[2].ClearField("mandatory"), "E1107", "workloads[2]"),
    ("programme without a kind", lambda m: m.programmes[0].ClearField("usage_grant"), "E1107", "programmes[0]"),
    ("no size class", lambda m: m.members[1].ClearField("size_class"), "E1108", "members[1].size_class"),
    ("size class of a later version", put("members.1.size_class", 99), "E1108", "members[1].size_class"),
    (
        "no payment timing",
        put("offers.1.reservation.terms.1.payment_timing", 0),
        "E1108",
        "offers[1].reservation.terms[1].payment_timing",
    ),
    ("no status", put("source_notes.1.status", 0), "E1108", "source_notes[1].status"),
    (
        "unknown currency",
        put("offers.0.on_demand.price_per_accelerator_hour.currency_code", "EUR"),
        "E1109",
        f"{ON_DEMAND}.price_per_accelerator_hour.currency_code",
    ),
    (
        "no currency",
        put("offers.3.purchase.price_per_unit.currency_code", ""),
        "E1109",
        "offers[3].purchase.price_per_unit.currency_code",
    ),
    ("unknown field", lambda m: m.MergeFromString(UNKNOWN_FIELD), "E1110", "100"),
    (
        "unknown field inside",
        lambda m: m.workloads[2].gang_options[1].MergeFromString(UNKNOWN_FIELD),
        "E1110",
        "workloads[2].gang_options[1].100",
    ),
    ("kind of a later version", _later_kind_of_offer, "E1110", "offers[2].100"),
    ("too many gang options", _many_gangs, "E1111", "workloads[3].gang_options"),
    ("too many sites", _many_sites, "E1111", "sites"),
    ("mandatory is false", put("workloads.2.mandatory", False), "E1112", "workloads[2].mandatory"),
    _missing("routes.0.price_per_terabyte"),
    _missing("offers.6.allocation.price_per_accelerator_hour"),
    _missing("offers.7.capacity_block.terms.0.price_per_accelerator_hour"),
    *(
        _not_a("not a decimal", value, "E1104", path)
        for path, value in (
            ("market.discount_rate", ""),
            ("market.discount_rate", "3 %"),
            ("market.usd_conversion_spread_yen", ".5"),
            (f"{PRICE_STEP}.amount", "1e3"),
            ("sites.1.electricity_steps.0.amount", "-"),
            ("members.1.cost_of_capital", "5%"),
            ("rules.carbon_price_yen_per_kg", "NaN"),
        )
    ),
    *(
        _not_a("not a date", value, "E1105", path)
        for path, value in (
            (f"{PRICE_STEP}.from_date", ""),
            ("sites.1.electricity_steps.0.from_date", "2028-04"),
            ("offers.0.on_demand.quota_steps.0.from_date", "2028-03-32"),
            ("offers.2.existing.accelerator_steps.0.from_date", "March"),
            ("offers.6.allocation.from_date", ""),
            ("offers.6.allocation.accelerator_steps.0.from_date", "0000-01-01"),
            ("offers.7.capacity_block.until_date", "2028-04-31"),
            ("current_plan.placements.0.start_date", ""),
        )
    ),
    *(
        _not_a("not finite", value, "E1106", path)
        for path, value in (
            ("sites.0.grid_carbon_kg_per_kwh", math.nan),
            ("offers.1.reservation.terms.2.upfront_fraction", math.nan),
            ("offers.3.purchase.payment_steps.1.fraction", -math.inf),
            ("offers.6.allocation.quotas.1.accelerator_hours", math.inf),
            ("members.0.share_fraction", math.nan),
            ("workloads.2.data_terabytes", math.inf),
            ("workloads.3.pausing.resume_overhead_hours", math.nan),
            ("programmes.2.capital_grant.rates.0.rate_fraction", math.nan),
            ("rules.concentration_limits.0.share_fraction", math.nan),
            ("rules.carbon_limits.0.mass_kg", math.inf),
        )
    ),
    _not_a("no choice", 0, "E1108", "programmes.2.capital_grant.rates.0.size_class"),
    _not_a("no currency", "", "E1109", "pools.0.grant_reference.currency_code"),
    _not_a("no currency", "usd", "E1109", "routes.0.price_per_terabyte.currency_code"),
    ("capital programme without a kind", clear("programmes.2.capital_grant"), "E1107", "programmes[2]"),
]
