"""CheckProblem, GetDemoProblem and GetLimits."""

from __future__ import annotations

import asyncio

from tehai.catalog import DEMO_PROBLEM_NAMES
from tehai.security import current_admission
from tehai.server.interceptors import Context
from tehai.server.limits import limits_by_name
from tehai.server.parts import ServerParts
from tehai.server.request_errors import UnknownDemoError
from tehai.v1 import sourcing_service_pb2 as pb


class CheckMethods:
    """Methods of SourcingService that keep nothing."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        # They never change, and none is asked for but by a name that there is.
        self._demos: dict[str, bytes] = {}

    async def check_problem(self, request: bytes, _: Context) -> bytes:
        """Say everything that is wrong with a problem; the answer is a serialised CheckProblemResponse."""
        name = pb.CheckProblemRequest.DESCRIPTOR.full_name
        await asyncio.to_thread(self._parts.scanner.check, name, request, counted=False)
        return await self._parts.query("check", [request])

    async def get_demo_problem(self, request: pb.GetDemoProblemRequest, _: Context) -> bytes:
        """Return a ready problem as serialised GetDemoProblemResponse."""
        name = request.name or DEMO_PROBLEM_NAMES[0]
        if name not in DEMO_PROBLEM_NAMES:
            raise UnknownDemoError(name, DEMO_PROBLEM_NAMES)
        if name not in self._demos:
            request_bytes = pb.GetDemoProblemRequest(name=name).SerializeToString()
            self._demos[name] = await self._parts.query("demo", [request_bytes])
        return self._demos[name]

    async def get_limits(self, _: pb.GetLimitsRequest, __: Context) -> pb.GetLimitsResponse:
        """Return the limits that this caller has."""
        limiter = self._parts.limiter
        named = limits_by_name(self._parts.settings, limiter.limits(current_admission().tenant), limiter.server)
        return pb.GetLimitsResponse(limits=[pb.LimitValue(name=name, value=value) for name, value in named.items()])
