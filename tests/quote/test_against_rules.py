"""Every quote equals the one found by pricing every column with the formula of docs/rules.md, part by part."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tehai.domain.problem import CurrentPlan, Problem
from tehai.domain.workload import Workload
from tehai.verify.bound import bound_parts
from tests.quote.asking import EXPIRE_SECONDS, PLAN, ask, book_bytes, random_book, request_of
from tests.quote.by_hand import ByHand, HandQuote
from tests.random_problems import random_problem
from tests.verify.prices import random_certificate

SEEDS = range(30)
PARTS = ("capacity", "rules", "moving", "lateness", "grants")


def _tolerance(found: HandQuote) -> float:
    """Return yen by which sums in another order and one rounding of each part may differ."""
    size: float = sum(abs(getattr(found, part)) for part in PARTS)
    return 1.0 + 1e-9 * size


def _quotable(problem: Problem) -> list[Workload]:
    """Return the workloads as they are quoted: precedence is not asked for."""
    return [replace(workload, after_workload_ids=()) for workload in problem.workloads]


@pytest.mark.parametrize("seed", SEEDS)
def test_quotes_equal_the_cheapest_column_of_each_pool(seed: int) -> None:
    """Pools and prices are those of a search of every pool, gang and start; the cheapest pools come first."""
    problem, certificate, book = random_book(seed)
    hand = ByHand(problem, certificate)
    workloads = _quotable(problem)
    quotes = ask(book, request_of(workloads, placements_max=20))
    assert [quote.workload_id for quote in quotes] == [workload.id for workload in workloads]
    for workload, quote in zip(workloads, quotes, strict=True):
        best = hand.best_by_pool(workload)
        assert {placement.pool_id for placement in quote.placements} == set(best)
        assert bool(quote.reason) == (not best)
        told = [placement.price_yen for placement in quote.placements]
        assert told == sorted(told)
        for placement in quote.placements:
            found = best[placement.pool_id]
            assert placement.price_yen == pytest.approx(found.price, abs=_tolerance(found))
        if best:
            assert quote.better_not_run == hand.better_not_run(workload)
        assert (quote.indicative, quote.plan, quote.expire_time.seconds) == (True, PLAN, EXPIRE_SECONDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_part_is_that_of_the_column_that_is_told(seed: int) -> None:
    """Parts sum to the price to the yen, and each is the one of the column with that pool, gang and start."""
    problem, certificate, book = random_book(seed)
    hand = ByHand(problem, certificate)
    workloads = _quotable(problem)
    for workload, quote in zip(workloads, ask(book, request_of(workloads, 20)), strict=True):
        columns = {
            (column.pool.id, column.gang.accelerators, column.start): column
            for column in hand.naive.columns(workload)
            if column.pauses == 0
        }
        for placement in quote.placements:
            column = columns[placement.pool_id, placement.accelerators, placement.start_period]
            found = hand.quoted(column)
            for part in PARTS:
                told = getattr(placement, f"{part}_yen")
                assert told == pytest.approx(getattr(found, part), abs=_tolerance(found)), part
            parts = sum(getattr(placement, f"{part}_yen") for part in PARTS)
            assert parts == placement.price_yen
            assert placement.list_bill_yen == pytest.approx(found.list_bill, abs=_tolerance(found))
            assert placement.run_hours == pytest.approx(column.run_hours)
            assert placement.start_date == problem.calendar.date_of(column.start).isoformat()


@pytest.mark.parametrize("seed", SEEDS)
def test_claims_are_worth_the_grants(seed: int) -> None:
    """Claims keep the project's cap, and at their worth they come to ``grants_yen`` within rounding."""
    problem, certificate, book = random_book(seed)
    hand = ByHand(problem, certificate)
    programmes = {programme.id: programme for programme in problem.programmes}
    workloads = _quotable(problem)
    for workload, quote in zip(workloads, ask(book, request_of(workloads, 20)), strict=True):
        for placement in quote.placements:
            worth = 0.0
            for claim in placement.claims:
                programme = programmes[claim.programme_id]
                assert claim.amount_yen > 0
                assert claim.amount_yen <= hand.naive.project_left(programme, workload.project)
                worth += claim.amount_yen * hand._value(programme, workload, claim.fiscal_year)
            assert -placement.grants_yen == pytest.approx(worth, abs=3.0 * (len(placement.claims) + 1), rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_best_quote_is_the_term_of_the_bound(seed: int) -> None:
    """A workload of the plan's problem costs in a quote what ``verify`` counts for it in the lower bound."""
    base = random_problem(seed)
    problem = replace(
        base,
        current_plan=CurrentPlan(),
        workloads=tuple(replace(workload, pausing=None, after_workload_ids=()) for workload in base.workloads),
    )
    certificate = random_certificate(problem, seed)
    terms = bound_parts(problem, certificate).workload_terms
    quotes = ask(book_bytes(problem, certificate), request_of(problem.workloads, 1))
    for workload, quote in zip(problem.workloads, quotes, strict=True):
        prices = [placement.price_yen for placement in quote.placements]
        if workload.cost_not_run_yen is not None:
            prices.append(workload.cost_not_run_yen)
        if workload.id in terms:
            assert min(prices) == pytest.approx(terms[workload.id], abs=1.0, rel=1e-9)
        else:
            assert prices == []


@pytest.mark.parametrize("period_hours", [1, 7, 36, 730])
def test_periods_need_not_be_days(period_hours: int) -> None:
    """Windows, fiscal years and dates also hold where a period begins in the middle of a day."""
    base = random_problem(14)
    problem = replace(base, calendar=replace(base.calendar, period_hours=period_hours), current_plan=CurrentPlan())
    certificate = random_certificate(problem, 5)
    hand = ByHand(problem, certificate)
    workloads = _quotable(problem)
    found_any = False
    for workload, quote in zip(
        workloads, ask(book_bytes(problem, certificate), request_of(workloads, 20)), strict=True
    ):
        best = hand.best_by_pool(workload)
        found_any = found_any or bool(best)
        assert {p.pool_id: p.price_yen for p in quote.placements} == {
            pool: pytest.approx(found.price, abs=_tolerance(found)) for pool, found in best.items()
        }
    assert found_any or period_hours == 1


def test_the_seeds_exercise_every_part() -> None:
    """Over the seeds each part is met with an amount, several alternatives, reasons and better ways not to run."""
    met: Counter[str] = Counter()
    for seed in SEEDS:
        problem, _, book = random_book(seed)
        for quote in ask(book, request_of(_quotable(problem), 20)):
            met["reason"] += bool(quote.reason)
            met["better not run"] += quote.better_not_run
            met["alternatives"] += len(quote.placements) > 1
            for placement in quote.placements:
                met.update(part for part in PARTS if getattr(placement, f"{part}_yen"))
                met["two programmes"] += len({claim.programme_id for claim in placement.claims}) > 1
                met["two years"] += len({claim.fiscal_year for claim in placement.claims}) > 1
    missing = {*PARTS, "reason", "better not run", "alternatives", "two programmes", "two years"} - {
        name for name, count in met.items() if count
    }
    assert not missing, met
