"""The figures of the report agree with the plan they are read from."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from rich.console import Console

from tehai.catalog import demo_problem
from tehai.domain.offer import Purchase
from tehai.domain.plan import PurchaseOrder, Segment, SolveOptions, StopReason
from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult, SolveStatus
from tehai.pipeline import solve_problem
from tehai.report import report, result_summary
from tehai.report.commitments import commitments
from tehai.report.formats import count, million, percent
from tehai.report.headline import how_to_read
from tehai.report.money import bill_table
from tehai.report.names import Names
from tehai.report.occupancy import live_accelerators, occupancies, segment_hours, work_of
from tehai.report.rules import domestic_work
from tehai.report.sources import kind_of


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Return the small demo problem."""
    return demo_problem("small")


@pytest.fixture(scope="module")
def result(problem: Problem) -> SolveResult:
    """Return a verified result of it."""
    return solve_problem(problem, SolveOptions(work_limit=5))


def printed(problem: Problem, result: SolveResult, width: int) -> str:
    """Return the report as text."""
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(report(problem, result))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [100, 160])
def test_every_part_is_printed_within_the_width(problem: Problem, result: SolveResult, width: int) -> None:
    """The report has all of its parts, and no line is wider than the page."""
    text = printed(problem, result, width)
    parts = (
        "Workloads placed",
        "Pools",
        "Bill",
        "Cash",
        "Domestic share",
        "Grants claimed",
        "Sources of",
        "How to read it",
    )
    for part in parts:
        assert part in text, part
    assert max(map(len, text.splitlines())) <= width


def test_every_workload_is_named_once(problem: Problem, result: SolveResult) -> None:
    """Each workload stands in one of two tables: placed or not run."""
    placed = [placement.workload_id for placement in result.plan.placements]
    assert sorted((*placed, *result.plan.not_run_workload_ids)) == sorted(workload.id for workload in problem.workloads)
    text = printed(problem, result, 200)
    assert all((workload.display_name or workload.id) in text for workload in problem.workloads)


def test_hours_of_a_segment_are_full_periods_and_a_rest() -> None:
    """A run of two and a half periods from period 1 on has full hours twice and half of them in the third."""
    segment = Segment("p", 8, 1, date(2027, 4, 12), 420.0)
    assert segment_hours(segment, 168, 5).tolist() == [0, 8 * 168, 8 * 168, 8 * 84, 0]
    assert segment_hours(replace(segment, run_hours=336.0), 168, 5).tolist() == [0, 8 * 168, 8 * 168, 0, 0]


def test_pools_hold_what_is_placed(problem: Problem, result: SolveResult) -> None:
    """All hours placed are the hours that gangs run, and in each pool and period offers are used for no less."""
    use = occupancies(problem, result.plan)
    placed = sum(float(pool.placed_hours.sum()) for pool in use.values())
    run = sum(s.accelerators * s.run_hours for placement in result.plan.placements for s in placement.segments)
    assert placed == pytest.approx(run)
    for pool in use.values():
        used = pool.committed_hours_used + pool.on_demand_hours
        assert np.all(used >= pool.placed_hours - 1e-6)
        assert np.all(pool.committed_hours_used <= pool.committed_accelerators * problem.calendar.period_hours + 1e-6)


def test_a_purchase_arrives_by_steps_and_ends_with_its_life(problem: Problem, result: SolveResult) -> None:
    """Accelerators of an order follow its delivery steps from the order on and are gone after its life."""
    offer = next(offer for offer in problem.offers if isinstance(offer.kind, Purchase))
    assert isinstance(offer.kind, Purchase)
    kind = replace(
        offer.kind, life_periods=3, delivery_steps=(replace(offer.kind.delivery_steps[0], periods_after_order=2),)
    )
    order = PurchaseOrder(offer.id, 1, date(2027, 4, 12), 2)
    plan = replace(result.plan, purchase_orders=(order,))
    live = live_accelerators(replace(offer, kind=kind), problem, plan)
    fraction = kind.delivery_steps[0].delivered_fraction
    assert live[:7].tolist() == [0, 0, 0, *[2 * kind.unit_accelerators * fraction] * 3, 0]


def test_domestic_work_adds_up(problem: Problem, result: SolveResult) -> None:
    """The work of all fiscal years together is the work of the placed workloads, and domestic work is a part of it."""
    names = Names(problem)
    split = domestic_work(names, result.plan)
    work = sum(work_of(names.workloads[placement.workload_id], problem) for placement in result.plan.placements)
    assert sum(total for _, total in split.values()) == pytest.approx(work)
    assert all(inside <= total + 1e-9 for inside, total in split.values())


def test_the_bill_ends_in_the_objective(result: SolveResult) -> None:
    """The last cell of the bill is the objective, and its lines add up to it to the yen."""
    assert sum(line.amount_yen for line in result.plan.bill_lines) == result.objective_yen
    assert list(bill_table(result.plan).columns[-1].cells)[-1] == million(result.objective_yen)


def test_commitments_are_signed_before_they_begin(problem: Problem, result: SolveResult) -> None:
    """Every order is listed once, by date, never signed after its capacity begins nor before the horizon."""
    found = commitments(Names(problem), result.plan)
    assert len(found) == len(result.plan.reservation_orders) + len(result.plan.purchase_orders)
    assert [row.sign_by for row in found] == sorted(row.sign_by for row in found)
    assert all(problem.calendar.first_date <= row.sign_by <= row.capacity_from for row in found)


def test_how_to_read_never_promises_too_much(result: SolveResult) -> None:
    """Where a gap has no meaning the sentence says so, and else it names the gap to the yen."""
    full = replace(result, status=SolveStatus.FEASIBLE, gap=0.1, objective_gap_yen=1234)
    for reason in StopReason:
        assert "¥1,234 can still be saved" in how_to_read(replace(full, stop_reason=reason))
    assert "nothing cheaper was found" in how_to_read(replace(full, stop_reason=StopReason.EXHAUSTED))
    assert "no cheaper plan" in how_to_read(replace(full, objective_gap_yen=0))
    for status in (SolveStatus.MANDATORY_MISSED, SolveStatus.INFEASIBLE):
        assert "no meaning" in how_to_read(replace(full, status=status))
    assert "no meaning" in how_to_read(replace(full, gap=None))


def test_the_summary_is_plain(result: SolveResult) -> None:
    """Everything in the summary is what JSON knows, with enumerations in lower case."""
    import json

    summary = result_summary(result)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["status"] == str(summary["status"]).lower()


def test_formats() -> None:
    """Nothing is a dash, amounts have thousands, part of an accelerator shows."""
    assert (million(0), million(-1_234_567_890), percent(None), percent(0.125)) == ("–", "-1,234.6", "–", "12.5 %")
    assert (count(0), count(1024.0), count(12.5)) == ("–", "1,024", "12.5")


def test_kinds_of_figures_have_no_ids() -> None:
    """Subjects of one kind are counted together."""
    assert kind_of("offers/abc/terms/0/price") == "offers: terms/price"
    assert kind_of("programmes/x/budgets/2027") == "programmes: budgets"
    assert kind_of("market") == "market"
    assert kind_of("sites/abc") == "sites"
