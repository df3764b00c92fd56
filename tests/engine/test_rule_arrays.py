"""Rows over fiscal years and programmes as arrays, in numbers worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from tehai.domain.programme import SizeClassRate
from tehai.domain.workload import CountryRule, SizeClass
from tehai.engine.instance import build_arrays
from tehai.engine.rule_arrays import spendable
from tests import builders as make

# Four weeks of which the last two begin in fiscal year 2028.
TURN = date(2028, 3, 20)
CALENDAR = make.make_calendar(first_date=TURN)


def test_rows_over_work() -> None:
    """Domestic shares first, then operators; a coefficient is share less [domestic], or [operator] less share."""
    sites = [make.make_site("jp", operator_id="big"), make.make_site("us", "US", operator_id="small")]
    pools = [make.make_pool("a", "jp"), make.make_pool("b", "us")]
    rules = make.make_rules(shares={2027: 0.25, 2030: 1.0}, concentration={("big", 2028): 0.75, ("small", 2040): 0.1})
    offers = [make.make_offer(make.on_demand(), pool.id, pool.id) for pool in pools]
    built = build_arrays(make.make_problem(offers=offers, pools=pools, sites=sites, rules=rules, calendar=CALENDAR))
    assert [(row.fiscal_year, row.operator_id) for row in built.work_rows] == [(2027, ""), (2028, "big")]
    assert built.arrays["work_row_year"].tolist() == [0, 1]
    assert built.arrays["work_row_coefficient"].tolist() == [[-0.75, 0.25], [0.25, -0.75]]


def test_budgets_less_what_is_sunk() -> None:
    """Payments for existing capacity are taken off the portfolio budget of their year, listed or not."""
    owned = make.existing(8, payments={2027: 30, 2028: 40, 2026: 5})
    rules = make.make_rules(budgets={2027: 1000}, capital_ceilings={2028: 7}, carbon_limits={2027: 2.5}, waiting_max=6)
    members = [make.make_member(budgets={2028: 90}), make.make_member("other")]
    arrays = build_arrays(
        make.make_problem(offers=[make.make_offer(owned)], rules=rules, members=members, calendar=CALENDAR)
    ).arrays
    assert arrays["budget_yen"].tolist() == [970, np.inf]
    assert arrays["plan_budget_yen"].tolist() == [968, np.inf]
    assert arrays["member_budget_yen"].tolist() == [[np.inf, 90], [np.inf, np.inf]]
    assert arrays["plan_member_budget_yen"].tolist() == [[np.inf, 88], [np.inf, np.inf]]
    assert arrays["capital_yen"].tolist() == [np.inf, 7]
    assert arrays["carbon_kg"].tolist() == [2.5, np.inf]
    assert arrays["waiting_periods"] == 6


def test_a_small_budget_still_admits_nothing() -> None:
    """The margin for rounding never makes a budget that a plan without spending would break."""
    assert spendable(np.array([100.0, 3.0, 0.0, -5.0, np.inf]), 4.0).tolist() == [94.0, 0.5, 0.0, -5.0, np.inf]


def test_what_is_left_after_claims_made() -> None:
    """Claims made use up the caps of their project and member and the budget of their year, at most all of it."""
    made = [
        make.claim_made(30, 2027, "member", "p"),
        make.claim_made(500, 2028, "member", "q"),
        make.claim_made(15, 2020, "member", "p"),
        make.claim_made(1, 2028, "other"),
    ]
    programme = make.make_programme(
        project_cap_yen=100, member_cap_yen=80, budgets={2027: 60, 2028: 70}, claims_made=made
    )
    members = [make.make_member(), make.make_member("other")]
    workloads = [make.make_workload("a", project_id="p"), make.make_workload("b", project_id="q"), make.make_workload()]
    arrays = build_arrays(
        make.make_problem(workloads, members=members, programmes=[programme], calendar=CALENDAR)
    ).arrays
    assert arrays["project_cap_yen"].tolist() == [[55, 0, 100]]
    assert arrays["member_cap_yen"].tolist() == [[[50, 0], [80, 79]]]
    assert arrays["programme_budget_yen"].tolist() == [[30, 0]]


def test_when_claims_are_paid() -> None:
    """On 31 March of the year plus the lag: in that fiscal year without one, later or after the horizon with one."""
    programmes = [make.make_programme("now"), make.make_programme("later", lag_days=30)]
    market = make.make_market(spot_date=TURN, discount_rate="0.1")
    arrays = build_arrays(make.make_problem(programmes=programmes, calendar=CALENDAR, market=market)).arrays
    assert arrays["claim_pay_year"].tolist() == [[0, 1], [1, -1]]
    days = np.array([[11, 376], [41, 406]])
    assert arrays["claim_discount"] == pytest.approx(1.1 ** (-days / 365))


def test_rates_and_flags() -> None:
    """The largest rate whose flag the member carries; tags open a programme; capital grants have no rate here."""
    flagged = [SizeClassRate(SizeClass.LARGE, 0.2), SizeClassRate(SizeClass.LARGE, 0.5, "vc")]
    programmes = [
        make.make_programme("flags", rates=flagged),
        make.make_programme("tags", tags=["llm"]),
        make.make_programme("sme", rates={SizeClass.SME: 0.7}),
        make.make_capital_programme(),
    ]
    members = [make.make_member(), make.make_member("backed", flags=["vc"])]
    workloads = [make.make_workload("a"), make.make_workload("b", member_id="backed", tags=["llm"])]
    arrays = build_arrays(make.make_problem(workloads, members=members, programmes=programmes)).arrays
    assert arrays["rate"].tolist() == [[0.2, 0, 0, 0], [0.5, 0.5, 0, 0]]


def test_claim_sets() -> None:
    """Single programmes, then pairs and more that name each other, as far as a workload can claim them in a pool."""
    low = {SizeClass.LARGE: 0.1}
    programmes = [
        make.make_programme("a", low, stackable=["b", "c", "d"]),
        make.make_programme("b", low, stackable=["a", "c"]),
        make.make_programme("c", low, stackable=["a", "b", "e"]),
        # names one that does not name it, and one whose pool is another
        make.make_programme("d", low, stackable=["b"]),
        make.make_programme("e", low, stackable=["c"], countries=CountryRule(("US",), ())),
        make.make_capital_programme(),
    ]
    built = build_arrays(make.make_problem(programmes=programmes))
    assert built.claim_sets == ((0,), (1,), (2,), (3,), (4,), (0, 1), (0, 2), (1, 2), (0, 1, 2))
    assert built.set_size == 3
    arrays = built.arrays
    assert arrays["claim_set_programmes"][arrays["claim_set_offset"][-2] :].tolist() == [0, 1, 2]
    assert build_arrays(make.make_problem()).set_size == 1


def test_groups_are_numbered() -> None:
    """Programmes of one group share a number; those of none have -1."""
    programmes = [make.make_programme(n, group=g) for n, g in (("a", "x"), ("b", ""), ("c", "y"), ("d", "x"))]
    arrays = build_arrays(make.make_problem(programmes=programmes)).arrays
    assert arrays["programme_group"].tolist() == [0, -1, 1, 0]
