"""Every rule is broken at least once, in a document, and reported with its code at its path."""

from __future__ import annotations

import json

import pytest

from tehai.pipeline_check import check_message
from tehai.v1 import problem_pb2
from tehai.validation import RULES
from tehai.wire import parse_text
from tests.validation.cases_grants import GRANT_CASES
from tests.validation.cases_offers import OFFER_CASES
from tests.validation.cases_portfolio import PORTFOLIO_CASES
from tests.validation.cases_supply import SUPPLY_CASES
from tests.validation.cases_workloads import WORKLOAD_CASES
from tests.validation.changes import Case, put
from tests.wire.small_problem import check_document, pairs, small_document

CASES = [*WORKLOAD_CASES, *SUPPLY_CASES, *OFFER_CASES, *GRANT_CASES, *PORTFOLIO_CASES]
# Rules that only a large problem or one made by code can break; test_values_from_code has them.
BROKEN_ELSEWHERE = {"E1403", "E1812", "E1813", "E1901", "E1903", "E1904", "E1906", "E1999"}


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
    assert len(RULES) >= 150
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
    document["programmes"][0]["budgets"][0]["fiscal_year"] = 1999
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
        ("market.discount_rate", "0"),
        ("market.usd_conversion_spread_yen", "0"),
        ("members[1].cost_of_capital", "0.99"),
        ("members[0].share_fraction", 0),
        ("members[1].share_fraction", 1),
        ("members[0].budgets[0].amount_yen", 0),
        ("sites[1].electricity_steps[0].amount", "0"),
        ("sites[0].grid_carbon_kg_per_kwh", 0),
        ("offers[0].on_demand.quota_accelerators", 0),
        ("offers[2].existing.accelerator_steps[0].accelerators", 0),
        ("offers[2].existing.payments[0].fiscal_year", 2031),
        ("offers[6].allocation.quotas[1].fiscal_year", 2040),
        ("offers[7].capacity_block.booking_periods_min", 4),
        ("offers[7].capacity_block.terms[0].term_days", 182),
        ("workloads[3].pausing.pauses_max", 3),
        ("workloads[3].pausing.resume_overhead_hours", 0),
        ("workloads[0].porting[0].amount_yen", 0),
        ("programmes[0].member_cap_yen", 0),
        ("programmes[0].payment_lag_days", 3_650),
        ("programmes[0].claims_made[0].fiscal_year", 2017),
        ("programmes[1].usage_grant.rates[0].rate_fraction", 1 - 0.6666666666666666),
        ("rules.capital_ceilings[0].amount_yen", 0),
        ("rules.carbon_limits[0].mass_kg", 0),
        ("rules.carbon_price_yen_per_kg", "0"),
        ("rules.concentration_limits[0].share_fraction", 0),
        ("rules.total_waiting_periods_max", 0),
        ("current_plan.change_yen", 0),
    ):
        put(path, value).apply(document)
    assert check_document(document) == ()


def test_a_cycle_is_named_once_however_long() -> None:
    """Each circle is reported once, at the step that closes it, with its ids or the first of them."""
    document = small_document()
    document["current_plan"]["placements"] = []
    template = dict(document["workloads"][3])
    document["workloads"][3]["after_workload_ids"] = ["world-model"]
    document["workloads"][2]["after_workload_ids"] = ["night-regression"]
    for i in range(100):
        document["workloads"].append({**template, "id": f"w{i}", "after_workload_ids": [f"w{(i + 1) % 100}"]})
    violations = check_document(document)
    assert pairs(violations) == [
        ("E1219", "workloads[3].after_workload_ids[0]"),
        ("E1219", "workloads[103].after_workload_ids[0]"),
    ]
    assert '"world-model" after "night-regression" after "world-model"' in violations[0].message
    assert '"w0" after "w1" after' in violations[1].message
    assert len(violations[1].message) < 200


def test_stacked_rates_count_for_members_that_there_are() -> None:
    """Rates over the whole cost matter only where some member has the size class and flags of both."""
    document = small_document()
    put("programmes[1].usage_grant.rates[0].rate_fraction", 0.4).apply(document)
    assert pairs(check_document(document)) == [("E1519", "programmes[0].stackable_programme_ids")]
    document["members"][0]["flags"] = ["veteran"]
    assert check_document(document) == ()


def test_a_lock_must_be_possible_and_a_plan_need_not_be() -> None:
    """What breaks a rule where it is locked is allowed where it is only planned."""
    document = small_document()
    put("current_plan.placements[0].pool_id", "hokkaido-r1").apply(document)
    put("current_plan.placements[0].start_date", "2028-01-31").apply(document)
    placement = "current_plan.placements[0]"
    assert pairs(check_document(document)) == [("E1255", f"{placement}.pool_id"), ("E1256", f"{placement}.start_date")]
    document["current_plan"]["placements"][0]["locked"] = False
    assert check_document(document) == ()
