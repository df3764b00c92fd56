"""What a caller is told of an error: code, reason, text and details of google.rpc (AIP-193)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import uuid4

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tehai.domain.violation import Violation

ERROR_DOMAIN = "tehai"
# Trailing metadata is limited to 8 KB by most peers, and a binary value grows by a third on the way.
DETAILS_BYTES_MAX = 6 * 1024
MESSAGE_CHARACTERS_MAX = 1_000
STATUS_METADATA_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class PublicError:
    """What a client is told: nothing of the inside of the server."""

    code: grpc.StatusCode
    reason: str
    message: str
    details: tuple[Message, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def status(self) -> status_pb2.Status:
        """Return the google.rpc.Status with ErrorInfo first; never more than DETAILS_BYTES_MAX."""
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=ERROR_DOMAIN, metadata=self.metadata)
        status = status_pb2.Status(code=self.code.value[0], message=shortened(self.message))
        for detail in (info, *self.details):
            packed = any_pb2.Any()
            packed.Pack(detail)
            if status.ByteSize() + packed.ByteSize() < DETAILS_BYTES_MAX:
                status.details.append(packed)
        return status


def shortened(text: str) -> str:
    """Return ``text`` as it may stand in a status: not too long, and nothing that cannot be printed."""
    text = text if len(text) <= MESSAGE_CHARACTERS_MAX else text[: MESSAGE_CHARACTERS_MAX - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


def with_incident(code: grpc.StatusCode, reason: str, text: str) -> PublicError:
    """Return an error whose number also stands in the server's log."""
    incident = uuid4().hex[:12]
    return PublicError(code, reason, f"{text} (incident {incident})", (), {"incident": incident})


def retry_info(seconds: float) -> error_details_pb2.RetryInfo:
    """Return when to try again."""
    wait = duration_pb2.Duration()
    # Not a moment too early: a caller that comes back exactly then is let in.
    wait.FromMilliseconds(math.ceil(seconds * 1000))
    return error_details_pb2.RetryInfo(retry_delay=wait)


def violations_request(
    violations: Iterable[Violation], bytes_max: int = DETAILS_BYTES_MAX - 1024
) -> error_details_pb2.BadRequest:
    """Return as many violations as fit ``bytes_max``, in order, as google.rpc.BadRequest."""
    return bad_request(((v.path, f"{v.code}: {v.message}; {v.action}") for v in violations), bytes_max)


def bad_request(
    faults: Iterable[tuple[str, str]], bytes_max: int = DETAILS_BYTES_MAX - 1024
) -> error_details_pb2.BadRequest:
    """Return as many pairs of field and description as fit ``bytes_max``, in order, as google.rpc.BadRequest."""
    answer = error_details_pb2.BadRequest()
    size = 0
    for path, description in faults:
        entry = error_details_pb2.BadRequest.FieldViolation(field=path, description=description)
        # Two bytes of tag and up to three of length for each entry.
        size += entry.ByteSize() + 5
        if size > bytes_max:
            break
        answer.field_violations.append(entry)
    return answer
