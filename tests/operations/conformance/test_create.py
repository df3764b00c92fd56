"""Creating solves: what is kept, idempotency, the bound of the queue, deletion and cancellation."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import (
    BlobNotFoundError,
    InvalidRecordError,
    QueueFullError,
    RequestIdConflictError,
    SolveExistsError,
    SolveNotEndedError,
    SolveNotFoundError,
    TenantQueueFullError,
)
from tehai.operations.records import BlobKind, EventKind, SolveState, StateChange
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import (
    OTHER_TENANT,
    PROBLEM,
    QUEUE_MAX,
    TENANT,
    claimed,
    created,
    new_solve,
    sha256,
    succeeded,
)


@pytest.mark.asyncio
async def test_a_created_solve_is_kept_as_it_was_given(store: Store, backend: Backend, clock: ManualClock) -> None:
    """Every field of a new solve comes back, from this store and from one that is opened later, with its problem."""
    new = new_solve("first", request_id="r-1", display_name="六月 ' \" %s :x", priority=2, attempts_max=4)
    record, is_new = await store.create_solve(new, PROBLEM, QUEUE_MAX)
    assert is_new
    given = dataclasses.asdict(new)
    del given["retention_seconds"]
    kept = dataclasses.asdict(record)
    assert {name: kept[name] for name in given} == given
    assert (record.state, record.create_time, record.attempt_count) == (SolveState.QUEUED, clock.now(), 0)
    assert (record.start_time, record.end_time, record.expire_time) == (None, None, None)
    assert (record.standing, record.error, record.plan_id, record.owner) == (b"", b"", "", "")
    assert record.cancel_requested is False
    for another in (store, await backend.open()):
        assert await another.get_solve(TENANT, "first") == record
        assert await another.get_blob(TENANT, BlobKind.PROBLEM, sha256(PROBLEM)) == PROBLEM
    events = await store.events_after(TENANT, "first", 0)
    assert [(event.sequence, event.kind, event.time) for event in events] == [(1, EventKind.CHANGED, clock.now())]
    assert StateChange.from_bytes(events[0].payload) == StateChange(SolveState.QUEUED, 0, False)


@pytest.mark.asyncio
async def test_every_wrong_field_is_named_at_once(store: Store) -> None:
    """A solve that breaks several rules is refused with all of them, also what one backend could not keep."""
    wrong = dataclasses.replace(
        new_solve("x" * 200, request_id="r" * 65, display_name="a\0b", priority=10, attempts_max=0),
        tenant="",
        problem_sha256="ABC",
        problem_bytes=1,
        retention_seconds=float("nan"),
    )
    with pytest.raises(InvalidRecordError) as refused:
        await store.create_solve(wrong, PROBLEM, QUEUE_MAX)
    names = [problem.split()[0] for problem in refused.value.problems]
    assert sorted(names) == [
        "attempts_max",
        "display_name",
        "priority",
        "problem_bytes",
        "problem_sha256",
        "request_id",
        "retention_seconds",
        "solve_id",
        "tenant",
    ]
    for bad in ("\ud800", "\0"):
        with pytest.raises(InvalidRecordError, match="display_name"):
            await store.create_solve(new_solve(display_name=bad), PROBLEM, QUEUE_MAX)


@pytest.mark.asyncio
async def test_a_repeated_request_gives_the_same_solve(store: Store) -> None:
    """The same id and payload give the first solve, whatever became of it and even when the queue is full."""
    first, _ = await store.create_solve(new_solve("first", request_id="r"), PROBLEM, 1)
    assert await store.create_solve(new_solve("second", request_id="r"), PROBLEM, 1) == (first, False)
    await store.request_cancel(TENANT, "first")
    again, is_new = await store.create_solve(new_solve("third", request_id="r"), None, 0)
    assert (again.solve_id, again.state, is_new) == ("first", SolveState.CANCELLED, False)
    with pytest.raises(SolveNotFoundError):
        await store.get_solve(TENANT, "second")
    # Another tenant's request of that id is another request.
    other, is_new = await store.create_solve(new_solve("first", request_id="r", tenant=OTHER_TENANT), PROBLEM, 1)
    assert (other.tenant, is_new) == (OTHER_TENANT, True)


@pytest.mark.asyncio
async def test_a_request_id_with_another_payload_is_refused(store: Store) -> None:
    """The error names the id, and nothing of the second payload stays."""
    await created(store, "first", request_id="r")
    with pytest.raises(RequestIdConflictError, match="'r'"):
        await store.create_solve(new_solve("second", request_id="r", problem=b"else"), b"else", QUEUE_MAX)
    with pytest.raises(BlobNotFoundError):
        await store.get_blob(TENANT, BlobKind.PROBLEM, sha256(b"else"))


@pytest.mark.asyncio
async def test_one_request_asked_many_times_at_once_makes_one_solve(store: Store, backend: Backend) -> None:
    """Forty tasks over two stores with ids of their own: one creates, all get its solve."""
    second = await backend.open()
    answers = await asyncio.gather(
        *(
            (store, second)[number % 2].create_solve(new_solve(f"s-{number}", request_id="r"), PROBLEM, QUEUE_MAX)
            for number in range(40)
        )
    )
    assert len({record.solve_id for record, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    assert (await store.counts()).queued == 1


@pytest.mark.asyncio
async def test_the_queue_is_bounded_exactly(store: Store, backend: Backend, clock: ManualClock) -> None:
    """Of fifty at once over two stores, seven of seven places are taken; an end of waiting frees one place."""
    second = await backend.open()
    answers = await asyncio.gather(
        *((store, second)[number % 2].create_solve(new_solve(), PROBLEM, 7) for number in range(50)),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, QueueFullError)]
    assert (len(answers) - len(refused), {error.queue_max for error in refused}) == (7, {7})
    counts = await store.counts()
    assert (counts.queued, counts.running, counts.oldest_create_time) == (7, 0, clock.now())
    await claimed(store)
    await store.create_solve(new_solve(), PROBLEM, 7)
    with pytest.raises(QueueFullError):
        await store.create_solve(new_solve(), PROBLEM, 7)


@pytest.mark.asyncio
async def test_a_tenant_waits_within_its_own_limit(store: Store, backend: Backend) -> None:
    """Of fifty at once over two stores each tenant gets its places and not one more; what runs does not count."""
    second = await backend.open()
    limits = {TENANT: 5, OTHER_TENANT: 3}
    tenants = [tenant for _ in range(25) for tenant in limits]
    answers = await asyncio.gather(
        *(
            (store, second)[number // 2 % 2].create_solve(new_solve(tenant=tenant), PROBLEM, QUEUE_MAX, limits[tenant])
            for number, tenant in enumerate(tenants)
        ),
        return_exceptions=True,
    )
    for tenant, limit in limits.items():
        mine = [answer for of, answer in zip(tenants, answers, strict=True) if of == tenant]
        refused = [answer for answer in mine if isinstance(answer, TenantQueueFullError)]
        assert len(mine) - len(refused) == limit
        assert {(error.queued, error.tenant_queue_max) for error in refused} == {(limit, limit)}
        assert len((await store.list_solves(tenant)).records) == limit
    claim = await claimed(store)
    await store.create_solve(new_solve(tenant=claim.tenant), PROBLEM, QUEUE_MAX, limits[claim.tenant])
    with pytest.raises(TenantQueueFullError):
        await second.create_solve(new_solve(tenant=claim.tenant), PROBLEM, QUEUE_MAX, limits[claim.tenant])


@pytest.mark.asyncio
async def test_a_repeated_request_is_outside_the_tenants_limit(store: Store, backend: Backend) -> None:
    """Twenty repetitions at once of the last request that had a place are answered, and take no place."""
    second = await backend.open()
    await store.create_solve(new_solve("first", request_id="r"), PROBLEM, QUEUE_MAX, 2)
    answers = await asyncio.gather(
        *(
            (store, second)[number % 2].create_solve(new_solve(request_id="r"), PROBLEM, QUEUE_MAX, 1)
            for number in range(20)
        )
    )
    assert {(record.solve_id, is_new) for record, is_new in answers} == {("first", False)}
    await second.create_solve(new_solve("second"), PROBLEM, QUEUE_MAX, 2)
    with pytest.raises(TenantQueueFullError):
        await store.create_solve(new_solve("third"), PROBLEM, QUEUE_MAX, 2)


@pytest.mark.asyncio
async def test_the_tenants_limit_is_told_before_that_of_all(store: Store) -> None:
    """Where neither has place the tenant hears of its own limit; without one only that of all tenants counts."""
    with pytest.raises(TenantQueueFullError):
        await store.create_solve(new_solve(), PROBLEM, 0, 0)
    with pytest.raises(QueueFullError):
        await store.create_solve(new_solve(), PROBLEM, 0, 1)
    _, is_new = await store.create_solve(new_solve(), PROBLEM, 1, None)
    assert is_new


@pytest.mark.asyncio
async def test_a_refused_solve_leaves_nothing(store: Store) -> None:
    """After a refusal for want of place the problem's bytes are not there, small or larger than one transaction."""
    for problem in (b"small", b"x" * (9 * 1024 * 1024)):
        for error, *limits in ((QueueFullError, 0, None), (TenantQueueFullError, 1, 0)):
            with pytest.raises(error):
                await store.create_solve(new_solve("no", problem=problem), problem, *limits)
            with pytest.raises(BlobNotFoundError):
                await store.blob_record(TENANT, BlobKind.PROBLEM, sha256(problem))
    assert (await store.list_solves(TENANT)).records == ()


@pytest.mark.asyncio
async def test_ids_are_unique_within_a_tenant(store: Store) -> None:
    """A second solve of the same id is refused and the first is unchanged; another tenant has ids of its own."""
    first = await created(store, "same")
    with pytest.raises(SolveExistsError):
        await store.create_solve(new_solve("same"), PROBLEM, QUEUE_MAX)
    assert await store.get_solve(TENANT, "same") == first
    await created(store, "same", tenant=OTHER_TENANT)


@pytest.mark.asyncio
async def test_a_stored_problem_is_used_without_sending_it_again(store: Store) -> None:
    """Without bytes the problem must be the same tenant's; of another tenant it is not found."""
    with pytest.raises(BlobNotFoundError):
        await store.create_solve(new_solve(), None, QUEUE_MAX)
    await store.put_blob(TENANT, BlobKind.PROBLEM, sha256(PROBLEM), PROBLEM, 100)
    record, _ = await store.create_solve(new_solve(), None, QUEUE_MAX)
    assert record.problem_bytes == len(PROBLEM)
    with pytest.raises(BlobNotFoundError):
        await store.create_solve(new_solve(tenant=OTHER_TENANT), None, QUEUE_MAX)


@pytest.mark.asyncio
async def test_a_problem_larger_than_one_transaction(store: Store) -> None:
    """Twenty megabytes are accepted, complete, and once only when they come twice."""
    problem = bytes(range(256)) * 80_000
    await created(store, "a", problem=problem)
    await created(store, "b", problem=problem)
    assert await store.get_blob(TENANT, BlobKind.PROBLEM, sha256(problem)) == problem


@pytest.mark.asyncio
async def test_another_tenant_sees_nothing(store: Store) -> None:
    """Every call with another tenant finds no solve, and changes none."""
    record = await succeeded(store, "mine")
    for call in (store.get_solve, store.delete_solve, store.request_cancel):
        with pytest.raises(SolveNotFoundError):
            await call(OTHER_TENANT, "mine")
    with pytest.raises(SolveNotFoundError):
        await store.events_after(OTHER_TENANT, "mine", 0)
    with pytest.raises(BlobNotFoundError):
        await store.get_blob(OTHER_TENANT, BlobKind.RESULT, "mine")
    assert (await store.list_solves(OTHER_TENANT)).records == ()
    assert await store.get_solve(TENANT, "mine") == record


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "'; DROP TABLE solves; --", "%s", ":tenant", "x" * 100_000])
async def test_names_that_callers_make_up_find_nothing(store: Store, name: str) -> None:
    """Any text at all as an id is simply not found, in both backends."""
    with pytest.raises(SolveNotFoundError):
        await store.get_solve(TENANT, name)
    with pytest.raises(SolveNotFoundError):
        await store.get_solve(name, "first")
    with pytest.raises(BlobNotFoundError):
        await store.read_blob(TENANT, BlobKind.RESULT, name, 0, 10)


@pytest.mark.asyncio
async def test_deleting(store: Store) -> None:
    """Only a solve that has ended can be deleted; then its events and bytes are gone and its request id is free."""
    record = await created(store, "one", request_id="r")
    with pytest.raises(SolveNotEndedError, match="QUEUED"):
        await store.delete_solve(TENANT, "one")
    claim = await claimed(store)
    with pytest.raises(SolveNotEndedError, match="RUNNING"):
        await store.delete_solve(TENANT, "one")
    await store.succeed(claim, b"result", b"book", b"")
    await store.delete_solve(TENANT, "one")
    for kind, key in (
        (BlobKind.RESULT, "one"),
        (BlobKind.QUOTE_BOOK, "one"),
        (BlobKind.PROBLEM, record.problem_sha256),
    ):
        with pytest.raises(BlobNotFoundError):
            await store.get_blob(TENANT, kind, key)
    with pytest.raises(SolveNotFoundError):
        await store.delete_solve(TENANT, "one")
    _, is_new = await store.create_solve(new_solve("two", request_id="r"), PROBLEM, QUEUE_MAX)
    assert is_new
    assert [event.sequence for event in await store.events_after(TENANT, "two", 0)] == [1]


@pytest.mark.asyncio
async def test_a_shared_problem_goes_with_its_last_solve(store: Store) -> None:
    """Deleting one of two solves of a problem keeps the problem, deleting the other does not."""
    for solve_id in ("a", "b"):
        await created(store, solve_id)
        await store.request_cancel(TENANT, solve_id)
    await store.delete_solve(TENANT, "a")
    assert await store.get_blob(TENANT, BlobKind.PROBLEM, sha256(PROBLEM)) == PROBLEM
    await store.delete_solve(TENANT, "b")
    with pytest.raises(BlobNotFoundError):
        await store.get_blob(TENANT, BlobKind.PROBLEM, sha256(PROBLEM))


@pytest.mark.asyncio
async def test_cancelling(store: Store, clock: ManualClock) -> None:
    """A waiting solve ends at once, a running one is told once, an ended one stays; each any number of times."""
    await created(store, "waiting")
    clock.advance(5)
    ended = await store.request_cancel(TENANT, "waiting")
    assert (ended.state, ended.end_time, ended.cancel_requested) == (SolveState.CANCELLED, clock.now(), True)
    assert await store.request_cancel(TENANT, "waiting") == ended
    await created(store, "running")
    claim = await claimed(store)
    assert await store.renew(claim) is False
    told = await store.request_cancel(TENANT, "running")
    assert (told.state, told.cancel_requested) == (SolveState.RUNNING, True)
    assert await store.request_cancel(TENANT, "running") == told
    assert await store.renew(claim) is True
    assert (await store.cancel_done(claim)).state is SolveState.CANCELLED
    done = await succeeded(store, "done")
    assert await store.request_cancel(TENANT, "done") == done
    kinds = [event.kind for event in await store.events_after(TENANT, "waiting", 0)]
    assert kinds == [EventKind.CHANGED, EventKind.ENDED]
