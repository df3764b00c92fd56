"""Names of resources, read and written in this one place, and records of the store as messages of the contract.

A name of another tenant is answered exactly as one that does not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from google.longrunning import operations_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2, status_pb2

from tehai.operations.clock import MICROSECONDS_PER_SECOND, Microseconds
from tehai.operations.errors import BlobNotFoundError, SolveNotFoundError
from tehai.operations.records import BlobKind, BlobRecord, SolveRecord, SolveState, StateChange
from tehai.security import current_admission
from tehai.security.tenants import is_tenant
from tehai.server.request_errors import FieldFault, InvalidRequestError
from tehai.v1 import plan_pb2, solve_pb2

NAME_CHARACTERS_MAX = 256
# What a plan is called where there is none.
PLAN_KIND = "plan"
_SOLVE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Collection(Enum):
    """Kinds of resource, by the word in their names."""

    SOLVE = "solves"
    PLAN = "plans"
    OPERATION = "operations"
    PROBLEM = "problems"

    @property
    def form(self) -> str:
        """Return what a name looks like."""
        last = "{sha256}" if self is Collection.PROBLEM else "{solve}"
        return f"tenants/{{tenant}}/{self.value}/{last}"


@dataclass(frozen=True, slots=True)
class Owned:
    """A resource of the caller's own tenant."""

    tenant: str
    id: str


def resource_name(tenant: str, collection: Collection, resource_id: str) -> str:
    """Return the name of a resource."""
    return f"tenants/{tenant}/{collection.value}/{resource_id}"


def own_resource(name: str, collection: Collection, field: str) -> Owned:
    """Return the resource that a request's ``field`` names, and note it for the audit log.

    Raises InvalidRequestError for what is no such name, and for another tenant's what a missing resource raises.
    """
    admission = current_admission()
    parts = name.split("/") if len(name) <= NAME_CHARACTERS_MAX else []
    id_form = SHA256 if collection is Collection.PROBLEM else _SOLVE_ID
    if (
        len(parts) != 4
        or (parts[0], parts[2]) != ("tenants", collection.value)
        or not is_tenant(parts[1])
        or not id_form.fullmatch(parts[3])
    ):
        raise InvalidRequestError(FieldFault(field, f"must be a name of the form {collection.form}"))
    admission.resource = f"{admission.resource} {name}".lstrip()
    if parts[1] != admission.tenant:
        raise not_found(collection, parts[3])
    return Owned(parts[1], parts[3])


def not_found(collection: Collection, resource_id: str) -> BlobNotFoundError | SolveNotFoundError:
    """Return the error for a resource that is not there, or not the caller's."""
    if collection is Collection.PROBLEM:
        return BlobNotFoundError(BlobKind.PROBLEM.value, resource_id)
    if collection is Collection.PLAN:
        return BlobNotFoundError(PLAN_KIND, resource_id)
    return SolveNotFoundError(resource_id)


def to_solve(record: SolveRecord) -> solve_pb2.Solve:
    """Return a record as the caller sees it."""
    solve = solve_pb2.Solve(
        name=resource_name(record.tenant, Collection.SOLVE, record.solve_id),
        state=_STATES[record.state],
        display_name=record.display_name,
        options=plan_pb2.SolveOptions.FromString(record.options),
        priority=record.priority,
        create_time=to_timestamp(record.create_time),
        attempt_count=record.attempt_count,
        attempts_max=record.attempts_max,
        problem_sha256=record.problem_sha256,
        problem_bytes=record.problem_bytes,
        cancel_requested=record.cancel_requested,
    )
    for field in ("start_time", "end_time", "expire_time"):
        value: Microseconds | None = getattr(record, field)
        if value is not None:
            getattr(solve, field).CopyFrom(to_timestamp(value))
    if record.standing:
        solve.standing.ParseFromString(record.standing)
    if record.plan_id:
        solve.plan = resource_name(record.tenant, Collection.PLAN, record.plan_id)
    if record.error:
        solve.error.ParseFromString(record.error)
    return solve


def to_changed_solve(record: SolveRecord, change: StateChange) -> solve_pb2.Solve:
    """Return a solve as it was right after a change, though ``record`` may be newer: it has not ended."""
    solve = to_solve(record)
    solve.state = _STATES[change.state]
    solve.attempt_count = change.attempt_count
    solve.cancel_requested = change.cancel_requested
    for field in ("end_time", "expire_time", "plan", "error"):
        solve.ClearField(field)
    if change.state is SolveState.QUEUED:
        solve.ClearField("start_time")
    return solve


def to_operation(record: SolveRecord) -> operations_pb2.Operation:
    """Return the long-running operation of a solve: done with the Solve, or with why there is no plan."""
    solve = to_solve(record)
    operation = operations_pb2.Operation(
        name=resource_name(record.tenant, Collection.OPERATION, record.solve_id), done=record.state.ended
    )
    operation.metadata.Pack(solve_pb2.CreateSolveMetadata(solve=solve))
    if record.state is SolveState.SUCCEEDED:
        operation.response.Pack(solve)
    elif record.state is SolveState.FAILED:
        operation.error.CopyFrom(solve.error)
    elif record.state is SolveState.CANCELLED:
        cancelled = status_pb2.Status(code=code_pb2.CANCELLED, message="stopped before there was a plan")
        operation.error.CopyFrom(cancelled)
    return operation


def to_stored_problem(record: BlobRecord) -> solve_pb2.StoredProblem:
    """Return an uploaded problem as the caller sees it."""
    stored = solve_pb2.StoredProblem(
        name=resource_name(record.tenant, Collection.PROBLEM, record.key),
        content_sha256=record.key,
        size_bytes=record.size_bytes,
        create_time=to_timestamp(record.create_time),
    )
    if record.expire_time is not None:
        stored.expire_time.CopyFrom(to_timestamp(record.expire_time))
    return stored


def to_timestamp(time: Microseconds) -> Timestamp:
    """Return a time of the store as a message."""
    return Timestamp(seconds=time // MICROSECONDS_PER_SECOND, nanos=time % MICROSECONDS_PER_SECOND * 1_000)


_STATES = {
    SolveState.QUEUED: solve_pb2.SOLVE_STATE_QUEUED,
    SolveState.RUNNING: solve_pb2.SOLVE_STATE_RUNNING,
    SolveState.SUCCEEDED: solve_pb2.SOLVE_STATE_SUCCEEDED,
    SolveState.FAILED: solve_pb2.SOLVE_STATE_FAILED,
    SolveState.CANCELLED: solve_pb2.SOLVE_STATE_CANCELLED,
}
