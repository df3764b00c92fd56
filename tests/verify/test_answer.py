"""What the verification reports beside violations, and that no plan makes it fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tehai.domain.certificate import FiscalYearPrice, PricePath, ProgrammePrice, ProjectCapPrice
from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import (
    BillComponent,
    BillLine,
    OfferUse,
    Placement,
    PurchaseOrder,
    ReservationOrder,
    Segment,
)
from tehai.verify import check_answer, check_plan, gap
from tehai.verify.bill import agrees, round_yen
from tests import builders as make
from tests.random_problems import random_problem
from tests.verify.changes import claim_bound
from tests.verify.example import PERIOD_COUNT, example_answer
from tests.verify.greedy import billed, greedy_plan
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
        if line.component in (BillComponent.LATENESS, BillComponent.NOT_RUN)
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


INTEGERS = st.one_of(st.integers(-3, PERIOD_COUNT + 2), st.sampled_from([-(2**31), 2**31 - 1]))
AMOUNTS = st.one_of(INTEGERS, st.sampled_from([-(2**63), 2**63 - 1]))
FLOATS = st.one_of(st.floats(), st.floats(0.0, 3_000.0))
DATES = st.sampled_from([date.min, date(2028, 2, 14), date.max])
IDS = st.sampled_from(["", "own-data", "must", "too-big", "jp", "us", "moon", "grant", "jp-demand", "us-block"])
OFFER_IDS = st.sampled_from(["jp-demand", "us-block", "jp-fast-bought", "jp-owned", "moon"])
YEARLY = st.builds(FiscalYearAmount, st.sampled_from([-1, 2027, 2028, 9999]), AMOUNTS)
HOURS = st.lists(FLOATS, max_size=PERIOD_COUNT).flatmap(
    lambda head: st.sampled_from([tuple(head), (*head, *(0.0,) * (PERIOD_COUNT - len(head)))])
)
SEGMENTS = st.builds(Segment, IDS, INTEGERS, INTEGERS, DATES, FLOATS)
PLACEMENTS = st.builds(
    Placement, IDS, st.lists(SEGMENTS, max_size=2).map(tuple), IDS, st.lists(YEARLY, max_size=2).map(tuple)
)
LINES = st.builds(BillLine, st.sampled_from(BillComponent), IDS, INTEGERS, st.sampled_from(["JPY", "X"]), AMOUNTS)
PLAN_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "schema_version": INTEGERS,
        "placements": st.lists(PLACEMENTS, max_size=3).map(tuple),
        "not_run_workload_ids": st.lists(IDS, max_size=3).map(tuple),
        "reservation_orders": st.lists(
            st.builds(ReservationOrder, OFFER_IDS, INTEGERS, INTEGERS, DATES, INTEGERS), max_size=3
        ).map(tuple),
        "purchase_orders": st.lists(st.builds(PurchaseOrder, OFFER_IDS, INTEGERS, DATES, INTEGERS), max_size=3).map(
            tuple
        ),
        "offer_uses": st.lists(st.builds(OfferUse, OFFER_IDS, HOURS), max_size=3).map(tuple),
        "forward_usd_jpy": HOURS,
        "bill_lines": st.lists(LINES, max_size=3).map(tuple),
        "cash": st.lists(YEARLY, max_size=3).map(tuple),
        "obligation_after_horizon_yen": AMOUNTS,
        "objective_yen": AMOUNTS,
    },
)
YEARS = st.sampled_from([-1, 2027, 2028, 9999])
CERTIFICATE_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "capacity_prices": st.lists(st.builds(PricePath, IDS, HOURS), max_size=3).map(tuple),
        "power_prices": st.lists(st.builds(PricePath, st.sampled_from(["tokyo", "oregon"]), HOURS), max_size=2).map(
            tuple
        ),
        "domestic_share_prices": st.lists(st.builds(FiscalYearPrice, YEARS, FLOATS), max_size=2).map(tuple),
        "budget_prices": st.lists(st.builds(FiscalYearPrice, YEARS, FLOATS), max_size=2).map(tuple),
        "programme_budget_prices": st.lists(st.builds(ProgrammePrice, IDS, YEARS, FLOATS), max_size=2).map(tuple),
        "project_cap_prices": st.lists(
            st.builds(ProjectCapPrice, IDS, st.sampled_from(["model", "tune"]), FLOATS), max_size=2
        ).map(tuple),
        "lower_bound_yen": AMOUNTS,
    },
)


@settings(max_examples=150, deadline=None)
@given(plan_changes=PLAN_CHANGES, certificate_changes=CERTIFICATE_CHANGES)
def test_no_answer_makes_it_fail(plan_changes: dict[str, object], certificate_changes: dict[str, object]) -> None:
    """Whatever stands in a plan or a certificate, the outcome is a list of violations, never an exception."""
    answer = example_answer()
    plan = replace(answer.plan, **plan_changes)  # type: ignore[arg-type]
    certificate = replace(answer.certificate, **certificate_changes)  # type: ignore[arg-type]
    verification = check_answer(answer.problem, answer.sha256, plan, certificate)
    assert verification.valid == (not verification.violations)
