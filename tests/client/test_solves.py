"""Creating, listing, following and ending solves."""

from __future__ import annotations

from hashlib import sha256

import grpc
import pytest
from google.longrunning import operations_pb2 as lro
from google.protobuf.empty_pb2 import Empty

from tehai.client import (
    DeadlineExceededError,
    ServerRefusedError,
    ServerUnreachableError,
    SolveEvent,
    SolveFailedError,
    require_plan,
    solve_of_operation,
)
from tehai.domain.plan import SolveOptions
from tehai.domain.result import SolvePhase
from tehai.v1 import solve_pb2, sourcing_service_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import CreateSolveMetadata, Solve, StoredProblem
from tehai.wire import problem_to_proto
from tests.builders import make_problem
from tests.client.fake import (
    OPERATION,
    PLAN,
    SOLVE,
    TENANT,
    UNAVAILABLE,
    AnyClient,
    FakeServer,
    Refusal,
    operation,
)

Code = grpc.StatusCode
RUNNING, SUCCEEDED = solve_pb2.SOLVE_STATE_RUNNING, solve_pb2.SOLVE_STATE_SUCCEEDED


def progress(sequence: int) -> pb.WatchSolveResponse:
    """Return an event of progress."""
    shown = pb.Progress(
        phase=sourcing_service_pb2.SOLVE_PHASE_SEARCH, elapsed_seconds=1.5, objective_yen=100 - sequence
    )
    return pb.WatchSolveResponse(sequence=sequence, progress=shown)


def changed(sequence: int) -> pb.WatchSolveResponse:
    """Return an event of a solve that runs."""
    return pb.WatchSolveResponse(sequence=sequence, changed=Solve(name=SOLVE, state=RUNNING))


def ended(sequence: int) -> pb.WatchSolveResponse:
    """Return the last event."""
    return pb.WatchSolveResponse(sequence=sequence, ended=Solve(name=SOLVE, state=SUCCEEDED, plan=PLAN))


def test_creation_is_safe_to_repeat(fake: FakeServer, client: AnyClient) -> None:
    """Tries of one creation carry one request id, two creations two, and all that was given arrives."""
    fake.answers("CreateSolve", UNAVAILABLE, operation())
    options = SolveOptions(work_limit=4, threads=1)
    for _ in range(2):
        made = client.call("create_solve", make_problem(), options, display_name="June", priority=2)
        assert made.name == OPERATION
    first, again, other = fake.requests["CreateSolve"]
    assert first == again
    assert len(first.request_id) == 32
    assert other.request_id != first.request_id
    assert first.problem == problem_to_proto(make_problem())
    assert (first.display_name, first.priority, first.options.work_limit) == ("June", 2, 4)
    client.call("create_solve", Problem(), request_id="mine")
    assert fake.requests["CreateSolve"][-1].request_id == "mine"


def test_an_empty_request_id_is_none(fake: FakeServer, client: AnyClient) -> None:
    """Tries of a creation are one creation, also where the caller's id is an empty text."""
    fake.answers("CreateSolve", UNAVAILABLE, operation())
    client.call("create_solve", Problem(), request_id="")
    first, again = fake.requests["CreateSolve"]
    assert len(first.request_id) == 32
    assert again.request_id == first.request_id


def test_a_stored_problem_is_named(fake: FakeServer, client: AnyClient) -> None:
    """What was uploaded before is not sent again."""
    fake.answers("CreateSolve", operation())
    stored = StoredProblem(name=f"{TENANT}/problems/{'0' * 64}")
    client.call("create_solve", stored)
    client.call("create_solve", stored.name)
    assert [r.stored_problem for r in fake.requests["CreateSolve"]] == [stored.name] * 2
    assert not any(r.HasField("problem") for r in fake.requests["CreateSolve"])


def large_problem() -> Problem:
    """Return a problem of a little more than 2 MiB."""
    problem = Problem(schema_version=1)
    for number in range(1_100):
        problem.workloads.add(id=f"workload-{number}", display_name="x" * 2_000)
    assert 2**21 < problem.ByteSize() < 2**22
    return problem


def uploaded(requests: list[pb.UploadProblemRequest], _: object) -> StoredProblem:
    """Answer an upload whose parts are what its header says."""
    header, data = requests[0].header, b"".join(request.data for request in requests[1:])
    assert (header.total_bytes, header.content_sha256) == (len(data), sha256(data).hexdigest())
    return StoredProblem(name=f"{TENANT}/problems/{header.content_sha256}", size_bytes=len(data))


def test_a_problem_over_the_servers_limit_is_uploaded(fake: FakeServer, client: AnyClient) -> None:
    """The limit is asked for once; over it the problem goes up in parts, again from the first after a failure."""
    fake.answers("GetLimits", pb.GetLimitsResponse(limits=[pb.LimitValue(name="message_bytes", value=2**21)]))
    fake.answers("UploadProblem", UNAVAILABLE, uploaded)
    fake.answers("CreateSolve", operation())
    problem = large_problem()
    for _ in range(2):
        client.call("create_solve", problem)
    assert len(fake.requests["GetLimits"]) == 1
    assert len(fake.requests["UploadProblem"]) == 3
    parts = [len(request.data) for request in fake.requests["UploadProblem"][-1][1:]]
    assert len(parts) == 3
    assert sum(parts) == problem.ByteSize()
    request = fake.requests["CreateSolve"][-1]
    assert request.stored_problem.endswith(sha256(problem.SerializeToString(deterministic=True)).hexdigest())


def test_a_problem_that_is_refused_for_its_size_is_uploaded(fake: FakeServer, client: AnyClient) -> None:
    """Where the server tells no limit and refuses the message, the problem goes up in parts."""
    fake.answers("GetLimits", Refusal(Code.PERMISSION_DENIED))
    fake.answers("CreateSolve", Refusal(Code.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"), operation())
    fake.answers("UploadProblem", uploaded)
    assert client.call("create_solve", large_problem()).name == OPERATION
    first, second = fake.requests["CreateSolve"]
    assert first.HasField("problem")
    assert second.stored_problem
    assert first.request_id == second.request_id


def test_listing_goes_through_the_pages(fake: FakeServer, client: AnyClient) -> None:
    """Filter and size go to every page, the token to the next, and a page that fails is asked for again."""
    pages = [
        pb.ListSolvesResponse(solves=[Solve(name="a"), Solve(name="b")], next_page_token="more"),  # noqa: S106
        UNAVAILABLE,
        pb.ListSolvesResponse(solves=[Solve(name="c")]),
    ]
    fake.answers("ListSolves", *pages)
    solves = client.call("list_solves", "state = RUNNING", page_size=2)
    assert [solve.name for solve in solves] == ["a", "b", "c"]
    asked = [(r.filter, r.page_size, r.page_token) for r in fake.requests["ListSolves"]]
    assert asked == [("state = RUNNING", 2, ""), ("state = RUNNING", 2, "more"), ("state = RUNNING", 2, "more")]
    fake.answers("ListOperations", lro.ListOperationsResponse(operations=[operation()]))
    assert [found.name for found in client.call("list_operations")] == [OPERATION]


def test_a_watch_ends_with_the_ended_solve(fake: FakeServer, client: AnyClient) -> None:
    """Progress comes as domain objects, states as solves; nothing is asked for after the end."""
    fake.answers("WatchSolve", [changed(1), progress(2), ended(3)])
    first, second, last = client.call("watch", OPERATION)
    assert (first.sequence, first.solve.state, first.progress, first.ended) == (1, RUNNING, None, False)
    assert second.progress.phase is SolvePhase.SEARCH
    assert (second.progress.objective_yen, second.progress.gap) == (98, None)
    assert last == SolveEvent(3, solve=ended(3).ended, ended=True)
    assert [(r.name, r.after_sequence) for r in fake.requests["WatchSolve"]] == [(SOLVE, 0)]


@pytest.mark.parametrize("cut", [[UNAVAILABLE], [], [Refusal(Code.RESOURCE_EXHAUSTED, "X", 0.001)]])
def test_a_broken_watch_is_taken_up(fake: FakeServer, client: AnyClient, cut: list[Refusal]) -> None:
    """However a stream breaks, the next one begins after the last event, and no event comes twice."""
    fake.answers(
        "WatchSolve", [changed(1), progress(4), *cut], UNAVAILABLE, [*cut], [progress(4), progress(5), ended(6)]
    )
    events = client.call("watch", SOLVE)
    assert [event.sequence for event in events] == [1, 4, 5, 6]
    assert [r.after_sequence for r in fake.requests["WatchSolve"]] == [0, 4, 4, 4]


def test_a_watch_gives_up(fake: FakeServer, client: AnyClient) -> None:
    """Without anything new it ends after the tries of the policy; another error ends it at once."""
    fake.answers("WatchSolve", [changed(1), UNAVAILABLE], UNAVAILABLE)
    with pytest.raises(ServerUnreachableError):
        client.call("watch", SOLVE)
    assert len(fake.requests["WatchSolve"]) == 15
    fake.answers("WatchSolve", [changed(1), Refusal(Code.NOT_FOUND)])
    with pytest.raises(ServerRefusedError, match="NOT_FOUND"):
        client.call("watch", SOLVE)
    assert len(fake.requests["WatchSolve"]) == 16


def test_a_watch_left_early_ends_its_stream(fake: FakeServer) -> None:
    """Who stops reading frees the server."""
    from threading import Event

    from tehai.client import SourcingClient

    gone = Event()

    def endless(_: object, context: grpc.ServicerContext) -> object:
        context.add_callback(gone.set)
        return (progress(number) for number in range(1, 10**9))

    fake.answers("WatchSolve", endless)
    with SourcingClient(fake.address) as client:
        events = client.watch(SOLVE)
        assert next(events).sequence == 1
        events.close()  # type: ignore[attr-defined]
        assert gone.wait(30)


def test_a_watch_has_an_end_in_time(fake: FakeServer, client: AnyClient) -> None:
    """A watch of a solve that goes on ends with the caller's time."""

    def waiting(_: object, context: grpc.ServicerContext) -> object:
        from threading import Event

        over = Event()
        context.add_callback(over.set)
        yield changed(1)
        over.wait(30)

    fake.answers("WatchSolve", waiting)
    with pytest.raises(DeadlineExceededError):
        client.call("watch", SOLVE, timeout_seconds=0.3)


def test_waiting_asks_less_and_less_often(fake: FakeServer, client: AnyClient) -> None:
    """Pauses grow, failures between are outlasted, and the ended solve is the answer."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    client.transport.sleep = sleep
    running = Solve(name=SOLVE, state=RUNNING)
    fake.answers("GetSolve", *[running] * 6, UNAVAILABLE, *[running] * 20, Solve(name=SOLVE, state=SUCCEEDED))
    assert client.call("wait_for_solve", PLAN).state == SUCCEEDED
    waits = [pause for pause in pauses if pause > 0.1]
    assert len(waits) == 26
    assert 0.125 <= waits[0] <= 0.25
    assert all(7.5 <= pause <= 15.0 for pause in waits[-5:])


def test_waiting_ends_in_time(fake: FakeServer, client: AnyClient) -> None:
    """A solve that does not end in time is told with its state."""
    fake.answers("GetSolve", Solve(name=SOLVE, state=RUNNING))
    with pytest.raises(DeadlineExceededError, match=r"is RUNNING after 0\.05 s"):
        client.call("wait_for_solve", SOLVE, timeout_seconds=0.05)


def test_operations_are_fetched_waited_for_and_cancelled(fake: FakeServer, client: AnyClient) -> None:
    """Waiting is repeated until it is done or the time is over; any name of the solve will do."""
    fake.answers("GetOperation", operation())
    assert not client.call("get_operation", SOLVE).done
    fake.answers("WaitOperation", operation(), UNAVAILABLE, operation(done=True))
    assert client.call("wait_operation", SOLVE).done
    waits = fake.requests["WaitOperation"]
    assert [request.timeout.seconds for request in waits] == [60] * 3
    fake.answers("WaitOperation", operation())
    assert not client.call("wait_operation", SOLVE, timeout_seconds=0.0).done
    fake.answers("CancelOperation", UNAVAILABLE, Empty())
    client.call("cancel_operation", PLAN)
    assert [request.name for request in fake.requests["CancelOperation"]] == [OPERATION] * 2


def test_the_solve_of_an_operation() -> None:
    """It is the response once there is one, before that the metadata; another operation is refused."""
    made, done = operation(), operation(done=True)
    for each in (made, done):
        each.metadata.Pack(CreateSolveMetadata(solve=Solve(name=SOLVE, state=RUNNING)))
    done.response.Pack(Solve(name=SOLVE, state=SUCCEEDED))
    assert solve_of_operation(made).state == RUNNING
    assert solve_of_operation(done).state == SUCCEEDED
    with pytest.raises(ServerRefusedError, match="not of a solve"):
        solve_of_operation(operation())


def test_why_there_is_no_plan() -> None:
    """A failed solve raises what the server said of it."""
    good = Solve(name=SOLVE, state=SUCCEEDED)
    assert require_plan(good) is good
    refusal = Refusal(Code.INVALID_ARGUMENT, "INVALID_PROBLEM", fields={"workloads[0].id": "E1204: is empty"})
    failed = Solve(name=SOLVE, state=solve_pb2.SOLVE_STATE_FAILED, error=refusal.status)
    with pytest.raises(SolveFailedError, match="INVALID_ARGUMENT") as caught:
        require_plan(failed)
    assert caught.value.details.reason == "INVALID_PROBLEM"
    assert [fault.field for fault in caught.value.details.faults] == ["workloads[0].id"]
    with pytest.raises(SolveFailedError, match="CANCELLED"):
        require_plan(Solve(state=solve_pb2.SOLVE_STATE_CANCELLED))
    with pytest.raises(SolveFailedError, match="has not ended"):
        require_plan(Solve(state=RUNNING))
