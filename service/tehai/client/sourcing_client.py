"""Blocking calls of tehai.v1.SourcingService with domain objects on the near side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

import grpc
from google.longrunning import operations_pb2 as lro

from tehai.client.caller import Caller
from tehai.client.connection import Connection
from tehai.client.errors import ServerUnreachableError
from tehai.client.plans import PlanCalls
from tehai.client.quoting import AnyWorkload, QuoteCalls
from tehai.client.retries import RetryBudget, RetryPolicy
from tehai.client.solves import AnyProblem, SolveCalls, SolveEvent
from tehai.client.streamed import stream_solve
from tehai.client.transport import BlockingTransport, iterate_blocking, run_blocking
from tehai.domain.evaluation import Evaluation, PlanDifference, ScenarioChange
from tehai.domain.plan import Plan, SolveOptions
from tehai.domain.problem import Problem
from tehai.domain.result import Progress, SolveResult
from tehai.v1 import evaluation_pb2, problem_pb2, quote_pb2, solve_pb2, sourcing_service_pb2

CONNECT_SECONDS = 10.0
# How often a caller's wish to stop is looked at.
POLL_SECONDS = 0.05


class SourcingClient:
    """One connection to a server; use it as a context manager, from any thread.

    ``target`` is HOST:PORT or a Connection with credential and certificates. ``timeout_seconds`` of a call is for all
    that it does, its tries together; 0: over; None: a deadline that suits the call, see docs/clients.md. Names may be
    those of a solve, its plan or its operation. Every call raises ServerUnreachableError, ServerRefusedError
    (DeadlineExceededError where its time is over) and ValueError for a name that is none; what else it raises is said
    there.
    """

    def __init__(self, target: str | Connection, policy: RetryPolicy | None = None) -> None:
        connection = Connection(target) if isinstance(target, str) else target
        policy = policy or RetryPolicy()
        self._connection = connection
        self._transport = BlockingTransport(connection)
        self._caller = Caller(self._transport, connection, policy, RetryBudget(policy.budget))
        self._solves = SolveCalls(self._caller)
        self._plans = PlanCalls(self._caller)
        self._quotes = QuoteCalls(self._caller)

    def __enter__(self) -> SourcingClient:
        """Wait until the server is there; raise ServerUnreachableError."""
        try:
            grpc.channel_ready_future(self._transport.channel).result(timeout=CONNECT_SECONDS)
        except BaseException as error:
            # Of an interrupt too: nobody else can, as ``with`` has not begun.
            self.close()
            if isinstance(error, grpc.FutureTimeoutError):
                raise ServerUnreachableError(self._connection.unanswered) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection; calls under way end."""
        self._transport.channel.close()

    def create_solve(
        self,
        problem: AnyProblem,
        options: SolveOptions = SolveOptions(),
        *,
        display_name: str = "",
        priority: int | None = None,
        request_id: str | None = None,
        timeout_seconds: float | None = None,
    ) -> lro.Operation:
        """Create a solve and return its operation; it is kept by the server from then on.

        ``request_id`` None: a new one, so that our own retries create one solve. With an id of your own, a later call
        with the same problem and options gives the same operation; "" is none. A problem too large for one message is
        uploaded.
        """
        return run_blocking(
            self._solves.create_solve(
                problem,
                options,
                display_name=display_name,
                priority=priority,
                request_id=request_id,
                timeout_seconds=timeout_seconds,
            )
        )

    def upload_problem(
        self, problem: Problem | problem_pb2.Problem | bytes, timeout_seconds: float | None = None
    ) -> solve_pb2.StoredProblem:
        """Keep a problem on the server, for ``create_solve`` to name; ``bytes`` are a serialised problem."""
        return run_blocking(self._solves.upload_problem(problem, timeout_seconds))

    def get_solve(self, name: str, timeout_seconds: float | None = None) -> solve_pb2.Solve:
        """Return a solve as it is now."""
        return run_blocking(self._solves.get_solve(name, timeout_seconds))

    def list_solves(
        self, condition: str = "", page_size: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[solve_pb2.Solve]:
        """Yield solves, newest first, fetched by the page (of ``page_size``; 0: the server's choice).

        ``condition`` is a filter such as ``state = RUNNING AND priority <= 3``. The time is for each page.
        """
        return iterate_blocking(self._solves.list_solves(condition, page_size, timeout_seconds))

    def delete_solve(self, name: str, timeout_seconds: float | None = None) -> None:
        """Delete a solve that has ended, with its plan."""
        run_blocking(self._solves.delete_solve(name, timeout_seconds))

    def watch(self, name: str, after_sequence: int = 0, timeout_seconds: float | None = None) -> Iterator[SolveEvent]:
        """Yield what happens to a solve; the last event is the ended solve. Without ``timeout_seconds`` it has no end.

        A stream that breaks is taken up where it was. ``after_sequence``: of the last event that you have seen.
        """
        return iterate_blocking(self._solves.watch(name, after_sequence, timeout_seconds))

    def wait_for_solve(self, name: str, timeout_seconds: float | None = None) -> solve_pb2.Solve:
        """Ask for a solve, less and less often, until it has ended, and return it; ``timeout_seconds`` None: no end."""
        return run_blocking(self._solves.wait_for_solve(name, timeout_seconds))

    def get_operation(self, name: str, timeout_seconds: float | None = None) -> lro.Operation:
        """Return an operation as it is now."""
        return run_blocking(self._solves.get_operation(name, timeout_seconds))

    def list_operations(
        self, condition: str = "", page_size: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[lro.Operation]:
        """Yield operations as ``list_solves`` yields solves."""
        return iterate_blocking(self._solves.list_operations(condition, page_size, timeout_seconds))

    def wait_operation(self, name: str, timeout_seconds: float | None = None) -> lro.Operation:
        """Return an operation once it is done, or as it is after ``timeout_seconds``; the server does the waiting.

        The answer comes up to two seconds after that time; None: no end.
        """
        return run_blocking(self._solves.wait_operation(name, timeout_seconds))

    def cancel_operation(self, name: str, timeout_seconds: float | None = None) -> None:
        """Ask for the end of a solve; it keeps the best plan that it has by then."""
        run_blocking(self._solves.cancel_operation(name, timeout_seconds))

    def result(self, name: str, timeout_seconds: float | None = None) -> SolveResult:
        """Return the whole result of a solve; raises TransferError too."""
        return run_blocking(self._plans.result(name, timeout_seconds))

    def download_result(self, name: str, timeout_seconds: float | None = None) -> bytes:
        """Return the bytes of the serialised SolveResult, checked against their SHA-256; raises TransferError too."""
        return run_blocking(self._plans.download_result(name, timeout_seconds))

    def plan(self, name: str, timeout_seconds: float | None = None) -> Plan:
        """Return a plan; raises TransferError too."""
        return run_blocking(self._plans.plan(name, timeout_seconds))

    def diff(self, from_plan: str, to_plan: str, timeout_seconds: float | None = None) -> PlanDifference:
        """Return what is different from one plan to another."""
        return run_blocking(self._plans.diff(from_plan, to_plan, timeout_seconds))

    def evaluate(
        self,
        plan: str,
        change: ScenarioChange | evaluation_pb2.ScenarioChange,
        timeout_seconds: float | None = None,
    ) -> Evaluation:
        """Return the bill of a plan under a change, without a solve."""
        return run_blocking(self._plans.evaluate(plan, change, timeout_seconds))

    def quote(
        self,
        plan: str,
        workloads: Iterable[AnyWorkload],
        placements_max: int = 0,
        timeout_seconds: float | None = None,
    ) -> tuple[quote_pb2.Quote, ...]:
        """Return what each workload would cost at the prices of a plan: one quote for each, in order; 100 at most.

        ``placements_max``: best placement and alternatives, 1 to 20; 0: 3.
        """
        return run_blocking(self._quotes.quote(plan, workloads, placements_max, timeout_seconds))

    def stream_quotes(
        self,
        plan: str,
        workloads: Iterable[AnyWorkload],
        placements_max: int = 0,
        timeout_seconds: float | None = None,
    ) -> Iterator[quote_pb2.Quote]:
        """Yield one quote for each workload, in order, for as many as there are; read in another thread.

        ``timeout_seconds`` None: no end while answers come.
        """
        return iterate_blocking(self._quotes.stream_quotes(plan, workloads, placements_max, timeout_seconds))

    def limits(self, timeout_seconds: float | None = None) -> dict[str, float]:
        """Return the limits that this caller has, by name."""
        return run_blocking(self._plans.limits(timeout_seconds))

    def check(
        self, message: problem_pb2.Problem, timeout_seconds: float | None = None
    ) -> sourcing_service_pb2.CheckProblemResponse:
        """Return what the server finds in ``message``."""
        return run_blocking(self._plans.check(message, timeout_seconds))

    def demo_problem(self, name: str, timeout_seconds: float | None = None) -> problem_pb2.Problem:
        """Return a ready problem of the server."""
        return run_blocking(self._plans.demo_problem(name, timeout_seconds))

    def solve(
        self,
        message: problem_pb2.Problem,
        options: SolveOptions,
        on_progress: Callable[[Progress], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> SolveResult:
        """Solve while the call lasts, as ``pipeline.run`` does in process.

        Raises InvalidProblemError with the full list, ServerUnreachableError, ServerRefusedError, and
        SolveAbandonedError once ``should_stop`` is true: the contract has no way to keep a plan of a call that ends.
        ``create_solve`` has.
        """

        def guard(cancel: Callable[[], None]) -> AbstractContextManager[None]:
            return _cancel_when(should_stop, cancel)

        return run_blocking(stream_solve(self._caller, message, options, on_progress, guard))


@contextmanager
def _cancel_when(should_stop: Callable[[], bool] | None, cancel: Callable[[], None]) -> Iterator[None]:
    """Call ``cancel`` as soon as ``should_stop`` is true, while the block runs."""
    if should_stop is None:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            if should_stop():
                cancel()
                return

    thread = threading.Thread(target=watch, name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
