"""WatchSolve: progress on the way, always the end, taken up again where it broke off, and cheap for hundreds."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.longrunning.operations_pb2 import Operation

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import SolveState
from tests.server.process import ServerProcess, field_faults
from tests.server.waiting import SHORT, cancel, create, ended, get, running, solve_of

WATCHES = 300
ENDED = (SolveState.SOLVE_STATE_SUCCEEDED, SolveState.SOLVE_STATE_FAILED, SolveState.SOLVE_STATE_CANCELLED)


def watch(server: ServerProcess, operation: Operation, after_sequence: int = 0, stub: Any = None) -> Any:  # noqa: ANN401 - a call is untyped in gRPC
    """Return a call that watches a solve."""
    request = pb.WatchSolveRequest(name=solve_of(operation), after_sequence=after_sequence)
    return (stub or server.stub()).WatchSolve(request, timeout=120)


def check_order(events: list[pb.WatchSolveResponse]) -> None:
    """Fail where sequences do not ascend, or something but the last event is the end."""
    sequences = [event.sequence for event in events]
    assert sequences == sorted(set(sequences))
    assert [event.WhichOneof("event") == "ended" for event in events] == [False] * (len(events) - 1) + [True]
    assert events[-1].ended.state in ENDED
    assert all(event.changed.state not in ENDED for event in events if event.WhichOneof("event") == "changed")


def test_it_tells_progress_and_then_the_end(server: ServerProcess, long_problem: Problem) -> None:
    """Incumbent, bound and gap come on the way; the last event is the Solve as GetSolve gives it."""
    operation = running(server, long_problem)
    events = []
    for event in watch(server, operation):
        events.append(event)
        if event.progress.HasField("objective_yen") and event.progress.HasField("lower_bound_yen"):
            cancel(server, operation)
    check_order(events)
    assert events[0].changed.state == SolveState.SOLVE_STATE_RUNNING
    told = [event.progress for event in events if event.WhichOneof("event") == "progress"]
    assert any(progress.objective_yen >= progress.lower_bound_yen and progress.gap >= 0 for progress in told)
    assert events[-1].ended == get(server, operation)
    assert events[-1].ended.state == SolveState.SOLVE_STATE_SUCCEEDED


def test_it_is_taken_up_where_it_broke_off(server: ServerProcess, small_problem: Problem) -> None:
    """From any sequence on, what follows it comes again, in order, with the end last."""
    operation = create(server, small_problem, SHORT)
    whole = list(watch(server, operation))
    check_order(whole)
    for position, event in enumerate(whole):
        rest = list(watch(server, operation, event.sequence))
        check_order(rest)
        assert rest[-1] == whole[-1]
        if position < len(whole) - 1:
            assert rest[0].sequence > event.sequence
    assert list(watch(server, operation)) == [whole[-1]]


def test_a_sequence_that_never_was_is_refused(server: ServerProcess, done_solve: Operation) -> None:
    """A position past the last event, or a negative one, names its field."""
    for sequence in (1_000_000, -1):
        with pytest.raises(grpc.RpcError) as caught:
            list(watch(server, done_solve, sequence))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert set(field_faults(caught.value)) == {"after_sequence"}


def test_hundreds_of_watches_all_see_the_end(server: ServerProcess, long_problem: Problem) -> None:
    """300 watches of one solve are open at once, the server answers others meanwhile, and each ends with the Solve."""
    operation = running(server, long_problem)
    stub = server.stub()
    calls = [watch(server, operation, stub=stub) for _ in range(WATCHES)]
    firsts = [next(call) for call in calls]
    assert {event.changed.state for event in firsts} == {SolveState.SOLVE_STATE_RUNNING}
    assert get(server, operation).state == SolveState.SOLVE_STATE_RUNNING
    cancel(server, operation)
    lasts = [list(call)[-1] for call in calls]
    assert {event.ended.name for event in lasts} == {solve_of(operation)}
    assert ended(server, operation).plan
