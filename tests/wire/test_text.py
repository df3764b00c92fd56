"""Text that people and other tools write is read as YAML 1.2 or JSON, and what we write reads back exactly."""

from __future__ import annotations

import json

import pytest
import yaml
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from tehai.pipeline_check import check_text, read_problem
from tehai.v1 import market_pb2, plan_pb2, problem_pb2, supply_pb2, workload_pb2
from tehai.wire import parse_text, to_json, to_yaml
from tests.wire.filling import DECIMAL_NAMES, descriptor_of
from tests.wire.small_problem import SMALL_PATH, small_message, small_problem, small_text


def test_the_small_problem_is_valid() -> None:
    """The file that the tests of this and other folders change is valid and holds every kind of offer."""
    problem, violations = check_text(SMALL_PATH.read_bytes(), source_name="small.yaml")
    assert violations == ()
    assert problem == small_problem()
    assert {type(offer.kind).__name__ for offer in small_problem().offers} == {
        "OnDemand",
        "Reservation",
        "Purchase",
        "Existing",
        "Allocation",
        "CapacityBlock",
    }
    assert {type(programme.kind).__name__ for programme in small_problem().programmes} == {"UsageGrant", "CapitalGrant"}


def test_read_problem_gives_the_message_of_a_valid_text_only() -> None:
    """A caller that sends the message on gets it only where nothing is wrong with it."""
    message, violations = read_problem(SMALL_PATH.read_bytes(), source_name="small.yaml")
    assert message == small_message()
    assert violations == ()
    wrong = small_text().replace("memory_gb: 2000", "memory_gb: -2000").encode()
    message, violations = read_problem(wrong, source_name="small.yaml")
    assert message is None
    assert [violation.code for violation in violations] == ["E1210"]


@pytest.mark.parametrize("name", ["-", "problem.txt", "problem.JSON"])
def test_json_is_recognised(name: str) -> None:
    """Without a known suffix the first character tells; JSON from protobuf's own printer is read too."""
    printed = json_format.MessageToJson(plan_pb2.SolveOptions(threads=2), preserving_proto_field_name=True)
    parsed, violations = parse_text(("\ufeff  " + printed).encode(), plan_pb2.SolveOptions, source_name=name)
    assert (parsed, violations) == (plan_pb2.SolveOptions(threads=2), ())


def test_yaml_is_1_2() -> None:
    """Words that YAML 1.1 takes for truth values, dates, base-60 and octal numbers are what 1.2 says they are."""
    text = (
        "display_name: 2028-01-10\n"
        "calendar: {first_date: 2028-01-10, period_hours: 0o250, period_count: 010}\n"
        "rules: {domestic: {site_country_codes: [NO, yes, on, 1:30, 1_000]}}\n"
        "reference_sustained_flops: 4.0E14"
    )
    message, violations = parse_text(text.encode(), problem_pb2.Problem, source_name="a.yaml")
    assert violations == ()
    assert message is not None
    assert message.calendar.first_date == message.display_name == "2028-01-10"
    assert (message.calendar.period_hours, message.calendar.period_count) == (168, 10)
    assert list(message.rules.domestic.site_country_codes) == ["NO", "yes", "on", "1:30", "1_000"]
    assert message.reference_sustained_flops == 4e14


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
@pytest.mark.parametrize("literal", ["479", "3.99", "0.10", "-1", "123456789012345678901234567890.5"])
def test_decimals_need_no_quotes(name: str, literal: str) -> None:
    """A decimal written as a number keeps its digits; nothing passes through a double."""
    data = f'{{"amount": {literal}, "currency_code": "USD"}}'.encode()
    message, violations = parse_text(data, market_pb2.UnitPrice, source_name=name)
    assert violations == ()
    assert message == market_pb2.UnitPrice(amount=literal, currency_code="USD")


def test_every_decimal_of_the_contract_needs_no_quotes() -> None:
    """Each field that holds a decimal, and no other text, takes a number without quotes."""
    taken = set()
    for message_type in (
        market_pb2.Market,
        market_pb2.PriceStep,
        supply_pb2.Site,
        workload_pb2.Member,
        problem_pb2.Rules,
    ):
        for field in descriptor_of(message_type).fields:
            data = f"{field.name}: 1.5".encode()
            if field.type == field.TYPE_STRING and parse_text(data, message_type, source_name="a.yaml").message:
                taken.add(field.name)
    assert taken == set(DECIMAL_NAMES)


def test_every_style_of_yaml_text() -> None:
    """Quoted, folded and literal text, comments and anchors are read."""
    text = (
        "display_name: &name |-\n  two\n  lines\n"
        "source_notes:\n- {subject: 'it''s', source: *name} # here\n- quoted: >-\n    a\n    b\n"
    )
    message, violations = parse_text(text.encode(), problem_pb2.Problem, source_name="a.yaml")
    assert violations == ()
    assert message is not None
    assert message.display_name == message.source_notes[0].source == "two\nlines"
    assert [message.source_notes[0].subject, message.source_notes[1].quoted] == ["it's", "a b"]


TRICKY = [
    "",
    " ",
    "yes",
    "Null",
    "~",
    "1e5",
    "0x1f",
    "2028-01-10",
    "a: b",
    "a #b",
    "- a",
    "#",
    "é",
    "北海道",
    "\u2028",
    "\x7f",
    "\x85",
    "🗼",
    "a\nb",
    "'",
    '"',
    "\\",
    "a ",
    "[a]",
    "{",
    "*a",
    "&a",
    "!a",
    "%a",
    "@",
    "=",
    "<<",
    ".5",
    "-",
    "?",
    ":",
    "a,b",
    "\ufeff",
    "\x00",
    "NaN",
    "inf",
    "Infinity",
]


@pytest.mark.parametrize("text", TRICKY)
def test_tricky_text_survives(text: str) -> None:
    """Text that means something to YAML is quoted, for readers of 1.1 as well."""
    message = problem_pb2.Problem(display_name=text)
    message.workloads.add(tags=[text, "b"])
    for write, name in ((to_yaml, "a.yaml"), (to_json, "a.json")):
        assert parse_text(write(message).encode(), problem_pb2.Problem, source_name=name) == (message, ())
    if text.isprintable():
        assert yaml.safe_load(to_yaml(message)).get("display_name", "") == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(text: str) -> None:
    """Any text at all reads back."""
    message = problem_pb2.Problem(display_name=text)
    for write, name in ((to_yaml, "a.yaml"), (to_json, "a.json")):
        assert parse_text(write(message).encode(), problem_pb2.Problem, source_name=name) == (message, ())


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))
def test_any_number_survives(number: float, integer: int) -> None:
    """Doubles keep their last bit and int64 stays an integer, in our reader and in those of others."""
    message = problem_pb2.Problem(reference_sustained_flops=number)
    message.workloads.add(late_start_yen_per_period=integer, cost_not_run_yen=integer)
    for write, name in ((to_yaml, "a.yaml"), (to_json, "a.json")):
        assert parse_text(write(message).encode(), problem_pb2.Problem, source_name=name) == (message, ())
    for loaded in (yaml.safe_load(to_yaml(message)), json.loads(to_json(message))):
        assert loaded["reference_sustained_flops"] == number
        assert loaded["workloads"][0]["cost_not_run_yen"] == integer


def test_unset_fields_are_left_out() -> None:
    """What is not set is not written; what is set to a default and can tell the difference is."""
    message = plan_pb2.SolveResult(gap=0.0, verified=False)
    assert json.loads(to_json(message)) == {"gap": 0.0}
    assert to_yaml(message) == "gap: 0.0\n"


def test_numbers_that_are_not_finite_are_not_written() -> None:
    """A text nobody could read back is an error of the caller."""
    for write in (to_yaml, to_json):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write(problem_pb2.Problem(reference_sustained_flops=float("nan")))


def test_yaml_reads_well() -> None:
    """Small pairs stand on one line, lists of numbers too, and everything else below its name."""
    plan = plan_pb2.Plan(forward_usd_jpy=[150.0, 149.5])
    plan.cash.add(fiscal_year=2027, amount_yen=5)
    placement = plan.placements.add(workload_id="arm")
    placement.segments.add(pool_id="tokyo", accelerators=8, run_hours=1e16)
    assert to_yaml(plan) == (
        "placements:\n"
        "  - workload_id: arm\n"
        "    segments:\n"
        "      - pool_id: tokyo\n"
        "        accelerators: 8\n"
        "        run_hours: 1.0e+16\n"
        "forward_usd_jpy: [150.0, 149.5]\n"
        "cash:\n"
        "  - {fiscal_year: 2027, amount_yen: 5}\n"
    )


def test_prices_read_well() -> None:
    """A price without steps stands on one line, one with steps below its name."""
    pool = supply_pb2.Pool(grant_reference=market_pb2.UnitPrice(amount="600", currency_code="JPY"))
    pool.charge_reference.CopyFrom(pool.grant_reference)
    pool.charge_reference.steps.add(from_date="2028-04-01", amount="590")
    assert to_yaml(pool) == (
        'grant_reference: {amount: "600", currency_code: JPY}\n'
        "charge_reference:\n"
        '  amount: "600"\n'
        "  currency_code: JPY\n"
        "  steps:\n"
        '    - {from_date: "2028-04-01", amount: "590"}\n'
    )
