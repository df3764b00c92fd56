"""A solve from acceptance to its end in the store: plans, mistakes, cancellation, limits of time, fairness, drain."""

from __future__ import annotations

import itertools
import os
import signal

import pytest

from tehai.domain.violation import InvalidProblemError
from tehai.operations.records import BlobKind, SolveState
from tehai.pipeline_check import check_message
from tehai.quote import QuoteBook
from tehai.runner.errors import SolveTimeError
from tehai.runner.observer import Outcome
from tehai.v1 import plan_pb2, problem_pb2
from tests.runner.service import (
    ENDLESS,
    SHORT,
    Service,
    broken_problem,
    busy_problem,
    is_running,
    small_problem,
    standing,
    until,
)

pytestmark = pytest.mark.asyncio
PHASES = ["build", "ascend", "master", "search", "polish", "certify"]


async def test_a_solve_ends_with_its_plan_its_quote_book_and_its_figures(service: Service) -> None:
    """An accepted solve runs without being asked twice, and leaves a verified result, a quote book and a standing."""
    runner = await service.runner()
    solve_id = await service.create(small_problem(), SHORT)
    runner.wake(solve_id)
    record = await service.ended(solve_id)
    assert (record.state, record.plan_id, record.attempt_count) == (SolveState.SUCCEEDED, solve_id, 1)
    result = await service.result(record)
    assert result.verified
    figures = standing(record)
    assert (figures.objective_yen, figures.lower_bound_yen) == (result.objective_yen, result.lower_bound_yen)
    assert (figures.status, figures.stop_reason) == (result.status, result.stop_reason)
    assert (figures.workloads_placed, figures.workloads_not_run) == (result.workloads_placed, result.workloads_not_run)
    book = QuoteBook(await service.store.get_blob(record.tenant, BlobKind.QUOTE_BOOK, solve_id))
    assert book.memory_bytes > 0
    await until(lambda: runner.running == 0, "the runner is done with it")
    assert [(told, outcome) for told, outcome, _ in service.told.ended] == [(solve_id, Outcome.SUCCEEDED)]
    assert service.told.started == [solve_id]


async def test_the_phases_of_a_solve_are_told_without_gaps(service: Service) -> None:
    """Every phase comes with its time, one after the other from the first to the last."""
    await service.runner()
    solve_id = await service.create(small_problem(), SHORT)
    await service.ended(solve_id)
    names = [name for _, name, _, _ in service.told.phases]
    assert names[0] == "build"
    assert names[-1] == "certify"
    assert set(names) <= set(PHASES)
    times = [(start, end) for _, _, start, end in service.told.phases]
    assert all(start <= end for start, end in times)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(times))


async def test_a_solve_is_found_without_being_told(service: Service) -> None:
    """What another server accepted is found by looking, and what waits is counted."""
    await service.runner()
    solve_id = await service.create(small_problem(), SHORT)
    assert (await service.ended(solve_id)).state is SolveState.SUCCEEDED
    assert service.told.counts


@pytest.mark.parametrize("workloads", [1, 700])
async def test_an_invalid_problem_fails_with_every_violation(service: Service, workloads: int) -> None:
    """A solve of an invalid problem fails at its first attempt, and the status is made of the whole list."""
    runner = await service.runner()
    problem = broken_problem(workloads)
    solve_id = await service.create(problem, SHORT)
    runner.wake(solve_id)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count, record.plan_id) == (SolveState.FAILED, 1, "")
    (error,) = service.errors
    assert isinstance(error, InvalidProblemError)
    _, expected = check_message(problem_pb2.Problem.FromString(problem))
    assert error.violations == expected
    assert len(expected) >= workloads
    assert record.error == f"InvalidProblemError: {error}".encode()


async def test_invalid_options_and_bytes_are_violations_too(service: Service) -> None:
    """Options out of range are named beside the problem's faults, and bytes that are no problem are a violation."""
    runner = await service.runner()
    wrong = plan_pb2.SolveOptions(gap_fraction=-1.0)
    both = await service.create(broken_problem(1), wrong)
    runner.wake(both)
    await service.ended(both)
    garbage = await service.create(b"\xff\xff\xff", SHORT)
    runner.wake(garbage)
    assert (await service.ended(garbage)).state is SolveState.FAILED
    first, second = service.errors
    assert isinstance(first, InvalidProblemError)
    assert isinstance(second, InvalidProblemError)
    paths = [violation.path for violation in first.violations]
    assert any("gap_fraction" in path for path in paths)
    assert any("workloads" in path for path in paths)
    assert [violation.path for violation in second.violations] == ["problem"]


async def test_a_solve_that_waits_is_cancelled_without_a_process(service: Service) -> None:
    """A cancelled solve of the queue never gets a place."""
    runner = await service.runner(solves_max=1)
    first = await service.create(busy_problem(), ENDLESS)
    runner.wake(first)
    await service.state_is(first, SolveState.RUNNING)
    second = await service.create(busy_problem(), ENDLESS)
    await service.store.request_cancel("tenant-a", second)
    runner.wake(second)
    assert (await service.ended(second)).state is SolveState.CANCELLED
    assert service.told.started == [first]


async def test_cancelling_a_solve_with_a_plan_keeps_the_plan(service: Service) -> None:
    """A running solve that is cancelled ends soon, with the best plan so far; the store alone has to know."""
    await service.runner()
    solve_id = await service.create(busy_problem(), ENDLESS)
    await service.has_plan(solve_id)
    await service.store.request_cancel("tenant-a", solve_id)
    record = await service.ended(solve_id)
    assert (record.state, record.plan_id) == (SolveState.SUCCEEDED, solve_id)
    assert (await service.result(record)).stop_reason == plan_pb2.STOP_REASON_CANCELLED


async def test_cancelling_a_solve_without_a_plan_kills_it_after_the_grace(service: Service) -> None:
    """A solve that does not stop is killed once the grace is over, and is cancelled, not failed and not retried."""
    runner = await service.runner(stop_grace_seconds=30.0)
    solve_id = await service.create(busy_problem(), ENDLESS)
    await until(lambda: solve_id in runner.pids, "its process starts")
    pid = runner.pids[solve_id]
    os.kill(pid, signal.SIGSTOP)
    await service.store.request_cancel("tenant-a", solve_id)
    runner.cancel("tenant-a", solve_id)
    await until(lambda: solve_id in runner.pids, "it is still there")
    service.clock.advance(29.0)
    assert is_running(pid)
    service.clock.advance(2.0)
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count, record.plan_id) == (SolveState.CANCELLED, 1, "")
    assert not is_running(pid)


async def test_past_the_limit_of_time_a_solve_ends_with_its_plan(service: Service) -> None:
    """A solve may take so long here and no longer, whatever its options say; the plan so far is kept."""
    await service.runner(solve_seconds_max=100.0)
    solve_id = await service.create(busy_problem(), ENDLESS)
    await service.has_plan(solve_id)
    service.clock.advance(101.0)
    record = await service.ended(solve_id)
    assert record.state is SolveState.SUCCEEDED
    assert (await service.result(record)).stop_reason == plan_pb2.STOP_REASON_CANCELLED


async def test_past_the_limit_of_time_a_solve_without_a_plan_fails(service: Service) -> None:
    """A solve that never stops is killed after the grace and fails with the reason, without another attempt."""
    runner = await service.runner(solve_seconds_max=100.0, stop_grace_seconds=5.0)
    solve_id = await service.create(busy_problem(), ENDLESS)
    await until(lambda: solve_id in runner.pids, "its process starts")
    os.kill(runner.pids[solve_id], signal.SIGSTOP)
    service.clock.advance(101.0)
    ended = False
    while not ended:
        # The grace begins when the runner has noticed.
        service.clock.advance(3.0)
        ended = bool(await service.store.wait_for_events("tenant-a", solve_id, 2, 0.1)) and runner.running == 0
    record = await service.ended(solve_id)
    assert (record.state, record.attempt_count) == (SolveState.FAILED, 1)
    assert [type(error) for error in service.errors] == [SolveTimeError]
    assert b"100 s" in record.error


async def test_as_many_run_at_once_as_there_are_places(service: Service) -> None:
    """Two solves run in two processes at the same time, and the third begins when one of them is gone."""
    runner = await service.runner(solves_max=2)
    ids = [await service.create(busy_problem(), ENDLESS) for _ in range(3)]
    await service.has_plan(ids[0])
    await service.has_plan(ids[1])
    assert len(set(runner.pids.values())) == 2
    assert (await service.record(ids[2])).state is SolveState.QUEUED
    await service.store.request_cancel("tenant-a", ids[0])
    await service.state_is(ids[2], SolveState.RUNNING)
    assert (await service.record(ids[0])).state is SolveState.SUCCEEDED


async def test_one_tenant_does_not_take_all_places(service: Service) -> None:
    """With one running solve for each tenant, the second of a tenant waits behind a later one of another tenant."""
    runner = await service.runner(solves_max=2, solves_per_tenant_max=1)
    first = await service.create(busy_problem(), ENDLESS)
    second = await service.create(busy_problem(), ENDLESS)
    other = await service.create(busy_problem(), ENDLESS, tenant="tenant-b")
    runner.wake(other)
    await service.state_is(first, SolveState.RUNNING)
    await service.state_is(other, SolveState.RUNNING, "tenant-b")
    assert (await service.record(second)).state is SolveState.QUEUED


async def test_the_lowest_priority_number_is_first(service: Service) -> None:
    """Of those that wait, a later solve of a lower number gets the place."""
    later = await service.create(small_problem(), SHORT, priority=7)
    sooner = await service.create(small_problem(), SHORT, priority=2)
    await service.runner(solves_max=1)
    await service.ended(later)
    assert service.told.started == [sooner, later]


async def test_draining_keeps_the_plans_that_there_are(service: Service) -> None:
    """A server that ends stops its solves with their best plans, and leaves those that wait to others."""
    runner = await service.runner(solves_max=1)
    first = await service.create(busy_problem(), ENDLESS)
    second = await service.create(busy_problem(), ENDLESS)
    await service.has_plan(first)
    await runner.drain(60.0)
    record = await service.record(first)
    assert (record.state, record.plan_id) == (SolveState.SUCCEEDED, first)
    assert (await service.record(second)).state is SolveState.QUEUED
    assert runner.running == 0


@pytest.mark.parametrize("requeues", [False, True])
async def test_draining_gives_back_what_does_not_end(service: Service, requeues: bool) -> None:
    """A solve that has no plan in the grace, or none is wanted from, waits again as if it had never begun."""
    runner = await service.runner(drain_requeues=requeues)
    solve_id = await service.create(busy_problem(), ENDLESS)
    await until(lambda: solve_id in runner.pids, "its process starts")
    pid = runner.pids[solve_id]
    os.kill(pid, signal.SIGSTOP)
    await runner.drain(3600.0 if requeues else 0.0)
    record = await service.record(solve_id)
    assert (record.state, record.attempt_count, record.owner) == (SolveState.QUEUED, 0, "")
    assert not is_running(pid)
    assert service.told.left == [(solve_id, False)]
    await runner.drain(0.0)
