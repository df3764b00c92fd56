"""StreamSolve, seen through a plain generated client."""

from __future__ import annotations

import itertools
import multiprocessing
import time

import grpc
import pytest
from google.rpc import error_details_pb2

from tehai import pipeline
from tehai.v1.plan_pb2 import SolveOptions, SolveResult, StopReason
from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CheckProblemRequest, StreamSolveRequest, StreamSolveResponse
from tehai.wire import options_from_proto, plan_to_proto
from tests.server.process import ServerProcess, reason_of, status_of, wait_until
from tests.server.waiting import WAIT_SECONDS

WORK_LIMITED = SolveOptions(work_limit=20, seed=7, threads=2)


def events_of(server: ServerProcess, problem: Problem, options: SolveOptions) -> list[StreamSolveResponse]:
    """Return every event of one solve, once there is a place: those of earlier tests may still be ending."""
    events: list[StreamSolveResponse] = []

    def has_place() -> bool:
        try:
            events.extend(server.stub().StreamSolve(StreamSolveRequest(problem=problem, options=options), timeout=240))
        except grpc.RpcError as error:
            if reason_of(error) != "TOO_MANY_SOLVES":
                raise
            # Slower than the limit on heavy requests.
            time.sleep(0.5)
            return False
        return True

    wait_until(has_place, WAIT_SECONDS, "a place is free")
    return events


def plan_bytes(result: SolveResult) -> bytes:
    """Return plan and certificate of a result, serialised the same way every time."""
    return result.plan.SerializeToString(deterministic=True) + result.certificate.SerializeToString(deterministic=True)


def test_progress_comes_first_and_one_result_last(server: ServerProcess, small_problem: Problem) -> None:
    """A stream has progress with a phase, then exactly one result, which is verified and ends it."""
    events = events_of(server, small_problem, WORK_LIMITED)
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[-1] == "result"
    assert kinds[:-1] == ["progress"] * (len(kinds) - 1)
    assert len(kinds) > 1
    assert all(event.progress.phase > 0 for event in events[:-1])
    result = events[-1].result
    assert result.verified
    assert result.lower_bound_yen <= result.objective_yen == result.plan.objective_yen


def test_progress_is_not_a_flood(server: ServerProcess, long_problem: Problem) -> None:
    """A solve of some seconds reports at most about five times a second."""
    started = time.monotonic()
    events = events_of(server, long_problem, SolveOptions(time_limit_seconds=3, gap_fraction=0))
    seconds = time.monotonic() - started
    assert 2 <= len(events) <= 5 * seconds + 3


def test_the_server_answers_as_the_pipeline_does(server: ServerProcess, small_problem: Problem) -> None:
    """Under one work limit and seed, the plan over gRPC has the bytes of the plan in process."""
    over_grpc = events_of(server, small_problem, WORK_LIMITED)[-1].result
    here = pipeline.run(small_problem, options_from_proto(WORK_LIMITED).options)
    assert over_grpc.plan.SerializeToString(deterministic=True) == plan_to_proto(here.plan).SerializeToString(
        deterministic=True
    )


def burn() -> None:
    """Keep one core busy for ever."""
    for _ in itertools.count():
        pass


def test_a_loaded_core_changes_no_byte(server: ServerProcess, small_problem: Problem) -> None:
    """Two solves under one work limit, the second with the other core loaded, give plan and proof of the same bytes."""
    first = events_of(server, small_problem, WORK_LIMITED)[-1].result
    load = multiprocessing.get_context("spawn").Process(target=burn, daemon=True)
    load.start()
    try:
        second = events_of(server, small_problem, WORK_LIMITED)[-1].result
    finally:
        load.kill()
        load.join()
    assert plan_bytes(first) == plan_bytes(second)


def test_the_result_carries_the_hash_that_check_gives(server: ServerProcess, small_problem: Problem) -> None:
    """CheckProblem and the plan name the problem by the same SHA-256."""
    checked = server.stub().CheckProblem(CheckProblemRequest(problem=small_problem), timeout=60)
    assert not checked.violations
    plan = events_of(server, small_problem, WORK_LIMITED)[-1].result.plan
    assert plan.problem_sha256 == checked.problem_sha256
    assert len(checked.problem_sha256) == 64


def broken(problem: Problem, workloads: int) -> Problem:
    """Return a copy in which many workloads are wrong in two ways each."""
    copy = Problem()
    copy.CopyFrom(problem)
    while len(copy.workloads) < workloads:
        extra = copy.workloads.add()
        extra.CopyFrom(problem.workloads[0])
        extra.id = f"copy-{len(copy.workloads)}"
    for workload in copy.workloads:
        workload.deadline_date = "2020-01-01"
        workload.member_id = "nobody"
    return copy


@pytest.mark.parametrize("workloads", [1, 2000])
def test_an_invalid_problem_ends_in_its_violations(
    server: ServerProcess, small_problem: Problem, workloads: int
) -> None:
    """The stream gives the full list, then INVALID_ARGUMENT with what fits; CheckProblem lists the same."""
    problem = broken(small_problem, workloads)
    call = server.stub().StreamSolve(StreamSolveRequest(problem=problem), timeout=60)
    events: list[StreamSolveResponse] = []
    with pytest.raises(grpc.RpcError) as caught:
        events.extend(iter(call))  # extend keeps what came before the error
    listed = list(server.stub().CheckProblem(CheckProblemRequest(problem=problem), timeout=60).violations)
    assert [event.WhichOneof("event") for event in events] == ["violations"]
    assert list(events[0].violations.violations) == listed
    assert len(listed) >= 2 * workloads
    assert all(violation.code and violation.path and violation.message and violation.action for violation in listed)
    status = status_of(caught.value)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert status.ByteSize() <= 6 * 1024
    info, details = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain, info.metadata["violation_count"]) == (
        "INVALID_PROBLEM",
        "tehai",
        str(len(listed)),
    )
    assert status.details[1].Unpack(details)
    fields = [violation.field for violation in details.field_violations]
    assert fields
    assert fields == [violation.path for violation in listed[: len(fields)]]


def test_invalid_options_are_listed_with_the_problem(server: ServerProcess, small_problem: Problem) -> None:
    """Wrong options are violations like any other, together with those of the problem."""
    call = server.stub().StreamSolve(
        StreamSolveRequest(problem=broken(small_problem, 1), options=SolveOptions(gap_fraction=-1, threads=0)),
        timeout=60,
    )
    violations = next(iter(call)).violations.violations
    paths = {violation.path for violation in violations}
    assert any("gap_fraction" in path for path in paths)
    assert any("threads" in path for path in paths)
    assert any("workloads" in path for path in paths)
    with pytest.raises(grpc.RpcError):
        next(iter(call))


def test_a_problem_that_cannot_all_run_is_an_answer(server: ServerProcess, small_problem: Problem) -> None:
    """Workloads that no pool can hold are not run, and the call succeeds."""
    problem = Problem()
    problem.CopyFrom(small_problem)
    for workload in problem.workloads:
        if workload.WhichOneof("not_run") == "cost_not_run_yen":
            workload.memory_gb = 1e9
            workload.ClearField("sovereignty")
    result = events_of(server, problem, WORK_LIMITED)[-1].result
    assert result.verified
    assert result.workloads_not_run > 0
    assert result.stop_reason != StopReason.STOP_REASON_UNSPECIFIED


def test_a_solve_that_must_be_killed_is_out_of_time(long_problem: Problem) -> None:
    """A process that does not end in its time is killed; the caller is told of the limit and of no fault."""
    with ServerProcess(solve_seconds_max=0.05, stop_grace_seconds=0) as server:
        with pytest.raises(grpc.RpcError) as refused:
            list(server.stub().StreamSolve(StreamSolveRequest(problem=long_problem), timeout=120))
        assert reason_of(refused.value) == "SOLVE_OUT_OF_TIME"
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
