"""The three methods of tehai.v1.SourcingService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from tehai.catalog import DEMO_PROBLEM_NAMES, demo_problem
from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.pipeline_check import check_message
from tehai.server.errors import SolveFailedError, UnknownDemoError
from tehai.server.frames import FrameKind
from tehai.server.logs import get_logger
from tehai.server.solves import Solves
from tehai.v1 import problem_pb2, sourcing_service_pb2
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceServicer
from tehai.validation import notes
from tehai.wire import problem_sha256, problem_to_proto, violation_from_proto, violation_to_proto

Context = grpc.aio.ServicerContext[Any, Any]
Event = sourcing_service_pb2.StreamSolveResponse


class SourcingService(SourcingServiceServicer):
    """Solves in processes of their own; raises, and leaves statuses to the interceptor."""

    def __init__(self, solves: Solves) -> None:
        self._solves = solves

    async def StreamSolve(
        self, request: sourcing_service_pb2.StreamSolveRequest, context: Context
    ) -> AsyncIterator[Event]:
        """Stream progress, then the result; an invalid problem ends in its violations and INVALID_ARGUMENT."""
        problem, options = request.problem.SerializeToString(), request.options.SerializeToString()
        async with self._solves.start(problem, options) as solve:
            async for kind, payload in solve.frames():
                yield _event(kind, payload)
                if kind is FrameKind.VIOLATIONS:
                    raise InvalidProblemError(_violations(payload))

    async def CheckProblem(
        self, request: sourcing_service_pb2.CheckProblemRequest, context: Context
    ) -> sourcing_service_pb2.CheckProblemResponse:
        """Answer with every violation, or with notes and the hash of a valid problem."""
        return await asyncio.to_thread(check, request.problem)

    async def GetDemoProblem(
        self, request: sourcing_service_pb2.GetDemoProblemRequest, context: Context
    ) -> sourcing_service_pb2.GetDemoProblemResponse:
        """Answer with a ready problem; an unknown name is NOT_FOUND and names the valid ones."""
        name = request.name or DEMO_PROBLEM_NAMES[0]
        if name not in DEMO_PROBLEM_NAMES:
            raise UnknownDemoError(name, DEMO_PROBLEM_NAMES)
        problem = await asyncio.to_thread(lambda: problem_to_proto(demo_problem(name)))
        return sourcing_service_pb2.GetDemoProblemResponse(problem=problem)


def check(message: problem_pb2.Problem) -> sourcing_service_pb2.CheckProblemResponse:
    """Return everything that is wrong with ``message``, else what is worth knowing of it."""
    problem, violations = check_message(message)
    if problem is None:
        return sourcing_service_pb2.CheckProblemResponse(violations=[violation_to_proto(v) for v in violations])
    return sourcing_service_pb2.CheckProblemResponse(notes=notes(problem), problem_sha256=problem_sha256(problem))


def _event(kind: FrameKind, payload: bytes) -> Event:
    """Return the event of one frame; raise where the frame says that there is no answer."""
    if kind is FrameKind.PROGRESS:
        return Event(progress=sourcing_service_pb2.Progress.FromString(payload))
    if kind is FrameKind.RESULT:
        event = Event()
        event.result.ParseFromString(payload)
        return event
    if kind is FrameKind.VIOLATIONS:
        return Event(violations=sourcing_service_pb2.ViolationList.FromString(payload))
    if kind is FrameKind.UNVERIFIED:
        lines = [f"{v.code} {v.path}: {v.message}" for v in _violations(payload)]
        get_logger(__name__).error("answer failed its check", violations=lines)
        raise UnverifiedAnswerError(_violations(payload))
    raise SolveFailedError(payload.decode())


def _violations(payload: bytes) -> tuple[Violation, ...]:
    found = sourcing_service_pb2.ViolationList.FromString(payload)
    return tuple(violation_from_proto(violation) for violation in found.violations)
