"""Results and plans, whole or in parts; differences, evaluations and quotes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import grpc
import pytest

from tehai.client import ServerRefusedError, ServerUnreachableError, TransferError
from tehai.domain.evaluation import PlanDifference, ScenarioChange
from tehai.domain.plan import SolveOptions
from tehai.domain.result import SolveResult
from tehai.pipeline import run
from tehai.v1 import evaluation_pb2, plan_pb2, workload_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.quote_pb2 import Quote
from tehai.wire import problem_to_proto, result_to_proto
from tests.builders import make_problem, make_workload
from tests.client.fake import PLAN, SOLVE, UNAVAILABLE, AnyClient, FakeServer, Refusal

Code = grpc.StatusCode
TOO_LARGE = Refusal(Code.RESOURCE_EXHAUSTED, "RESULT_TOO_LARGE")
OTHER_PLAN = PLAN.replace("s1", "s2")


@pytest.fixture(scope="module")
def answer() -> SolveResult:
    """Return a result of the solver."""
    return run(problem_to_proto(make_problem()), SolveOptions(work_limit=2, threads=1))


def parts(data: bytes, digest: str | None = None, size: int = 100, total: int | None = None) -> Any:  # noqa: ANN401
    """Return an answer of DownloadSolveResult: ``data`` from the offset that is asked for."""
    announced = sha256(data).hexdigest() if digest is None else digest
    total_bytes = len(data) if total is None else total

    def answer(request: pb.DownloadSolveResultRequest, _: object) -> Iterator[pb.DownloadSolveResultResponse]:
        starts = range(request.offset, max(len(data), request.offset + 1), size)
        return (
            pb.DownloadSolveResultResponse(
                data=data[start : start + size], total_bytes=total_bytes, content_sha256=announced
            )
            for start in starts
        )

    return answer


def cut(data: bytes, after: int, *failures: Refusal) -> Any:  # noqa: ANN401 - an answer
    """Return an answer that breaks off after so many parts."""

    def answer(request: pb.DownloadSolveResultRequest, context: object) -> list[Any]:
        return [*list(parts(data)(request, context))[:after], *failures]

    return answer


def test_a_result_in_one_message(fake: FakeServer, client: AnyClient, answer: SolveResult) -> None:
    """A result is a domain object."""
    fake.answers("GetSolveResult", result_to_proto(answer))
    assert client.call("result", SOLVE) == answer
    fake.answers("GetPlan", result_to_proto(answer).plan)
    assert client.call("plan", SOLVE) == answer.plan
    assert fake.requests["GetPlan"][0].name == PLAN


def test_a_result_over_the_message_limit_is_downloaded(
    fake: FakeServer, client: AnyClient, answer: SolveResult
) -> None:
    """What does not fit a message comes in parts, for a plan too; a broken download goes on where it was."""
    data = result_to_proto(answer).SerializeToString()
    assert len(data) > 600
    fake.answers("GetSolveResult", TOO_LARGE)
    fake.answers("GetPlan", TOO_LARGE)
    fake.answers("DownloadSolveResult", cut(data, 3, UNAVAILABLE), cut(data, 0), cut(data, 2), parts(data))
    assert client.call("result", SOLVE) == answer
    assert [r.offset for r in fake.requests["DownloadSolveResult"]] == [0, 300, 300, 500]
    assert client.call("plan", SOLVE) == answer.plan


def test_other_refusals_of_a_result_are_told(fake: FakeServer, client: AnyClient) -> None:
    """Only size is a reason to download."""
    fake.answers("GetSolveResult", Refusal(Code.FAILED_PRECONDITION, "NO_PLAN"))
    with pytest.raises(ServerRefusedError, match="FAILED_PRECONDITION"):
        client.call("result", SOLVE)
    assert not fake.requests["DownloadSolveResult"]


def test_a_wrong_hash_is_refused(fake: FakeServer, client: AnyClient) -> None:
    """Bytes that are not those that were announced never reach the caller."""
    fake.answers("DownloadSolveResult", parts(b"x" * 250, digest="0" * 64))
    with pytest.raises(TransferError, match="250 bytes"):
        client.call("download_result", SOLVE)


def test_a_result_that_changes_on_the_way_is_refused(fake: FakeServer, client: AnyClient) -> None:
    """Two streams of one download must announce the same bytes, and not more bytes may come than announced."""
    fake.answers("DownloadSolveResult", cut(b"x" * 250, 1, UNAVAILABLE), parts(b"y" * 250))
    with pytest.raises(TransferError, match="another one"):
        client.call("download_result", SOLVE)
    fake.answers("DownloadSolveResult", parts(b"x" * 250, total=150))
    with pytest.raises(TransferError, match="more bytes"):
        client.call("download_result", SOLVE)


def test_a_truncated_download_gives_up(fake: FakeServer, client: AnyClient) -> None:
    """A server that always ends too early is an error in the end."""
    fake.answers("DownloadSolveResult", cut(b"x" * 250, 1), cut(b"x" * 250, 0))
    with pytest.raises(ServerRefusedError, match="ended too early"):
        client.call("download_result", SOLVE)
    assert len(fake.requests["DownloadSolveResult"]) == 15


def test_an_empty_result_is_complete(fake: FakeServer, client: AnyClient) -> None:
    """No bytes are right where none are announced."""
    fake.answers("DownloadSolveResult", parts(b""))
    assert client.call("download_result", SOLVE) == b""


def test_a_malformed_answer_is_told(fake: FakeServer, client: AnyClient) -> None:
    """A plan that breaks the contract is an error of its own code, not an exception of the decoder."""
    fake.answers("GetSolveResult", plan_pb2.SolveResult())
    with pytest.raises(ServerRefusedError, match="MALFORMED_ANSWER"):
        client.call("result", SOLVE)


def test_differences_and_evaluations(fake: FakeServer, client: AnyClient) -> None:
    """Both are domain objects on the near side."""
    fake.answers("DiffPlans", evaluation_pb2.PlanDifference(objective_difference_yen=-7))
    assert client.call("diff", SOLVE, OTHER_PLAN) == PlanDifference((), (), (), -7)
    (request,) = fake.requests["DiffPlans"]
    assert (request.from_plan, request.to_plan) == (PLAN, OTHER_PLAN)
    fake.answers("EvaluatePlan", UNAVAILABLE, evaluation_pb2.Evaluation(objective_yen=5, changed_objective_yen=6))
    evaluation = client.call("evaluate", PLAN, ScenarioChange(usd_jpy_factor=1.1))
    assert (evaluation.objective_yen, evaluation.changed_objective_yen) == (5, 6)
    assert fake.requests["EvaluatePlan"][-1].change.usd_jpy_factor == 1.1


def test_check_and_demo(fake: FakeServer, client: AnyClient) -> None:
    """Problems are messages, as the command line reads them."""
    problem = problem_to_proto(make_problem())
    fake.answers("GetDemoProblem", pb.GetDemoProblemResponse(problem=problem))
    assert client.call("demo_problem", "small") == problem
    fake.answers("CheckProblem", pb.CheckProblemResponse(notes=["n"]))
    assert list(client.call("check", problem).notes) == ["n"]


def quote_of(workload: workload_pb2.Workload) -> Quote:
    """Return the quote that the fake server has for a workload."""
    return Quote(workload_id=workload.id, indicative=True)


def test_quotes_of_a_few(fake: FakeServer, client: AnyClient) -> None:
    """Domain workloads go out, one quote for each comes back; a server that forgets one is found out."""

    def answer(request: pb.QuoteWorkloadsRequest, _: object) -> pb.QuoteWorkloadsResponse:
        return pb.QuoteWorkloadsResponse(quotes=[quote_of(workload) for workload in request.workloads])

    fake.answers("QuoteWorkloads", UNAVAILABLE, answer)
    workloads = [make_workload("a"), workload_pb2.Workload(id="b")]
    quotes = client.call("quote", SOLVE, workloads, placements_max=5)
    assert [quote.workload_id for quote in quotes] == ["a", "b"]
    request = fake.requests["QuoteWorkloads"][-1]
    assert (request.plan, request.placements_max) == (PLAN, 5)
    fake.answers("QuoteWorkloads", pb.QuoteWorkloadsResponse())
    with pytest.raises(ServerRefusedError, match="2 workloads were asked for, 0 quotes came"):
        client.call("quote", PLAN, workloads)


def streaming(most: int, failure: Refusal | None) -> Any:  # noqa: ANN401 - an answer
    """Return an answer of StreamQuotes that breaks off after ``most`` quotes."""

    def answer(requests: Iterator[pb.StreamQuotesRequest], _: object) -> Iterator[Any]:
        for index, request in enumerate(requests):
            if index == most:
                break
            assert request.plan == (PLAN if index == 0 else "")
            yield pb.StreamQuotesResponse(request_index=index, quote=quote_of(request.workload))
        if failure is not None:
            yield failure

    return answer


@pytest.mark.parametrize("failure", [UNAVAILABLE, None])
def test_a_stream_of_quotes_that_breaks_goes_on(fake: FakeServer, client: AnyClient, failure: Refusal | None) -> None:
    """Every workload is answered once and in order, whatever was under way when the stream broke."""
    fake.answers(
        "StreamQuotes",
        streaming(30, failure),
        UNAVAILABLE,
        streaming(0, failure),
        streaming(1, failure),
        streaming(999, None),
    )
    workloads = (workload_pb2.Workload(id=f"w{number}") for number in range(100))
    quotes = client.call("stream_quotes", PLAN, workloads, placements_max=1)
    assert [quote.workload_id for quote in quotes] == [f"w{number}" for number in range(100)]
    assert len(fake.requests["StreamQuotes"]) == 5


def test_a_source_that_fails_is_told(fake: FakeServer, client: AnyClient) -> None:
    """What the caller's own iterator raises reaches the caller."""

    def source() -> Iterator[workload_pb2.Workload]:
        yield workload_pb2.Workload(id="a")
        raise KeyError("of the source")

    fake.answers("StreamQuotes", streaming(999, None))
    with pytest.raises(KeyError, match="of the source"):
        client.call("stream_quotes", PLAN, source())


def test_a_stream_of_quotes_in_the_wrong_order_is_refused(fake: FakeServer, client: AnyClient) -> None:
    """An answer that is not to the next request is an error, not a quote of another workload."""

    def answer(requests: Iterator[pb.StreamQuotesRequest], _: object) -> Iterator[Any]:
        next(requests)
        yield pb.StreamQuotesResponse(request_index=1, quote=Quote())

    fake.answers("StreamQuotes", answer)
    with pytest.raises(ServerRefusedError, match="MALFORMED_ANSWER"):
        client.call("stream_quotes", PLAN, [workload_pb2.Workload(id="a")])


def test_no_workloads_are_no_quotes(fake: FakeServer, client: AnyClient) -> None:
    """An empty source is an empty stream."""
    fake.answers("StreamQuotes", streaming(999, None))
    assert client.call("stream_quotes", PLAN, []) == []


def test_quotes_give_up(fake: FakeServer, client: AnyClient) -> None:
    """A server that stays away is an error in the end."""
    fake.answers("StreamQuotes", UNAVAILABLE)
    with pytest.raises(ServerUnreachableError):
        client.call("stream_quotes", PLAN, [workload_pb2.Workload(id="a")])
