"""The same calls as ``SourcingClient`` within an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from google.longrunning import operations_pb2 as lro

from tehai.client.caller import Caller
from tehai.client.connection import Connection
from tehai.client.errors import ServerUnreachableError
from tehai.client.plans import PlanCalls
from tehai.client.quoting import AnyWorkload, QuoteCalls
from tehai.client.retries import RetryBudget, RetryPolicy
from tehai.client.solves import AnyProblem, SolveCalls, SolveEvent
from tehai.client.streamed import stream_solve
from tehai.client.transport import LoopTransport
from tehai.domain.evaluation import Evaluation, PlanDifference, ScenarioChange
from tehai.domain.plan import Plan, SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.result import Progress, SolveResult
from tehai.v1 import evaluation_pb2, problem_pb2, quote_pb2, solve_pb2, sourcing_service_pb2

CONNECT_SECONDS = 10.0


class AsyncSourcingClient:
    """One connection to a server, for one event loop; make it there, and use it as an asynchronous context manager.

    Arguments, results and errors are those of ``SourcingClient``. A call ends when its task is cancelled. Iterators are
    asynchronous generators: close one that is left early with ``contextlib.aclosing``.
    """

    def __init__(self, target: str | Connection, policy: RetryPolicy | None = None) -> None:
        connection = Connection(target) if isinstance(target, str) else target
        policy = policy or RetryPolicy()
        self._connection = connection
        self._transport = LoopTransport(connection)
        self._caller = Caller(self._transport, connection, policy, RetryBudget(policy.budget))
        self._solves = SolveCalls(self._caller)
        self._plans = PlanCalls(self._caller)
        self._quotes = QuoteCalls(self._caller)

    async def __aenter__(self) -> AsyncSourcingClient:
        """Wait until the server is there; raise ServerUnreachableError."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._transport.channel.channel_ready()
        except BaseException as error:
            # Of a task that is cancelled too: nobody else can, as ``async with`` has not begun.
            await self.close()
            if isinstance(error, TimeoutError):
                raise ServerUnreachableError(self._connection.unanswered) from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection; calls under way end."""
        await self._transport.close()

    async def create_solve(
        self,
        problem: AnyProblem,
        options: SolveOptions = SolveOptions(),
        *,
        display_name: str = "",
        priority: int | None = None,
        request_id: str | None = None,
        timeout_seconds: float | None = None,
    ) -> lro.Operation:
        """Create a solve and return its operation."""
        return await self._solves.create_solve(
            problem,
            options,
            display_name=display_name,
            priority=priority,
            request_id=request_id,
            timeout_seconds=timeout_seconds,
        )

    async def upload_problem(
        self, problem: Problem | problem_pb2.Problem | bytes, timeout_seconds: float | None = None
    ) -> solve_pb2.StoredProblem:
        """Keep a problem on the server."""
        return await self._solves.upload_problem(problem, timeout_seconds)

    async def get_solve(self, name: str, timeout_seconds: float | None = None) -> solve_pb2.Solve:
        """Return a solve as it is now."""
        return await self._solves.get_solve(name, timeout_seconds)

    def list_solves(
        self, condition: str = "", page_size: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[solve_pb2.Solve]:
        """Yield solves, newest first."""
        return self._solves.list_solves(condition, page_size, timeout_seconds)

    async def delete_solve(self, name: str, timeout_seconds: float | None = None) -> None:
        """Delete a solve that has ended, with its plan."""
        await self._solves.delete_solve(name, timeout_seconds)

    def watch(
        self, name: str, after_sequence: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[SolveEvent]:
        """Yield what happens to a solve; the last event is the ended solve."""
        return self._solves.watch(name, after_sequence, timeout_seconds)

    async def wait_for_solve(self, name: str, timeout_seconds: float | None = None) -> solve_pb2.Solve:
        """Ask for a solve, less and less often, until it has ended, and return it."""
        return await self._solves.wait_for_solve(name, timeout_seconds)

    async def get_operation(self, name: str, timeout_seconds: float | None = None) -> lro.Operation:
        """Return an operation as it is now."""
        return await self._solves.get_operation(name, timeout_seconds)

    def list_operations(
        self, condition: str = "", page_size: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[lro.Operation]:
        """Yield operations, newest first."""
        return self._solves.list_operations(condition, page_size, timeout_seconds)

    async def wait_operation(self, name: str, timeout_seconds: float | None = None) -> lro.Operation:
        """Return an operation once it is done, or as it is after ``timeout_seconds``."""
        return await self._solves.wait_operation(name, timeout_seconds)

    async def cancel_operation(self, name: str, timeout_seconds: float | None = None) -> None:
        """Ask for the end of a solve; it keeps the best plan that it has by then."""
        await self._solves.cancel_operation(name, timeout_seconds)

    async def result(self, name: str, timeout_seconds: float | None = None) -> SolveResult:
        """Return the whole result of a solve."""
        return await self._plans.result(name, timeout_seconds)

    async def download_result(self, name: str, timeout_seconds: float | None = None) -> bytes:
        """Return the bytes of the serialised SolveResult, checked against their SHA-256."""
        return await self._plans.download_result(name, timeout_seconds)

    async def plan(self, name: str, timeout_seconds: float | None = None) -> Plan:
        """Return a plan."""
        return await self._plans.plan(name, timeout_seconds)

    async def diff(self, from_plan: str, to_plan: str, timeout_seconds: float | None = None) -> PlanDifference:
        """Return what is different from one plan to another."""
        return await self._plans.diff(from_plan, to_plan, timeout_seconds)

    async def evaluate(
        self,
        plan: str,
        change: ScenarioChange | evaluation_pb2.ScenarioChange,
        timeout_seconds: float | None = None,
    ) -> Evaluation:
        """Return the bill of a plan under a change, without a solve."""
        return await self._plans.evaluate(plan, change, timeout_seconds)

    async def quote(
        self,
        plan: str,
        workloads: Iterable[AnyWorkload],
        placements_max: int = 0,
        timeout_seconds: float | None = None,
    ) -> tuple[quote_pb2.Quote, ...]:
        """Return what each workload would cost at the prices of a plan."""
        return await self._quotes.quote(plan, workloads, placements_max, timeout_seconds)

    def stream_quotes(
        self,
        plan: str,
        workloads: Iterable[AnyWorkload],
        placements_max: int = 0,
        timeout_seconds: float | None = None,
    ) -> AsyncGenerator[quote_pb2.Quote]:
        """Yield one quote for each workload, in order; ``workloads`` are read in another thread."""
        return self._quotes.stream_quotes(plan, workloads, placements_max, timeout_seconds)

    async def limits(self, timeout_seconds: float | None = None) -> dict[str, float]:
        """Return the limits that this caller has, by name."""
        return await self._plans.limits(timeout_seconds)

    async def check(
        self, message: problem_pb2.Problem, timeout_seconds: float | None = None
    ) -> sourcing_service_pb2.CheckProblemResponse:
        """Return what the server finds in ``message``."""
        return await self._plans.check(message, timeout_seconds)

    async def demo_problem(self, name: str, timeout_seconds: float | None = None) -> problem_pb2.Problem:
        """Return a ready problem of the server."""
        return await self._plans.demo_problem(name, timeout_seconds)

    async def solve(
        self,
        message: problem_pb2.Problem,
        options: SolveOptions,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> SolveResult:
        """Solve while the call lasts; cancel the task to end it."""

        def guard(_: Callable[[], None]) -> AbstractContextManager[None]:
            return nullcontext()

        return await stream_solve(self._caller, message, options, on_progress, guard)
