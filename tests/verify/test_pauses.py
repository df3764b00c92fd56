"""Pauses: the walk of the bound against every column, one by one, and legality with pauses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from tehai.domain.certificate import Certificate, PricePath
from tehai.domain.problem import Problem
from tehai.domain.workload import Pausing, Workload
from tehai.verify import check_plan, compute_bound
from tehai.verify.columns import has_legal_column
from tehai.verify.reference import build_reference
from tests import builders as make
from tests.random_problems import random_problem
from tests.verify.biller import billed
from tests.verify.greedy import greedy_plan
from tests.verify.naive_bound import naive_bound
from tests.verify.naive_columns import NaiveColumns
from tests.verify.prices import no_prices, random_certificate

SEEDS = range(20)


def pausing_problem(seed: int) -> Problem:
    """Return a random problem in which every workload may pause, in a window of about eight periods."""
    problem, random = random_problem(seed), Random(seed)
    window = timedelta(hours=8 * problem.calendar.period_hours + 24)

    def changed(workload: Workload) -> Workload:
        return replace(
            workload,
            pausing=Pausing(random.choice((1, 2, 3)), random.choice((0.0, 3.5))),
            deadline_date=min(workload.deadline_date, workload.release_date + window),
            late_start_yen_per_period=workload.late_start_yen_per_period // 20,
        )

    return replace(problem, workloads=tuple(changed(workload) for workload in problem.workloads))


def spiky(certificate: Certificate, seed: int) -> Certificate:
    """Return the certificate with capacity that is nearly free in some periods, so that pausing pays."""
    random = Random(seed)
    paths = tuple(
        PricePath(path.subject_id, tuple(value * random.choice((0.02, 0.1, 1.0)) for value in path.values))
        for path in certificate.capacity_prices
    )
    return replace(certificate, capacity_prices=paths)


@pytest.mark.parametrize("seed", SEEDS)
def test_bound_equals_naive_bound(seed: int) -> None:
    """The walk finds the cheapest of all columns with pauses, claims under caps included."""
    problem = pausing_problem(seed)
    for draw in range(2):
        certificate = spiky(random_certificate(problem, 10 * seed + draw), draw)
        assert compute_bound(problem, certificate) == pytest.approx(naive_bound(problem, certificate), rel=1e-9)


def test_pausing_matters_above() -> None:
    """In at least half of the problems above the bound is lower because workloads may pause."""
    lower = 0
    for seed in SEEDS:
        problem = pausing_problem(seed)
        certificate = spiky(random_certificate(problem, 10 * seed), 0)
        in_one_piece = tuple(replace(workload, pausing=None) for workload in problem.workloads)
        without = compute_bound(replace(problem, workloads=in_one_piece), certificate)
        lower += compute_bound(problem, certificate) < without - 1.0
    assert lower >= len(SEEDS) // 2


def test_pause_by_hand() -> None:
    """Two weeks of work around two dear weeks: one pause with two hours of overhead needs a third, cheap week.

    Capacity costs 100, 900, 900, 100, 100 yen in five weeks; eight accelerators run 336 + 2 hours.
    """
    workload = make.make_workload(hours=2 * 1344.0, deadline=5, pausing=make.pausing(1, 2.0))
    problem = make.make_problem([workload], calendar=make.make_calendar(5))
    certificate = replace(no_prices(), capacity_prices=(PricePath("pool", (100.0, 900.0, 900.0, 100.0, 100.0)),))
    # without a pause it runs in the last two weeks; on-demand capacity at 500 yen is worth 400 more in the dear weeks
    assert compute_bound(problem, certificate) == 2 * 1344 * 100 - 2 * 64 * 168 * 400
    late = replace(workload, late_start_yen_per_period=10_000)
    expected = 8 * (168 * 100 + 168 * 100 + 2 * 100)
    assert compute_bound(replace(problem, workloads=(late,)), certificate) == expected - 2 * 64 * 168 * 400


def test_workload_that_can_only_run_with_a_pause() -> None:
    """With no capacity in the second week a workload of two weeks can be placed in three only where it may pause."""
    closed = make.make_offer(make.on_demand(steps={1: 0, 2: 64}))
    for overhead, pauses, legal in ((0.0, 1, True), (0.0, 0, False), (5.0, 1, False)):
        workload = make.make_workload(
            hours=2 * 1344.0, deadline=3, not_run_yen=None, pausing=make.pausing(pauses, overhead) if pauses else None
        )
        problem = make.make_problem([workload], [closed])
        assert has_legal_column(build_reference(problem), 0) is legal


def test_pause_of_no_overhead_is_billed_like_a_run_without() -> None:
    """A plan that pauses around a closed week is valid, and its hours cost what they cost without a pause."""
    workload = make.make_workload(hours=2 * 1344.0, deadline=3, pausing=make.pausing())
    problem = make.make_problem([workload], [make.make_offer(make.on_demand(steps={1: 0, 2: 64}))])
    plan = greedy_plan(problem)
    assert [segment.start_period for segment in plan.placements[0].segments] == [0, 2]
    verification = check_plan(problem, "", billed(problem, plan))
    assert verification.valid
    assert verification.objective_yen == 2 * 1344 * 500


@pytest.mark.parametrize("seed", SEEDS)
def test_legality_is_that_of_the_columns(seed: int) -> None:
    """A workload has a legal column exactly where there is one among all, also where capacity has gaps."""
    problem, random = pausing_problem(seed), Random(seed)
    offers = tuple(
        replace(offer, kind=replace(offer.kind, until_date=problem.calendar.date_of(random.randint(1, 6))))
        if hasattr(offer.kind, "until_date") and random.random() < 0.7
        else offer
        for offer in problem.offers
    )
    problem = replace(problem, offers=offers)
    reference, naive = build_reference(problem), NaiveColumns(problem)
    for index, workload in enumerate(problem.workloads):
        expected = any(True for _ in naive.columns(workload))
        assert has_legal_column(reference, index) == expected
