"""StreamSolve: a solve that lasts as long as its call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing

from tehai.client import methods
from tehai.client.caller import Caller
from tehai.client.errors import ServerError, ServerRefusedError, SolveAbandonedError
from tehai.client.failures import MALFORMED
from tehai.client.plans import read_result
from tehai.domain.plan import SolveOptions
from tehai.domain.result import Progress, SolveResult
from tehai.domain.violation import InvalidProblemError, Violation
from tehai.v1 import problem_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.wire import options_to_proto, progress_from_proto, violation_from_proto

# Beside the time limit of a solve: reading, building, the polish, the independent check.
ROOM_SECONDS = 900.0
# Of a solve with a work limit, which reads no clock.
WORK_SECONDS_MAX = 86_400.0
Guard = Callable[[Callable[[], None]], AbstractContextManager[None]]


async def stream_solve(
    caller: Caller,
    message: problem_pb2.Problem,
    options: SolveOptions,
    on_progress: Callable[[Progress], None] | None,
    guard: Guard,
) -> SolveResult:
    """Solve and return the result; ``guard`` gets what ends the call, for the length of the call.

    Not repeated where it breaks: the server has ended the solve.
    """
    request = pb.StreamSolveRequest(problem=message, options=options_to_proto(options))
    seconds = WORK_SECONDS_MAX if options.work_limit is not None else options.time_limit_seconds + ROOM_SECONDS
    result: SolveResult | None = None
    violations: tuple[Violation, ...] = ()
    try:
        async with aclosing(_events(caller, request, seconds, guard)) as events:
            async for event in events:
                kind = event.WhichOneof("event")
                if kind == "progress" and on_progress is not None:
                    on_progress(progress_from_proto(event.progress))
                elif kind == "result":
                    result = read_result(event.result)
                elif kind == "violations":
                    violations = tuple(violation_from_proto(v) for v in event.violations.violations)
    except ServerError as error:
        # The status only repeats what the last event said in full.
        if violations:
            raise InvalidProblemError(violations) from None
        if error.code == "CANCELLED":
            raise SolveAbandonedError(str(error)) from error
        raise
    if result is None:
        raise ServerRefusedError(MALFORMED, "the stream ended without a result")
    return result


async def _events(
    caller: Caller, request: pb.StreamSolveRequest, seconds: float, guard: Guard
) -> AsyncGenerator[pb.StreamSolveResponse]:
    async with caller.stream(methods.STREAM_SOLVE, request, seconds) as stream:
        with guard(stream.cancel):
            while (event := await stream.read()) is not None:
                yield event
