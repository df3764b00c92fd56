"""The status page /console of the HTTP endpoint: read-only, without a script, without anything of a tenant."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from importlib.metadata import version

from tehai.operations.clock import MICROSECONDS_PER_SECOND
from tehai.operations.store import SolveStore
from tehai.server.observer import SolveObserver
from tehai.telemetry import Metrics, Readiness

CONTENT_TYPE = "text/html; charset=utf-8"
# Upper ends in seconds, and what the rows are called.
_AGES = ((60.0, "under a minute"), (600.0, "1 to 10 minutes"), (3600.0, "10 to 60 minutes"), (float("inf"), "longer"))
_OUTCOMES = ("succeeded", "failed", "cancelled")
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:48rem;padding:0 1rem}"
    "body{color:#1b1f24;background:#fff}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.35rem .75rem;border-bottom:1px solid #d0d7de;font-weight:normal}"
    "td{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#b00020;font-weight:bold}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}.bad{color:#ff7b72}}"
)
Row = tuple[str, str]


class Console:
    """Makes the page; each look at it reads the store once."""

    def __init__(self, store: SolveStore, observer: SolveObserver, metrics: Metrics, readiness: Readiness) -> None:
        self._store = store
        self._observer = observer
        self._metrics = metrics
        self._readiness = readiness
        self._started = time.monotonic()

    async def page(self) -> bytes:
        """Return the page in UTF-8."""
        verdict = await self._readiness.verdict()
        state = "ready" if verdict.ready else f"not ready: {', '.join(verdict.failing)}"
        sections = [
            _table("Server", self._server_rows(state)),
            _table("Queue", await self._queue_rows()),
            _table("Running solves by age", self._age_rows()),
            _table("Solves since start", self._outcome_rows()),
        ]
        body = "".join(sections)
        text = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tehai</title>'
            '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="10">'
            f"<style>{_STYLE}</style></head><body><h1>Tehai server</h1>{body}</body></html>\n"
        )
        return text.encode()

    def _server_rows(self, state: str) -> list[Row]:
        watchers = self._metrics.read("tehai_watchers") or 0.0
        return [
            ("version", version("tehai")),
            ("state", state),
            ("up for", _duration(time.monotonic() - self._started)),
            ("open watches", f"{watchers:.0f}"),
        ]

    async def _queue_rows(self) -> list[Row]:
        try:
            counts = await self._store.counts()
        except Exception:  # noqa: BLE001 - whatever befell the store, the page says that it did
            return [("store", "cannot be reached")]
        rows = [("store", "reachable"), ("waiting", str(counts.queued)), ("running, all servers", str(counts.running))]
        if counts.oldest_create_time is not None:
            seconds = time.time() - counts.oldest_create_time / MICROSECONDS_PER_SECOND
            rows.append(("oldest waits for", _duration(max(0.0, seconds))))
        return rows

    def _age_rows(self) -> list[Row]:
        ages = self._observer.ages_seconds()
        rows = []
        least = 0.0
        for most, name in _AGES:
            rows.append((name, str(sum(least <= age < most for age in ages))))
            least = most
        return rows

    def _outcome_rows(self) -> list[Row]:
        found = ((name, self._metrics.read("tehai_solves_total", outcome=name) or 0.0) for name in _OUTCOMES)
        rows = [(name, f"{count:.0f}") for name, count in found]
        return [*rows, ("begun again", f"{self._metrics.read('tehai_solve_retries_total') or 0.0:.0f}")]


def _table(title: str, rows: Sequence[Row]) -> str:
    cells = "".join(f"<tr><th>{html.escape(name)}</th>{_cell(value)}</tr>" for name, value in rows)
    return f"<h2>{html.escape(title)}</h2><table>{cells}</table>"


def _cell(value: str) -> str:
    bad = value.startswith(("not ready", "cannot"))
    kind = ' class="bad"' if bad else ""
    return f"<td{kind}>{html.escape(value)}</td>"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
