"""What the methods share: the parts of one running server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tehai.engine.messages import MessageScanner
from tehai.operations.records import SolveRecord
from tehai.operations.store import Store
from tehai.runner.errors import ShuttingDownError
from tehai.runner.places import Places
from tehai.runner.queries import QueryProcesses
from tehai.runner.runner import Runner
from tehai.runner.settings import RunnerSettings
from tehai.security import TenantLimiter, current_admission
from tehai.server.observer import SolveObserver
from tehai.server.quotes import Quotes
from tehai.server.settings import ServerSettings
from tehai.server.watches import WatchHub
from tehai.telemetry import Metrics


@dataclass
class ServerParts:
    """One of each; methods hold no state of their own beside it."""

    settings: ServerSettings
    runner_settings: RunnerSettings
    store: Store
    scanner: MessageScanner
    limiter: TenantLimiter
    metrics: Metrics
    watches: WatchHub
    places: Places
    runner: Runner
    queries: QueryProcesses
    quotes: Quotes
    observer: SolveObserver
    # Set on SIGTERM: no new work is taken.
    draining: bool = False

    def check_open(self) -> None:
        """Raise ShuttingDownError where the server takes no new work."""
        if self.draining:
            raise ShuttingDownError

    def accepted(self, record: SolveRecord, traceparent: str) -> None:
        """A solve was accepted: its process starts at once where there is a place."""
        self.runner.wake(record.solve_id, traceparent)

    def cancel_requested(self, record: SolveRecord) -> None:
        """Somebody asked for the end of a solve: the runner need not find out by itself."""
        if not record.state.ended:
            self.runner.cancel(record.tenant, record.solve_id)

    async def delete_solve(self, tenant: str, solve_id: str) -> None:
        """Delete a solve that has ended, with its plan; raise what the store raises."""
        await self.store.delete_solve(tenant, solve_id)
        self.quotes.forget(tenant, solve_id)

    async def query(self, kind: str, parts: Sequence[bytes]) -> bytes:
        """Have a query process answer with one message; raise what QueryProcesses raises."""
        self.check_open()
        tenant = current_admission().tenant
        answers = await self.queries.call(kind, parts, self.runner_settings.query_seconds_max, tenant)
        answer: bytes = answers[0]
        return answer
