"""google.longrunning.Operations: each solve is one operation."""

from __future__ import annotations

import asyncio

from google.longrunning import operations_pb2 as lro
from google.protobuf import empty_pb2

from tehai.operations.filters import parse_filter
from tehai.operations.records import SolvePage
from tehai.security import current_admission
from tehai.security.tenants import is_tenant
from tehai.server.interceptors import Context
from tehai.server.parts import ServerParts
from tehai.server.request_errors import FieldFault, InvalidRequestError, ParentNotFoundError
from tehai.server.resources import Collection, own_resource, to_operation
from tehai.server.solve_methods import page_size

# A wait without a timeout, or with a longer one, answers after this with the state that it then is in.
WAIT_SECONDS_MAX = 300.0
# The answer has to arrive before the caller's deadline.
WAIT_MARGIN_SECONDS = 0.5


class OperationMethods:
    """Methods of google.longrunning.Operations."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._store = parts.store

    async def list_operations(self, request: lro.ListOperationsRequest, _: Context) -> bytes:
        """Return a page of operations, newest first, with the filter of ListSolves: a serialised response."""
        tenant = _tenant_of_parent(request.name)
        page = await self._store.list_solves(
            tenant, parse_filter(request.filter), page_size(request.page_size), request.page_token
        )
        return await asyncio.to_thread(_list_bytes, page)

    async def get_operation(self, request: lro.GetOperationRequest, _: Context) -> lro.Operation:
        """Return an operation."""
        owned = own_resource(request.name, Collection.OPERATION, "name")
        return to_operation(await self._store.get_solve(owned.tenant, owned.id))

    async def wait_operation(self, request: lro.WaitOperationRequest, context: Context) -> lro.Operation:
        """Return an operation once it is done, or as it is after the timeout."""
        owned = own_resource(request.name, Collection.OPERATION, "name")
        seconds = WAIT_SECONDS_MAX
        if request.HasField("timeout"):
            if request.timeout.ToNanoseconds() < 0:
                raise InvalidRequestError(FieldFault("timeout", "must not be negative"))
            seconds = min(seconds, request.timeout.ToNanoseconds() / 1e9)
        remaining = context.time_remaining()
        if remaining is not None:
            seconds = min(seconds, max(0.0, remaining - WAIT_MARGIN_SECONDS))
        return to_operation(await self._parts.watches.wait_for_end(owned.tenant, owned.id, seconds))

    async def cancel_operation(self, request: lro.CancelOperationRequest, _: Context) -> empty_pb2.Empty:
        """Ask for the end of a solve, any number of times; a plan that was found by then is kept."""
        owned = own_resource(request.name, Collection.OPERATION, "name")
        record = await self._store.request_cancel(owned.tenant, owned.id)
        self._parts.cancel_requested(record)
        return empty_pb2.Empty()

    async def delete_operation(self, request: lro.DeleteOperationRequest, _: Context) -> empty_pb2.Empty:
        """Delete an operation that is done, and with it the solve: they are one."""
        owned = own_resource(request.name, Collection.OPERATION, "name")
        await self._parts.delete_solve(owned.tenant, owned.id)
        return empty_pb2.Empty()


def _list_bytes(page: SolvePage) -> bytes:
    operations = [to_operation(record) for record in page.records]
    answer: bytes = lro.ListOperationsResponse(
        operations=operations, next_page_token=page.next_page_token
    ).SerializeToString()
    return answer


def _tenant_of_parent(name: str) -> str:
    """Return the tenant whose operations are listed: "", ``tenants/{tenant}`` and ``tenants/{tenant}/operations``."""
    own = current_admission().tenant
    parts = name.removesuffix("/operations").split("/")
    if name in ("", "operations"):
        return own
    if len(parts) != 2 or parts[0] != "tenants" or not is_tenant(parts[1]):
        raise InvalidRequestError(FieldFault("name", "must be empty or of the form tenants/{tenant}"))
    if parts[1] != own:
        raise ParentNotFoundError
    return own
