"""Messages above the limits: a status that says which limit, before anything is kept of them, and no harm to others."""

from __future__ import annotations

import grpc

from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import (
    CheckProblemRequest,
    CreateSolveRequest,
    GetLimitsRequest,
    GetSolveRequest,
    UploadHeader,
    UploadProblemRequest,
)
from tests.faults.conftest import Place
from tests.faults.load import CALL_SECONDS
from tests.faults.steps import refused
from tests.server.process import reason_of

MESSAGE_BYTES_MAX = 1_000_000
UPLOAD_BYTES_MAX = 2_000_000
TENANT_BYTES_MAX = 500_000
SETTINGS = {
    "message_bytes_max": MESSAGE_BYTES_MAX,
    "upload_bytes_max": UPLOAD_BYTES_MAX,
    "limit_message_bytes": TENANT_BYTES_MAX,
}
GROWTH_BYTES_MAX = 60_000_000
REPEATS = 20


def padded(size_bytes: int) -> Problem:
    """Return a problem of about this size."""
    return Problem(display_name="x" * size_bytes)


def test_oversize_messages(sqlite_place: Place) -> None:
    """Above the transport's limit and above the tenant's: RESOURCE_EXHAUSTED with the numbers; memory stays bounded."""
    with sqlite_place.service(**SETTINGS) as service:
        stub = service.stub()
        before = service.usage()
        for _ in range(REPEATS):
            error = refused(
                lambda: stub.CreateSolve(CreateSolveRequest(problem=padded(5_000_000)), timeout=CALL_SECONDS)
            )
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
            assert str(MESSAGE_BYTES_MAX) in str(error.details())
        for send in (
            lambda: stub.CreateSolve(CreateSolveRequest(problem=padded(700_000)), timeout=CALL_SECONDS),
            lambda: stub.CheckProblem(CheckProblemRequest(problem=padded(700_000)), timeout=CALL_SECONDS),
        ):
            error = refused(send)
            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
            assert str(TENANT_BYTES_MAX) in str(error.details())
        error = refused(lambda: stub.GetSolve(GetSolveRequest(name="x" * 300_000), timeout=CALL_SECONDS))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, error
        assert reason_of(error) == "REQUEST_TOO_LARGE"
        # The connection that carried them is still good.
        assert stub.GetLimits(GetLimitsRequest(), timeout=CALL_SECONDS).limits
        assert service.usage().rss_bytes - before.rss_bytes < GROWTH_BYTES_MAX


def test_oversize_uploads(sqlite_place: Place) -> None:
    """An upload that announces too much is refused at its header, and one that sends more than it said."""
    with sqlite_place.service(**SETTINGS) as service:
        stub = service.stub()
        part = UploadProblemRequest(data=b"x" * 1_000)
        for announced in (UPLOAD_BYTES_MAX + 1, 2**62, -1):
            header = UploadProblemRequest(header=UploadHeader(total_bytes=announced, content_sha256="0" * 64))
            error = refused(lambda parts=[header, part]: stub.UploadProblem(iter(parts), timeout=CALL_SECONDS))  # type: ignore[misc]
            assert error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT), error
        small = UploadProblemRequest(header=UploadHeader(total_bytes=10, content_sha256="0" * 64))
        error = refused(lambda: stub.UploadProblem(iter([small, part, part]), timeout=CALL_SECONDS))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error
    blobs = sqlite_place.database(service).rows("SELECT count(*) FROM blobs WHERE complete = 1")
    assert blobs[0][0] == 0
