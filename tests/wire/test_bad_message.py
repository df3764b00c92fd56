"""Bad messages, as a client may send them: every kind is answered with its code at its path."""

from __future__ import annotations

import math

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
from tests.wire.bad_messages import CASES, UNKNOWN_FIELD, Change, path_of, put
from tests.wire.filling import Filler
from tests.wire.small_problem import pairs, small_message


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
    plan.capacity_block_orders[1].booking_date = ""
    plan.schema_version = 9
    found = [
        ("E1102", "schema_version"),
        ("E1105", "capacity_block_orders[1].booking_date"),
        ("E1105", "placements[1].segments[0].start_date"),
        ("E1106", "offer_uses[0].accelerator_hours[1]"),
        ("E1108", "bill_lines[0].component"),
    ]
    assert sorted(pairs(plan_from_proto(plan).violations)) == found
    assert sorted(pairs(result_from_proto(result).violations)) == [(code, f"plan.{path}") for code, path in found]
    result.breakdown.shadow_prices[1].limit = math.nan
    assert ("E1106", "breakdown.shadow_prices[1].limit") in pairs(result_from_proto(result).violations)
    result.ClearField("plan")
    assert ("E1103", "plan") in pairs(result_from_proto(result).violations)


def test_a_bad_certificate_is_answered() -> None:
    """Prices that are not finite or not one per period and subject at most are refused by path."""
    message = plan_pb2.Certificate()
    Filler(0).fill(message)
    message.capacity_prices[1].values[0] = math.inf
    message.power_prices[0].values.extend([0.0] * LIMITS.period_count)
    message.concentration_prices[0].value = math.nan
    message.member_budget_prices[0].value = math.nan
    message.member_cap_prices[0].value = -math.inf
    message.carbon_prices[1].value = math.nan
    message.capital_ceiling_prices[0].value = math.nan
    message.precedence_prices[1].values[1] = math.nan
    message.waiting_price = math.inf
    assert pairs(certificate_from_proto(message).violations) == [
        ("E1106", "capacity_prices[1].values[0]"),
        ("E1111", "power_prices[0].values"),
        ("E1106", "concentration_prices[0].value"),
        ("E1106", "member_budget_prices[0].value"),
        ("E1106", "member_cap_prices[0].value"),
        ("E1106", "capital_ceiling_prices[0].value"),
        ("E1106", "carbon_prices[1].value"),
        ("E1106", "waiting_price"),
        ("E1106", "precedence_prices[1].values[1]"),
    ]


def test_bad_progress_raises() -> None:
    """Progress comes from our own server; a malformed one is an error of it."""
    with pytest.raises(ValueError, match="phase: nothing is chosen"):
        progress_from_proto(sourcing_service_pb2.Progress())


def test_the_helper_changes_what_it_names() -> None:
    """The path of a change reaches into lists, and is written as violations write it."""
    message = small_message()
    put("workloads.1.gang_options.0.accelerators", 5)(message)
    assert message.workloads[1].gang_options[0].accelerators == 5
    assert path_of("workloads.1.gang_options.0.accelerators") == "workloads[1].gang_options[0].accelerators"
    assert isinstance(message.offers[2].existing, supply_pb2.Existing)
