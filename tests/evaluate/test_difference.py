"""What is different between two plans, in an order that does not depend on theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tehai.domain.evaluation import NamedDifference, PlacementChange, PlacementDifference
from tehai.domain.plan import BillComponent, Placement
from tehai.evaluate import diff_plans
from tehai.pipeline_roll import roll
from tests.builders import day
from tests.evaluate.plans import SHA256, simple
from tests.explain.hand_made import block, bought, hand_plan, placement, reserved
from tests.rolling import ROLL_PERIOD, carried_over, rolling_plan, rolling_problem
from tests.verify.greedy import greedy_plan

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_and_itself(seed: int) -> None:
    """Between a plan and itself, in whatever order its lists are, nothing is different."""
    _, plan = simple(seed)
    turned = replace(
        plan,
        placements=plan.placements[::-1],
        bill_lines=plan.bill_lines[::-1],
        reservation_orders=plan.reservation_orders[::-1],
        capacity_block_orders=plan.capacity_block_orders[::-1],
        purchase_orders=plan.purchase_orders[::-1],
    )
    found = diff_plans(plan, turned)
    assert (found.placements, found.bill, found.commitments, found.objective_difference_yen) == ((), (), (), 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_and_symmetry(seed: int) -> None:
    """The bill's differences sum to the objective's; the other way round every row is turned about."""
    problem, plan = simple(seed)
    other = greedy_plan(problem, SHA256, orders=False)
    there, back = diff_plans(plan, other), diff_plans(other, plan)
    assert sum(row.after - row.before for row in there.bill) == there.objective_difference_yen
    assert there.objective_difference_yen == -back.objective_difference_yen
    for name in ("bill", "commitments"):
        turned = tuple(NamedDifference(row.name, row.after, row.before) for row in getattr(back, name))
        assert getattr(there, name) == turned
    assert [(row.workload_id, row.after, row.before) for row in back.placements] == [
        (row.workload_id, row.before, row.after) for row in there.placements
    ]


def test_by_hand() -> None:
    """One workload of each change, one order of each kind; pauses are no change, and what is alike is left out."""
    problem = rolling_problem()
    plan = rolling_plan(problem)
    placements = (
        placement(problem, "done", {0: 168.0}, {("use", 2027): 60_000}, "cloud"),
        placement(problem, "runs", {2: 1008.0}, {("use", 2027): 400_001}, "cloud"),
        placement(problem, "pauses", {1: 168.0, 6: 336.0 + 12.0}),
        placement(problem, "later", {10: 336.0}, accelerators=16),
        placement(problem, "wish", {20: 168.0}),
    )
    other = hand_plan(
        problem,
        placements,
        reservations=[reserved(problem, 1), reserved(problem, 4, 2)],
        blocks=[block(problem, 5, 3), block(problem, 8, 6)],
        purchases=[bought(problem, 3, 1), bought(problem, 3, 1), bought(problem, 5, 1)],
    )
    found = diff_plans(plan, other)
    assert found.placements == (
        PlacementDifference("next", PlacementChange.DROPPED, f"cloud, 8, {day(6)}", ""),
        PlacementDifference("runs", PlacementChange.MOVED, f"cloud, 8, {day(1)}", f"cloud, 8, {day(2)}"),
        PlacementDifference("wish", PlacementChange.STARTED, "", f"pool, 8, {day(20)}"),
    )
    assert found.commitments == (
        NamedDifference(f"capacity_block/block/{day(5)}/term 0/booked {day(2)}", 1, 0),
        NamedDifference(f"capacity_block/block/{day(5)}/term 0/booked {day(3)}", 0, 1),
        NamedDifference(f"purchase/bought/{day(3)}", 1, 2),
        NamedDifference(f"reservation/reserved/{day(4)}/term 0", 1, 2),
        NamedDifference(f"reservation/reserved/{day(11)}/term 0", 1, 0),
    )
    bill = {row.name: (row.before, row.after) for row in found.bill}
    assert bill["purchase"] == (16_000_000, 24_000_000)
    assert list(bill) == [component.value for component in BillComponent if component.value in bill]


def test_plans_of_different_problems() -> None:
    """A plan carried over to the rolled problem: dates are compared, not periods; what has finished is dropped."""
    problem = rolling_problem()
    plan = rolling_plan(problem)
    rolled = roll(problem, plan, ROLL_PERIOD)
    found = diff_plans(plan, carried_over(problem, plan, rolled, ROLL_PERIOD))
    changes = {row.workload_id: row.change for row in found.placements}
    assert changes["done"] is PlacementChange.DROPPED
    assert changes["runs"] is changes["pauses"] is PlacementChange.MOVED
    # Planned and not begun: the same day in both, though another period.
    assert not {"next", "later"} & set(changes)


def test_a_placement_of_nothing_is_none() -> None:
    """A placement without segments, as a file may hold, places nothing."""
    problem = rolling_problem()
    plan = rolling_plan(problem)
    empty = replace(plan, placements=(Placement("done", (), ()), *plan.placements[1:]))
    assert [row.change for row in diff_plans(plan, empty).placements] == [PlacementChange.DROPPED]
