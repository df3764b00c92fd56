"""Queries that need problems and plans as Python objects, answered by a few processes that live on."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.context import ForkServerContext

import structlog

from tehai.runner.errors import QueryFailedError, QueryTimeoutError, TooManyQueriesError
from tehai.runner.query_frames import Query
from tehai.runner.query_process import QueryProcess
from tehai.runner.settings import RunnerSettings


class QueryProcesses:
    """Asks at most ``query_processes_max`` processes at once; use it in one event loop."""

    def __init__(self, context: ForkServerContext, settings: RunnerSettings) -> None:
        self._settings = settings
        count = settings.query_processes_max
        # One for each process, so that none waits for another.
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="query")
        self._all = [QueryProcess(context, settings.query_memory_mb_max) for _ in range(count)]
        self._idle: asyncio.LifoQueue[QueryProcess] = asyncio.LifoQueue()
        for process in self._all:
            self._idle.put_nowait(process)
        # How many wait, by tenant.
        self._waiting: Counter[str] = Counter()
        self._closed = False

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that there are just now."""
        return [pid for process in self._all if (pid := process.pid) is not None]

    async def start(self) -> None:
        """Start one process ahead of the first query; the others start when they are needed."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._all[-1].start)

    async def call(self, kind: str, parts: Sequence[bytes], timeout_seconds: float, tenant: str = "") -> list[bytes]:
        """Return what the function of ``kind`` returns for ``parts``, see ``query_worker``.

        At most half of those that wait, rounded up, are of one tenant, so that none takes all places of the queue.

        Raises:
            InvalidProblemError: what was asked is wrong.
            QueryMemoryError: the query needed too much memory.
            QueryTimeoutError: it took longer than ``timeout_seconds``, waiting included.
            TooManyQueriesError: too many queries wait, in all or of this tenant, or this one waited too long.
            QueryFailedError: the process failed, or died.
        """
        most = self._settings.query_queue_max
        full = self._waiting.total() >= most or self._waiting[tenant] >= (most + 1) // 2
        if self._closed or (self._idle.empty() and full):
            raise TooManyQueriesError(self._settings.retry_seconds)
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        self._waiting[tenant] += 1
        try:
            async with asyncio.timeout_at(deadline):
                process = await self._idle.get()
        except TimeoutError:
            raise TooManyQueriesError(self._settings.retry_seconds) from None
        finally:
            self._waiting[tenant] -= 1
            if not self._waiting[tenant]:
                del self._waiting[tenant]
        return await self._ask(process, Query(kind, tuple(parts)), deadline, timeout_seconds)

    async def _ask(self, process: QueryProcess, query: Query, deadline: float, timeout_seconds: float) -> list[bytes]:
        """Ask ``process`` and put it back; one that is too slow, or whose caller is gone, is killed."""
        given_up = threading.Event()
        asked = asyncio.get_running_loop().run_in_executor(self._threads, process.ask, query, given_up)
        # The process is idle again once its thread is done with it, also where nobody waits any more.
        asked.add_done_callback(lambda done: self._put_back(process, done))
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(asked)
        except TimeoutError:
            self._give_up(process, asked, given_up)
            raise QueryTimeoutError(timeout_seconds) from None
        except asyncio.CancelledError:
            self._give_up(process, asked, given_up)
            raise
        except QueryFailedError as error:
            structlog.stdlib.get_logger(__name__).warning("query failed", query=query.kind, error=str(error))
            raise

    def _give_up(self, process: QueryProcess, asked: asyncio.Future[list[bytes]], given_up: threading.Event) -> None:
        """End a query that nobody waits for; a process that is done with it is somebody else's already."""
        given_up.set()
        if not asked.done():
            process.kill()

    def _put_back(self, process: QueryProcess, done: asyncio.Future[list[bytes]]) -> None:
        if not done.cancelled():
            # Seen, so that it is not reported as lost where the caller is gone.
            done.exception()
        self._idle.put_nowait(process)

    async def close(self) -> None:
        """End all processes; queries under way end in QueryFailedError."""
        self._closed = True
        for process in self._all:
            process.close()
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._threads.shutdown(wait=True)
        for process in self._all:
            process.end()
