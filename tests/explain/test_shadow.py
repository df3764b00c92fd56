"""Prices by name, with what is used of each row as one counts it by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tehai.domain.problem import Problem
from tehai.domain.result import ShadowPrice
from tehai.explain import shadow
from tehai.explain.reading import Reading
from tehai.explain.references import references
from tehai.explain.shadow import shadow_prices
from tests.builders import make_rules, make_site
from tests.explain.certificates import certificate_of, oracle_prices
from tests.rolling import rolling_plan, rolling_problem

WEEK = 168.0


def limited() -> Problem:
    """Return the rolling problem with a limit of every kind."""
    problem = rolling_problem()
    rules = make_rules(
        shares={2027: 0.5},
        budgets={2027: 60_000_000},
        capital_ceilings={2027: 30_000_000},
        concentration={("operator", 2027): 0.75},
        carbon_limits={2027: 90_000.0},
        waiting_max=20,
    )
    sites = (
        make_site(power_limit_kw=500.0, electricity_yen_per_kwh="20", carbon_kg_per_kwh=0.5),
        make_site("region", "US", "US", operator_id="operator", carbon_kg_per_kwh=0.25),
    )
    programmes = tuple(replace(programme, member_cap_yen=5_000_000) for programme in problem.programmes)
    return replace(problem, rules=rules, sites=sites, programmes=programmes)


def found(**prices: object) -> dict[str, ShadowPrice]:
    """Return the shadow prices of the plan by row."""
    problem = limited()
    certificate = certificate_of(problem, oracle_prices(**prices))
    rows = shadow_prices(Reading(problem, rolling_plan(problem)), certificate, references(problem))
    return {row.row: row for row in rows}


# Weeks of eight accelerators: 1 + 6 + 1 in the cloud, 516 hours and twice 336 hours of sixteen in the pool.
CLOUD, POOL = 8 * WEEK * 8, 8 * 516 + 16 * 336
CLOUD_WORK, POOL_WORK = CLOUD, 8 * 504 + 16 * 336
ALL_WORK = CLOUD_WORK + POOL_WORK


@pytest.mark.parametrize(
    ("prices", "row", "unit", "used", "limit"),
    [
        ({"capital_ceiling": {2027: 0.1}}, "capital_ceilings/2027", "yen per yen", 16_000_000, 30_000_000),
        ({"carbon": {2027: 0.1}}, "carbon_limits/2027", "yen per kg", CLOUD * 0.25 + POOL * 0.5, 90_000),
        ({"waiting": 5.0}, "total_waiting_periods_max", "yen per period", 0 + 1 + 1 + 6 + 10, 20),
        (
            {"domestic_share": {2027: 3.0}},
            "minimum_domestic_shares/2027",
            "yen per normalised hour",
            POOL_WORK,
            0.5 * ALL_WORK,
        ),
        (
            {"concentration": {("operator", 2027): 3.0}},
            "concentration_limits/operator/2027",
            "yen per normalised hour",
            CLOUD_WORK,
            0.75 * ALL_WORK,
        ),
        (
            {"programme_budget": {("use", 2027): 0.2}},
            "programmes/use/budgets/2027",
            "yen per yen",
            60_000 + 400_001 + 50_000,
            3_000_000,
        ),
        ({"project_cap": {("use", "p"): 0.2}}, "programmes/use/projects/p", "yen per yen", 460_001 + 7, 2_000_000),
        (
            {"member_cap": {("use", "two", 2027): 0.2}},
            "programmes/use/members/two/2027",
            "yen per yen",
            50_000,
            5_000_000,
        ),
        ({"member_cap": {("use", "two", 2028): 0.2}}, "programmes/use/members/two/2028", "yen per yen", 0, 5_000_000),
        (
            {"member_budget": {("one", 2028): 0.2}},
            "members/one/budgets/2028",
            "yen per yen",
            -460_001,
            50_000_000,
        ),
        ({"capacity": {("pool", 10): 7.0}}, "pools/pool/2027-06-14", "yen per accelerator-hour", 16 * WEEK, None),
        ({"power": {("site", 10): 7.0}}, "sites/site/power/2027-06-14", "yen per kWh", 16 * WEEK, 500 * WEEK),
        ({"precedence": {("runs", "later", 10): 7.0}}, "precedences/runs/later/2027-06-14", "yen per workload", 1, 1),
        ({"precedence": {("runs", "later", 6): 7.0}}, "precedences/runs/later/2027-05-17", "yen per workload", 0, 0),
    ],
)
def test_a_price_has_its_row(prices: dict[str, Any], row: str, unit: str, used: float, limit: float | None) -> None:
    """The one row with a price is listed, by name, with unit, what is used and the limit."""
    rows = found(**prices)
    assert list(rows) == [row]
    price = rows[row]
    assert price.unit == unit
    assert price.value > 0
    assert price.used == pytest.approx(used)
    if limit is not None:
        assert price.limit == pytest.approx(limit)


def test_a_pool_shows_hours_used_and_live() -> None:
    """Live in week 10: two reserved terms, one order in full and 30 % of one, on demand 64."""
    price = found(capacity={("pool", 10): 7.0})["pools/pool/2027-06-14"]
    assert price.limit == pytest.approx((8 + 8 + 8 + 8 * 0.3 + 64) * WEEK)


def test_rows_are_sorted_by_worth_and_zero_prices_left_out() -> None:
    """What is used times its price decides; a price of nothing or less says nothing."""
    rows = found(
        budget={2027: 0.5},
        capital_ceiling={2027: 0.1},
        waiting=1.0,
        carbon={2027: 0.0},
        member_budget={("one", 2027): -1.0},
    )
    assert list(rows) == ["portfolio_budgets/2027", "capital_ceilings/2027", "total_waiting_periods_max"]


def test_rows_of_periods_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the many rows of single periods those worth most are kept; rows of years all stay."""
    monkeypatch.setattr(shadow, "PERIOD_ROWS_MAX", 2)
    rows = found(capacity={("pool", t): 1.0 + t for t in (1, 2, 10, 11)}, budget={2027: 1e-6})
    assert list(rows) == ["pools/pool/2027-06-21", "pools/pool/2027-06-14", "portfolio_budgets/2027"]
