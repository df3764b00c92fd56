"""What a test puts into the database of a service beside it, as another server of the same database would."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tehai.operations.records import Claim, NewSolve
from tehai.operations.store import Store, open_store
from tests.faults.service import Service

Answer = TypeVar("Answer")

TENANT = "local"
# No name that a runner gives itself, so that no server takes its process for dead.
OWNER = "a-test"
LEASE_SECONDS = 3600.0
PROBLEM = b""


def with_store(service: Service, work: Callable[[Store], Awaitable[Answer]]) -> Answer:
    """Run ``work`` on the embedded database of a service."""

    async def run() -> Answer:
        store = await open_store("", service.database_path)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


async def claimed_solve(store: Store, solve_id: str) -> Claim:
    """Create a solve and claim it; nothing else may wait in the database."""
    sha256 = hashlib.sha256(PROBLEM).hexdigest()
    new = NewSolve(
        tenant=TENANT,
        solve_id=solve_id,
        request_sha256=sha256,
        problem_sha256=sha256,
        problem_bytes=len(PROBLEM),
        options=b"",
    )
    await store.create_solve(new, PROBLEM, 1_000)
    claim = await store.claim_next(OWNER, LEASE_SECONDS, 1_000)
    assert claim is not None
    assert claim.solve_id == solve_id
    return claim


def solve_with_result(service: Service, solve_id: str, result: bytes) -> str:
    """Put a solve with a result into the database before the service starts, and return its name."""

    async def work(store: Store) -> None:
        await store.succeed(await claimed_solve(store, solve_id), result, None, b"")

    with_store(service, work)
    return f"tenants/{TENANT}/solves/{solve_id}"


def running_solve(service: Service, solve_id: str) -> tuple[str, Claim]:
    """Put a solve that this process works on into the database before the service starts; return name and claim."""

    async def work(store: Store) -> Claim:
        return await claimed_solve(store, solve_id)

    return f"tenants/{TENANT}/solves/{solve_id}", with_store(service, work)
