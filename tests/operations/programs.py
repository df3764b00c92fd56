"""Programs that tests start as processes of their own: python -m tests.operations.programs NAME URL PATH ARGUMENTS."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from tehai.operations.errors import QueueFullError, StoreFullError, TenantQueueFullError
from tehai.operations.store import Store, open_store
from tests.operations.solves import QUEUE_MAX, new_solve

Program = Callable[..., Awaitable[None]]


def say(**values: object) -> None:
    """Write one line at once: what a reader has seen was said after the store had answered."""
    os.write(1, (json.dumps(values) + "\n").encode())


async def create_for_ever(store: Store, prefix: str, problem_bytes: str) -> None:
    """Create solves until killed, and say each one's id after it was accepted."""
    for number in range(10_000_000):
        problem = f"{prefix}-{number}-".encode() + b"x" * int(problem_bytes)
        record, _ = await store.create_solve(new_solve(f"{prefix}-{number}", problem=problem), problem, 10_000_000)
        say(solve_id=record.solve_id)


async def create_some(store: Store, prefix: str, count: str) -> None:
    """Create ``count`` solves one after the other, and say each one's id after it was accepted."""
    for number in range(int(count)):
        record, _ = await store.create_solve(new_solve(f"{prefix}-{number}"), b"problem bytes", QUEUE_MAX)
        say(solve_id=record.solve_id)


async def create_same_requests(store: Store, prefix: str, count: str) -> None:
    """Ask for the requests 0 to ``count``, several at once, with solve ids of this process's own."""

    async def one(number: int) -> None:
        new = new_solve(f"{prefix}-{number}", request_id=f"request-{number}")
        record, is_new = await store.create_solve(new, b"problem bytes", QUEUE_MAX)
        say(request_id=record.request_id, solve_id=record.solve_id, created=is_new)

    await asyncio.gather(*(one(number) for number in range(int(count))))


async def fill_queue(store: Store, prefix: str, count: str, queue_max: str, tenant_queue_max: str = "") -> None:
    """Try to create ``count`` solves at once in a queue with ``queue_max`` places, and so many of them the tenant's."""
    of_tenant = int(tenant_queue_max) if tenant_queue_max else None

    async def one(number: int) -> None:
        try:
            await store.create_solve(new_solve(f"{prefix}-{number}"), b"problem bytes", int(queue_max), of_tenant)
        except (QueueFullError, TenantQueueFullError):
            say(refused=number)
        else:
            say(accepted=number)

    await asyncio.gather(*(one(number) for number in range(int(count))))


async def work(store: Store, owner: str, running_max: str) -> None:
    """Claim and end solves until there are none."""
    while (claim := await store.claim_next(owner, 30.0, int(running_max))) is not None:
        await store.record_progress(claim, owner.encode())
        await store.succeed(claim, owner.encode(), None, b"")
        say(solve_id=claim.solve_id, fence=claim.fence)


async def work_for_ever(store: Store, owner: str) -> None:
    """Claim solves, say so, write progress and end them, until killed; say each end after the store had answered."""
    while True:
        claim = await store.claim_next(owner, 30.0, 1000)
        if claim is None:
            await asyncio.sleep(0.01)
            continue
        await store.record_progress(claim, b"progress")
        await store.succeed(claim, owner.encode(), None, b"")
        say(solve_id=claim.solve_id)


async def fill_disk(store: Store, file_bytes_max: str) -> None:
    """Create solves of 1 MB until no file may grow any more, show that the store still answers, then lift the limit."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes_max), resource.RLIM_INFINITY))
    accepted: list[str] = []
    for number in range(1000):
        problem = f"{number}".encode() + b"x" * 1_000_000
        try:
            record, _ = await store.create_solve(new_solve(f"big-{number}", problem=problem), problem, QUEUE_MAX)
        except StoreFullError as error:
            say(full=str(error), accepted=accepted)
            break
        accepted.append(record.solve_id)
    say(readable=[(await store.get_solve("tenant-a", solve_id)).solve_id for solve_id in accepted])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    record, _ = await store.create_solve(new_solve("after"), b"problem bytes", QUEUE_MAX)
    say(after=record.solve_id)


PROGRAMS: dict[str, Program] = {
    program.__name__: program
    for program in (create_for_ever, create_some, create_same_requests, fill_queue, work, work_for_ever, fill_disk)
}


async def main(name: str, url: str, path: str, *arguments: str) -> None:
    """Open the store and run a program."""
    store = await open_store(url, Path(path))
    try:
        await PROGRAMS[name](store, *arguments)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
