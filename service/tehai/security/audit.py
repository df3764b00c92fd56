"""The audit log: entries are handed over at once and written behind the call, in order.

An entry reaches the sink within moments; one that cannot be kept there (the sink fails, or falls far behind) goes to
the process's own log instead, so none is dropped without a trace. Only kill -9 loses what was still in hand.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict, replace

import structlog

from tehai.security.records import AuditEntry, AuditSink

ENTRIES_IN_HAND_MAX = 10_000
ENTRIES_AT_ONCE = 500
TEXT_CHARACTERS_MAX = 512


class AuditLog:
    """Writes entries to a sink; use it as an async context manager, whose end writes what is in hand."""

    def __init__(
        self,
        sink: AuditSink,
        on_written: Callable[[str, int], None] = lambda _, __: None,
        in_hand_max: int = ENTRIES_IN_HAND_MAX,
    ) -> None:
        """``on_written`` is told ("stored" or "logged", number of entries)."""
        self._sink = sink
        self._on_written = on_written
        self._in_hand_max = in_hand_max
        self._in_hand: list[AuditEntry] = []
        self._some = asyncio.Event()
        self._closed = False
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AuditLog:
        """Start writing."""
        self._writer = asyncio.create_task(self._write(), name="audit")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is in hand and end."""
        self._closed = True
        self._some.set()
        if self._writer is not None:
            await self._writer

    def record(self, entry: AuditEntry) -> None:
        """Hand over an entry; never waits, never fails. Texts from outside are made short and printable."""
        entry = replace(
            entry,
            subject=_clean(entry.subject),
            method=_clean(entry.method),
            resource=_clean(entry.resource),
            request_id=_clean(entry.request_id),
            peer=_clean(entry.peer),
        )
        if self._closed or len(self._in_hand) >= self._in_hand_max:
            self._log([entry])
            return
        self._in_hand.append(entry)
        self._some.set()

    async def _write(self) -> None:
        while not (self._closed and not self._in_hand):
            await self._some.wait()
            self._some.clear()
            while self._in_hand:
                entries, self._in_hand = self._in_hand[:ENTRIES_AT_ONCE], self._in_hand[ENTRIES_AT_ONCE:]
                try:
                    await self._sink.append_audit(entries)
                except Exception as error:  # noqa: BLE001 - whatever befell the sink, the entries must not be lost
                    structlog.stdlib.get_logger(__name__).error("audit entries not stored", exc_info=error)
                    self._log(entries)
                else:
                    self._tell("stored", len(entries))
            if self._closed:
                self._some.set()

    def _log(self, entries: list[AuditEntry]) -> None:
        for entry in entries:
            structlog.stdlib.get_logger("tehai.audit").warning("audit", **asdict(entry))
        self._tell("logged", len(entries))

    def _tell(self, where: str, count: int) -> None:
        # Whoever counts must not stop the writing.
        with contextlib.suppress(Exception):
            self._on_written(where, count)


def _clean(text: str) -> str:
    """Return ``text`` as one short printable line."""
    text = text[:TEXT_CHARACTERS_MAX]
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
