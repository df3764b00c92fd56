"""Violations, between message and domain."""

from __future__ import annotations

from tehai.domain.violation import Violation
from tehai.v1 import sourcing_service_pb2


def violation_from_proto(message: sourcing_service_pb2.Violation) -> Violation:
    """Read a violation."""
    return Violation(code=message.code, path=message.path, message=message.message, action=message.action)


def violation_to_proto(violation: Violation) -> sourcing_service_pb2.Violation:
    """Write a violation."""
    return sourcing_service_pb2.Violation(
        code=violation.code, path=violation.path, message=violation.message, action=violation.action
    )
