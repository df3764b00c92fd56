"""Solves from their creation to their deletion, and their long-running operations."""

from __future__ import annotations

import uuid

import grpc
import pytest
from google.longrunning import operations_pb2 as lro
from google.longrunning.operations_pb2 import Operation
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.plan_pb2 import SolveOptions, SolveStatus, StopReason
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import CreateSolveMetadata, Solve, SolveState
from tests.server.process import ServerProcess, field_faults, reason_of
from tests.server.waiting import SHORT, cancel, create, ended, get, running, solve_of

Code = grpc.StatusCode


def refused(call: object, request: object, code: grpc.StatusCode) -> grpc.RpcError:
    """Return the error of a call that is to be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=60)  # type: ignore[operator]
    assert caught.value.code() is code, caught.value
    return caught.value


def test_a_solve_from_creation_to_its_plan(server: ServerProcess, small_problem: Problem) -> None:
    """An operation resolves to a Solve with a plan; result and plan are those of one another."""
    operation = create(server, small_problem, SHORT, display_name="June", priority=3)
    metadata = CreateSolveMetadata()
    assert operation.metadata.Unpack(metadata)
    assert not operation.done
    assert (metadata.solve.display_name, metadata.solve.priority) == ("June", 3)
    assert metadata.solve.options == SHORT
    assert metadata.solve.problem_bytes == small_problem.ByteSize()
    solve = ended(server, operation)
    assert solve.state == SolveState.SOLVE_STATE_SUCCEEDED
    assert solve.create_time.ToNanoseconds() <= solve.start_time.ToNanoseconds() <= solve.end_time.ToNanoseconds()
    assert solve.expire_time.seconds - solve.end_time.seconds == 30 * 86_400
    assert (solve.attempt_count, solve.attempts_max) == (1, 3)
    done = server.operations().GetOperation(lro.GetOperationRequest(name=operation.name), timeout=30)
    resolved = Solve()
    assert done.done
    assert done.response.Unpack(resolved)
    assert resolved == solve
    result = server.stub().GetSolveResult(pb.GetSolveResultRequest(name=solve.name), timeout=30)
    assert result.verified
    assert result.plan.options.work_limit == SHORT.work_limit
    assert solve.standing.objective_yen == result.objective_yen
    assert solve.standing.lower_bound_yen == result.lower_bound_yen
    assert solve.standing.status in (SolveStatus.SOLVE_STATUS_FEASIBLE, SolveStatus.SOLVE_STATUS_OPTIMAL)
    assert solve.standing.workloads_placed == result.workloads_placed
    plan = server.stub().GetPlan(pb.GetPlanRequest(name=solve.plan), timeout=30)
    assert plan == result.plan


def test_it_answers_as_stream_solve_does(server: ServerProcess, small_problem: Problem, done_solve: Operation) -> None:
    """Under one work limit and seed, both ways to solve give the same plan, byte for byte."""
    plan = server.stub().GetPlan(pb.GetPlanRequest(name=get(server, done_solve).plan), timeout=30)
    request = pb.StreamSolveRequest(problem=small_problem, options=SHORT)
    streamed = list(server.stub().StreamSolve(request, timeout=120))[-1].result.plan
    assert streamed.SerializeToString(deterministic=True) == plan.SerializeToString(deterministic=True)


def test_an_invalid_problem_is_a_finished_operation(server: ServerProcess) -> None:
    """Creation takes it; the operation ends in INVALID_ARGUMENT with BadRequest, as an RPC would have said it."""
    operation = create(server, Problem(schema_version=1), SolveOptions(threads=0))
    solve = ended(server, operation)
    assert solve.state == SolveState.SOLVE_STATE_FAILED
    assert solve.error.code == code_pb2.INVALID_ARGUMENT
    fields = field_faults(solve.error)
    assert any("threads" in field for field in fields)
    assert any("calendar" in field for field in fields)
    done = server.operations().GetOperation(lro.GetOperationRequest(name=operation.name), timeout=30)
    assert done.error == solve.error
    assert solve.plan == ""
    error = refused(server.stub().GetSolveResult, pb.GetSolveResultRequest(name=solve.name), Code.FAILED_PRECONDITION)
    assert reason_of(error) == "NO_PLAN"
    plan = solve.name.replace("/solves/", "/plans/")
    refused(server.stub().GetPlan, pb.GetPlanRequest(name=plan), Code.NOT_FOUND)


def test_a_request_id_makes_creation_repeatable(server: ServerProcess, small_problem: Problem) -> None:
    """The same id and payload give the same operation, also with other field order; another payload is refused."""
    request_id = str(uuid.uuid4())
    request = pb.CreateSolveRequest(problem=small_problem, options=SHORT, request_id=request_id)
    first = server.stub().CreateSolve(request, timeout=30)
    again = server.stub().CreateSolve(request, timeout=30)
    assert again.name == first.name
    # Fields in another order on the wire are the same payload.
    parts = [pb.CreateSolveRequest(request_id=request_id), pb.CreateSolveRequest(options=SHORT)]
    parts.append(pb.CreateSolveRequest(problem=small_problem))
    raw = server.channel().unary_unary(
        "/tehai.v1.SourcingService/CreateSolve",
        None,
        Operation.FromString,
    )
    assert raw(b"".join(part.SerializeToString() for part in parts), timeout=30).name == first.name
    request.display_name = "another"
    error = refused(server.stub().CreateSolve, request, Code.ALREADY_EXISTS)
    assert reason_of(error) == "REQUEST_ID_CONFLICT"
    assert request_id in str(error.details())
    other_problem = pb.CreateSolveRequest(problem=Problem(schema_version=1), options=SHORT, request_id=request_id)
    refused(server.stub().CreateSolve, other_problem, Code.ALREADY_EXISTS)


def test_a_request_that_breaks_rules_names_every_field(server: ServerProcess, small_problem: Problem) -> None:
    """Priority, name and id are checked together, before anything is kept."""
    request = pb.CreateSolveRequest(problem=small_problem, priority=10, display_name="x" * 64, request_id="y" * 65)
    error = refused(server.stub().CreateSolve, request, Code.INVALID_ARGUMENT)
    assert set(field_faults(error)) == {"priority", "display_name", "request_id"}
    # A list of solves would carry what nobody knows.
    padded = pb.CreateSolveRequest(problem=small_problem)
    padded.options.ParseFromString(b"\xfa\x3f\x88\x27" + bytes(5000))
    error = refused(server.stub().CreateSolve, padded, Code.INVALID_ARGUMENT)
    assert set(field_faults(error)) == {"options"}
    nothing = refused(server.stub().CreateSolve, pb.CreateSolveRequest(options=SHORT), Code.INVALID_ARGUMENT)
    assert set(field_faults(nothing)) == {"problem"}


def test_too_long_a_list_is_refused_at_the_door(server: ServerProcess) -> None:
    """A list over its limit is refused by path, before anything is kept."""
    problem = Problem(schema_version=1)
    for index in range(101):
        problem.programmes.add(id=f"p{index}")
    error = refused(server.stub().CreateSolve, pb.CreateSolveRequest(problem=problem), Code.INVALID_ARGUMENT)
    assert field_faults(error) == {"problem.programmes": "more than 100 entries"}


def test_cancelling_keeps_the_plan_that_was_found(server: ServerProcess, long_problem: Problem) -> None:
    """A running solve that is told to stop, twice, succeeds with its best plan; one that has ended stays as it is."""
    operation = running(server, long_problem)
    cancel(server, operation)
    cancel(server, operation)
    solve = ended(server, operation)
    assert solve.state == SolveState.SOLVE_STATE_SUCCEEDED
    assert solve.cancel_requested
    assert solve.standing.stop_reason == StopReason.STOP_REASON_CANCELLED
    cancel(server, operation)
    assert get(server, operation) == solve


def test_waiting_ends_with_its_timeout(server: ServerProcess, long_problem: Problem) -> None:
    """WaitOperation answers with the state at the end of its timeout, and of the caller's deadline."""
    operation = create(server, long_problem, SolveOptions(time_limit_seconds=120, gap_fraction=0, threads=1))
    waiting = lro.WaitOperationRequest(name=operation.name, timeout=Duration(nanos=200_000_000))
    assert not server.operations().WaitOperation(waiting, timeout=30).done
    assert not server.operations().WaitOperation(lro.WaitOperationRequest(name=operation.name), timeout=3).done
    negative = lro.WaitOperationRequest(name=operation.name, timeout=Duration(seconds=-1))
    assert set(field_faults(refused(server.operations().WaitOperation, negative, Code.INVALID_ARGUMENT))) == {"timeout"}
    cancel(server, operation)
    ended(server, operation)


def test_only_a_solve_that_has_ended_is_deleted(server: ServerProcess, long_problem: Problem) -> None:
    """A running one is FAILED_PRECONDITION by both doors; a deleted one is gone by all of them."""
    operation = create(server, long_problem, SolveOptions(time_limit_seconds=120, gap_fraction=0, threads=1))
    name = solve_of(operation)
    error = refused(server.stub().DeleteSolve, pb.DeleteSolveRequest(name=name), Code.FAILED_PRECONDITION)
    assert reason_of(error) == "SOLVE_NOT_ENDED"
    delete = lro.DeleteOperationRequest(name=operation.name)
    refused(server.operations().DeleteOperation, delete, Code.FAILED_PRECONDITION)
    cancel(server, operation)
    ended(server, operation)
    server.operations().DeleteOperation(delete, timeout=30)
    refused(server.stub().GetSolve, pb.GetSolveRequest(name=name), Code.NOT_FOUND)
    refused(server.operations().GetOperation, lro.GetOperationRequest(name=operation.name), Code.NOT_FOUND)
    refused(server.stub().GetSolveResult, pb.GetSolveResultRequest(name=name), Code.NOT_FOUND)
    refused(server.stub().DeleteSolve, pb.DeleteSolveRequest(name=name), Code.NOT_FOUND)


def test_lists_have_pages_and_filters(server: ServerProcess, small_problem: Problem) -> None:
    """Pages follow each other without a gap, newest first; a filter selects; operations are the same list."""
    created = [create(server, small_problem, SHORT, display_name="listed", priority=9) for _ in range(5)]
    condition = 'display_name = "listed" AND priority >= 9'
    names: list[str] = []
    token = ""
    while True:
        request = pb.ListSolvesRequest(page_size=2, page_token=token, filter=condition)
        page = server.stub().ListSolves(request, timeout=30)
        assert len(page.solves) <= 2
        names += [solve.name for solve in page.solves]
        token = page.next_page_token
        if not token:
            break
    assert names == [solve_of(operation) for operation in reversed(created)]
    listed = server.operations().ListOperations(lro.ListOperationsRequest(filter=condition), timeout=30)
    assert [operation.name for operation in listed.operations] == [o.name for o in reversed(created)]
    parent = lro.ListOperationsRequest(name="tenants/local", filter=condition, page_size=1)
    assert len(server.operations().ListOperations(parent, timeout=30).operations) == 1


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ListSolvesRequest(filter="colour = red"), "filter"),
        (pb.ListSolvesRequest(page_token="no such"), "page_token"),  # noqa: S106 - not a secret
        (pb.ListSolvesRequest(page_size=-1), "page_size"),
    ],
)
def test_a_bad_list_request_names_its_field(server: ServerProcess, request_: pb.ListSolvesRequest, field: str) -> None:
    """Filter, token and size are refused by name."""
    assert set(field_faults(refused(server.stub().ListSolves, request_, Code.INVALID_ARGUMENT))) == {field}


def test_limits_are_told(server: ServerProcess) -> None:
    """GetLimits has limits of the problem, of the tenant and of the server."""
    limits = {limit.name: limit.value for limit in server.stub().GetLimits(pb.GetLimitsRequest(), timeout=30).limits}
    assert limits["workloads"] == 20_000
    assert limits["message_bytes"] == 64 * 1024 * 1024
    assert limits["solves_queued"] == 100
    assert limits["requests_per_second"] == 5_000
    assert limits["upload_bytes"] > limits["message_bytes"]
