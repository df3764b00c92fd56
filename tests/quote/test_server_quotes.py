"""The server's side: books in memory, the two paths, streams in order with bounded read-ahead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tehai.domain.violation import InvalidProblemError
from tehai.operations.clock import ManualClock
from tehai.operations.errors import BlobNotFoundError, StoreUnavailableError
from tehai.quote import QuoteBook
from tehai.quote.messages import check_request_bytes
from tehai.server import quotes as module
from tehai.server.quotes import BATCH_MAX, READ_AHEAD, RECHECK_SECONDS, Quotes, StoredBook
from tehai.server.request_errors import InvalidRequestError, MalformedRequestError, RequestTooLargeError
from tehai.v1 import sourcing_service_pb2
from tehai.wire.workload import workload_to_proto
from tests.quote.asking import PLAN, random_book, request_of

pytestmark = pytest.mark.asyncio
TENANT, SOLVE = "acme", "june"
PROBLEM, _, BOOK = random_book(3)


class Shelf:
    """Stored books, and how often each was read."""

    def __init__(self, **books: StoredBook) -> None:
        self.books: dict[str, StoredBook] = {SOLVE: StoredBook(BOOK), **books}
        self.reads: list[tuple[str, str]] = []
        self.broken = False
        # Cleared: readers wait.
        self.open = asyncio.Event()
        self.open.set()

    async def read(self, tenant: str, solve_id: str) -> StoredBook:
        """As the store does."""
        self.reads.append((tenant, solve_id))
        await self.open.wait()
        if self.broken:
            raise StoreUnavailableError("test")
        if solve_id not in self.books:
            raise BlobNotFoundError("quote-book", solve_id)
        return self.books[solve_id]


async def slow_path(book: bytes, request: bytes, kind: str) -> None:
    """As a query process does."""
    check_request_bytes(book, request, kind)


async def finds_nothing(book: bytes, request: bytes, kind: str) -> None:
    """A slow path that does not agree that anything is wrong."""


def one_request(plan: str = PLAN) -> bytes:
    """Return a good request."""
    workload = workload_to_proto(PROBLEM.workloads[0])
    return sourcing_service_pb2.QuoteWorkloadsRequest(plan=plan, workloads=[workload]).SerializeToString()


def bad_request() -> bytes:
    """Return a request with two faults."""
    workload = workload_to_proto(PROBLEM.workloads[0])
    workload.member_id, workload.memory_gb = "nobody", -1.0
    return sourcing_service_pb2.QuoteWorkloadsRequest(plan=PLAN, workloads=[workload]).SerializeToString()


def stream_requests(count: int, bad_at: int | None = None) -> list[bytes]:
    """Return requests of a stream; only the first names the plan."""
    requests = []
    for i in range(count):
        workload = workload_to_proto(PROBLEM.workloads[i % len(PROBLEM.workloads)])
        workload.ClearField("after_workload_ids")
        if i == bad_at:
            workload.member_id = "nobody"
        request = sourcing_service_pb2.StreamQuotesRequest(plan=PLAN if i == 0 else "", workload=workload)
        requests.append(request.SerializeToString())
    return requests


class Source:
    """Requests of a client, and how many were taken."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests, self.taken = requests, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for request in self.requests:
            self.taken += 1
            yield request


async def read_to_the_end(quotes: Quotes, requests: AsyncIterator[bytes]) -> tuple[list[int], Exception | None]:
    """Return the positions of the answers to a stream, and the error that it ended with."""
    told: list[int] = []
    try:
        async for answer in quotes.stream(TENANT, requests):
            told.append(sourcing_service_pb2.StreamQuotesResponse.FromString(answer).request_index)  # noqa: PERF401
    except (InvalidProblemError, ConnectionError) as error:
        return told, error
    return told, None


async def test_the_answer_is_that_of_the_book() -> None:
    """Inline and in a thread the bytes are the same, and they are the book's own."""
    quotes = Quotes(Shelf().read, slow_path)
    expected = QuoteBook(BOOK).quote(one_request(), PLAN, QuoteBook(BOOK).first_period_end_seconds)
    assert await quotes.quote(TENANT, one_request()) == expected


async def test_a_large_request_is_answered_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes more columns than a millisecond has is answered all the same, with the same bytes."""
    quotes = Quotes(Shelf().read, slow_path)
    request = request_of(PROBLEM.workloads)
    inline = await quotes.quote(TENANT, request)
    monkeypatch.setattr(module, "EVALUATIONS_OF_A_MILLISECOND", 0)
    assert await quotes.quote(TENANT, request) == inline
    monkeypatch.setattr(module, "INLINE_BYTES_MAX", 0)
    assert await quotes.quote(TENANT, request) == inline


async def test_callers_at_once_share_one_reading() -> None:
    """A book that is not in memory is read once, however many ask for it."""
    shelf = Shelf()
    quotes = Quotes(shelf.read, slow_path)
    shelf.open.clear()
    calls = [asyncio.create_task(quotes.quote(TENANT, one_request())) for _ in range(20)]
    await asyncio.sleep(0.01)
    shelf.open.set()
    answers = await asyncio.gather(*calls)
    await quotes.quote(TENANT, one_request())
    assert len(set(answers)) == 1
    assert shelf.reads == [(TENANT, SOLVE)]


async def test_a_caller_that_gives_up_takes_the_book_from_nobody() -> None:
    """Cancelling one of those who wait for a reading does not end it for the others."""
    shelf = Shelf()
    quotes = Quotes(shelf.read, slow_path)
    shelf.open.clear()
    first, second = (asyncio.create_task(quotes.quote(TENANT, one_request())) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    shelf.open.set()
    assert await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_plans_of_others_and_missing_ones_are_the_same() -> None:
    """Another tenant's plan is never read; a missing one is looked for each time, so it may come later."""
    shelf = Shelf()
    quotes = Quotes(shelf.read, slow_path)
    with pytest.raises(BlobNotFoundError) as foreign:
        await quotes.quote("other", one_request())
    assert shelf.reads == []
    missing = one_request(f"tenants/{TENANT}/plans/july")
    with pytest.raises(BlobNotFoundError) as absent:
        await quotes.quote(TENANT, missing)
    assert (foreign.value.kind, absent.value.kind) == ("plan", "plan")
    shelf.books["july"] = StoredBook(BOOK)
    assert await quotes.quote(TENANT, missing)


@pytest.mark.parametrize(
    "plan", ["", "june", "tenants/acme/solves/june", "tenants/acme/plans/", "tenants/acme/plans/a/b"]
)
async def test_names_of_another_form_are_faults_of_the_request(plan: str) -> None:
    """A plan's name has one form."""
    quotes = Quotes(Shelf().read, slow_path)
    with pytest.raises(InvalidRequestError) as invalid:
        await quotes.quote(TENANT, one_request(plan))
    assert [fault.field for fault in invalid.value.faults] == ["plan"]


async def test_requests_that_are_none_or_too_large() -> None:
    """Bytes that are no message and more bytes than a request has are told apart."""
    quotes = Quotes(Shelf().read, slow_path)
    with pytest.raises(MalformedRequestError):
        await quotes.quote(TENANT, b"\xff\xff")
    with pytest.raises(RequestTooLargeError):
        await quotes.quote(TENANT, b"\x00" * (module.REQUEST_BYTES_MAX + 1))


async def test_the_slow_path_names_every_fault() -> None:
    """A request in which Rust finds something wrong is refused with all that is wrong; else with what Rust found."""
    with pytest.raises(InvalidProblemError) as invalid:
        await Quotes(Shelf().read, slow_path).quote(TENANT, bad_request())
    assert {v.path for v in invalid.value.violations} == {"workloads[0].member_id", "workloads[0].memory_gb"}
    with pytest.raises(InvalidRequestError) as refused:
        await Quotes(Shelf().read, finds_nothing).quote(TENANT, bad_request())
    assert [fault.field for fault in refused.value.faults] == ["workloads[0].member_id"]


async def test_memory_is_bounded() -> None:
    """The least recently used books go when all of them are more than the limit; they are read again when asked for."""
    shelf = Shelf(**{name: StoredBook(BOOK) for name in ("a", "b", "c")})
    size = QuoteBook(BOOK).memory_bytes + len(BOOK)
    quotes = Quotes(shelf.read, slow_path, cache_bytes=2 * size)
    for name in ("a", "b", "a", "c", "a", "b"):
        await quotes.quote(TENANT, one_request(f"tenants/{TENANT}/plans/{name}"))
    assert [solve for _, solve in shelf.reads] == ["a", "b", "c", "b"]
    assert quotes._cache.size_bytes == 2 * size


async def test_quotes_end_with_the_plan_or_its_first_period() -> None:
    """The earlier of both is told; once the plan's time is over there is no such plan."""
    clock = ManualClock()
    end = QuoteBook(BOOK).first_period_end_seconds
    for expire_seconds, expected in ((end - 10, end - 10), (end + 10, end)):
        shelf = Shelf(**{SOLVE: StoredBook(BOOK, expire_seconds * 1_000_000)})
        answer = await Quotes(shelf.read, slow_path, clock).quote(TENANT, one_request())
        [quote] = sourcing_service_pb2.QuoteWorkloadsResponse.FromString(answer).quotes
        assert quote.expire_time.seconds == expected
    shelf = Shelf(**{SOLVE: StoredBook(BOOK, clock.now() + 1_000_000)})
    quotes = Quotes(shelf.read, slow_path, clock)
    await quotes.quote(TENANT, one_request())
    clock.advance(1.0)
    for _ in range(2):
        with pytest.raises(BlobNotFoundError):
            await quotes.quote(TENANT, one_request())


async def test_a_plan_deleted_elsewhere_is_noticed() -> None:
    """After a while a book in memory is looked for again, without anybody waiting; a broken store changes nothing."""
    clock, shelf = ManualClock(), Shelf()
    quotes = Quotes(shelf.read, slow_path, clock)
    await quotes.quote(TENANT, one_request())
    shelf.broken = True
    clock.advance(RECHECK_SECONDS + 1)
    await quotes.quote(TENANT, one_request())
    await asyncio.sleep(0.01)
    shelf.broken = False
    await quotes.quote(TENANT, one_request())
    await asyncio.sleep(0.01)
    del shelf.books[SOLVE]
    clock.advance(RECHECK_SECONDS + 1)
    await quotes.quote(TENANT, one_request())
    await asyncio.sleep(0.01)
    with pytest.raises(BlobNotFoundError):
        await quotes.quote(TENANT, one_request())


async def test_a_plan_deleted_here_is_gone_at_once() -> None:
    """Also where its book is being read at that moment: who waits gets an answer, and it is not kept."""
    shelf = Shelf()
    quotes = Quotes(shelf.read, slow_path)
    shelf.open.clear()
    waiting = asyncio.create_task(quotes.quote(TENANT, one_request()))
    await asyncio.sleep(0.01)
    quotes.forget(TENANT, SOLVE)
    shelf.open.set()
    assert await waiting
    del shelf.books[SOLVE]
    with pytest.raises(BlobNotFoundError):
        await quotes.quote(TENANT, one_request())


async def test_a_stream_ends_with_its_plan() -> None:
    """Once its plan is deleted a stream that is open gets no more quotes."""
    shelf = Shelf()
    quotes = Quotes(shelf.read, slow_path)
    first, second = stream_requests(2)

    async def asked() -> AsyncIterator[bytes]:
        yield first
        await deleted.wait()
        yield second

    deleted = asyncio.Event()
    answers = quotes.stream(TENANT, asked())
    assert await anext(answers)
    quotes.forget(TENANT, SOLVE)
    del shelf.books[SOLVE]
    deleted.set()
    with pytest.raises(BlobNotFoundError):
        await anext(answers)
    await answers.aclose()


async def test_a_stream_is_answered_in_order() -> None:
    """Each request has one answer with its position, equal to the one of a call of its own."""
    quotes = Quotes(Shelf().read, slow_path)
    requests = stream_requests(3 * BATCH_MAX + 5)
    answers = [
        sourcing_service_pb2.StreamQuotesResponse.FromString(answer)
        async for answer in quotes.stream(TENANT, aiter(Source(requests)))
    ]
    assert [answer.request_index for answer in answers] == list(range(len(requests)))
    for request, answer in list(zip(requests, answers, strict=True))[:8]:
        workload = sourcing_service_pb2.StreamQuotesRequest.FromString(request).workload
        alone = sourcing_service_pb2.QuoteWorkloadsRequest(plan=PLAN, workloads=[workload]).SerializeToString()
        told = sourcing_service_pb2.QuoteWorkloadsResponse.FromString(await quotes.quote(TENANT, alone))
        assert list(told.quotes) == [answer.quote]


async def test_a_stream_may_stop_for_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that takes too long is answered in parts, and nothing is lost between them."""
    monkeypatch.setattr(module, "BATCH_EVALUATIONS", 1)
    quotes = Quotes(Shelf().read, slow_path)
    answers = [
        sourcing_service_pb2.StreamQuotesResponse.FromString(answer).request_index
        async for answer in quotes.stream(TENANT, aiter(Source(stream_requests(70))))
    ]
    assert answers == list(range(70))


async def test_a_slow_reader_holds_the_client_back() -> None:
    """While nobody takes answers, no more requests are read than the queue and one batch hold."""
    quotes = Quotes(Shelf().read, slow_path)
    source = Source(stream_requests(4 * READ_AHEAD))
    answers = quotes.stream(TENANT, aiter(source))
    await anext(answers)
    for _ in range(50):
        await asyncio.sleep(0)
    assert source.taken <= READ_AHEAD + BATCH_MAX + 1
    await answers.aclose()


async def test_a_fault_ends_a_stream_after_the_answers_before_it() -> None:
    """The faults are those of the request, and it is said which one it was."""
    quotes = Quotes(Shelf().read, slow_path)
    told, error = await read_to_the_end(quotes, aiter(Source(stream_requests(100, bad_at=77))))
    assert told == list(range(77))
    assert isinstance(error, InvalidProblemError)
    assert [violation.path for violation in error.violations] == ["requests[77].workload.member_id"]


async def test_a_stream_without_a_request_has_no_answer() -> None:
    """An empty stream ends without an error."""
    quotes = Quotes(Shelf().read, slow_path)
    assert [answer async for answer in quotes.stream(TENANT, aiter(Source([])))] == []


async def test_an_error_of_the_client_ends_the_stream() -> None:
    """What goes wrong while requests are read is raised where answers are taken, after those that can be given."""

    async def broken() -> AsyncIterator[bytes]:
        for request in stream_requests(3):
            yield request
        raise ConnectionError("gone")

    quotes = Quotes(Shelf().read, slow_path)
    told, error = await read_to_the_end(quotes, broken())
    assert told == [0, 1, 2]
    assert isinstance(error, ConnectionError)
