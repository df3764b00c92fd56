"""Quotes from books that stay in memory: small requests on the event loop, larger ones in a thread, never in Python.

Rust decodes, prices and encodes without the interpreter (core_rs/quote). A request in which it finds anything wrong
goes to the slow path, a query process that names every wrong field.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from tehai.domain.violation import InvalidProblemError
from tehai.operations.clock import Clock, Microseconds, SystemClock
from tehai.operations.errors import BlobNotFoundError
from tehai.quote import (
    EVALUATIONS_OF_A_MILLISECOND,
    NO_LIMIT,
    QuoteBook,
    QuoteRefusedError,
    plan_of_request,
)
from tehai.server.request_errors import FieldFault, InvalidRequestError, MalformedRequestError, RequestTooLargeError

PLAN = "plan"
REQUEST_BYTES_MAX = 4 * 1024 * 1024
# A larger request is not decoded on the event loop.
INLINE_BYTES_MAX = 64 * 1024
# Requests of a stream that are read before their turn, and those that are answered together.
READ_AHEAD = 256
BATCH_MAX = 64
# After so long a cached plan is looked for again: another server may have deleted it.
RECHECK_SECONDS = 30.0
CACHE_BYTES = 512 * 1024 * 1024
# Columns priced for a batch before its first answers are sent.
BATCH_EVALUATIONS = 50 * EVALUATIONS_OF_A_MILLISECOND
THREADS = 2
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class StoredBook:
    """A quote book as it is kept, and when its plan will be deleted (None: no such time is known)."""

    data: bytes
    expire_time: Microseconds | None = None


# Tenant and solve; raises BlobNotFoundError where there is no such book.
ReadBook = Callable[[str, str], Awaitable[StoredBook | bytes]]
# Book, request and "workloads" or "stream": raises InvalidProblemError, or returns where it finds nothing wrong.
SlowPath = Callable[[bytes, bytes, str], Awaitable[object]]


@dataclass(slots=True)
class _Entry:
    """A book in memory."""

    book: QuoteBook
    stored: StoredBook
    checked_at: float

    @property
    def size_bytes(self) -> int:
        return self.book.memory_bytes + len(self.stored.data)

    @property
    def expire_seconds(self) -> int:
        """When quotes of the book end: with its plan or its first period, whichever comes first."""
        end = self.book.first_period_end_seconds
        return end if self.stored.expire_time is None else min(end, self.stored.expire_time // MICROSECONDS)


@dataclass(slots=True)
class _Cache:
    """Books by tenant and solve, the least recently used first to go."""

    bytes_max: int
    entries: OrderedDict[tuple[str, str], _Entry] = field(default_factory=OrderedDict)
    size_bytes: int = 0

    def get(self, key: tuple[str, str]) -> _Entry | None:
        entry = self.entries.get(key)
        if entry is not None:
            self.entries.move_to_end(key)
        return entry

    def put(self, key: tuple[str, str], entry: _Entry) -> None:
        self.drop(key)
        self.entries[key] = entry
        self.size_bytes += entry.size_bytes
        while self.size_bytes > self.bytes_max:
            self.drop(next(iter(self.entries)))

    def drop(self, key: tuple[str, str]) -> None:
        entry = self.entries.pop(key, None)
        if entry is not None:
            self.size_bytes -= entry.size_bytes


class Quotes:
    """Answers quotes of one server."""

    def __init__(
        self,
        read_book: ReadBook,
        slow_path: SlowPath,
        clock: Clock | None = None,
        *,
        cache_bytes: int = CACHE_BYTES,
        observe: Callable[[float], None] | None = None,
    ) -> None:
        """Take the way to stored books and the slow path; ``observe`` is told the seconds of each answer."""
        self._read_book, self._slow_path = read_book, slow_path
        self._clock: Clock = clock or SystemClock()
        self._cache = _Cache(cache_bytes)
        self._loading: dict[tuple[str, str], asyncio.Task[_Entry]] = {}
        self._observe = observe or (lambda _: None)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="quotes")

    async def quote(self, tenant: str, request: bytes) -> bytes:
        """Answer a QuoteWorkloadsRequest.

        Raises BlobNotFoundError for a plan that the tenant does not have, InvalidProblemError or InvalidRequestError
        with every field that is wrong, RequestTooLargeError.
        """
        started = time.perf_counter()
        plan = await self._plan_name(request)
        entry = await self._entry(tenant, plan)
        try:
            answer = None
            if len(request) <= INLINE_BYTES_MAX:
                answer = entry.book.quote(request, plan, entry.expire_seconds, EVALUATIONS_OF_A_MILLISECOND)
            if answer is None:
                loop = asyncio.get_running_loop()
                arguments = (request, plan, entry.expire_seconds, NO_LIMIT)
                answer = await loop.run_in_executor(self._threads, entry.book.quote, *arguments)
        except QuoteRefusedError as refused:
            await self._slow_path(entry.stored.data, request, "workloads")
            raise _invalid(refused) from None
        assert answer is not None
        self._observe(time.perf_counter() - started)
        return answer

    async def stream(self, tenant: str, requests: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Answer StreamQuotesRequests one by one, in order; raises as ``quote`` after the answers before."""
        queue: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue(READ_AHEAD)
        reader = asyncio.create_task(_read(requests, queue))
        try:
            index, plan = 0, ""
            while batch := await _next_batch(queue):
                plan = plan or await self._plan_name(batch[0])
                # Each time: the plan may be deleted or expire meanwhile.
                entry = await self._entry(tenant, plan)
                while batch:
                    started = time.perf_counter()
                    answers, refused = await self._answers(entry, batch, plan, index)
                    self._observe((time.perf_counter() - started) / max(len(answers), 1))
                    for answer in answers:
                        yield answer
                    index += len(answers)
                    batch = batch[len(answers) :]
                    if refused is not None:
                        await self._refuse(entry, batch[0], refused, index)
                # A stream that waits keeps no book in memory beyond what the cache keeps.
                del entry
        finally:
            reader.cancel()

    def forget(self, tenant: str, solve_id: str) -> None:
        """Drop the book of a plan that was deleted."""
        key = (tenant, solve_id)
        self._cache.drop(key)
        # Who waits for it asked before; what is being read is not kept.
        self._loading.pop(key, None)

    def close(self) -> None:
        """End the threads; what they work on is finished first."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _answers(
        self, entry: _Entry, batch: list[bytes], plan: str, index: int
    ) -> tuple[list[bytes], QuoteRefusedError | None]:
        loop = asyncio.get_running_loop()
        try:
            arguments = (batch, plan, entry.expire_seconds, index, BATCH_EVALUATIONS)
            return await loop.run_in_executor(self._threads, entry.book.stream, *arguments), None
        except QuoteRefusedError as refused:
            return list(refused.answers), refused

    async def _refuse(self, entry: _Entry, request: bytes, refused: QuoteRefusedError, index: int) -> None:
        """Raise with every field of a request of a stream that is wrong."""
        try:
            await self._slow_path(entry.stored.data, request, "stream")
        except InvalidProblemError as error:
            where = f"requests[{index}]."
            raise InvalidProblemError(tuple(replace(v, path=where + v.path) for v in error.violations)) from None
        raise _invalid(refused, f"requests[{index}].")

    async def _plan_name(self, request: bytes) -> str:
        """Return the plan of a request, which is read in a thread where it is long."""
        if len(request) <= INLINE_BYTES_MAX:
            return _plan_name(request)
        return await asyncio.get_running_loop().run_in_executor(self._threads, _plan_name, request)

    async def _entry(self, tenant: str, plan: str) -> _Entry:
        """Return the book of a plan, from memory or from the store."""
        key = (tenant, _solve_of(tenant, plan))
        entry = self._cache.get(key)
        if entry is not None:
            expire_time = entry.stored.expire_time
            if expire_time is not None and expire_time <= self._clock.now():
                self._cache.drop(key)
                raise BlobNotFoundError(PLAN, key[1])
            if self._clock.monotonic_seconds() - entry.checked_at > RECHECK_SECONDS:
                # Looked for in the background: until it answers the book in memory is as good as it was.
                self._load(key)
            return entry
        return await asyncio.shield(self._load(key))

    def _load(self, key: tuple[str, str]) -> asyncio.Task[_Entry]:
        """Return the task that loads a book; those who ask at the same time share it."""
        task = self._loading.get(key)
        if task is None:
            task = asyncio.create_task(self._loaded(key))
            self._loading[key] = task
            task.add_done_callback(lambda done: self._loaded_ends(key, done))
        return task

    def _loaded_ends(self, key: tuple[str, str], task: asyncio.Task[_Entry]) -> None:
        if self._loading.get(key) is task:
            del self._loading[key]
        # Whoever waits is told of an error; where nobody does, asyncio need not call it forgotten.
        if not task.cancelled():
            task.exception()

    async def _loaded(self, key: tuple[str, str]) -> _Entry:
        try:
            read = await self._read_book(*key)
        except BlobNotFoundError:
            self._cache.drop(key)
            raise BlobNotFoundError(PLAN, key[1]) from None
        stored = StoredBook(read) if isinstance(read, bytes) else read
        if stored.expire_time is not None and stored.expire_time <= self._clock.now():
            self._cache.drop(key)
            raise BlobNotFoundError(PLAN, key[1])
        checked_at = self._clock.monotonic_seconds()
        known = self._cache.entries.get(key)
        if known is not None and known.stored.data == stored.data:
            known.stored, known.checked_at = stored, checked_at
            return known
        book = await asyncio.get_running_loop().run_in_executor(self._threads, QuoteBook, stored.data)
        entry = _Entry(book, stored, checked_at)
        if self._loading.get(key) is asyncio.current_task():
            self._cache.put(key, entry)
        return entry


def _plan_name(request: bytes) -> str:
    if len(request) > REQUEST_BYTES_MAX:
        raise RequestTooLargeError(len(request), REQUEST_BYTES_MAX, "; quote fewer workloads at once, or StreamQuotes")
    try:
        return plan_of_request(request)
    except QuoteRefusedError:
        message = "the request is not a message of this method"
        raise MalformedRequestError(message) from None


def _solve_of(tenant: str, plan: str) -> str:
    """Return the solve of a plan's name; another tenant's is answered as one that does not exist."""
    parts = plan.split("/")
    if len(parts) != 4 or (parts[0], parts[2]) != ("tenants", "plans") or not all(parts):
        raise InvalidRequestError(FieldFault(PLAN, "must be a name of the form tenants/{tenant}/plans/{solve}"))
    if parts[1] != tenant:
        raise BlobNotFoundError(PLAN, parts[3])
    return parts[3]


def _invalid(refused: QuoteRefusedError, prefix: str = "") -> InvalidRequestError:
    return InvalidRequestError(FieldFault(prefix + refused.path, refused.message))


async def _read(requests: AsyncIterator[bytes], queue: asyncio.Queue[bytes | BaseException | None]) -> None:
    """Put requests into the queue as they come, then None, or the error with which they end."""
    try:
        async for request in requests:
            await queue.put(request)
    except Exception as error:  # noqa: BLE001 (raised again where the queue is read)
        await queue.put(error)
    else:
        await queue.put(None)


async def _next_batch(queue: asyncio.Queue[bytes | BaseException | None]) -> list[bytes]:
    """Return the requests that are there, at least one; none at the end."""
    batch: list[bytes] = []
    item = await queue.get()
    while isinstance(item, bytes):
        batch.append(item)
        if len(batch) == BATCH_MAX or queue.empty():
            return batch
        item = queue.get_nowait()
    if batch:
        # The end is seen again by the next call.
        _put_back(queue, item)
        return batch
    if isinstance(item, BaseException):
        raise item
    return []


def _put_back(queue: asyncio.Queue[bytes | BaseException | None], item: BaseException | None) -> None:
    """Keep the end of a stream: nothing was put after it, and its place is free."""
    queue.put_nowait(item)
