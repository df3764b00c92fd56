"""Changes that cannot be applied: each kind is named with its code and path."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from math import inf, nan

import pytest

from tehai.domain.evaluation import OfferPriceFactor, ScenarioChange
from tehai.domain.offer import Existing
from tehai.domain.violation import InvalidProblemError
from tehai.evaluate import evaluate_plan
from tehai.evaluate.messages import diff_bytes, evaluate_bytes
from tehai.evaluate.scenario import changed_problem, has_price
from tehai.wire import SCENARIO_CODES, problem_to_proto, result_to_proto
from tests.builders import (
    PERIOD_COUNT,
    dollars,
    existing,
    make_offer,
    make_problem,
    make_programme,
    make_workload,
    on_demand,
    yen,
)
from tests.explain.hand_made import SHA256, hand_plan, placement
from tests.report.results import everything

NO_MESSAGE = b"\xff\xff\xff"
PROBLEM = make_problem(
    [make_workload("work", deadline=PERIOD_COUNT)],
    [
        make_offer(on_demand(dollars("900000000")), "demand"),
        make_offer(existing(1), "owned"),
        make_offer(existing(1, reference=yen(300)), "leased"),
    ],
    programmes=[make_programme("grant")],
)
PLAN = hand_plan(PROBLEM, [placement(PROBLEM, "work", {0: 168.0})])


def offers(*factors: tuple[str, float]) -> ScenarioChange:
    """Return the change of these offers' prices."""
    return ScenarioChange(offer_price_factors=tuple(OfferPriceFactor(*factor) for factor in factors))


CASES = [
    ("rate of nothing", "E2001", "change.usd_jpy_factor", ScenarioChange(usd_jpy_factor=0.0)),
    ("negative rate", "E2001", "change.usd_jpy_factor", ScenarioChange(usd_jpy_factor=-1.0)),
    ("rate beyond reason", "E2001", "change.usd_jpy_factor", ScenarioChange(usd_jpy_factor=100.5)),
    ("no number", "E2001", "change.usd_jpy_factor", ScenarioChange(usd_jpy_factor=nan)),
    ("free electricity", "E2001", "change.electricity_factor", ScenarioChange(electricity_factor=0.009)),
    ("endless electricity", "E2001", "change.electricity_factor", ScenarioChange(electricity_factor=inf)),
    ("free offer", "E2001", "change.offer_price_factors[1].factor", offers(("demand", 2.0), ("leased", 0.0))),
    ("unknown offer", "E2002", "change.offer_price_factors[0].offer_id", offers(("nothing", 2.0))),
    ("no offer", "E2002", "change.offer_price_factors[1].offer_id", offers(("demand", 2.0), ("", 2.0))),
    ("offer twice", "E2003", "change.offer_price_factors[1].offer_id", offers(("demand", 2.0), ("demand", 2.0))),
    ("offer without a price", "E2004", "change.offer_price_factors[0].offer_id", offers(("owned", 2.0))),
    (
        "unknown programme",
        "E2005",
        "change.cancelled_programme_ids[1]",
        ScenarioChange(cancelled_programme_ids=("grant", "grants")),
    ),
    (
        "programme twice",
        "E2006",
        "change.cancelled_programme_ids[1]",
        ScenarioChange(cancelled_programme_ids=("grant", "grant")),
    ),
    ("inexact", "E2007", "change", replace(offers(("demand", 100.0)), usd_jpy_factor=100.0)),
]


@pytest.mark.parametrize(("name", "code", "path", "change"), CASES, ids=[case[0] for case in CASES])
def test_one_fault(name: str, code: str, path: str, change: ScenarioChange) -> None:
    """One fault in a change is refused with its code at its path, and with what to do."""
    with pytest.raises(InvalidProblemError) as caught:
        evaluate_plan(PROBLEM, SHA256, PLAN, change)
    assert [(violation.code, violation.path) for violation in caught.value.violations] == [(code, path)], name
    assert all(violation.message and violation.action for violation in caught.value.violations)


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_the_ends_of_the_range_are_in_it(factor: float) -> None:
    """The least and the largest factor are applied."""
    evaluation = evaluate_plan(PROBLEM, SHA256, PLAN, ScenarioChange(electricity_factor=factor))
    assert evaluation.changed_objective_yen == evaluation.objective_yen


def test_all_faults_at_once() -> None:
    """Whatever is wrong with a change and with the plan is said together."""
    change = replace(offers(("nothing", 0.0)), electricity_factor=0.0, cancelled_programme_ids=("none",))
    wrong = replace(PLAN, objective_yen=PLAN.objective_yen + 1)
    with pytest.raises(InvalidProblemError) as caught:
        evaluate_plan(PROBLEM, SHA256, wrong, change)
    assert [violation.code for violation in caught.value.violations] == ["V2505", "E2001", "E2001", "E2002", "E2005"]


@pytest.mark.parametrize("path", ["problem", "result", "change"])
def test_bytes_of_something_else(path: str) -> None:
    """Bytes that are no such message are refused with E2008 and the name of the part."""
    parts = {"problem": problem_to_proto(PROBLEM).SerializeToString(), "result": b"", "change": b""}
    parts[path] = NO_MESSAGE
    with pytest.raises(InvalidProblemError) as caught:
        evaluate_bytes(**parts, plan_name="plans/a")
    assert [(violation.code, violation.path) for violation in caught.value.violations] == [("E2008", path)]
    assert caught.value.violations[0].action == SCENARIO_CODES["E2008"].action


@pytest.mark.parametrize("path", ["plans/a", "plans/b"])
def test_a_plan_of_something_else(path: str) -> None:
    """The plan of a difference that is no message is named."""
    good = result_to_proto(everything()[1]).SerializeToString()
    before, after = (NO_MESSAGE if name == path else good for name in ("plans/a", "plans/b"))
    with pytest.raises(InvalidProblemError) as caught:
        diff_bytes(before, after, "plans/a", "plans/b")
    assert [(violation.code, violation.path) for violation in caught.value.violations] == [("E2008", path)]


def test_every_code_has_a_case() -> None:
    """No code of a change is without a test."""
    assert {case[1] for case in CASES} | {"E2008"} == set(SCENARIO_CODES)


def test_prices_are_exact() -> None:
    """A factor is the decimal that it is written as, and what it does not name stays as it is."""
    change = replace(offers(("demand", 1.1), ("leased", 0.3)), usd_jpy_factor=1.2)
    changed = changed_problem(PROBLEM, change)
    assert changed.offers[0].kind == on_demand(dollars("990000000"))
    assert changed.offers[1] == PROBLEM.offers[1]
    leased = changed.offers[2].kind
    assert isinstance(leased, Existing)
    assert leased.reference_price_per_accelerator_hour == yen(90)
    assert changed.market.usd_jpy_spot == PROBLEM.market.usd_jpy_spot * Decimal("1.2")
    assert replace(changed, market=PROBLEM.market, offers=PROBLEM.offers) == PROBLEM


def test_offers_without_a_price() -> None:
    """Only existing capacity without a reference price has none."""
    assert [has_price(offer) for offer in PROBLEM.offers] == [True, False, True]
