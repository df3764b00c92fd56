"""Methods on results and plans: get, download, compare, evaluate."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from hashlib import sha256

from tehai.engine.messages import field_bytes
from tehai.operations.errors import SolveNotEndedError, SolveNotFoundError
from tehai.operations.records import BlobKind, SolveRecord
from tehai.operations.store import SolveStore
from tehai.server.interceptors import Context
from tehai.server.parts import ServerParts
from tehai.server.request_errors import NoPlanError, OffsetError, ResultTooLargeError
from tehai.server.resources import Collection, Owned, not_found, own_resource, resource_name
from tehai.v1 import plan_pb2
from tehai.v1 import sourcing_service_pb2 as pb

PART_BYTES = 1024 * 1024
# Room in a message for what is beside the bytes.
ENVELOPE_BYTES = 1024
DIGESTS_KEPT = 1_000


class PlanMethods:
    """Methods of SourcingService on what a solve found."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._store = parts.store
        # Results never change, so that their hash is needed once.
        self._digests: OrderedDict[Owned, str] = OrderedDict()

    async def get_solve_result(self, request: pb.GetSolveResultRequest, _: Context) -> bytes:
        """Return the whole result of a solve as serialised SolveResult."""
        owned = own_resource(request.name, Collection.SOLVE, "name")
        await self._ended_with_result(owned)
        size_bytes = await self._store.blob_size(owned.tenant, BlobKind.RESULT, owned.id)
        self._check_fits(owned, size_bytes)
        return await self._store.get_blob(owned.tenant, BlobKind.RESULT, owned.id)

    async def download_solve_result(
        self, request: pb.DownloadSolveResultRequest, _: Context
    ) -> AsyncIterator[pb.DownloadSolveResultResponse]:
        """Stream the bytes of a result from an offset on."""
        owned = own_resource(request.name, Collection.SOLVE, "name")
        await self._ended_with_result(owned)
        total_bytes = await self._store.blob_size(owned.tenant, BlobKind.RESULT, owned.id)
        offset = request.offset
        if not 0 <= offset <= total_bytes:
            raise OffsetError(offset, total_bytes)
        digest = await self._digest(owned, total_bytes)
        part_bytes = min(PART_BYTES, max(1, self._parts.settings.message_bytes_max - ENVELOPE_BYTES))
        while True:
            data = await self._store.read_blob(owned.tenant, BlobKind.RESULT, owned.id, offset, part_bytes)
            # Also where nothing is left: the caller learns length and hash.
            yield pb.DownloadSolveResultResponse(data=data, total_bytes=total_bytes, content_sha256=digest)
            offset += len(data)
            if offset >= total_bytes or not data:
                return

    async def get_plan(self, request: pb.GetPlanRequest, _: Context) -> bytes:
        """Return a plan as serialised Plan, cut out of the result."""
        owned = own_resource(request.name, Collection.PLAN, "name")
        result = await self._result_of_plan(owned)
        plan = await asyncio.to_thread(field_bytes, result, plan_pb2.SolveResult.PLAN_FIELD_NUMBER)
        if plan is None:
            raise not_found(Collection.PLAN, owned.id)
        self._check_fits(owned, len(plan))
        return plan

    async def diff_plans(self, request: pb.DiffPlansRequest, _: Context) -> bytes:
        """Compare two plans; the answer is a serialised PlanDifference."""
        first = own_resource(request.from_plan, Collection.PLAN, "from_plan")
        second = own_resource(request.to_plan, Collection.PLAN, "to_plan")
        results = [await self._result_of_plan(owned) for owned in (first, second)]
        names = [request.from_plan.encode(), request.to_plan.encode()]
        return await self._parts.query("diff", [*results, *names])

    async def evaluate_plan(self, request: pb.EvaluatePlanRequest, _: Context) -> bytes:
        """Bill a plan under a change; the answer is a serialised Evaluation."""
        owned = own_resource(request.plan, Collection.PLAN, "plan")
        record = await solve_of_plan(self._store, owned.tenant, owned.id)
        result = await self._store.get_blob(owned.tenant, BlobKind.RESULT, owned.id)
        problem = await self._store.get_blob(owned.tenant, BlobKind.PROBLEM, record.problem_sha256)
        change = request.change.SerializeToString()
        return await self._parts.query("evaluate", [problem, result, change, request.plan.encode()])

    async def _result_of_plan(self, owned: Owned) -> bytes:
        await solve_of_plan(self._store, owned.tenant, owned.id)
        return await self._store.get_blob(owned.tenant, BlobKind.RESULT, owned.id)

    async def _ended_with_result(self, owned: Owned) -> None:
        record = await self._store.get_solve(owned.tenant, owned.id)
        if not record.state.ended:
            raise SolveNotEndedError(owned.id, record.state.value)
        if record.state != "SUCCEEDED":
            raise NoPlanError(_solve_name(owned), record.state.value)

    def _check_fits(self, owned: Owned, size_bytes: int) -> None:
        most = self._parts.settings.message_bytes_max - ENVELOPE_BYTES
        if size_bytes > most:
            raise ResultTooLargeError(_solve_name(owned), size_bytes, most)

    async def _digest(self, owned: Owned, total_bytes: int) -> str:
        """Return the SHA-256 of a result."""
        known = self._digests.get(owned)
        if known is not None:
            self._digests.move_to_end(owned)
            return known
        hasher = sha256()
        offset = 0
        while offset < total_bytes:
            data = await self._store.read_blob(owned.tenant, BlobKind.RESULT, owned.id, offset, PART_BYTES)
            if not data:
                break
            await asyncio.to_thread(hasher.update, data)
            offset += len(data)
        self._digests[owned] = hasher.hexdigest()
        if len(self._digests) > DIGESTS_KEPT:
            self._digests.popitem(last=False)
        return hasher.hexdigest()


async def solve_of_plan(store: SolveStore, tenant: str, plan_id: str) -> SolveRecord:
    """Return the solve of a plan; raise BlobNotFoundError where there is none, or none with a plan."""
    try:
        record = await store.get_solve(tenant, plan_id)
    except SolveNotFoundError:
        raise not_found(Collection.PLAN, plan_id) from None
    if record.plan_id != plan_id:
        raise not_found(Collection.PLAN, plan_id)
    return record


def _solve_name(owned: Owned) -> str:
    return resource_name(owned.tenant, Collection.SOLVE, owned.id)
