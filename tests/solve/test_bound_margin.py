"""A bound gives up what rounding may change of it, however large its prices, and next to nothing at sound ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tehai.domain.plan import SolveOptions
from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.result import SolveStatus
from tehai.engine.instance import build_instance
from tehai.pipeline import solve_problem
from tehai.solve.bound_margin import bound_margin_yen
from tehai.solve.certificate_builder import build_certificate
from tehai.solve.price import ascend
from tehai.verify.bound import evaluate_bound
from tehai.verify.reference import build_reference
from tests import builders as make
from tests.random_problems import random_problem
from tests.tiny_problems import tiny_problem

# The workloads of one pool, its price of an hour in yen and the yen that a year may cost.
HOURS, PRICE_YEN, BUDGET_YEN = 2688.0, 1_000, 100_000


def _problem(seed: int) -> Problem:
    return random_problem(seed) if seed % 2 else tiny_problem(seed)


@pytest.mark.parametrize("seed", range(24))
def test_the_checker_gives_up_no_more(seed: int) -> None:
    """Prices of every size, up to 10^15 yen: the checker finds every certificate's bound no higher than it may be."""
    instance, generator = build_instance(_problem(seed)), np.random.default_rng(seed)
    reference = build_reference(instance.problem)
    count = instance.native.price_layout()["count"]
    for largest in (0.0, 6.0, 12.0):
        prices = generator.uniform(0.0, 500.0, count) * 10.0 ** generator.uniform(-6.0, largest, count)
        bound = instance.native.evaluate(prices)[0]
        certificate = build_certificate(instance, prices, bound, "hash")
        found = evaluate_bound(reference, certificate)
        assert certificate.lower_bound_yen <= found.whole_yen
        assert found.margin_yen <= bound_margin_yen(instance, prices) + 1e-10 * abs(bound) + 1.0


@pytest.mark.parametrize("seed", range(6))
def test_amounts_that_cancel_out_count(seed: int) -> None:
    """A price of waiting of 10^18 yen where no waiting is allowed is in no term of the bound, but in its rounding."""
    problem = _problem(seed)
    # Nothing is locked to a later start, so that nothing has to wait.
    rules = replace(problem.rules, total_waiting_periods_max=0)
    problem = replace(problem, rules=rules, current_plan=CurrentPlan())
    state = ascend(build_instance(problem))
    prices = state.prices.copy()
    prices[state.instance.native.price_layout()["waiting"]] = 1e18
    bound = state.instance.native.evaluate(prices)[0]
    found = evaluate_bound(build_reference(problem), build_certificate(state.instance, prices, bound, "hash"))
    assert found.margin_yen > 1e-10 * abs(bound) + 1.0
    assert build_certificate(state.instance, prices, bound, "hash").lower_bound_yen <= found.whole_yen


@pytest.mark.parametrize("seed", range(12))
def test_sound_prices_lose_next_to_nothing(seed: int) -> None:
    """At the prices of an ascent the margin is below a thousand-millionth of the bound."""
    state = ascend(build_instance(_problem(seed)))
    assert bound_margin_yen(state.instance, state.prices) <= 1e-9 * abs(state.bound) + 1.0


@pytest.mark.parametrize("waiting_max", [None, 0])
def test_a_budget_too_small_for_what_must_run_has_an_answer(waiting_max: int | None) -> None:
    """No plan pays for the mandatory workloads, so prices grow without end: the answer names them, and is verified."""
    jobs = [make.make_workload(name, hours=HOURS, not_run_yen=None) for name in ("one", "two")]
    offers = [make.make_offer(make.on_demand(make.yen(PRICE_YEN)))]
    rules = make.make_rules(budgets={2027: BUDGET_YEN}, waiting_max=waiting_max)
    problem = make.make_problem(jobs, offers=offers, rules=rules)
    assert sum(job.normalised_accelerator_hours or 0.0 for job in jobs) * PRICE_YEN > 2 * BUDGET_YEN
    result = solve_problem(problem, SolveOptions(work_limit=2, threads=1))
    assert result.verified
    assert result.status is SolveStatus.MANDATORY_MISSED
    assert result.plan.not_run_workload_ids


@pytest.mark.parametrize("owed", [0, 1])
def test_a_budget_that_is_owed_to_the_last_yen_has_a_plan(owed: int) -> None:
    """Sunk payments may take up a whole budget: the plan that spends nothing more keeps it."""
    payments = {2027: BUDGET_YEN - owed}
    offers = [make.make_offer(make.existing(8, payments=payments), "owned"), make.make_offer(make.on_demand(), "cloud")]
    problem = make.make_problem(offers=offers, rules=make.make_rules(budgets={2027: BUDGET_YEN}))
    result = solve_problem(problem, SolveOptions(work_limit=2, threads=1))
    assert result.verified
