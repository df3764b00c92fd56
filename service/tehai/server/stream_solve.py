"""StreamSolve: a solve that lives as long as its call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.engine.messages import delimited_field, split_field
from tehai.runner.errors import ShuttingDownError, SolveFailedError, SolveTimeError
from tehai.runner.frames import FrameKind
from tehai.runner.solve_process import Frame, OnPhase, SolveProcess
from tehai.security import current_admission
from tehai.server.interceptors import Context
from tehai.server.logs import get_logger
from tehai.server.parts import ServerParts
from tehai.server.solve_methods import REST_BYTES_MAX
from tehai.telemetry.tracing import current_traceparent
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.wire import violation_from_proto

_VIOLATIONS = frozenset({FrameKind.VIOLATIONS_PART, FrameKind.VIOLATIONS})


class StreamSolveMethods:
    """The method of SourcingService that solves while its caller listens."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    async def stream_solve(self, request: bytes, _: Context) -> AsyncIterator[bytes]:
        """Stream progress, then the result; an invalid problem ends in its violations and INVALID_ARGUMENT."""
        self._parts.check_open()
        problem, options = await asyncio.to_thread(self._read, request)
        tenant = current_admission().tenant
        async with self._parts.places.start(problem, options, self._phase_of_call(), tenant) as solve:
            violations: list[Violation] = []
            parts: list[bytes] = []
            async for kind, payload in self._frames(solve):
                if kind in _VIOLATIONS:
                    violations += await asyncio.to_thread(_violations, payload)
                    parts.append(payload)
                elif kind is FrameKind.PROGRESS:
                    yield delimited_field(pb.StreamSolveResponse.PROGRESS_FIELD_NUMBER, payload)
                elif kind is FrameKind.RESULT:
                    yield delimited_field(pb.StreamSolveResponse.RESULT_FIELD_NUMBER, payload)
                elif kind.is_terminal:
                    raise self._failure(kind, payload)
            if parts:
                # Lists one after the other are one list, as protobuf has it.
                yield delimited_field(pb.StreamSolveResponse.VIOLATIONS_FIELD_NUMBER, b"".join(parts))
                raise InvalidProblemError(tuple(violations))

    async def _frames(self, solve: SolveProcess) -> AsyncIterator[Frame]:
        """Yield the frames of a solve; one that had to be killed was too slow to end when its time was over."""
        try:
            async for frame in solve.frames():
                yield frame
        except SolveFailedError as error:
            if not solve.killed or error.__cause__ is not None:
                raise
            raise self._stopped() from error

    def _stopped(self) -> Exception:
        """Return why a solve was stopped before it had a plan: by its time limit, or because the server ends."""
        seconds = self._parts.runner_settings.solve_seconds_max
        return ShuttingDownError() if self._parts.draining else SolveTimeError(seconds)

    def _read(self, request: bytes) -> tuple[bytes, bytes]:
        """Return problem and options of a request, in a thread; raise MessageFaultError."""
        self._parts.scanner.check(pb.StreamSolveRequest.DESCRIPTOR.full_name, request, counted=False)
        split = split_field(request, pb.StreamSolveRequest.PROBLEM_FIELD_NUMBER, REST_BYTES_MAX)
        options = pb.StreamSolveRequest.FromString(split.rest).options
        return split.value or b"", options.SerializeToString()

    def _failure(self, kind: FrameKind, payload: bytes) -> Exception:
        """Return why a solve ended without an answer."""
        if kind is FrameKind.UNVERIFIED:
            found = _violations(payload)
            lines = [f"{v.code} {v.path}: {v.message}" for v in found]
            get_logger(__name__).error("answer failed its check", violations=lines)
            return UnverifiedAnswerError(found)
        if kind is FrameKind.CANCELLED:
            return self._stopped()
        return SolveFailedError(payload.decode("utf-8", "replace"))

    def _phase_of_call(self) -> OnPhase:
        """Return who is told of the phases of this call's solve."""
        traceparent = current_traceparent()
        return lambda phase: self._parts.observer.phase_of_call(traceparent, phase.name, phase.start_ns, phase.end_ns)


def _violations(payload: bytes) -> tuple[Violation, ...]:
    found = pb.ViolationList.FromString(payload)
    return tuple(violation_from_proto(violation) for violation in found.violations)
