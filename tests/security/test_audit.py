"""The audit log: in order, bounded, clean, and never silent about an entry that could not be kept."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from structlog.testing import capture_logs

from tehai.security.audit import ENTRIES_AT_ONCE, AuditLog
from tehai.security.records import AuditEntry
from tests.security.material import MemoryAudit


def entry(number: int = 0, resource: str = "r") -> AuditEntry:
    """Return an entry."""
    return AuditEntry(number, "example", "key:1", "/a/B", resource, "OK", "id", "peer")


def test_every_entry_is_written_in_order() -> None:
    """Many entries arrive once each, in order, in parts that a store can take, before the log has ended."""
    parts: list[int] = []

    class Sink(MemoryAudit):
        async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
            parts.append(len(entries))
            await asyncio.sleep(0)
            await super().append_audit(entries)

    async def make() -> Sink:
        sink = Sink()
        async with AuditLog(sink) as log:
            for number in range(1_200):
                log.record(entry(number))
                if number % 100 == 0:
                    await asyncio.sleep(0)
        return sink

    assert [kept.time for kept in asyncio.run(make()).entries] == list(range(1_200))
    assert max(parts) <= ENTRIES_AT_ONCE


def test_what_the_sink_cannot_keep_is_logged() -> None:
    """While the sink fails the entries stand in the process's log; later ones are stored again."""
    counts: Counter[str] = Counter()

    async def make() -> MemoryAudit:
        sink = MemoryAudit()
        async with AuditLog(sink, lambda where, count: counts.update({where: count})) as log:
            sink.failure = OSError("disk full")
            log.record(entry(1))
            await asyncio.sleep(0.01)
            sink.failure = None
            log.record(entry(2))
        return sink

    with capture_logs() as lines:
        sink = asyncio.run(make())
    assert [kept.time for kept in sink.entries] == [2]
    assert [line["time"] for line in lines if line["event"] == "audit"] == [1]
    assert counts == {"stored": 1, "logged": 1}


def test_a_slow_sink_does_not_fill_the_memory() -> None:
    """Beyond the entries in hand, and after the end, entries go to the log; nobody waits."""

    async def make() -> MemoryAudit:
        sink = MemoryAudit()
        log = AuditLog(sink, in_hand_max=3)
        async with log:
            for number in range(5):
                log.record(entry(number))
        log.record(entry(9))
        return sink

    with capture_logs() as lines:
        sink = asyncio.run(make())
    assert [kept.time for kept in sink.entries] == [0, 1, 2]
    assert [line["time"] for line in lines if line["event"] == "audit"] == [3, 4, 9]


def test_texts_from_outside_are_short_and_printable() -> None:
    """Line ends, control characters and long names cannot forge or flood the log."""

    async def make() -> AuditEntry:
        sink = MemoryAudit()
        async with AuditLog(sink) as log:
            log.record(entry(resource="a\nOK\x1b[31m\udc80" + "b" * 1000))
        return sink.entries[0]

    resource = asyncio.run(make()).resource
    assert len(resource) == 512
    assert resource.isprintable() or set(resource) - {"\ufffd"} == set("aOK[31mb")
    assert "\n" not in resource
    assert "\x1b" not in resource


def test_a_counter_that_fails_stops_nothing() -> None:
    """Whoever counts entries cannot keep them from being written."""

    def count(where: str, number: int) -> None:
        raise KeyError(where, number)

    async def make() -> int:
        sink = MemoryAudit()
        async with AuditLog(sink, count) as log:
            for number in range(3):
                log.record(entry(number))
                await asyncio.sleep(0.001)
        return len(sink.entries)

    assert asyncio.run(make()) == 3
