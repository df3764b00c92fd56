"""Which failures are tried again, when, and what the caller is told in the end."""

from __future__ import annotations

import itertools
import threading

import grpc
import pytest

from tehai.client import (
    DeadlineExceededError,
    FieldFault,
    RetryPolicy,
    ServerRefusedError,
    ServerUnreachableError,
)
from tehai.client.errors import ErrorDetails, ServerError
from tehai.client.retries import Attempts, Deadline, RetryBudget
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.solve_pb2 import Solve
from tests.client.fake import OPERATION, SOLVE, UNAVAILABLE, AnyClient, FakeServer, Refusal, client_of

Code = grpc.StatusCode


def test_unavailable_is_tried_again(fake: FakeServer, client: AnyClient) -> None:
    """Two failures and an answer are one call, with one request id."""
    fake.answers("GetSolve", UNAVAILABLE, UNAVAILABLE, Solve(name=SOLVE))
    assert client.call("get_solve", SOLVE).name == SOLVE
    assert [request.name for request in fake.requests["GetSolve"]] == [SOLVE] * 3
    ids = {metadata["x-request-id"] for metadata in fake.metadata["GetSolve"]}
    assert len(ids) == 1


def test_attempts_end(fake: FakeServer, client: AnyClient) -> None:
    """A server that stays away is an error after as many tries as the policy allows."""
    fake.answers("GetSolve", UNAVAILABLE)
    with pytest.raises(ServerUnreachableError, match=fake.address) as caught:
        client.call("get_solve", SOLVE)
    assert len(fake.requests["GetSolve"]) == RetryPolicy().attempts_max
    assert caught.value.code == "UNAVAILABLE"
    assert caught.value.details.request_id == "server-id"


def test_retry_info_is_waited_for(fake: FakeServer, client: AnyClient) -> None:
    """RESOURCE_EXHAUSTED is tried again no sooner than the server says."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    client.transport.sleep = sleep
    fake.answers("GetSolve", Refusal(Code.RESOURCE_EXHAUSTED, "QUEUE_FULL", 3.0), Solve(name=SOLVE))
    client.call("get_solve", SOLVE)
    assert len(pauses) == 1
    assert 3.0 <= pauses[0] <= 3.01


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(Code.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"),
        Refusal(Code.INVALID_ARGUMENT, "INVALID_REQUEST"),
        Refusal(Code.INTERNAL),
        Refusal(Code.NOT_FOUND),
    ],
)
def test_other_errors_are_told_at_once(fake: FakeServer, client: AnyClient, refusal: Refusal) -> None:
    """What would fail the same way again is asked for once."""
    fake.answers("GetSolve", refusal)
    with pytest.raises(ServerRefusedError) as caught:
        client.call("get_solve", SOLVE)
    assert caught.value.code == refusal.code.name
    assert len(fake.requests["GetSolve"]) == 1


def test_a_wait_longer_than_the_deadline_is_told_at_once(fake: FakeServer, client: AnyClient) -> None:
    """Where RetryInfo lies past the deadline the caller learns it now, with the delay."""
    fake.answers("GetSolve", Refusal(Code.RESOURCE_EXHAUSTED, "QUEUE_FULL", 120.0))
    with pytest.raises(ServerRefusedError) as caught:
        client.call("get_solve", SOLVE, timeout_seconds=30.0)
    assert caught.value.details.retry_delay_seconds == 120.0
    assert len(fake.requests["GetSolve"]) == 1


def test_details_are_decoded(fake: FakeServer, client: AnyClient) -> None:
    """Reason, every field, metadata and request id of google.rpc.Status reach the caller."""
    fields = {"priority": "must be 1 to 9", "display_name": "is too long"}
    fake.answers("GetSolve", Refusal(Code.INVALID_ARGUMENT, "INVALID_REQUEST", fields=fields))
    with pytest.raises(ServerRefusedError, match="INVALID_ARGUMENT: refused on purpose") as caught:
        client.call("get_solve", SOLVE)
    expected = tuple(FieldFault(field, text) for field, text in fields.items())
    assert caught.value.details == ErrorDetails("INVALID_REQUEST", expected, None, "server-id", {"limit": "7"})


def test_a_deadline_ends_a_call(fake: FakeServer, client: AnyClient) -> None:
    """A server that does not answer in time is a DeadlineExceededError, and not asked again."""

    def hang(_: object, context: grpc.ServicerContext) -> Solve:
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(30)
        return Solve()

    fake.answers("GetSolve", hang)
    with pytest.raises(DeadlineExceededError):
        client.call("get_solve", SOLVE, timeout_seconds=0.2)
    assert len(fake.requests["GetSolve"]) == 1


def test_every_call_has_a_deadline(fake: FakeServer, client: AnyClient) -> None:
    """Where the caller gives none, the server still sees one."""
    seen: list[float | None] = []

    def answer(_: object, context: grpc.ServicerContext) -> pb.GetLimitsResponse:
        seen.append(context.time_remaining())
        return pb.GetLimitsResponse()

    fake.answers("GetLimits", answer)
    assert client.call("limits") == {}
    assert seen[0] is not None
    assert 30 < seen[0] < 70


def test_a_delete_whose_answer_was_lost_went_well(fake: FakeServer, client: AnyClient) -> None:
    """NOT_FOUND on the second try means that the first did it; on the first try it is an error."""
    fake.answers("DeleteSolve", UNAVAILABLE, Refusal(Code.NOT_FOUND))
    client.call("delete_solve", SOLVE)
    assert len(fake.requests["DeleteSolve"]) == 2
    with pytest.raises(ServerRefusedError, match="NOT_FOUND"):
        client.call("delete_solve", OPERATION)


def test_names_are_looked_at_before_anything_is_sent(fake: FakeServer, client: AnyClient) -> None:
    """A text that is no name is a ValueError, without a call."""
    with pytest.raises(ValueError, match="no-name"):
        client.call("get_solve", "no-name")
    assert not fake.requests["GetSolve"]


@pytest.mark.parametrize("kind", ["blocking", "loop"])
def test_the_budget_of_a_client_ends_its_retries(fake: FakeServer, kind: str) -> None:
    """Once the retries of a client are used up each call is tried once; a success gives some back."""
    policy = RetryPolicy(initial_seconds=0.0, budget=2.0)
    fake.answers("GetSolve", UNAVAILABLE)
    with client_of(kind, fake.address, policy) as client:
        for expected in (3, 4):
            with pytest.raises(ServerUnreachableError):
                client.call("get_solve", SOLVE)
            assert len(fake.requests["GetSolve"]) == expected
        fake.answers("GetLimits", pb.GetLimitsResponse())
        for _ in range(11):
            client.call("limits")
        with pytest.raises(ServerUnreachableError):
            client.call("get_solve", SOLVE)
    assert len(fake.requests["GetSolve"]) == 6


def _error(code: str, retry_seconds: float | None = None) -> ServerError:
    return ServerError("", code, ErrorDetails(retry_delay_seconds=retry_seconds))


def test_pauses_grow_to_their_limit_and_are_drawn_from_zero_on() -> None:
    """Full jitter: the draw scales the whole pause, which doubles up to the longest."""
    policy = RetryPolicy(attempts_max=6, initial_seconds=1.0, multiplier=2.0, pause_seconds_max=5.0)
    for draw, expected in ((0.0, [0.0] * 5), (0.5, [0.5, 1.0, 2.0, 2.5, 2.5])):
        drawn = itertools.repeat(draw)
        attempts = Attempts(policy, RetryBudget(100), Deadline(None), attempts_max=6, draw=drawn.__next__)
        assert [attempts.pause_seconds(_error("UNAVAILABLE")) for _ in range(5)] == expected
        with pytest.raises(ServerError):
            attempts.pause_seconds(_error("UNAVAILABLE"))


def test_something_new_starts_the_count_again() -> None:
    """A long call that gets on is not ended by failures that lie behind."""
    policy = RetryPolicy(initial_seconds=1.0)
    attempts = Attempts(policy, RetryBudget(100), Deadline(None), attempts_max=3, draw=lambda: 1.0)
    for _ in range(5):
        assert attempts.pause_seconds(_error("UNAVAILABLE")) == 1.0
        assert attempts.pause_seconds(_error("RESOURCE_EXHAUSTED", 4.0)) == 6.0
        attempts.succeeded()


def test_a_deadline_counts_down_on_its_clock() -> None:
    """What is left never falls below 0, and a limit caps it."""
    now = [10.0]
    deadline = Deadline(5.0, lambda: now[0])
    assert (deadline.remaining(), deadline.remaining(2.0), deadline.passed) == (5.0, 2.0, False)
    assert deadline.remaining_or(2.0) == 5.0
    now[0] = 16.0
    assert (deadline.remaining(), deadline.remaining_or(2.0), deadline.passed) == (0.0, 0.0, True)
    assert (Deadline(None).remaining(), Deadline(None).remaining(7.0), Deadline(None).passed) == (None, 7.0, False)
    assert Deadline(None).remaining_or(2.0) == 2.0


def test_a_policy_names_all_that_is_wrong() -> None:
    """Every value out of range is in the error."""
    with pytest.raises(ValueError, match=r"attempts_max.*multiplier.*budget"):
        RetryPolicy(attempts_max=0, multiplier=0.5, budget=-1)
