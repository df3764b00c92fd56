"""What is too large for one message: uploads and downloads in parts, and the limits on both ways."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.longrunning.operations_pb2 import Operation

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.plan_pb2 import SolveResult
from tehai.v1.problem_pb2 import Problem
from tests.server.databases import NewDatabase
from tests.server.process import ServerProcess, field_faults, reason_of
from tests.server.waiting import SHORT, ended, get, solve_of

Code = grpc.StatusCode
# The small problem and its result are larger.
MESSAGE_BYTES_MAX = 10 * 1024


@pytest.fixture(scope="module")
def narrow_messages(new_database: NewDatabase) -> Iterator[ServerProcess]:
    """Return a server whose messages and uploads may not be large."""
    settings: dict[str, Any] = {"message_bytes_max": MESSAGE_BYTES_MAX, "upload_bytes_max": 100_000}
    with new_database() as url, ServerProcess(database_url=url, **settings) as process:
        yield process


def parts_of(data: bytes, part_bytes: int, **header: object) -> Iterator[pb.UploadProblemRequest]:
    """Yield the messages of an upload; ``header`` replaces what would be right."""
    right: dict[str, object] = {"total_bytes": len(data), "content_sha256": hashlib.sha256(data).hexdigest()}
    yield pb.UploadProblemRequest(header=pb.UploadHeader(**{**right, **header}))  # type: ignore[arg-type]
    for begin in range(0, len(data), part_bytes):
        yield pb.UploadProblemRequest(data=data[begin : begin + part_bytes])


def refusal(server: ServerProcess, parts: Iterator[pb.UploadProblemRequest]) -> grpc.RpcError:
    """Return the error of an upload that is to be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        server.stub().UploadProblem(parts, timeout=60)
    return caught.value


def test_an_uploaded_problem_is_solved_by_its_name(server: ServerProcess, small_problem: Problem) -> None:
    """A problem in parts has the name of its hash; a solve of it is that of the problem itself."""
    data = small_problem.SerializeToString(deterministic=True)
    stored = server.stub().UploadProblem(parts_of(data, 1_000), timeout=60)
    digest = hashlib.sha256(data).hexdigest()
    assert stored.name == f"tenants/local/problems/{digest}"
    assert (stored.content_sha256, stored.size_bytes) == (digest, len(data))
    assert stored.expire_time.seconds > stored.create_time.seconds
    request = pb.CreateSolveRequest(stored_problem=stored.name, options=SHORT, request_id="uploaded")
    operation = server.stub().CreateSolve(request, timeout=30)
    assert server.stub().CreateSolve(request, timeout=30).name == operation.name
    solve = ended(server, operation)
    assert solve.problem_sha256 == digest
    assert solve.plan
    # Sent along, the same problem under the same id is the same request.
    again = pb.CreateSolveRequest(options=SHORT, request_id="uploaded")
    again.problem.ParseFromString(data)
    assert again.problem.SerializeToString() == data
    assert server.stub().CreateSolve(again, timeout=30).name == operation.name


def test_an_upload_that_is_not_what_it_announced_is_refused(server: ServerProcess) -> None:
    """Too few and too many bytes, another hash and a missing header name their fields, and nothing is kept."""
    data = b"\x0a\x01x" * 10
    assert set(field_faults(refusal(server, parts_of(data, 7, total_bytes=len(data) + 1)))) == {"data"}
    assert set(field_faults(refusal(server, parts_of(data, 7, total_bytes=len(data) - 1)))) == {"data"}
    wrong_hash = refusal(server, parts_of(data, 7, content_sha256="a" * 64))
    assert set(field_faults(wrong_hash)) == {"header.content_sha256"}
    headless = iter([pb.UploadProblemRequest(data=data)])
    assert set(field_faults(refusal(server, headless))) == {"header"}
    assert set(field_faults(refusal(server, iter([])))) == {"header"}
    both = refusal(server, parts_of(data, 7, total_bytes=0, content_sha256="A" * 64))
    assert set(field_faults(both)) == {"header.total_bytes", "header.content_sha256"}
    for digest in ("a" * 64, hashlib.sha256(data).hexdigest()):
        request = pb.CreateSolveRequest(stored_problem=f"tenants/local/problems/{digest}")
        with pytest.raises(grpc.RpcError) as caught:
            server.stub().CreateSolve(request, timeout=30)
        assert caught.value.code() is Code.NOT_FOUND


def test_a_part_too_large_to_read_is_refused(server: ServerProcess) -> None:
    """One part has its limit, which the refusal names."""
    data = bytes(5 * 1024 * 1024)
    error = refusal(server, parts_of(data, len(data)))
    assert error.code() is Code.RESOURCE_EXHAUSTED
    assert reason_of(error) == "REQUEST_TOO_LARGE"
    assert "smaller parts" in str(error.details())


def test_a_download_can_be_taken_up_anywhere(server: ServerProcess, done_solve: Operation) -> None:
    """Parts make up the result, with its length and hash; from an offset only the rest comes."""
    name = solve_of(done_solve)
    parts = list(server.stub().DownloadSolveResult(pb.DownloadSolveResultRequest(name=name), timeout=30))
    data = b"".join(part.data for part in parts)
    assert {part.total_bytes for part in parts} == {len(data)}
    assert {part.content_sha256 for part in parts} == {hashlib.sha256(data).hexdigest()}
    assert SolveResult.FromString(data) == server.stub().GetSolveResult(pb.GetSolveResultRequest(name=name), timeout=30)
    for offset in (1, len(data) // 2, len(data)):
        request = pb.DownloadSolveResultRequest(name=name, offset=offset)
        rest = list(server.stub().DownloadSolveResult(request, timeout=30))
        assert b"".join(part.data for part in rest) == data[offset:]
    for offset in (-1, len(data) + 1):
        request = pb.DownloadSolveResultRequest(name=name, offset=offset)
        with pytest.raises(grpc.RpcError) as caught:
            list(server.stub().DownloadSolveResult(request, timeout=30))
        assert caught.value.code() is Code.OUT_OF_RANGE


def test_what_does_not_fit_a_message_goes_in_parts(narrow_messages: ServerProcess, small_problem: Problem) -> None:
    """Past the message limit the result is refused in favour of a download, which gives it all."""
    stored = narrow_messages.stub().UploadProblem(parts_of(small_problem.SerializeToString(), 4_000), timeout=30)
    request = pb.CreateSolveRequest(stored_problem=stored.name, options=SHORT)
    operation = narrow_messages.stub().CreateSolve(request, timeout=30)
    solve = ended(narrow_messages, operation)
    with pytest.raises(grpc.RpcError) as caught:
        narrow_messages.stub().GetSolveResult(pb.GetSolveResultRequest(name=solve.name), timeout=30)
    assert caught.value.code() is Code.RESOURCE_EXHAUSTED
    assert reason_of(caught.value) == "RESULT_TOO_LARGE"
    assert "DownloadSolveResult" in str(caught.value.details())
    download = pb.DownloadSolveResultRequest(name=solve.name)
    data = b"".join(part.data for part in narrow_messages.stub().DownloadSolveResult(download, timeout=30))
    assert len(data) > MESSAGE_BYTES_MAX
    assert SolveResult.FromString(data).verified
    too_large = refusal(narrow_messages, parts_of(bytes(100_001), 10_000))
    assert set(field_faults(too_large)) == {"header.total_bytes"}
    assert get(narrow_messages, operation).plan


def test_a_request_past_the_message_limit_is_refused(narrow_messages: ServerProcess) -> None:
    """An oversize request is RESOURCE_EXHAUSTED by every door, and the server goes on."""
    problem = Problem(display_name="x" * 30_000)
    for call in (
        lambda: narrow_messages.stub().CreateSolve(pb.CreateSolveRequest(problem=problem), timeout=30),
        lambda: narrow_messages.stub().CheckProblem(pb.CheckProblemRequest(problem=problem), timeout=30),
        lambda: list(narrow_messages.stub().StreamSolve(pb.StreamSolveRequest(problem=problem), timeout=30)),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call()
        assert caught.value.code() is Code.RESOURCE_EXHAUSTED
    assert narrow_messages.stub().GetLimits(pb.GetLimitsRequest(), timeout=30).limits
