"""Bad messages, as a client may send them: every kind is answered with its code at its path."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tehai.domain.limits import LIMITS
from tehai.domain.plan import SolveOptions
from tehai.pipeline_check import check_message
from tehai.v1 import plan_pb2, problem_pb2, sourcing_service_pb2, supply_pb2
from tehai.wire import (
    certificate_from_proto,
    options_from_proto,
    options_to_proto,
    plan_from_proto,
    problem_from_proto,
    progress_from_proto,
    result_from_proto,
)
from tehai.wire.codes import FORMAT_CODES
from tehai.wire.reading import FORMAT_VIOLATIONS_MAX
from tests.wire.filling import Filler
from tests.wire.small_problem import pairs, small_message

Change = Callable[[problem_pb2.Problem], object]
UNKNOWN_FIELD = b"\xa2\x06\x03abc"  # field 100, three bytes


def _set(path: str, value: object) -> Change:
    """Return a change that sets one field; numbers in the path are positions."""

    def change(message: problem_pb2.Problem) -> None:
        *holders, name = path.split(".")
        target: object = message
        for holder in holders:
            target = target[int(holder)] if holder.isdecimal() else getattr(target, holder)  # type: ignore[index]
        setattr(target, name, value)

    return change


def _many_gangs(message: problem_pb2.Problem) -> None:
    for i in range(LIMITS.gang_options_per_workload + 1):
        message.workloads[3].gang_options.add(accelerators=i + 1, scaling_efficiency_fraction=1)


def _many_sites(message: problem_pb2.Problem) -> None:
    for i in range(LIMITS.sites + 1):
        message.sites.add(id=f"s{i}")


def _later_kind_of_offer(message: problem_pb2.Problem) -> None:
    message.offers[2].ClearField("existing")
    message.offers[2].MergeFromString(UNKNOWN_FIELD)


ON_DEMAND = "offers[0].on_demand"
CASES: list[tuple[str, Change, str, str]] = [
    ("no version", lambda m: m.ClearField("schema_version"), "E1101", "schema_version"),
    ("negative version", _set("schema_version", -1), "E1101", "schema_version"),
    ("newer version", _set("schema_version", 2), "E1102", "schema_version"),
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
    ("decimal with an exponent", _set("market.usd_jpy_spot", "1e2"), "E1104", "market.usd_jpy_spot"),
    ("decimal with a comma", _set("market.usd_jpy_spot", "150,25"), "E1104", "market.usd_jpy_spot"),
    ("decimal NaN", _set("market.yen_interest_rate", "NaN"), "E1104", "market.yen_interest_rate"),
    ("decimal in other digits", _set("market.usd_jpy_spot", "１５０"), "E1104", "market.usd_jpy_spot"),
    ("decimal too long", _set("market.usd_jpy_spot", "1" * 41), "E1104", "market.usd_jpy_spot"),
    (
        "no decimal",
        _set("offers.0.on_demand.price_per_accelerator_hour.amount", ""),
        "E1104",
        f"{ON_DEMAND}.price_per_accelerator_hour.amount",
    ),
    ("no such day", _set("workloads.1.release_date", "2028-02-30"), "E1105", "workloads[1].release_date"),
    ("another order of a date", _set("calendar.first_date", "10-01-2028"), "E1105", "calendar.first_date"),
    ("a date without dashes", _set("calendar.first_date", "20280110"), "E1105", "calendar.first_date"),
    ("a week date", _set("calendar.first_date", "2028-W02-1"), "E1105", "calendar.first_date"),
    ("a date with a time", _set("programmes.0.until_date", "2028-05-01T00:00"), "E1105", "programmes[0].until_date"),
    ("an empty edge", _set("offers.0.on_demand.from_date", ""), "E1105", f"{ON_DEMAND}.from_date"),
    ("a note's date", _set("source_notes.0.as_of_date", "last May"), "E1105", "source_notes[0].as_of_date"),
    ("NaN", _set("sites.0.power_usage_effectiveness", math.nan), "E1106", "sites[0].power_usage_effectiveness"),
    ("infinity", _set("sites.1.power_limit_kw", math.inf), "E1106", "sites[1].power_limit_kw"),
    ("minus infinity", _set("workloads.1.flops", -math.inf), "E1106", "workloads[1].flops"),
    ("offer without a kind", lambda m: m.offers[2].ClearField("existing"), "E1107", "offers[2]"),
    ("workload without work", lambda m: m.workloads[1].ClearField("flops"), "E1107", "workloads[1]"),
    ("neither cost nor mandatory", lambda m: m.workloads[2].ClearField("mandatory"), "E1107", "workloads[2]"),
    ("programme without a kind", lambda m: m.programmes[0].ClearField("usage_grant"), "E1107", "programmes[0]"),
    ("no size class", lambda m: m.members[1].ClearField("size_class"), "E1108", "members[1].size_class"),
    ("size class of a later version", _set("members.1.size_class", 99), "E1108", "members[1].size_class"),
    (
        "no payment timing",
        _set("offers.1.reservation.terms.1.payment_timing", 0),
        "E1108",
        "offers[1].reservation.terms[1].payment_timing",
    ),
    ("no status", _set("source_notes.1.status", 0), "E1108", "source_notes[1].status"),
    (
        "unknown currency",
        _set("offers.0.on_demand.price_per_accelerator_hour.currency_code", "EUR"),
        "E1109",
        f"{ON_DEMAND}.price_per_accelerator_hour.currency_code",
    ),
    (
        "no currency",
        _set("offers.3.purchase.price_per_unit.currency_code", ""),
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
    ("mandatory is false", _set("workloads.2.mandatory", False), "E1112", "workloads[2].mandatory"),
]


@pytest.mark.parametrize(("name", "change", "code", "path"), CASES, ids=[case[0] for case in CASES])
def test_one_fault(name: str, change: Change, code: str, path: str) -> None:
    """One fault in a valid message is reported with code, path and action; nothing else is blamed for it."""
    message = small_message()
    change(message)
    problem, violations = check_message(message)
    assert problem is None, name
    assert pairs(violations).count((code, path)) == 1, violations
    assert {violation.code for violation in violations} <= {code, "E1107"}, violations
    assert all(violation.message and violation.action for violation in violations)


def test_every_message_code_has_a_case() -> None:
    """No code for messages is without a test."""
    cases = {case[2] for case in CASES} | {"E1113", "E1199"}
    assert cases == {code for code in FORMAT_CODES if code.startswith("E11")}


def test_form_alone_stops_at_the_form() -> None:
    """problem_from_proto reports the form only; check_message adds the meaning of what can be read."""
    message = small_message()
    message.workloads[0].release_date = "soon"
    message.workloads[1].memory_gb = -1
    assert pairs(problem_from_proto(message).violations) == [("E1105", "workloads[0].release_date")]
    assert pairs(check_message(message)[1]) == [
        ("E1105", "workloads[0].release_date"),
        ("E1210", "workloads[1].memory_gb"),
    ]


def test_an_empty_message_is_answered_in_full() -> None:
    """Even a message without any field gets the list of all it lacks."""
    problem, violations = check_message(problem_pb2.Problem())
    assert problem is None
    assert {"E1101", "E1103", "E1201", "E1216", "E1331", "E1332", "E1333", "E1401"} <= {v.code for v in violations}


def test_a_flood_of_faults_is_cut() -> None:
    """A message with a fault in every row gets a long but bounded list that says that it is cut."""
    message = small_message()
    for i in range(FORMAT_VIOLATIONS_MAX):
        message.workloads.add(id=f"w{i}")
    _, violations = check_message(message)
    assert len(violations) <= FORMAT_VIOLATIONS_MAX + 1
    assert {"E1199", "E1999"} & {violation.code for violation in violations}


OPTIONS = [
    ("time_limit_seconds", 0.0),
    ("time_limit_seconds", math.nan),
    ("time_limit_seconds", math.inf),
    ("gap_fraction", -0.1),
    ("gap_fraction", 1.1),
    ("gap_fraction", math.nan),
    ("work_limit", 0),
    ("work_limit", -5),
    ("threads", 0),
    ("threads", 100_000),
]


@pytest.mark.parametrize(("name", "value"), OPTIONS)
def test_options_out_of_range(name: str, value: float) -> None:
    """An option out of range is reported and takes its default."""
    message = plan_pb2.SolveOptions()
    setattr(message, name, value)
    options, violations = options_from_proto(message)
    assert pairs(violations) == [("E1113", f"options.{name}")]
    assert options == SolveOptions()


def test_unset_options_take_their_defaults() -> None:
    """Nothing given is every default; what is given is kept, the largest seed too."""
    assert options_from_proto(plan_pb2.SolveOptions()) == (SolveOptions(), ())
    options = SolveOptions(time_limit_seconds=1.5, gap_fraction=0.0, work_limit=7, seed=2**64 - 1, threads=1)
    assert options_from_proto(options_to_proto(options)) == (options, ())


def test_unknown_fields_of_options_are_refused() -> None:
    """Options of a later version are not ignored."""
    message = plan_pb2.SolveOptions()
    message.MergeFromString(UNKNOWN_FIELD)
    assert pairs(options_from_proto(message).violations) == [("E1110", "options.100")]


def test_a_bad_plan_is_answered() -> None:
    """Faults of form in a plan are listed by path, also where the plan is part of a result."""
    result = plan_pb2.SolveResult()
    Filler(0).fill(result)
    plan = result.plan
    plan.placements[1].segments[0].start_date = "soon"
    plan.offer_uses[0].accelerator_hours[1] = math.nan
    plan.bill_lines[0].component = plan_pb2.BILL_COMPONENT_UNSPECIFIED
    plan.schema_version = 9
    found = [
        ("E1102", "schema_version"),
        ("E1105", "placements[1].segments[0].start_date"),
        ("E1106", "offer_uses[0].accelerator_hours[1]"),
        ("E1108", "bill_lines[0].component"),
    ]
    assert sorted(pairs(plan_from_proto(plan).violations)) == found
    assert sorted(pairs(result_from_proto(result).violations)) == [(code, f"plan.{path}") for code, path in found]
    result.ClearField("plan")
    assert ("E1103", "plan") in pairs(result_from_proto(result).violations)


def test_a_bad_certificate_is_answered() -> None:
    """Prices that are not finite or not one per period and subject at most are refused by path."""
    message = plan_pb2.Certificate()
    Filler(0).fill(message)
    message.capacity_prices[1].values[0] = math.inf
    message.power_prices[0].values.extend([0.0] * LIMITS.period_count)
    assert pairs(certificate_from_proto(message).violations) == [
        ("E1106", "capacity_prices[1].values[0]"),
        ("E1111", "power_prices[0].values"),
    ]


def test_bad_progress_raises() -> None:
    """Progress comes from our own server; a malformed one is an error of it."""
    with pytest.raises(ValueError, match="phase: nothing is chosen"):
        progress_from_proto(sourcing_service_pb2.Progress())


def test_the_helper_changes_what_it_names() -> None:
    """The path of a change reaches into lists."""
    message = small_message()
    _set("workloads.1.gang_options.0.accelerators", 5)(message)
    assert message.workloads[1].gang_options[0].accelerators == 5
    assert isinstance(message.offers[2].existing, supply_pb2.Existing)
