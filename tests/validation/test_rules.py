"""Every rule is broken at least once, in a document, and reported with its code at its path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from tehai.domain.limits import LIMITS
from tehai.pipeline_check import check_message
from tehai.v1 import problem_pb2
from tehai.validation import RULES
from tehai.wire import parse_text
from tests.wire.small_problem import check_document, pairs, small_document

Document = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """A change of a document at a path."""

    path: str
    apply: Callable[[Document], object]


class Case(NamedTuple):
    """One broken rule; it is reported ``at`` a path, that of the change where none is given."""

    name: str
    code: str
    change: Change
    at: str = ""


RESERVATION = "offers[1].reservation"
PURCHASE = "offers[3].purchase"
GRANT = "programmes[0].usage_grant"


def _at(document: Document, path: str) -> tuple[Any, Any]:
    """Return the holder and the key of a path such as "offers[1].id"."""
    *holders, last = [int(part) if part.isdecimal() else part for part in re.findall(r"\w+", path)]
    target: Any = document
    for part in holders:
        target = target[part]
    return target, last


def put(path: str, value: object) -> Change:
    """Return a change that puts a value at a path."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        holder[last] = value

    return Change(path, apply)


def drop(path: str) -> Change:
    """Return a change that removes what is at a path."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        del holder[last]

    return Change(path, apply)


def add(path: str, value: object) -> Change:
    """Return a change that appends to a list."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        holder[last].append(value)

    return Change(path, apply)


def again(path: str, position: int) -> Change:
    """Return a change that repeats an entry at the end of a list."""

    def apply(document: Document) -> None:
        holder, last = _at(document, path)
        holder[last].append(dict(holder[last][position]))

    return Change(path, apply)


def both(*changes: Change) -> Change:
    """Return several changes as one, at the path of the first."""

    def apply(document: Document) -> None:
        for change in changes:
            change.apply(document)

    return Change(changes[0].path, apply)


JUST_OVER_AN_AMOUNT = LIMITS.amount_yen + 1

CASES = [
    Case("no workloads", "E1201", put("workloads", [])),
    Case("no work", "E1202", put("workloads[0].normalised_accelerator_hours", 0)),
    Case("negative flops", "E1202", put("workloads[1].flops", -1.0)),
    Case("more work than there is", "E1202", put("workloads[0].normalised_accelerator_hours", 1e13)),
    Case("flops without reference", "E1203", drop("reference_sustained_flops"), at="workloads[1].flops"),
    Case("deadline before release", "E1204", put("workloads[3].deadline_date", "2028-02-06")),
    Case("deadline on release", "E1204", put("workloads[3].deadline_date", "2028-02-07")),
    Case("no gang options", "E1206", put("workloads[2].gang_options", [])),
    Case("gang of none", "E1207", put("workloads[2].gang_options[0].accelerators", 0)),
    Case("gang of everything", "E1207", put("workloads[2].gang_options[0].accelerators", 10_000_001)),
    Case("gang twice", "E1208", put("workloads[2].gang_options[1].accelerators", 16)),
    Case("efficiency above one", "E1209", put("workloads[2].gang_options[1].scaling_efficiency_fraction", 1.01)),
    Case("efficiency forgotten", "E1209", drop("workloads[2].gang_options[1].scaling_efficiency_fraction")),
    Case("negative memory", "E1210", put("workloads[1].memory_gb", -0.5)),
    Case("no family", "E1211", drop("workloads[1].software_family")),
    Case("paid for lateness", "E1212", put("workloads[0].late_start_yen_per_period", -1)),
    Case("paid for not running", "E1213", put("workloads[0].cost_not_run_yen", -1)),
    Case("dear not to run", "E1213", put("workloads[0].cost_not_run_yen", JUST_OVER_AN_AMOUNT)),
    Case("tag twice", "E1214", add("workloads[0].tags", "robotics"), at="workloads[0].tags[2]"),
    Case("empty tag", "E1214", add("workloads[0].tags", " "), at="workloads[0].tags[2]"),
    Case("sovereign of a word", "E1215", put("workloads[0].sovereignty.site_country_codes[0]", "Japan")),
    Case("sovereign operator of a word", "E1215", put("workloads[1].sovereignty.operator_country_codes[0]", "jp")),
    Case("no members", "E1216", put("members", [])),
    Case("no memory", "E1301", put("accelerators[0].memory_gb", 0)),
    Case("no power", "E1302", drop("accelerators[1].power_kw")),
    Case("runs nothing", "E1303", put("accelerators[1].throughputs", [])),
    Case("zero throughput", "E1304", put("accelerators[0].throughputs[1].normalised_throughput", 0)),
    Case(
        "family twice",
        "E1305",
        again("accelerators[0].throughputs", 0),
        at="accelerators[0].throughputs[2].software_family",
    ),
    Case("family without a name", "E1306", put("accelerators[1].throughputs[0].software_family", "")),
    Case("country in small letters", "E1311", put("sites[0].country_code", "jp")),
    Case("no operator country", "E1311", drop("sites[2].operator_country_code")),
    Case("no power at all", "E1312", put("sites[1].power_limit_kw", 0)),
    Case("better than perfect", "E1313", put("sites[0].power_usage_effectiveness", 0.99)),
    Case("paid for electricity", "E1314", put("sites[1].electricity_yen_per_kwh", "-0.01")),
    Case("no gang fits", "E1321", drop("pools[1].gang_accelerators_max")),
    Case("no accelerators", "E1331", put("accelerators", [])),
    Case("no sites", "E1332", put("sites", [])),
    Case("no pools", "E1333", put("pools", [])),
    Case("slow reference", "E1334", put("reference_sustained_flops", 0)),
    Case("no offers", "E1401", put("offers", [])),
    Case("negative price", "E1402", put("offers[0].on_demand.price_per_accelerator_hour.amount", "-1")),
    Case("price beyond reason", "E1402", put(f"{PURCHASE}.price_per_unit.amount", "1000000000001")),
    Case(
        "negative price of a term", "E1402", put(f"{RESERVATION}.terms[1].price_per_accelerator_hour.amount", "-0.001")
    ),
    Case("window backwards", "E1404", put(f"{PURCHASE}.until_date", "2028-01-10")),
    Case("zero quota", "E1405", put("offers[0].on_demand.quota_accelerators", 0)),
    Case("nothing there", "E1405", drop("offers[2].existing.accelerators")),
    Case("meter without price", "E1406", drop("sites[1].electricity_yen_per_kwh"), at="offers[2].existing.metered"),
    Case("empty block", "E1421", put(f"{RESERVATION}.block_accelerators", 0)),
    Case("no blocks", "E1422", put(f"{RESERVATION}.blocks_max", -2)),
    Case("blocks beyond reason", "E1422", put(f"{RESERVATION}.blocks_max", 2_000_000)),
    Case("negative lead", "E1423", put(f"{RESERVATION}.lead_time_periods", -1)),
    Case("lead of a lifetime", "E1423", put(f"{RESERVATION}.lead_time_periods", 10_000)),
    Case("no terms", "E1424", put(f"{RESERVATION}.terms", [])),
    Case("zero-length term", "E1425", put(f"{RESERVATION}.terms[0].term_periods", 0)),
    Case("term of a lifetime", "E1426", put(f"{RESERVATION}.terms[0].term_periods", 10_000)),
    Case("term twice", "E1427", again(f"{RESERVATION}.terms", 1), at="offers[1].reservation.terms[2]"),
    Case("empty unit", "E1431", put(f"{PURCHASE}.unit_accelerators", 0)),
    Case("no units", "E1432", put(f"{PURCHASE}.units_max", 0)),
    Case("units beyond reason", "E1432", put(f"{PURCHASE}.units_max", 2_000_000)),
    Case("never delivered", "E1433", put(f"{PURCHASE}.delivery_steps", [])),
    Case("delivered before the order", "E1434", put(f"{PURCHASE}.delivery_steps[0].periods_after_order", -1)),
    Case("steps at once", "E1434", put(f"{PURCHASE}.delivery_steps[1].periods_after_order", 2)),
    Case(
        "fractions fall",
        "E1435",
        put(f"{PURCHASE}.delivery_steps[0].delivered_fraction", 1.0),
        at="offers[3].purchase.delivery_steps[1].delivered_fraction",
    ),
    Case("nothing delivered", "E1435", put(f"{PURCHASE}.delivery_steps[0].delivered_fraction", 0.0)),
    Case("part delivered", "E1436", put(f"{PURCHASE}.delivery_steps[1].delivered_fraction", 0.9)),
    Case("no life", "E1437", put(f"{PURCHASE}.life_periods", 0)),
    Case("residual above one", "E1438", put(f"{PURCHASE}.residual_fraction", 1.1)),
    Case("negative haircut", "E1439", put(f"{PURCHASE}.residual_haircut_fraction", -0.1)),
    Case("delivered in a lifetime", "E1440", put(f"{PURCHASE}.delivery_steps[1].periods_after_order", 10_000)),
    Case("programme backwards", "E1501", put("programmes[0].until_date", "2027-12-31")),
    Case("no rates", "E1502", put(f"{GRANT}.rates", [])),
    Case("size class twice", "E1503", put(f"{GRANT}.rates[1].size_class", "SIZE_CLASS_SME")),
    Case("rate above one", "E1504", put(f"{GRANT}.rates[1].rate_fraction", 50)),
    Case("zero rate", "E1504", put(f"{GRANT}.rates[1].rate_fraction", 0)),
    Case("negative cap", "E1505", put(f"{GRANT}.project_cap_yen", -1)),
    Case("negative budget", "E1506", put(f"{GRANT}.budgets[0].amount_yen", -1)),
    Case(
        "budget year twice",
        "E1507",
        again(f"{GRANT}.budgets", 0),
        at="programmes[0].usage_grant.budgets[1].fiscal_year",
    ),
    Case("budget of another year", "E1508", put(f"{GRANT}.budgets[0].fiscal_year", 2029)),
    Case("eligible in a word", "E1509", put(f"{GRANT}.eligible_site_country_codes[0]", "JAPAN")),
    Case(
        "eligible tag twice",
        "E1510",
        add(f"{GRANT}.eligible_tags", "robotics"),
        at="programmes[0].usage_grant.eligible_tags[2]",
    ),
    Case("share above one", "E1601", put("rules.minimum_domestic_shares[0].share_fraction", 30)),
    Case(
        "share year twice",
        "E1602",
        again("rules.minimum_domestic_shares", 0),
        at="rules.minimum_domestic_shares[1].fiscal_year",
    ),
    Case("share of another year", "E1603", put("rules.minimum_domestic_shares[0].fiscal_year", 2026)),
    Case("negative portfolio budget", "E1604", put("rules.portfolio_budgets[1].amount_yen", -1)),
    Case("portfolio year twice", "E1605", put("rules.portfolio_budgets[1].fiscal_year", 2027)),
    Case("portfolio of another year", "E1606", put("rules.portfolio_budgets[1].fiscal_year", 28)),
    Case("domestic in a word", "E1607", put("rules.domestic.site_country_codes[0]", "日本")),
    Case("periods of no length", "E1701", put("calendar.period_hours", 0)),
    Case("periods over a year", "E1701", put("calendar.period_hours", 8_785)),
    Case("no periods", "E1702", drop("calendar.period_count")),
    Case("too many periods", "E1702", put("calendar.period_count", 1_041)),
    Case("another century", "E1703", put("calendar.first_date", "1928-01-10")),
    Case("a thousand years", "E1704", both(put("calendar.period_count", 1_000), put("calendar.period_hours", 8_760))),
    Case("free dollars", "E1711", put("market.usd_jpy_spot", "0")),
    Case("spot in the future", "E1712", put("market.spot_date", "2028-01-11")),
    Case("rate in per cent", "E1713", put("market.yen_interest_rate", "1.5")),
    Case("rate of minus one", "E1713", put("market.dollar_interest_rate", "-1")),
    Case(
        "curve through zero",
        "E1714",
        both(put("market.spot_date", "2025-12-27"), put("market.dollar_interest_rate", "-0.5")),
        at="market.dollar_interest_rate",
    ),
    Case("id in capitals", "E1801", put("workloads[3].id", "Night")),
    Case("no id", "E1801", drop("offers[5].id")),
    Case("id of 64", "E1801", put("members[1].id", "m" * 64)),
    Case("project id with a space", "E1801", put("workloads[0].project_id", "a b")),
    Case("id twice", "E1802", put("workloads[3].id", "world-model")),
    Case("unknown site", "E1803", put("pools[0].site_id", "osaka")),
    Case("unknown accelerator", "E1804", put("pools[0].accelerator_id", "tpu")),
    Case("unknown pool", "E1805", put("offers[4].pool_id", "nowhere")),
    Case("unknown member", "E1806", put("workloads[0].member_id", "nobody")),
    Case("unknown eligible pool", "E1807", put(f"{GRANT}.eligible_pool_ids[1]", "nowhere")),
    Case("note on nothing", "E1808", put("source_notes[0].subject", "offers/none")),
    Case("project named like a workload", "E1809", put("workloads[0].project_id", "world-model")),
    Case("line break in a name", "E1810", put("display_name", "two\nlines")),
    Case("escape in a name", "E1810", put("sites[0].display_name", "\x1b[31mred")),
    Case("name in parts", "E1811", put("members[0].display_name", "e\u0301")),
    Case("a novel in a note", "E1902", put("source_notes[0].remark", "a" * 2_001)),
    Case(
        "absurd quota",
        "E1905",
        both(
            put("offers[0].on_demand.quota_accelerators", 10_000_000),
            put("offers[0].on_demand.price_per_accelerator_hour.amount", "1000000000"),
        ),
        at="offers[0]",
    ),
    Case(
        "charges over exact yen",
        "E1905",
        both(
            *(put(f"workloads[{i}].cost_not_run_yen", 10**15) for i in (0, 1, 3)),
            put("workloads[2].late_start_yen_per_period", 10**15),
        ),
        at="workloads[2]",
    ),
]
# Rules that only a large problem or one made by code can break; test_values_from_code has them.
BROKEN_ELSEWHERE = {"E1403", "E1812", "E1813", "E1901", "E1903", "E1904", "E1999"}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_rule(case: Case) -> None:
    """A broken rule is reported once with code, path, message and action, alike for text and for a message."""
    document = small_document()
    case.change.apply(document)
    violations = check_document(document)
    assert pairs(violations).count((case.code, case.at or case.change.path)) == 1, violations
    message, _ = parse_text(json.dumps(document).encode(), problem_pb2.Problem, source_name="a.json")
    assert message is not None
    assert check_message(message) == (None, violations)
    assert all(violation.message and violation.action for violation in violations)


def test_every_rule_has_a_case() -> None:
    """No rule is without a test."""
    assert len(RULES) >= 60
    assert {case.code for case in CASES} | BROKEN_ELSEWHERE == set(RULES)


def test_rules_say_what_they_are() -> None:
    """Every rule has a meaning and an action that read as sentences of their own, and a docstring."""
    for rule in RULES.values():
        assert rule.meaning[0].islower()
        assert not rule.meaning.endswith(".")
        assert rule.action[0].isupper()
        assert rule.action.endswith(".")
        assert rule.check.__doc__


def test_one_fault_is_not_blamed_twice() -> None:
    """A value that cannot be read silences the rules that rest on it and no others."""
    document = small_document()
    document["calendar"]["first_date"] = "soon"
    document["pools"][0]["id"] = 5
    document["sites"][1]["electricity_yen_per_kwh"] = "cheap"
    document["programmes"][0]["usage_grant"]["budgets"][0]["fiscal_year"] = 1999
    document["workloads"][0]["memory_gb"] = -1
    assert pairs(check_document(document)) == [
        ("E1105", "calendar.first_date"),
        ("E1016", "pools[0].id"),
        ("E1104", "sites[1].electricity_yen_per_kwh"),
        ("E1210", "workloads[0].memory_gb"),
    ]


def test_paths_are_in_natural_order() -> None:
    """Entry 2 comes before entry 10."""
    document = small_document()
    for i in range(12):
        document["members"].append({"id": f"m{i}", "size_class": "SIZE_CLASS_SME", "display_name": "a\tb"})
    found = pairs(check_document(document))
    assert found == [("E1810", f"members[{i}].display_name") for i in range(2, 14)]


def test_the_edge_of_every_range_is_valid() -> None:
    """Limits themselves are allowed: nothing that the rules call possible is refused."""
    document = small_document()
    for path, value in (
        ("workloads[0].memory_gb", 0),
        ("workloads[0].cost_not_run_yen", 0),
        ("workloads[0].gang_options[0].scaling_efficiency_fraction", 1),
        ("offers[0].on_demand.price_per_accelerator_hour.amount", "0"),
        ("offers[1].reservation.lead_time_periods", 0),
        ("offers[1].reservation.terms[0].term_periods", 2_600),
        ("offers[3].purchase.delivery_steps[0].periods_after_order", 0),
        ("offers[3].purchase.residual_fraction", 1),
        ("offers[3].purchase.residual_haircut_fraction", 1),
        ("programmes[0].usage_grant.project_cap_yen", 0),
        ("rules.minimum_domestic_shares[0].share_fraction", 1),
        ("rules.portfolio_budgets[0].amount_yen", 0),
        ("market.spot_date", "2028-01-10"),
        ("market.yen_interest_rate", "-0.01"),
        ("workloads[3].deadline_date", "2028-02-14"),
        ("members[0].display_name", "ロボット工場Ａ　第1"),
        ("source_notes[0].subject", "offers/oregon-on-demand/price"),
        ("source_notes[0].remark", "two\nlines"),
    ):
        put(path, value).apply(document)
    assert check_document(document) == ()
