"""Calls on results, plans and problems: written once, over either transport."""

from __future__ import annotations

from hashlib import sha256

from tehai.client import methods
from tehai.client.caller import (
    HEAVY_SECONDS,
    SHORT_SECONDS,
    TRANSFER_SECONDS,
    Caller,
    broken_off,
    decoded,
    decoded_by,
    seconds_or,
    too_large,
)
from tehai.client.errors import ServerError, ServerRefusedError, TransferError
from tehai.client.names import plan_name, solve_name
from tehai.client.retries import Attempts, Deadline
from tehai.domain.evaluation import Evaluation, PlanDifference, ScenarioChange
from tehai.domain.plan import Plan
from tehai.domain.result import SolveResult
from tehai.v1 import evaluation_pb2, plan_pb2, problem_pb2
from tehai.v1 import sourcing_service_pb2 as pb
from tehai.wire import (
    change_to_proto,
    evaluation_from_proto,
    plan_difference_from_proto,
    plan_from_proto,
    result_from_proto,
)


class _Download:
    """Bytes of a result so far, and what they are to be in the end."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.total_bytes: int | None = None
        self.content_sha256 = ""

    def add(self, part: pb.DownloadSolveResultResponse) -> None:
        """Add a part; raise TransferError where it does not go with the others."""
        announced = (part.total_bytes, part.content_sha256)
        if self.total_bytes is None:
            self.total_bytes, self.content_sha256 = announced
        elif announced != (self.total_bytes, self.content_sha256):
            message = "the result that is downloaded has become another one on the way"
            raise TransferError(message)
        self.data += part.data
        if len(self.data) > self.total_bytes:
            message = f"more bytes came down than the {self.total_bytes} that were announced"
            raise TransferError(message)

    @property
    def complete(self) -> bool:
        """Whether every byte is here."""
        return self.total_bytes is not None and len(self.data) == self.total_bytes

    def checked(self) -> bytes:
        """Return the bytes; raise TransferError where they are not those that were announced."""
        found = sha256(self.data).hexdigest()
        if found != self.content_sha256:
            message = f"the {len(self.data)} bytes that came down have the SHA-256 {found}, not {self.content_sha256}"
            raise TransferError(message)
        return bytes(self.data)


class PlanCalls:
    """Read, compare and evaluate what solves found; check problems."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def result(self, name: str, timeout_seconds: float | None) -> SolveResult:
        """Return the whole result of a solve, downloaded in parts where it does not fit one message."""
        caller, deadline = self._caller, Deadline(timeout_seconds)
        request = pb.GetSolveResultRequest(name=solve_name(name))
        try:
            message = await caller.unary(methods.GET_SOLVE_RESULT, request, deadline.remaining_or(HEAVY_SECONDS))
        except ServerRefusedError as error:
            if not too_large(error):
                raise
            return await self._downloaded(name, deadline)
        return await caller.transport.compute(read_result, message)

    async def _downloaded(self, name: str, deadline: Deadline) -> SolveResult:
        """Return a result that does not fit one message."""
        compute = self._caller.transport.compute
        data = await self.download_result(name, deadline.remaining())
        return await compute(read_result, await compute(plan_pb2.SolveResult.FromString, data))

    async def download_result(self, name: str, timeout_seconds: float | None) -> bytes:
        """Return the bytes of a serialised SolveResult; a download that breaks goes on where it was."""
        caller, download = self._caller, _Download()
        attempts = caller.attempts(seconds_or(timeout_seconds, TRANSFER_SECONDS), long=True)
        solve = solve_name(name)
        while not download.complete:
            failure = await self._download_on(solve, download, attempts)
            if not download.complete:
                await caller.pause(attempts, failure or broken_off(f"the download of {solve}"))
        return await caller.transport.compute(download.checked)

    async def _download_on(self, solve: str, download: _Download, attempts: Attempts) -> ServerError | None:
        """Read one stream to its end; return what it broke with."""
        request = pb.DownloadSolveResultRequest(name=solve, offset=len(download.data))
        seconds = attempts.deadline.remaining()
        async with self._caller.stream(methods.DOWNLOAD_SOLVE_RESULT, request, seconds) as stream:
            try:
                while (part := await stream.read()) is not None:
                    download.add(part)
                    if part.data:
                        attempts.succeeded()
            except ServerError as error:
                return error
        return None

    async def plan(self, name: str, timeout_seconds: float | None) -> Plan:
        """Return a plan; of the downloaded result where it does not fit one message, as then that does not either."""
        deadline = Deadline(timeout_seconds)
        request = pb.GetPlanRequest(name=plan_name(name))
        try:
            message = await self._caller.unary(methods.GET_PLAN, request, deadline.remaining_or(HEAVY_SECONDS))
        except ServerRefusedError as error:
            if not too_large(error):
                raise
            return (await self._downloaded(name, deadline)).plan
        return await self._caller.transport.compute(_read_plan, message)

    async def diff(self, from_plan: str, to_plan: str, timeout_seconds: float | None) -> PlanDifference:
        """Return what is different from one plan to another."""
        request = pb.DiffPlansRequest(from_plan=plan_name(from_plan), to_plan=plan_name(to_plan))
        message = await self._caller.unary(methods.DIFF_PLANS, request, seconds_or(timeout_seconds, HEAVY_SECONDS))
        return decoded_by("difference", plan_difference_from_proto, message)

    async def evaluate(
        self, plan: str, change: ScenarioChange | evaluation_pb2.ScenarioChange, timeout_seconds: float | None
    ) -> Evaluation:
        """Return the bill of a plan under a change."""
        given = change_to_proto(change) if isinstance(change, ScenarioChange) else change
        request = pb.EvaluatePlanRequest(plan=plan_name(plan), change=given)
        message = await self._caller.unary(methods.EVALUATE_PLAN, request, seconds_or(timeout_seconds, HEAVY_SECONDS))
        return decoded_by("evaluation", evaluation_from_proto, message)

    async def limits(self, timeout_seconds: float | None) -> dict[str, float]:
        """Return the limits of this caller by name."""
        answer = await self._caller.unary(
            methods.GET_LIMITS, pb.GetLimitsRequest(), seconds_or(timeout_seconds, SHORT_SECONDS)
        )
        return {limit.name: limit.value for limit in answer.limits}

    async def check(self, message: problem_pb2.Problem, timeout_seconds: float | None) -> pb.CheckProblemResponse:
        """Return what the server finds in a problem."""
        request = pb.CheckProblemRequest(problem=message)
        return await self._caller.unary(methods.CHECK_PROBLEM, request, seconds_or(timeout_seconds, HEAVY_SECONDS))

    async def demo_problem(self, name: str, timeout_seconds: float | None) -> problem_pb2.Problem:
        """Return a ready problem of the server."""
        request = pb.GetDemoProblemRequest(name=name)
        answer = await self._caller.unary(methods.GET_DEMO_PROBLEM, request, seconds_or(timeout_seconds, SHORT_SECONDS))
        return answer.problem


def read_result(message: plan_pb2.SolveResult) -> SolveResult:
    """Return the result; raise ServerRefusedError where the message is malformed."""
    return decoded("result", *result_from_proto(message))


def _read_plan(message: plan_pb2.Plan) -> Plan:
    return decoded("plan", *plan_from_proto(message))
