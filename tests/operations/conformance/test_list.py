"""Lists: order, filters, and pages that stay where they were."""

from __future__ import annotations

import asyncio

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import InvalidRecordError, PageTokenError
from tehai.operations.filters import parse_filter
from tehai.operations.store import Store
from tests.operations.backends import Backend
from tests.operations.solves import OTHER_TENANT, TENANT, claimed, created


async def listed(store: Store, text: str) -> list[str]:
    """Return the ids of the solves that meet a filter, newest first."""
    return [record.solve_id for record in (await store.list_solves(TENANT, parse_filter(text))).records]


@pytest.mark.asyncio
async def test_filters(store: Store, clock: ManualClock) -> None:
    """Each field with each operator selects what it says, alone and joined."""
    # 2027-01-15T08:00:00Z and every 10 s after.
    for number in range(1, 7):
        await created(store, f"s{number}", priority=number, display_name="June" if number % 2 else 'a "b" \\ c')
        clock.advance(10)
    await claimed(store)
    await store.request_cancel(TENANT, "s2")
    await created(store, "foreign", tenant=OTHER_TENANT)
    assert await listed(store, "") == ["s6", "s5", "s4", "s3", "s2", "s1"]
    assert await listed(store, "state = RUNNING") == ["s1"]
    assert await listed(store, 'state="CANCELLED"') == ["s2"]
    assert await listed(store, "state = FAILED") == []
    assert await listed(store, "priority <= 3") == ["s3", "s2", "s1"]
    assert await listed(store, "priority < 3") == ["s2", "s1"]
    assert await listed(store, "priority = 3") == ["s3"]
    assert await listed(store, "priority > 5") == ["s6"]
    assert await listed(store, "priority >= 5") == ["s6", "s5"]
    assert await listed(store, 'display_name = "June"') == ["s5", "s3", "s1"]
    assert await listed(store, r'display_name = "a \"b\" \\ c"') == ["s6", "s4", "s2"]
    assert await listed(store, 'create_time >= "2027-01-15T08:00:50Z"') == ["s6"]
    assert await listed(store, 'create_time > "2027-01-15T17:00:40+09:00"') == ["s6"]
    assert await listed(store, 'create_time = "2027-01-15T08:00:10.000000Z"') == ["s2"]
    assert await listed(store, "create_time < 2027-01-15T08:00:10Z") == ["s1"]
    assert await listed(store, "create_time <= 2027-01-15T08:00:10Z") == ["s2", "s1"]
    assert await listed(store, "state = QUEUED AND priority >= 4 AND display_name = June") == ["s5"]
    assert await listed(store, "priority >= 2 AND priority <= 3") == ["s3", "s2"]


@pytest.mark.asyncio
async def test_pages_do_not_move(store: Store, clock: ManualClock) -> None:
    """While solves come and go between pages and the clock jumps back, every other one appears just once."""
    for number in range(25):
        await created(store, f"s{number}", priority=1 + number % 2)
        clock.advance(1)
    conditions = parse_filter("priority = 1")
    seen: list[str] = []
    token = ""
    for page_number in range(100):
        page = await store.list_solves(TENANT, conditions, 3, token)
        seen += [record.solve_id for record in page.records]
        token = page.next_page_token
        if not token:
            break
        clock.jump(-3600)
        await created(store, f"later{page_number}", priority=1)
        # The last one seen, and one of those still to come.
        for gone in (seen[-1], "s2") if page_number == 0 else (seen[-1],):
            await store.request_cancel(TENANT, gone)
            await store.delete_solve(TENANT, gone)
    assert seen == [f"s{number}" for number in range(24, -1, -2) if number != 2]


@pytest.mark.asyncio
async def test_page_tokens_belong_to_one_list(store: Store, backend: Backend) -> None:
    """A token is good in every process, and only for the tenant and the filter that it came with; sizes are checked."""
    await asyncio.gather(*(created(store, f"s{number}") for number in range(5)))
    conditions = parse_filter("priority = 5")
    first = await store.list_solves(TENANT, conditions, 2)
    other_process = await backend.open()
    second = await other_process.list_solves(TENANT, conditions, 2, first.next_page_token)
    last = await store.list_solves(TENANT, conditions, 2, second.next_page_token)
    ids = [record.solve_id for page in (first, second, last) for record in page.records]
    assert sorted(ids) == ["s0", "s1", "s2", "s3", "s4"]
    assert (len(last.records), last.next_page_token) == (1, "")
    token = first.next_page_token
    changed = [
        token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :] for position in (0, 20, -2)
    ]
    for tenant, wanted, bad in (
        (OTHER_TENANT, conditions, token),
        (TENANT, (), token),
        (TENANT, parse_filter("priority = 4"), token),
        *((TENANT, conditions, text) for text in [*changed, token[:-1], token + "A", "x", "ü", "=", "\0"]),
    ):
        with pytest.raises(PageTokenError):
            await store.list_solves(tenant, wanted, 2, bad)
    for size in (0, -1, 1001):
        with pytest.raises(InvalidRecordError, match="page_size"):
            await store.list_solves(TENANT, (), size)


@pytest.mark.asyncio
async def test_a_page_that_ends_the_list_says_so(store: Store) -> None:
    """Exactly as many solves as fit give one page without a token."""
    for _ in range(4):
        await created(store)
    page = await store.list_solves(TENANT, (), 4)
    assert (len(page.records), page.next_page_token) == (4, "")
