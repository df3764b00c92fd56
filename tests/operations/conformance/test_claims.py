"""Work: order, limits, fencing, attempts, and leases that no clock jump ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from google.rpc import error_details_pb2, status_pb2

from tehai.operations.clock import ManualClock
from tehai.operations.errors import BlobNotFoundError, InvalidRecordError, StaleClaimError
from tehai.operations.records import BlobKind, Claim, SolveState
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import LEASE_SECONDS, OTHER_TENANT, TENANT, claimed, created

CHANGES: dict[str, Callable[[Store, Claim], Awaitable[object]]] = {
    "renew": lambda store, claim: store.renew(claim, b"stale"),
    "record_progress": lambda store, claim: store.record_progress(claim, b"stale"),
    "succeed": lambda store, claim: store.succeed(claim, b"stale", b"stale", b"stale"),
    "succeed with much": lambda store, claim: store.succeed(claim, b"x" * (9 << 20), b"stale", b"stale"),
    "fail": lambda store, claim: store.fail(claim, b"stale", b"stale"),
    "cancel_done": lambda store, claim: store.cancel_done(claim, b"stale"),
    "release": lambda store, claim: store.release(claim),
    "release after death": lambda store, claim: store.release(claim, died=True),
}


@pytest.mark.asyncio
async def test_priority_then_age(store: Store, clock: ManualClock) -> None:
    """The lowest number goes first, among equals the oldest by order of creation, even when the clock went back."""
    for solve_id, priority in (("a", 5), ("b", 9), ("c", 1), ("d", 5), ("e", 1)):
        await created(store, solve_id, priority=priority)
        clock.jump(-100)
    assert [(await claimed(store)).solve_id for _ in range(5)] == ["c", "e", "a", "d", "b"]
    assert await store.claim_next("worker", LEASE_SECONDS, 100) is None


@pytest.mark.asyncio
async def test_no_tenant_keeps_the_others_waiting(store: Store) -> None:
    """Whoever runs fewer goes first, whatever the others' priorities; among equals the priority decides."""
    for solve_id in ("a", "b", "c"):
        await created(store, solve_id, priority=1)
    for solve_id in ("x", "y"):
        await created(store, solve_id, tenant=OTHER_TENANT, priority=9)
    claims = [await claimed(store) for _ in range(4)]
    assert [claim.solve_id for claim in claims] == ["a", "x", "b", "y"]
    await store.fail(claims[0], b"")
    assert (await claimed(store)).solve_id == "c"


@pytest.mark.asyncio
async def test_a_claim_starts_an_attempt(store: Store, clock: ManualClock) -> None:
    """A claimed solve runs, with its start, its owner and one attempt more; starts are not before creation."""
    await created(store, "one")
    clock.jump(-1000)
    claim = await claimed(store, "worker-7")
    record = await store.get_solve(TENANT, "one")
    assert record == claim.record
    assert (record.state, record.owner, record.attempt_count) == (SolveState.RUNNING, "worker-7", 1)
    assert record.start_time == record.create_time
    counts = await store.counts()
    assert (counts.queued, counts.running, counts.oldest_create_time) == (0, 1, None)
    assert await store.running_owners() == {"worker-7"}


@pytest.mark.asyncio
async def test_running_limit_of_a_tenant(store: Store, backend: Backend) -> None:
    """A tenant at its limit is passed over, also when many claim at once over two stores; another tenant goes on."""
    second = await backend.open()
    for _ in range(10):
        await created(store, priority=1)
    for _ in range(3):
        await created(store, tenant=OTHER_TENANT, priority=9)
    claims = await asyncio.gather(
        *((store, second)[number % 2].claim_next(f"w{number}", LEASE_SECONDS, 2) for number in range(20))
    )
    taken = [claim.tenant for claim in claims if claim is not None]
    assert sorted(taken) == [TENANT] * 2 + [OTHER_TENANT] * 2
    first = next(claim for claim in claims if claim is not None and claim.tenant == TENANT)
    await store.fail(first, b"")
    assert (await claimed(store, running_max=2)).tenant == TENANT


@pytest.mark.asyncio
async def test_no_solve_is_claimed_twice(store: Store, backend: Backend) -> None:
    """Sixty claims at once over two stores on thirty solves give each solve once."""
    second = await backend.open()
    for _ in range(30):
        await created(store)
    claims = await asyncio.gather(
        *((store, second)[number % 2].claim_next(f"w{number}", LEASE_SECONDS, 1000) for number in range(60))
    )
    ids = [claim.solve_id for claim in claims if claim is not None]
    assert len(ids) == len(set(ids)) == 30


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CHANGES)
async def test_a_stale_claim_changes_nothing(store: Store, name: str) -> None:
    """Once another worker has the solve, the first one's claim is refused and solve, events and bytes are as before."""
    await created(store, "one")
    stale = await claimed(store, "worker-1")
    await store.release(stale)
    fresh = await claimed(store, "worker-2")
    await store.renew(fresh, b"fresh")
    before = await store.get_solve(TENANT, "one"), await store.events_after(TENANT, "one", 0)
    with pytest.raises(StaleClaimError):
        await CHANGES[name](store, stale)
    assert (await store.get_solve(TENANT, "one"), await store.events_after(TENANT, "one", 0)) == before
    for kind in (BlobKind.RESULT, BlobKind.QUOTE_BOOK):
        with pytest.raises(BlobNotFoundError):
            await store.get_blob(TENANT, kind, "one")
    assert (await store.succeed(fresh, b"result", None, b"")).state is SolveState.SUCCEEDED


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CHANGES)
async def test_an_ended_solve_takes_no_second_end(store: Store, name: str) -> None:
    """The claim that ended a solve can do nothing more with it; the result is the first one."""
    await created(store, "one")
    claim = await claimed(store)
    ended = await store.succeed(claim, b"result", None, b"standing")
    with pytest.raises(StaleClaimError):
        await CHANGES[name](store, claim)
    assert await store.get_solve(TENANT, "one") == ended
    assert await store.get_blob(TENANT, BlobKind.RESULT, "one") == b"result"


@pytest.mark.asyncio
async def test_two_results_at_once_give_one(store: Store, backend: Backend) -> None:
    """Of ten successes of one claim over two stores one is kept, with its own bytes, and the others are refused."""
    second = await backend.open()
    await created(store, "one")
    claim = await claimed(store)
    answers = await asyncio.gather(
        *(
            (store, second)[number % 2].succeed(claim, f"result {number}".encode(), None, f"{number}".encode())
            for number in range(10)
        ),
        return_exceptions=True,
    )
    kept = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(kept) == 1
    assert sum(isinstance(answer, StaleClaimError) for answer in answers) == 9
    record = await store.get_solve(TENANT, "one")
    assert await store.get_blob(TENANT, BlobKind.RESULT, "one") == b"result " + record.standing


@pytest.mark.asyncio
async def test_the_ends_of_a_solve(store: Store, clock: ManualClock) -> None:
    """Success keeps result and quote book, failure its error, and both are kept for the time that was asked for."""
    await created(store, "good", retention_seconds=50)
    claim = await claimed(store)
    clock.advance(10)
    good = await store.succeed(claim, b"result", b"book", b"standing")
    assert (good.state, good.plan_id, good.standing) == (SolveState.SUCCEEDED, "good", b"standing")
    assert (good.end_time, good.expire_time) == (clock.now(), clock.now() + 50_000_000)
    assert await store.get_blob(TENANT, BlobKind.RESULT, "good") == b"result"
    assert await store.get_blob(TENANT, BlobKind.QUOTE_BOOK, "good") == b"book"
    await created(store, "without plan")
    assert (await store.succeed(await claimed(store), b"result", None, b"", plan_id="")).plan_id == ""
    await created(store, "bad")
    claim = await claimed(store)
    await store.renew(claim, b"where it stood")
    clock.jump(-500)
    bad = await store.fail(claim, b"error")
    assert (bad.state, bad.error, bad.standing, bad.plan_id) == (SolveState.FAILED, b"error", b"where it stood", "")
    assert bad.end_time == bad.start_time


@pytest.mark.asyncio
async def test_giving_back_does_not_count(store: Store) -> None:
    """A server that shuts down gives its solves back as often as it likes; they keep their place in the queue."""
    await created(store, "one", attempts_max=1)
    await created(store, "two")
    for _ in range(5):
        claim = await claimed(store)
        assert (claim.solve_id, claim.record.attempt_count) == ("one", 1)
        back = await store.release(claim)
        assert (back.state, back.attempt_count, back.owner, back.start_time) == (SolveState.QUEUED, 0, "", None)


@pytest.mark.asyncio
async def test_a_worker_that_dies_is_retried_then_failed(store: Store) -> None:
    """After the last attempt the solve is FAILED with a google.rpc.Status that says why; attempts are counted."""
    await created(store, "one", attempts_max=3)
    for attempt in (1, 2):
        back = await store.release(await claimed(store), died=True)
        assert (back.state, back.attempt_count) == (SolveState.QUEUED, attempt)
    failed = await store.release(await claimed(store), died=True)
    assert (failed.state, failed.attempt_count) == (SolveState.FAILED, 3)
    status = status_pb2.Status.FromString(failed.error)
    assert status.code == 13
    assert "died 3 times" in status.message
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == ("WORKER_DIED", "tehai", {"attempt_count": "3"})
    assert await store.claim_next("worker", LEASE_SECONDS, 100) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("died", [False, True])
async def test_a_cancelled_solve_does_not_wait_again(store: Store, died: bool) -> None:
    """Given back after somebody asked for its end, a solve is CANCELLED."""
    await created(store, "one")
    claim = await claimed(store)
    await store.request_cancel(TENANT, "one")
    assert (await store.release(claim, died=died)).state is SolveState.CANCELLED


@pytest.mark.asyncio
async def test_leases_run_out(store: Store, clock: ManualClock) -> None:
    """A claim that is not renewed for its lease is taken away; one that is renewed is not, however long it lasts."""
    await created(store, "dead")
    await created(store, "alive")
    dead, alive = await claimed(store), await claimed(store)
    for _ in range(4):
        assert (await store.recover()).requeued == ()
        clock.advance(LEASE_SECONDS / 4)
        await store.renew(alive)
    report = await store.recover()
    assert [record.solve_id for record in report.requeued] == ["dead"]
    with pytest.raises(StaleClaimError):
        await store.renew(dead)
    again = await claimed(store, "worker-2")
    assert (again.solve_id, again.record.attempt_count) == ("dead", 2)
    assert again.fence > dead.fence
    clock.advance(LEASE_SECONDS - 1)
    await store.renew(alive)
    assert (await store.recover()).requeued == ()


@pytest.mark.asyncio
async def test_recovery_fails_and_cancels(store: Store, clock: ManualClock) -> None:
    """A lease that runs out on the last attempt ends the solve as FAILED, one whose end was asked for as CANCELLED."""
    await created(store, "last", attempts_max=1)
    await created(store, "unwanted")
    await claimed(store)
    await claimed(store)
    await store.request_cancel(TENANT, "unwanted")
    await store.recover()
    clock.advance(LEASE_SECONDS)
    report = await store.recover()
    assert [record.solve_id for record in report.failed] == ["last"]
    assert [record.solve_id for record in report.cancelled] == ["unwanted"]
    assert "died once" in status_pb2.Status.FromString(report.failed[0].error).message
    assert await store.recover() == type(report)()


@pytest.mark.asyncio
@pytest.mark.parametrize("jump_seconds", [-40 * 366 * 86_400, -3600, 3600, 40 * 366 * 86_400])
async def test_clock_jumps_end_no_lease(store: Store, clock: ManualClock, jump_seconds: float) -> None:
    """However the wall clock jumps, a worker that renews keeps its claim, and one that is gone loses it in time."""
    await created(store, "alive")
    await created(store, "dead")
    alive, dead = await claimed(store), await claimed(store)
    await store.recover()
    clock.jump(jump_seconds)
    assert (await store.recover()).requeued == ()
    clock.advance(LEASE_SECONDS / 2)
    await store.renew(alive)
    await store.recover()
    clock.advance(LEASE_SECONDS / 2)
    assert [record.solve_id for record in (await store.recover()).requeued] == ["dead"]
    assert (await store.succeed(alive, b"", None, b"")).state is SolveState.SUCCEEDED
    with pytest.raises(StaleClaimError):
        await store.succeed(dead, b"", None, b"")


@pytest.mark.asyncio
async def test_a_new_process_judges_after_one_lease(store: Store, backend: Backend, clock: ManualClock) -> None:
    """A process that has just started gives every claim one lease, except those of owners that it knows to be gone."""
    await created(store, "one")
    await created(store, "two")
    await claimed(store, "gone")
    await claimed(store, "unknown")
    clock.advance(1000)
    starting = await backend.open()
    assert await starting.running_owners() == {"gone", "unknown"}
    assert [record.solve_id for record in (await starting.recover(owners_gone={"gone"})).requeued] == ["one"]
    clock.advance(LEASE_SECONDS - 1)
    assert (await starting.recover()).requeued == ()
    clock.advance(1)
    assert [record.solve_id for record in (await starting.recover()).requeued] == ["two"]


@pytest.mark.asyncio
async def test_two_processes_recover_once(store: Store, backend: Backend, clock: ManualClock) -> None:
    """Two that find the same lease run out at the same time count one death."""
    second = await backend.open()
    await created(store, "one")
    await claimed(store)
    await asyncio.gather(store.recover(), second.recover())
    clock.advance(LEASE_SECONDS)
    reports = await asyncio.gather(store.recover(), second.recover())
    assert sorted(len(report.requeued) for report in reports) == [0, 1]
    assert (await claimed(store)).record.attempt_count == 2


@pytest.mark.asyncio
async def test_wrong_claims_are_refused(store: Store) -> None:
    """An owner without a name and a lease without a length say what is wrong."""
    with pytest.raises(InvalidRecordError, match="owner"):
        await store.claim_next("", LEASE_SECONDS, 1)
    with pytest.raises(InvalidRecordError, match="owner"):
        await store.claim_next("a\0", LEASE_SECONDS, 1)
    for lease_seconds in (0, -1, float("nan")):
        with pytest.raises(InvalidRecordError, match="lease_seconds"):
            await store.claim_next("worker", lease_seconds, 1)
