"""Calls on solves and their operations: written once, over either transport."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from google.longrunning import operations_pb2 as lro
from google.protobuf.duration_pb2 import Duration

from tehai.client import methods
from tehai.client.caller import (
    HEAVY_SECONDS,
    SHORT_SECONDS,
    STREAM_SECONDS,
    TRANSFER_SECONDS,
    Caller,
    OpenStream,
    broken_off,
    decoded_by,
    seconds_or,
    too_large,
)
from tehai.client.errors import DeadlineExceededError, ServerError, ServerRefusedError, SolveFailedError
from tehai.client.failures import MALFORMED, code_name, status_details
from tehai.client.names import operation_name, solve_name
from tehai.client.retries import Deadline
from tehai.client.transport import write_message
from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.result import Progress
from tehai.v1 import problem_pb2, solve_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.wire import options_to_proto, problem_to_proto, progress_from_proto

# A problem as an object, as a message, as uploaded before, or the name of one uploaded before.
AnyProblem = Problem | problem_pb2.Problem | solve_pb2.StoredProblem | str
PART_BYTES = 1024 * 1024
# Smaller parts would not help where a server's limit is lower still.
PART_BYTES_MIN = 512
PART_ENVELOPE_BYTES = 64
# Room in a message for what is beside the problem.
ENVELOPE_BYTES = 64 * 1024
# The limit of a server is asked for before a larger problem is sent.
ASK_BYTES = 1024 * 1024
# One question of WaitOperation; the server answers after it at the latest. The margins are for the answer's way and for
# retries: of a question that is followed by another one, and past the end of the caller's time.
WAIT_SECONDS = 60.0
WAIT_MARGIN_SECONDS = 15.0
WAIT_MARGIN_SECONDS_LAST = 2.0
# Polling of GetSolve: the first pause, its growth, the longest.
POLL_SECONDS, POLL_GROWTH, POLL_SECONDS_MAX = 0.25, 1.5, 15.0
ENDED_STATES = frozenset(
    {solve_pb2.SOLVE_STATE_SUCCEEDED, solve_pb2.SOLVE_STATE_FAILED, solve_pb2.SOLVE_STATE_CANCELLED}
)


@dataclass(frozen=True, slots=True)
class SolveEvent:
    """One event of a watch: progress, or the solve in a new state; the last one has it in its last state."""

    # To go on after, in another watch.
    sequence: int
    progress: Progress | None = None
    solve: solve_pb2.Solve | None = None
    # Whether this is the last event.
    ended: bool = False


class SolveCalls:
    """Create, follow, end and delete solves."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._message_bytes: int | None = None

    async def create_solve(
        self,
        problem: AnyProblem,
        options: SolveOptions,
        *,
        display_name: str,
        priority: int | None,
        request_id: str | None,
        timeout_seconds: float | None,
    ) -> lro.Operation:
        """Create a solve; a problem that does not fit one message is uploaded first."""
        caller, deadline = self._caller, Deadline(timeout_seconds)
        message: problem_pb2.Problem | None = None
        request = pb.CreateSolveRequest(
            options=options_to_proto(options),
            # Makes a retry, of ours or of the caller's, safe; "" would be none to the server.
            request_id=request_id or uuid4().hex,
            priority=priority,
            display_name=display_name,
        )
        if isinstance(problem, str):
            request.stored_problem = problem
        elif isinstance(problem, solve_pb2.StoredProblem):
            request.stored_problem = problem.name
        else:
            message = await caller.transport.compute(_problem_message, problem)
        if timeout_seconds is None:
            large = message is not None and message.ByteSize() > ASK_BYTES
            deadline = Deadline(TRANSFER_SECONDS if large else HEAVY_SECONDS)
        if message is not None:
            if message.ByteSize() <= await self._room(message.ByteSize(), deadline):
                request.problem.CopyFrom(message)
                try:
                    return await caller.unary(methods.CREATE_SOLVE, request, deadline.remaining())
                except ServerError as error:
                    if not too_large(error):
                        raise
            request.stored_problem = (await self._upload(message, deadline)).name
        return await caller.unary(methods.CREATE_SOLVE, request, deadline.remaining())

    async def upload_problem(
        self, problem: Problem | problem_pb2.Problem | bytes, timeout_seconds: float | None
    ) -> solve_pb2.StoredProblem:
        """Upload a problem in parts; ``bytes`` are a serialised problem."""
        return await self._upload(problem, Deadline(seconds_or(timeout_seconds, TRANSFER_SECONDS)))

    async def _upload(
        self, problem: Problem | problem_pb2.Problem | bytes, deadline: Deadline
    ) -> solve_pb2.StoredProblem:
        compute = self._caller.transport.compute
        data = problem if isinstance(problem, bytes) else await compute(_problem_bytes, problem)
        digest = await compute(lambda: sha256(data).hexdigest())
        part_bytes = max(PART_BYTES_MIN, min(PART_BYTES, await self._limit(deadline) - PART_ENVELOPE_BYTES))

        def parts() -> Iterator[pb.UploadProblemRequest]:
            yield pb.UploadProblemRequest(header=pb.UploadHeader(total_bytes=len(data), content_sha256=digest))
            for start in range(0, len(data), part_bytes):
                yield pb.UploadProblemRequest(data=data[start : start + part_bytes])

        return await self._caller.upload(methods.UPLOAD_PROBLEM, parts, deadline.remaining())

    async def _room(self, size_bytes: int, deadline: Deadline) -> int:
        """Return the largest problem that fits a message, as far as it matters for one of ``size_bytes``."""
        own = self._caller.connection.message_bytes_max - ENVELOPE_BYTES
        return own if size_bytes <= min(ASK_BYTES, own) else min(own, await self._limit(deadline) - ENVELOPE_BYTES)

    async def _limit(self, deadline: Deadline) -> int:
        """Return the largest message, bytes; the server is asked once."""
        if self._message_bytes is None:
            own = self._caller.connection.message_bytes_max
            seconds = deadline.remaining(SHORT_SECONDS)
            try:
                answer = await self._caller.unary(methods.GET_LIMITS, pb.GetLimitsRequest(), seconds)
            except ServerRefusedError:
                if deadline.passed:
                    raise
                # A server that does not say takes as much as this package does.
                return own
            told = {limit.name: limit.value for limit in answer.limits}
            self._message_bytes = min(own, int(told.get("message_bytes", own)))
        return self._message_bytes

    async def get_solve(self, name: str, timeout_seconds: float | None) -> solve_pb2.Solve:
        """Return a solve."""
        request = pb.GetSolveRequest(name=solve_name(name))
        return await self._caller.unary(methods.GET_SOLVE, request, seconds_or(timeout_seconds, SHORT_SECONDS))

    async def list_solves(
        self, condition: str, page_size: int, timeout_seconds: float | None
    ) -> AsyncGenerator[solve_pb2.Solve]:
        """Yield solves, newest first; pages are fetched as they are needed."""
        request = pb.ListSolvesRequest(filter=condition, page_size=page_size)
        while True:
            page = await self._caller.unary(methods.LIST_SOLVES, request, seconds_or(timeout_seconds, SHORT_SECONDS))
            for solve in page.solves:
                yield solve
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def delete_solve(self, name: str, timeout_seconds: float | None) -> None:
        """Delete a solve that has ended."""
        attempts = self._caller.attempts(seconds_or(timeout_seconds, SHORT_SECONDS))
        try:
            request = pb.DeleteSolveRequest(name=solve_name(name))
            await self._caller.unary(methods.DELETE_SOLVE, request, None, attempts)
        except ServerRefusedError as error:
            # Gone on a second try: the first one did it, and only its answer was lost.
            if error.code != "NOT_FOUND" or attempts.failed < 2:
                raise

    async def watch(self, name: str, after_sequence: int, timeout_seconds: float | None) -> AsyncGenerator[SolveEvent]:
        """Yield events until the solve has ended; a stream that breaks is taken up after the last event."""
        caller = self._caller
        attempts = caller.attempts(timeout_seconds, long=True)
        position, solve = after_sequence, solve_name(name)
        while True:
            request = pb.WatchSolveRequest(name=solve, after_sequence=position)
            async with caller.stream(
                methods.WATCH_SOLVE, request, attempts.deadline.remaining(STREAM_SECONDS)
            ) as stream:
                while (answer := await self._next(stream, attempts.deadline)) is not None:
                    if isinstance(answer, ServerError):
                        break
                    event = decoded_by("event", _event, answer)
                    if event.sequence <= position and not event.ended:
                        continue
                    position = max(position, event.sequence)
                    attempts.succeeded()
                    yield event
                    if event.ended:
                        return
            if isinstance(answer, DeadlineExceededError):
                # Only this stream has had its time.
                continue
            await caller.pause(attempts, answer or broken_off(f"the watch of {solve}"))

    async def _next(self, stream: OpenStream, deadline: Deadline) -> pb.WatchSolveResponse | ServerError | None:
        """Return the next event, None at the end, or what the stream broke with."""
        try:
            answer: pb.WatchSolveResponse | None = await stream.read()
        except DeadlineExceededError as error:
            if deadline.passed:
                raise
            return error
        except ServerError as error:
            return error
        return answer

    async def wait_for_solve(self, name: str, timeout_seconds: float | None) -> solve_pb2.Solve:
        """Ask for a solve, less and less often, until it has ended."""
        caller = self._caller
        attempts = caller.attempts(timeout_seconds, long=True)
        request, pause = pb.GetSolveRequest(name=solve_name(name)), POLL_SECONDS
        while True:
            limit = attempts.deadline.remaining(SHORT_SECONDS)
            solve = await caller.unary(methods.GET_SOLVE, request, limit, caller.attempts(limit, long=True))
            if solve.state in ENDED_STATES:
                return solve
            # Half of it drawn, so that many who wait do not ask at once.
            seconds = pause * (0.5 + 0.5 * caller.draw())
            remaining = attempts.deadline.remaining()
            if remaining is not None and seconds >= remaining:
                state = solve_pb2.SolveState.Name(solve.state).removeprefix("SOLVE_STATE_")
                text = f"{solve.name} is {state} after {timeout_seconds:g} s"
                raise DeadlineExceededError("DEADLINE_EXCEEDED", text)
            await caller.transport.sleep(seconds)
            pause = min(pause * POLL_GROWTH, POLL_SECONDS_MAX)

    async def get_operation(self, name: str, timeout_seconds: float | None) -> lro.Operation:
        """Return an operation."""
        request = lro.GetOperationRequest(name=operation_name(name))
        return await self._caller.unary(methods.GET_OPERATION, request, seconds_or(timeout_seconds, SHORT_SECONDS))

    async def list_operations(
        self, condition: str, page_size: int, timeout_seconds: float | None
    ) -> AsyncGenerator[lro.Operation]:
        """Yield operations, newest first."""
        request = lro.ListOperationsRequest(filter=condition, page_size=page_size)
        while True:
            page = await self._caller.unary(
                methods.LIST_OPERATIONS, request, seconds_or(timeout_seconds, SHORT_SECONDS)
            )
            for operation in page.operations:
                yield operation
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def wait_operation(self, name: str, timeout_seconds: float | None) -> lro.Operation:
        """Return an operation once it is done, or as it is after ``timeout_seconds``; the server does the waiting.

        The answer, or the error, comes WAIT_MARGIN_SECONDS_LAST after that time at the latest.
        """
        caller, deadline = self._caller, Deadline(timeout_seconds)
        while True:
            seconds = deadline.remaining(WAIT_SECONDS)
            assert seconds is not None
            duration = Duration()
            duration.FromMilliseconds(int(seconds * 1000))
            request = lro.WaitOperationRequest(name=operation_name(name), timeout=duration)
            left = deadline.remaining_or(math.inf) + WAIT_MARGIN_SECONDS_LAST
            attempts = caller.attempts(min(seconds + WAIT_MARGIN_SECONDS, left), long=True)
            operation = await caller.unary(methods.WAIT_OPERATION, request, None, attempts)
            if operation.done or deadline.passed:
                return operation

    async def cancel_operation(self, name: str, timeout_seconds: float | None) -> None:
        """Ask for the end of a solve."""
        request = lro.CancelOperationRequest(name=operation_name(name))
        await self._caller.unary(methods.CANCEL_OPERATION, request, seconds_or(timeout_seconds, SHORT_SECONDS))


def solve_of_operation(operation: lro.Operation) -> solve_pb2.Solve:
    """Return the solve of an operation, as it was when the operation was fetched.

    Raises ServerRefusedError where the operation is not one of a solve.
    """
    solve, metadata = solve_pb2.Solve(), solve_pb2.CreateSolveMetadata()
    if operation.WhichOneof("result") == "response" and operation.response.Unpack(solve):
        return solve
    if operation.metadata.Unpack(metadata):
        return metadata.solve
    raise ServerRefusedError(MALFORMED, f"operation {operation.name} is not of a solve")


def require_plan(solve: solve_pb2.Solve) -> solve_pb2.Solve:
    """Return a solve that has ended with a plan; raise SolveFailedError, with the server's reason, for another."""
    if solve.state == solve_pb2.SOLVE_STATE_SUCCEEDED:
        return solve
    if solve.state == solve_pb2.SOLVE_STATE_FAILED:
        raise SolveFailedError(code_name(solve.error.code), solve.error.message, status_details(solve.error))
    if solve.state == solve_pb2.SOLVE_STATE_CANCELLED:
        raise SolveFailedError("CANCELLED", f"{solve.name} was stopped before there was a plan")
    raise SolveFailedError("FAILED_PRECONDITION", f"{solve.name} has not ended")


def _problem_message(problem: Problem | problem_pb2.Problem) -> problem_pb2.Problem:
    return problem_to_proto(problem) if isinstance(problem, Problem) else problem


def _problem_bytes(problem: Problem | problem_pb2.Problem) -> bytes:
    return write_message(_problem_message(problem))


def _event(answer: pb.WatchSolveResponse) -> SolveEvent:
    """Read an event; raises ValueError where it is malformed."""
    kind = answer.WhichOneof("event")
    if kind == "progress":
        return SolveEvent(answer.sequence, progress=progress_from_proto(answer.progress))
    if kind == "changed":
        return SolveEvent(answer.sequence, solve=answer.changed)
    if kind == "ended":
        return SolveEvent(answer.sequence, solve=answer.ended, ended=True)
    # Of a newer contract: its place counts.
    return SolveEvent(answer.sequence)
