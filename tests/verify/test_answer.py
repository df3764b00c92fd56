"""What the verification reports beside violations, and that no plan makes it fail."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tehai.domain.certificate import PricePath
from tehai.domain.plan import BillComponent, OfferUse
from tehai.verify import check_answer, check_plan, gap
from tehai.verify.bill import agrees, round_yen
from tests import builders as make
from tests.random_problems import random_problem
from tests.verify.biller import billed
from tests.verify.changes import claim_bound
from tests.verify.example import example_answer
from tests.verify.greedy import greedy_plan
from tests.verify.prices import random_certificate


@pytest.mark.parametrize("seed", range(25, 50))
def test_valid_plans_pass(seed: int) -> None:
    """Plans made and billed by other code from the same rules have no violation and the same objective."""
    problem = random_problem(seed)
    plan = greedy_plan(problem, "hash")
    verification = check_plan(problem, "hash", plan)
    assert verification.violations == ()
    assert verification.objective_yen == plan.objective_yen
    assert abs(verification.exact_objective - plan.objective_yen) <= 0.5 * len(plan.bill_lines) + 1e-6


def test_proved_bound_is_accepted() -> None:
    """A claim of what the prices prove, less one yen, is no fault."""
    answer = claim_bound(-1)(example_answer())
    assert check_answer(answer.problem, answer.sha256, answer.plan, answer.certificate).valid


def test_missed_mandatory_workload_is_reported() -> None:
    """Missing a mandatory workload that could be placed is a fact, not a fault, and leaves the gaps without meaning."""
    problem = make.make_problem([make.make_workload("must", not_run_yen=None), make.make_workload("can")])
    plan = greedy_plan(problem)
    kept = tuple(placement for placement in plan.placements if placement.workload_id == "can")
    uses = (OfferUse("offer", (1344.0, 0.0, 0.0, 0.0)),)
    plan = billed(problem, replace(plan, placements=kept, not_run_workload_ids=("must",), offer_uses=uses))
    certificate = replace(random_certificate(problem, 1), capacity_prices=(PricePath("pool", (500.0,) * 4),))
    certificate = replace(certificate, lower_bound_yen=2 * 1344 * 500 - 1)
    verification = check_answer(problem, "", plan, certificate)
    assert verification.valid
    assert verification.lower_bound_yen is not None
    assert verification.lower_bound_yen > verification.objective_yen
    assert verification.mandatory_missed_ids == ("must",)
    assert verification.unplaceable_workload_ids == ()
    assert (verification.gap, verification.gap_on_bill, verification.objective_gap_yen) == (None, None, None)


def test_gaps_of_the_example() -> None:
    """Both gaps follow from objective, bound and the cost without penalties."""
    answer = example_answer()
    verification = check_answer(answer.problem, answer.sha256, answer.plan, answer.certificate)
    penalties = sum(
        line.amount_yen
        for line in answer.plan.bill_lines
        if line.component in (BillComponent.LATENESS, BillComponent.NOT_RUN, BillComponent.CHANGE)
    )
    difference = answer.plan.objective_yen - answer.certificate.lower_bound_yen
    assert verification.plan_cost_yen == answer.plan.objective_yen - penalties
    assert verification.objective_gap_yen == difference
    assert verification.gap == pytest.approx(difference / answer.plan.objective_yen)
    assert verification.gap_on_bill == pytest.approx(difference / verification.plan_cost_yen)


@pytest.mark.parametrize(
    ("objective", "bound", "denominator", "expected"),
    [
        (100, 99, None, 0.01),
        (100, 99, 50, 0.02),
        (0, 0, None, 0.0),
        (5, 5, -1, 0.0),
        (0, -1, None, None),
        (-3, -4, None, None),
        (100, 99, 0, None),
    ],
)
def test_gap(objective: int, bound: int, denominator: int | None, expected: float | None) -> None:
    """The gap is a fraction, 0 without a difference, None without a positive denominator."""
    assert gap(objective, bound, denominator) == expected


@pytest.mark.parametrize(
    ("found", "exact", "expected"),
    [
        (2, "2.5", True),
        (3, "2.5", True),
        (3, "2.4999995", True),
        (3, "2.49999", False),
        (2, "2.5000005", True),
        (2, "2.50001", False),
        (4, "3.4", False),
        (-3, "-2.5", True),
        (10**12, "1000000000000.55", True),
        (10**12, "1000000000000.65", False),
    ],
)
def test_half_yen(found: int, exact: str, expected: bool) -> None:
    """Whole yen are exact, but next to a half yen either neighbour is accepted."""
    assert agrees(found, Decimal(exact)) is expected


def test_rounding_is_half_even() -> None:
    """Halves go to the even yen."""
    assert [round_yen(Decimal(text)) for text in ("0.5", "1.5", "2.5", "-0.5", "-1.5")] == [0, 2, 2, 0, -2]
