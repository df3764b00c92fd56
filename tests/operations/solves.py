"""Solves to create in tests, and steps that many of them take."""

from __future__ import annotations

import hashlib
import itertools
import random

from tehai.operations.errors import StoreFullError
from tehai.operations.records import Claim, NewSolve, SolveRecord
from tehai.operations.store import Store

TENANT = "tenant-a"
OTHER_TENANT = "tenant-b"
QUEUE_MAX = 1000
LEASE_SECONDS = 30.0
PROBLEM = b"problem bytes"

_numbers = itertools.count(1)


def sha256(data: bytes) -> str:
    """Return the hash as the store wants it."""
    return hashlib.sha256(data).hexdigest()


def new_solve(
    solve_id: str = "",
    *,
    tenant: str = TENANT,
    problem: bytes = PROBLEM,
    request_id: str = "",
    display_name: str = "",
    priority: int = 5,
    attempts_max: int = 3,
    retention_seconds: float = 1000.0,
) -> NewSolve:
    """Return a solve that may be created; its request's hash follows from problem and priority."""
    return NewSolve(
        tenant=tenant,
        solve_id=solve_id or f"solve-{next(_numbers)}",
        request_id=request_id,
        request_sha256=sha256(problem + bytes([priority])),
        display_name=display_name,
        priority=priority,
        attempts_max=attempts_max,
        problem_sha256=sha256(problem),
        problem_bytes=len(problem),
        options=b"options",
        retention_seconds=retention_seconds,
    )


async def created(store: Store, solve_id: str = "", **changes: object) -> SolveRecord:
    """Create a solve and return it."""
    new = new_solve(solve_id, **changes)  # type: ignore[arg-type]
    problem = changes.get("problem", PROBLEM)
    assert isinstance(problem, bytes)
    record, is_new = await store.create_solve(new, problem, QUEUE_MAX)
    assert is_new
    return record


async def claimed(store: Store, owner: str = "worker-1", running_max: int = 100) -> Claim:
    """Claim the next solve, which there must be."""
    claim = await store.claim_next(owner, LEASE_SECONDS, running_max)
    assert claim is not None
    return claim


async def succeeded(store: Store, solve_id: str = "", **changes: object) -> SolveRecord:
    """Create a solve, run it and return it with a result and a quote book."""
    record = await created(store, solve_id, **changes)
    claim = await claimed(store)
    assert claim.solve_id == record.solve_id
    return await store.succeed(claim, b"result", b"quote book", b"standing")


async def created_until_full(store: Store) -> list[str]:
    """Create solves of a megabyte until there is no room, which must come, and return the ids of those accepted."""
    accepted: list[str] = []
    for number in range(100):
        problem = random.Random(number).randbytes(1_000_000)
        try:
            accepted.append((await created(store, f"s{number}", problem=problem)).solve_id)
        except StoreFullError as error:
            assert "free disk space" in str(error)  # noqa: PT017 - which one is refused is not known before
            return accepted
    message = "there was room for all"
    raise AssertionError(message)
