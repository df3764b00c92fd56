"""The bound: equal to a naive reading of the rules, below every valid plan, and careful with bad prices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from tehai.domain.certificate import Certificate, FiscalYearPrice, PricePath
from tehai.domain.problem import CurrentPlan, Problem
from tehai.verify import check_answer, check_plan, compute_bound
from tehai.verify.bound import evaluate_bound
from tehai.verify.reference import build_reference
from tests import builders as make
from tests.random_problems import random_problem
from tests.verify.economics import economics_answer, economics_problem
from tests.verify.example import example_answer, example_problem
from tests.verify.greedy import greedy_plan
from tests.verify.naive_bound import naive_bound
from tests.verify.prices import no_prices, random_certificate

SEEDS = range(25)


def bare_certificate(**prices: object) -> Certificate:
    """Return a certificate with these lists of prices and no others."""
    return replace(no_prices(), **prices)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_bound_equals_naive_bound(seed: int) -> None:
    """At random prices the vectorised bound is the one found by looping over every column and offer."""
    problem = random_problem(seed)
    for draw in range(2):
        certificate = random_certificate(problem, 10 * seed + draw)
        assert compute_bound(problem, certificate) == pytest.approx(naive_bound(problem, certificate), rel=1e-9)


@pytest.mark.parametrize("draw", range(4))
@pytest.mark.parametrize("make_problem", [example_problem, economics_problem])
def test_bound_of_examples_equals_naive_bound(make_problem: Callable[[], Problem], draw: int) -> None:
    """The same for the examples, where delivery ramps, lead times, pauses, caps and windows meet."""
    problem = make_problem()
    certificate = random_certificate(problem, draw)
    assert compute_bound(problem, certificate) == pytest.approx(naive_bound(problem, certificate), rel=1e-9)


@pytest.mark.parametrize("period_hours", [1, 7, 36, 730])
def test_bound_with_periods_that_are_not_days(period_hours: int) -> None:
    """Windows and fiscal years also hold where a period begins in the middle of a day."""
    problem = random_problem(14)
    calendar = replace(problem.calendar, period_hours=period_hours)
    # Dates of the plan in force would no longer be first days of periods.
    problem = replace(problem, calendar=calendar, current_plan=CurrentPlan())
    certificate = random_certificate(problem, 5)
    assert compute_bound(problem, certificate) == pytest.approx(naive_bound(problem, certificate), rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_bound_is_below_every_valid_plan(seed: int) -> None:
    """Weak duality: whatever the prices, the bound is at most the objective of a valid plan with its mandatory work."""
    problem = random_problem(seed)
    for orders in (True, False):
        plan = greedy_plan(problem, "", orders)
        verification = check_plan(problem, "", plan)
        assert verification.violations == ()
        if verification.mandatory_missed_ids:
            continue
        for draw in range(3):
            assert compute_bound(problem, random_certificate(problem, draw)) <= verification.exact_objective


def test_plans_of_weak_duality_do_something() -> None:
    """The plans above are not all empty: most place workloads and claim, a few order; blocks are in the examples."""
    plans = [greedy_plan(random_problem(seed)) for seed in SEEDS]
    assert sum(bool(plan.placements) for plan in plans) >= 20
    assert sum(bool(plan.reservation_orders or plan.purchase_orders) for plan in plans) >= 3
    assert sum(any(placement.claims for placement in plan.placements) for plan in plans) >= 10


def test_no_prices_prove_what_is_free() -> None:
    """Without prices capacity is free: each workload costs at most its lateness less its claims, here nothing."""
    problem = make.make_problem([make.make_workload(late_yen=5)])
    assert compute_bound(problem, bare_certificate()) == 0.0


def test_bound_by_hand() -> None:
    """1,344 hours at a price of 400 against an offer at 500 cost 537,600; at 600 quota rent is taken off."""
    problem = make.make_problem()

    def flat(price: float) -> Certificate:
        return bare_certificate(capacity_prices=(PricePath("pool", (price,) * 4),))

    assert compute_bound(problem, flat(400.0)) == 1344 * 400
    assert compute_bound(problem, flat(600.0)) == 1344 * 600 - 4 * 64 * 168 * 100


def _projected(price: Any) -> Any:  # noqa: ANN401
    if hasattr(price, "values"):
        return replace(price, values=tuple(max(0.0, value) for value in price.values))
    return replace(price, value=max(0.0, price.value))


def test_negative_prices_count_as_zero() -> None:
    """A price of the wrong sign is projected, not used."""
    for answer in (example_answer(), economics_answer()):
        given = answer.certificate
        clean = given
        for item in fields(Certificate):
            if item.name.endswith("_prices"):
                listed = tuple(_projected(price) for price in getattr(given, item.name))
                clean = replace(clean, **{item.name: listed})  # type: ignore[arg-type]
        assert clean != given
        assert compute_bound(answer.problem, clean) == compute_bound(answer.problem, given)


def test_missing_prices_are_zero() -> None:
    """A row without a price counts as one with the price zero."""
    answer = example_answer()
    without = replace(answer.certificate, power_prices=())
    zero = replace(answer.certificate, power_prices=(PricePath("tokyo", (0.0,) * 12),))
    assert compute_bound(answer.problem, without) == compute_bound(answer.problem, zero)


@pytest.mark.parametrize(
    "bad",
    [
        {"capacity_prices": (PricePath("nowhere", (0.0,) * 12),)},
        {"capacity_prices": (PricePath("jp", (0.0,) * 11),)},
        {"capacity_prices": (PricePath("jp", (math.nan,) * 12),)},
        {"budget_prices": (FiscalYearPrice(2027, 0.0), FiscalYearPrice(2027, 0.0))},
    ],
    ids=["unknown pool", "too short", "no number", "twice"],
)
def test_compute_bound_refuses_faults_of_form(bad: dict[str, object]) -> None:
    """A certificate that cannot be read proves nothing: ValueError, not a number."""
    problem = example_problem()
    with pytest.raises(ValueError, match="proves nothing"):
        compute_bound(problem, bare_certificate(**bad))


@pytest.mark.parametrize("seed", range(5))
def test_margin_covers_the_rounding(seed: int) -> None:
    """The margin is positive, tiny, and at least the difference to the naive value; the bound rounds down."""
    problem = random_problem(seed)
    certificate = random_certificate(problem, seed)
    bound = evaluate_bound(build_reference(problem), certificate)
    assert abs(bound.value - naive_bound(problem, certificate)) <= bound.margin_yen
    assert 0.0 < bound.margin_yen < 0.01
    assert bound.value - 1.0 - bound.margin_yen <= bound.whole_yen <= bound.value


def test_unplaceable_mandatory_workload_is_left_out() -> None:
    """A mandatory workload without a legal column changes neither bound nor objective, and is named."""
    problem = make.make_problem()
    impossible = make.make_workload("impossible", gangs={512: 1.0}, not_run_yen=None)
    larger = replace(problem, workloads=(*problem.workloads, impossible))
    certificate = bare_certificate(capacity_prices=(PricePath("pool", (400.0,) * 4),))
    assert compute_bound(larger, certificate) == compute_bound(problem, certificate)
    verification = check_answer(larger, "", greedy_plan(larger), certificate)
    assert verification.valid
    assert verification.unplaceable_workload_ids == ("impossible",)
    assert verification.mandatory_missed_ids == ()
    assert verification.gap is not None


def test_window_too_short_for_a_column_leaves_not_run() -> None:
    """A workload without a legal column costs what not running it costs."""
    workload = make.make_workload(deadline=make.day(1) - timedelta(days=1), not_run_yen=123)
    problem = make.make_problem([workload])
    assert compute_bound(problem, bare_certificate()) == 123.0
