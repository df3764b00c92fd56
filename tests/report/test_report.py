"""The figures of the report agree with the plan they are read from."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from tehai.domain.offer import Purchase
from tehai.domain.plan import StopReason
from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult, SolveStatus
from tehai.explain.reading import Reading
from tehai.pipeline_roll import roll
from tehai.report import report, result_summary
from tehai.report.commitments import commitments
from tehai.report.formats import count, million, percent
from tehai.report.headline import how_to_read
from tehai.report.members import members_table
from tehai.report.money import bill_table, cash_table, currencies_table
from tehai.report.names import Names
from tehai.report.occupancy import occupancies
from tehai.report.rules import caps_table, domestic_table, limit_uses
from tehai.report.sources import kind_of
from tehai.report.workloads import changes_table
from tests.builders import (
    current_placement,
    dollars,
    make_current_plan,
    make_market,
    make_offer,
    make_problem,
    make_workload,
    on_demand,
)
from tests.explain.certificates import certificate_of, oracle_prices
from tests.explain.hand_made import hand_plan, placement
from tests.report.results import everything, result_of
from tests.rolling import ROLL_PERIOD, carried_over


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Return a problem with everything in it."""
    return everything()[0]


@pytest.fixture(scope="module")
def result() -> SolveResult:
    """Return a checked result of it."""
    return everything()[1]


def printed(problem: Problem, result: SolveResult, width: int) -> str:
    """Return the report as text."""
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(report(problem, result))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def cells(table: Table | None) -> list[list[str]]:
    """Return the rows of a table that there has to be."""
    assert table is not None
    return [list(map(str, row)) for row in zip(*(column.cells for column in table.columns), strict=True)]


@pytest.mark.parametrize("width", [120, 160])
def test_every_part_is_printed_within_the_width(problem: Problem, result: SolveResult, width: int) -> None:
    """The report has all of its parts, and no line is wider than the page."""
    text = printed(problem, result, width)
    parts = (
        "Workloads placed",
        "Workloads not run",
        "Pauses",
        "Pools",
        "Bill, million yen",
        "Bill by site",
        "What each member pays",
        "Cash",
        "still to pay",
        "Commitments to sign",
        "Domestic share",
        "Limits",
        "Grants claimed",
        "Grants against caps",
        "Prices worth negotiating",
        "Sources",
        "Without a limit",
        "How to read it",
    )
    for part in parts:
        assert part in text, part
    assert max(map(len, text.splitlines())) <= width


def test_parts_that_say_nothing_are_left_out() -> None:
    """One member, one site, one currency, nothing ordered, claimed, limited or changed: no tables of those."""
    problem = make_problem()
    plan = hand_plan(problem, [placement(problem, "job", {0: 168.0})])
    text = printed(problem, result_of(problem, plan, certificate_of(problem, oracle_prices())), 160)
    absent = ("by site", "by currency", "each member", "Commitments", "Limits", "Grants", "Changes", "Pauses", "Prices")
    assert not [part for part in absent if part in text]
    assert "Bill, million yen" in text


def test_every_workload_is_named_once(problem: Problem, result: SolveResult) -> None:
    """Each workload stands in one of two tables: placed or not run."""
    placed = [placement.workload_id for placement in result.plan.placements]
    assert sorted((*placed, *result.plan.not_run_workload_ids)) == sorted(workload.id for workload in problem.workloads)
    text = printed(problem, result, 200)
    assert all((workload.display_name or workload.id) in text for workload in problem.workloads)


def test_pools_hold_what_is_placed(problem: Problem, result: SolveResult) -> None:
    """All hours placed are the hours that gangs run, and in each pool and period offers are used for no less."""
    use = occupancies(Reading(problem, result.plan))
    placed = sum(float(pool.placed_hours.sum()) for pool in use.values())
    run = sum(s.accelerators * s.run_hours for placement in result.plan.placements for s in placement.segments)
    assert placed == pytest.approx(run)
    for pool in use.values():
        used = pool.committed_hours_used + pool.by_use_hours
        assert np.all(used >= pool.placed_hours - 1e-6)
        assert np.all(pool.committed_hours_used <= pool.committed_hours + 1e-6)


def test_the_bill_ends_in_the_objective(problem: Problem, result: SolveResult) -> None:
    """The last cell of the bill is the objective, every component of the plan has a row, and lines add up."""
    assert sum(line.amount_yen for line in result.plan.bill_lines) == result.objective_yen
    table = bill_table(Names(problem), result.plan)
    assert list(table.columns[-1].cells)[-1] == million(result.objective_yen)
    rows = {(line.component, line.currency_code) for line in result.plan.bill_lines}
    assert len(table.rows) == len(rows) + 1
    assert len({component for component, _ in rows}) >= 8


def test_present_values_are_named_where_there_is_a_rate() -> None:
    """A discount rate is said under the bill; without one nothing is."""
    problem = make_problem(market=make_market(discount_rate="0.02"))
    plan = hand_plan(problem, [placement(problem, "job", {0: 168.0})])
    assert "2.0 %" in str(bill_table(Names(problem), plan).caption)
    assert bill_table(Names(make_problem()), plan).caption is None


def test_cash_is_followed_by_what_comes_later(problem: Problem, result: SolveResult) -> None:
    """Years have their cash and budget; obligations and grants after the horizon have a row of their own."""
    plan = replace(result.plan, obligation_after_horizon_yen=7_000_000, claims_receivable_after_horizon_yen=5_000_000)
    rows = cells(cash_table(Names(problem), plan))
    assert [row[0] for row in rows] == ["FY2027", "FY2028", "Later: still to pay", "Later: grants still to come"]
    assert rows[2][1] == "7.0"
    assert rows[3][1] == "-5.0"


def test_members_see_use_charge_and_list_price(problem: Problem, result: SolveResult) -> None:
    """Both ways to divide the objective end in it."""
    assert result.breakdown is not None
    rows = cells(members_table(Names(problem), result.breakdown))
    assert [row[0] for row in rows[:2]] == ["one", "two"]
    assert rows[-1][0] == "All"
    assert rows[-1][1] == rows[-1][2] == million(result.objective_yen)


def test_currencies_are_told_apart() -> None:
    """A bill in two currencies has a row for each."""
    problem = make_problem(
        [make_workload(hours=8 * 336.0, gangs={8: 1.0})],
        [make_offer(on_demand(quota=4)), make_offer(on_demand(dollars(5), quota=4), "dear")],
    )
    plan = hand_plan(problem, [placement(problem, "job", {0: 336.0})])
    found = result_of(problem, plan, certificate_of(problem, oracle_prices())).breakdown
    assert found is not None
    assert [row[0] for row in cells(currencies_table(found))] == ["JPY", "USD", "Objective"]


def test_commitments_are_signed_before_they_begin(problem: Problem, result: SolveResult) -> None:
    """Every order is listed once, by date, never signed after its capacity begins nor before the horizon."""
    found, plan = commitments(Names(problem), result.plan), result.plan
    orders = (*plan.reservation_orders, *plan.capacity_block_orders, *plan.purchase_orders)
    assert len(found) == len(orders) == 7
    assert [row.sign_by for row in found] == sorted(row.sign_by for row in found)
    assert all(problem.calendar.first_date <= row.sign_by <= row.capacity_from for row in found)


def test_a_commitment_says_what_is_paid_when_and_for_whom(problem: Problem, result: SolveResult) -> None:
    """A term paid in part, a block, and a purchase with owner, claim and instalments, in words."""
    found = {(row.offer, row.sign_by): row for row in commitments(Names(problem), result.plan)}
    term = found["reserved", date(2027, 4, 5)]
    assert (term.what, term.payment) == ("1 × 8 for 10 periods", "40.0 % when booked, the rest each period")
    assert term.fee == 8 * 168 * 10 * 300
    block = found["block", date(2027, 4, 19)]
    assert (block.what, block.capacity_from) == ("1 × 8 for 14 days", date(2027, 5, 10))
    assert block.fee == 8 * 24 * 14 * 400
    order = found["bought", date(2027, 4, 26)]
    assert order.what == "buy 1 × 8 for one, claim JPY 1.0 million from buy"
    assert order.payment == "25.0 % when ordered; 25.0 % after 4 periods; 50.0 % after 20 periods"


def test_fees_are_those_of_the_day(problem: Problem, result: SolveResult) -> None:
    """A price that has risen by the day of booking is the fee."""
    offers = tuple(
        replace(offer, kind=replace(offer.kind, price_per_unit=dollars(1, {3: 2})))
        if isinstance(offer.kind, Purchase)
        else offer
        for offer in problem.offers
    )
    found = commitments(Names(replace(problem, offers=offers)), result.plan)
    assert {row.fee for row in found if row.offer == "bought"} == {2}


def test_limits_are_read_off_the_plan(problem: Problem, result: SolveResult) -> None:
    """Instalments, carbon, member budgets and waiting have a row each, with what is used."""
    rows = {(row.name, row.year): row for row in limit_uses(Names(problem), Reading(problem, result.plan))}
    assert rows["Paid for purchases", "FY2027"].used == pytest.approx(16.0)
    assert rows["Waiting of all workloads together", "–"].used == 18
    assert rows["Carbon dioxide", "FY2027"].limit == 90.0
    assert ("List bill less grants of one", "FY2028") in rows
    assert len(rows) == 6


def test_caps_show_what_was_claimed_before(problem: Problem, result: SolveResult) -> None:
    """A project's claims, before and now, stand against its cap."""
    rows = cells(caps_table(Names(problem), Reading(problem, result.plan)))
    assert ["use", "project p", "all", "0.5", "0.0", "2.0", "23.0 %"] in rows


def test_the_domestic_share_is_of_all_work(problem: Problem, result: SolveResult) -> None:
    """Both sites are in Japan: all work of a year is domestic."""
    rows = cells(domestic_table(Names(problem), Reading(problem, result.plan)))
    assert rows[0][1] == rows[0][2]
    assert rows[0][3] == "100.0 %"


def test_changes_are_listed_with_their_charge() -> None:
    """What is elsewhere, or no longer run, is a change; what stays is none."""
    problem = make_problem(
        [make_workload("stays"), make_workload("moves"), make_workload("goes")],
        current_plan=make_current_plan(
            [current_placement("stays"), current_placement("moves", change_yen=3_000_000), current_placement("goes")],
            1_000_000,
        ),
    )
    plan = hand_plan(problem, [placement(problem, "stays", {0: 168.0}), placement(problem, "moves", {1: 168.0})])
    assert cells(changes_table(Names(problem), plan)) == [
        ["moves", "8 in pool from 2027-04-05", "8 in pool from 2027-04-12", "3.0"],
        ["goes", "8 in pool from 2027-04-05", "not run", "1.0"],
    ]


def test_a_rolled_problem_is_reported(problem: Problem, result: SolveResult) -> None:
    """What is left of the plan prints, without a change against the plan in force."""
    rolled = roll(problem, result.plan, ROLL_PERIOD, 1_000)
    left = carried_over(problem, result.plan, rolled, ROLL_PERIOD)
    text = printed(rolled, result_of(rolled, left, certificate_of(rolled, oracle_prices())), 160)
    assert "Changes against" not in text
    assert "Workloads placed" in text


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
    summary = result_summary(result)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["status"] == str(summary["status"]).lower()


def test_the_summary_has_the_breakdown(result: SolveResult) -> None:
    """Every list of the contract's breakdown is there by its name; a result without one says null."""
    found = result_summary(result)["breakdown"]
    assert isinstance(found, dict)
    assert result.breakdown is not None
    assert list(found) == list(type(result.breakdown).__slots__)
    for name in ("by_component", "by_member", "by_site", "by_currency", "by_fiscal_year"):
        assert sum(item["amount_yen"] for item in found[name]) == result.objective_yen
    assert sum(item["bill_yen"] for item in found["member_bills"]) == result.objective_yen
    assert result_summary(replace(result, breakdown=None))["breakdown"] is None


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
