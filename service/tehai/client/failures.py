"""From a gRPC error to one of ``errors``: the google.rpc.Status in the trailing metadata, decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from tehai.client.errors import (
    DeadlineExceededError,
    ErrorDetails,
    FieldFault,
    ServerError,
    ServerRefusedError,
    ServerUnreachableError,
)

STATUS_METADATA_KEY = "grpc-status-details-bin"
REQUEST_ID = "x-request-id"
# Stands where the name of a status would, for an answer that breaks the contract.
MALFORMED = "MALFORMED_ANSWER"
# In the words of gRPC, which refuses by limits of its own at either end, and gives no reason; the second where it was
# an answer that did not fit.
TOO_LARGE, RECEIVING = "message larger than max", "CLIENT: Received"


def failure_of(error: grpc.RpcError, target: str, request_id: str) -> ServerError:
    """Return what a call to ``target`` failed with; ``request_id`` is what it was sent with."""
    call: Any = error
    code: grpc.StatusCode = call.code()
    text = str(call.details() or "")
    metadata = dict(call.trailing_metadata() or ())
    details = _details(metadata.get(STATUS_METADATA_KEY), str(metadata.get(REQUEST_ID, request_id)))
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and not details.reason and TOO_LARGE in text:
        details = replace(details, reason="RESULT_TOO_LARGE" if text.startswith(RECEIVING) else "REQUEST_TOO_LARGE")
    unknown = code is grpc.StatusCode.UNIMPLEMENTED and not details.reason
    if code is grpc.StatusCode.UNAVAILABLE or unknown:
        return ServerUnreachableError(f"the Tehai server at {target} does not answer: {text}", code.name, details)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceededError(code.name, text, details)
    return ServerRefusedError(code.name, text, details)


def status_details(status: status_pb2.Status, request_id: str = "") -> ErrorDetails:
    """Return the details of a google.rpc.Status; kinds that this client does not know are left out."""
    return _read(status.details, request_id)


def code_name(number: int) -> str:
    """Return the name of a google.rpc.Code."""
    known = code_pb2.Code.DESCRIPTOR.values_by_number.get(number)
    return "UNKNOWN" if known is None else str(known.name)


def _details(packed: str | bytes | None, request_id: str) -> ErrorDetails:
    status = status_pb2.Status()
    if isinstance(packed, bytes):
        try:
            status.ParseFromString(packed)
        except DecodeError:
            # A proxy has cut it; code and text are still there.
            status.Clear()
    return _read(status.details, request_id)


def _read(details: Iterable[Any], request_id: str) -> ErrorDetails:
    info, faults, delay = error_details_pb2.ErrorInfo(), [], None
    bad, unmet, retry = (
        error_details_pb2.BadRequest(),
        error_details_pb2.PreconditionFailure(),
        error_details_pb2.RetryInfo(),
    )
    for detail in details:
        try:
            if detail.Unpack(bad):
                faults += [FieldFault(v.field, v.description) for v in bad.field_violations]
            elif detail.Unpack(unmet):
                faults += [FieldFault(v.subject, v.description) for v in unmet.violations]
            elif detail.Unpack(retry):
                delay = max(0.0, retry.retry_delay.ToNanoseconds() / 1e9)
            else:
                detail.Unpack(info)
        except DecodeError:
            continue
    return ErrorDetails(info.reason, tuple(faults), delay, request_id, dict(info.metadata))
