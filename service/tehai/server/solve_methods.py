"""Methods on solves: create, get, list, delete, watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from google.longrunning import operations_pb2
from google.protobuf.message import DecodeError

from tehai.engine.messages import split_field
from tehai.operations.filters import parse_filter
from tehai.operations.records import PRIORITY_DEFAULT, BlobKind, NewSolve, SolvePage
from tehai.operations.store import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX
from tehai.security import current_admission
from tehai.server.interceptors import Context
from tehai.server.parts import ServerParts
from tehai.server.request_errors import FieldFault, InvalidRequestError, MalformedRequestError
from tehai.server.resources import Collection, own_resource, resource_name, to_operation, to_solve
from tehai.telemetry.tracing import current_traceparent
from tehai.v1 import solve_pb2
from tehai.v1 import sourcing_service_pb2 as pb

DAY_SECONDS = 86_400.0
# Options, request id, display name and name of a stored problem.
REST_BYTES_MAX = 64 * 1024
OPTIONS_BYTES_MAX = 4 * 1024


@dataclass(frozen=True, slots=True)
class _Creation:
    """A request that was read: the problem's bytes (None: stored before), the rest, and their hashes."""

    problem: bytes | None
    rest: pb.CreateSolveRequest
    problem_sha256: str
    request_sha256: str


class SolveMethods:
    """Methods of SourcingService on solves."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._store = parts.store

    async def create_solve(self, request: bytes, _: Context) -> operations_pb2.Operation:
        """Accept a solve durably; a request id that comes again gives the operation that it gave before."""
        self._parts.check_open()
        tenant = current_admission().tenant
        creation = await asyncio.to_thread(self._read, request)
        size_bytes = await self._problem_bytes(creation)
        new = self._new_solve(tenant, creation, size_bytes)
        tenant_queue_max = self._parts.limiter.limits(tenant).solves_queued
        record, created = await self._store.create_solve(
            new, creation.problem, self._parts.settings.queue_max, tenant_queue_max
        )
        current_admission().resource = resource_name(tenant, Collection.SOLVE, record.solve_id)
        if created:
            self._parts.accepted(record, current_traceparent())
        return to_operation(record)

    async def get_solve(self, request: pb.GetSolveRequest, _: Context) -> solve_pb2.Solve:
        """Return a solve."""
        owned = own_resource(request.name, Collection.SOLVE, "name")
        return to_solve(await self._store.get_solve(owned.tenant, owned.id))

    async def list_solves(self, request: pb.ListSolvesRequest, _: Context) -> bytes:
        """Return a page of solves, newest first, as serialised ListSolvesResponse."""
        tenant = current_admission().tenant
        page = await self._store.list_solves(
            tenant, parse_filter(request.filter), page_size(request.page_size), request.page_token
        )
        return await asyncio.to_thread(_list_bytes, page)

    async def delete_solve(self, request: pb.DeleteSolveRequest, _: Context) -> pb.DeleteSolveResponse:
        """Delete a solve that has ended."""
        owned = own_resource(request.name, Collection.SOLVE, "name")
        await self._parts.delete_solve(owned.tenant, owned.id)
        return pb.DeleteSolveResponse()

    async def watch_solve(self, request: pb.WatchSolveRequest, _: Context) -> AsyncIterator[bytes]:
        """Stream progress and changes until the solve has ended; the last event is always the Solve."""
        owned = own_resource(request.name, Collection.SOLVE, "name")
        async with aclosing(self._parts.watches.follow(owned.tenant, owned.id, request.after_sequence)) as items:
            async for item in items:
                yield item.data

    def _read(self, request: bytes) -> _Creation:
        """Check and split a request, in a thread; raise MessageFaultError, InvalidRequestError."""
        self._parts.scanner.check(pb.CreateSolveRequest.DESCRIPTOR.full_name, request, counted=True)
        split = split_field(request, pb.CreateSolveRequest.PROBLEM_FIELD_NUMBER, REST_BYTES_MAX)
        try:
            rest = pb.CreateSolveRequest.FromString(split.rest)
        except DecodeError:
            message = "the request is not a tehai.v1.CreateSolveRequest"
            raise MalformedRequestError(message) from None
        if (split.value is None) == (not rest.stored_problem):
            raise InvalidRequestError(FieldFault("problem", "give either a problem or the name of a stored problem"))
        if rest.options.ByteSize() > OPTIONS_BYTES_MAX:
            # Of fields that nobody knows; every list of solves would carry them.
            text = f"has {rest.options.ByteSize()} bytes, {OPTIONS_BYTES_MAX} are the most"
            raise InvalidRequestError(FieldFault("options", text))
        if split.value is None:
            problem_sha256 = own_resource(rest.stored_problem, Collection.PROBLEM, "stored_problem").id
        else:
            problem_sha256 = sha256(split.value).hexdigest()
        # Sent along or stored before: the same problem is the same request.
        hashed = pb.CreateSolveRequest()
        hashed.CopyFrom(rest)
        hashed.ClearField("stored_problem")
        whole = problem_sha256.encode() + hashed.SerializeToString(deterministic=True)
        return _Creation(split.value, rest, problem_sha256, sha256(whole).hexdigest())

    async def _problem_bytes(self, creation: _Creation) -> int:
        """Return how long the problem is; raise BlobNotFoundError for a stored one that is not there."""
        if creation.problem is not None:
            return len(creation.problem)
        tenant = current_admission().tenant
        return await self._store.blob_size(tenant, BlobKind.PROBLEM, creation.problem_sha256)

    def _new_solve(self, tenant: str, creation: _Creation, size_bytes: int) -> NewSolve:
        settings, rest = self._parts.settings, creation.rest
        return NewSolve(
            tenant=tenant,
            solve_id=str(uuid4()),
            request_sha256=creation.request_sha256,
            problem_sha256=creation.problem_sha256,
            problem_bytes=size_bytes,
            options=rest.options.SerializeToString(deterministic=True),
            request_id=rest.request_id,
            display_name=rest.display_name,
            priority=rest.priority if rest.HasField("priority") else PRIORITY_DEFAULT,
            attempts_max=settings.attempts_max,
            retention_seconds=settings.retention_days * DAY_SECONDS,
        )


def _list_bytes(page: SolvePage) -> bytes:
    solves = [to_solve(record) for record in page.records]
    answer: bytes = pb.ListSolvesResponse(solves=solves, next_page_token=page.next_page_token).SerializeToString()
    return answer


def page_size(asked: int) -> int:
    """Return how many entries a page has; more than the most is the most (AIP-158). Raise InvalidRequestError."""
    if asked < 0:
        raise InvalidRequestError(FieldFault("page_size", f"must be 0 to {PAGE_SIZE_MAX}, not {asked}"))
    return min(asked, PAGE_SIZE_MAX) or PAGE_SIZE_DEFAULT
