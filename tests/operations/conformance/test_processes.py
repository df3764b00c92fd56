"""Several processes on one database."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from typing import Any

import pytest

from tehai.operations.records import BlobKind
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import QUEUE_MAX, TENANT, created


def said(*programs: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """Wait for programs to end well and return what all of them said."""
    lines = []
    for program in programs:
        output, errors = program.communicate(timeout=120)
        assert program.returncode == 0, errors
        lines += [json.loads(line) for line in output.splitlines()]
    return lines


@pytest.mark.asyncio
async def test_the_same_requests_from_two_processes(store: Store, backend: Backend) -> None:
    """Of two processes that ask for the same sixty requests, exactly one creates each, and both get the same solve."""
    lines = said(*[backend.program("create_same_requests", prefix, 60) for prefix in ("a", "b")])
    answers: dict[str, set[str]] = {}
    for line in lines:
        answers.setdefault(line["request_id"], set()).add(line["solve_id"])
    assert (len(lines), len(answers)) == (120, 60)
    assert all(len(ids) == 1 for ids in answers.values())
    assert sum(line["created"] for line in lines) == 60
    assert (await store.counts()).queued == 60


@pytest.mark.asyncio
async def test_the_queue_is_bounded_across_processes(store: Store, backend: Backend) -> None:
    """Two processes that each try sixty solves at once fill a queue of seventy exactly."""
    lines = said(*[backend.program("fill_queue", prefix, 60, 70) for prefix in ("a", "b")])
    assert sum("accepted" in line for line in lines) == 70
    assert sum("refused" in line for line in lines) == 50
    assert (await store.counts()).queued == 70


@pytest.mark.asyncio
async def test_a_tenants_limit_holds_across_processes(store: Store, backend: Backend) -> None:
    """Two processes that each try sixty solves of one tenant at once fill its thirty places, with room for others."""
    lines = said(*[backend.program("fill_queue", prefix, 60, QUEUE_MAX, 30) for prefix in ("a", "b")])
    assert sum("accepted" in line for line in lines) == 30
    assert sum("refused" in line for line in lines) == 90
    assert (await store.counts()).queued == 30


@pytest.mark.asyncio
async def test_two_processes_share_the_work(store: Store, backend: Backend) -> None:
    """Each of sixty solves is worked on once, and its result is of the process that says it did."""
    for number in range(60):
        await created(store, f"s{number}")
    programs = [backend.program("work", owner, 1000) for owner in ("p", "q")]
    lines = said(*programs)
    assert Counter(line["solve_id"] for line in lines) == Counter(f"s{number}" for number in range(60))
    assert {line["fence"] for line in lines} == {1}
    for number in range(60):
        record = await store.get_solve(TENANT, f"s{number}")
        assert (record.attempt_count, record.last_sequence) == (1, 4)
        assert await store.get_blob(TENANT, BlobKind.RESULT, f"s{number}") == record.owner.encode()
