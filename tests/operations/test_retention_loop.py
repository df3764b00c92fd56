"""Retention as a task: it goes on after trouble with the store, and ends when it is told to."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from tehai.operations.clock import ManualClock
from tehai.operations.errors import StoreUnavailableError
from tehai.operations.records import ExpireReport, RetentionPolicy
from tehai.operations.retention import JumpGuard, Retention
from tehai.operations.sqlite_store import open_sqlite


@pytest.mark.asyncio
async def test_it_goes_on_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that is away for one round is tried again in the next; after the stop there is no round."""
    clock = ManualClock()
    store = await open_sqlite(tmp_path / "tehai.db", clock)
    rounds: list[RetentionPolicy] = []
    told: list[ExpireReport] = []
    third = asyncio.Event()

    async def expire(policy: RetentionPolicy) -> ExpireReport:
        rounds.append(policy)
        if len(rounds) == 3:
            third.set()
        if len(rounds) == 1:
            raise StoreUnavailableError("gone")
        return ExpireReport()

    monkeypatch.setattr(store, "expire", expire)
    stop = asyncio.Event()
    with caplog.at_level(logging.WARNING):
        retention = Retention(store, clock, on_round=told.append)
        task = asyncio.create_task(retention.run(0.01, stop))
        async with asyncio.timeout(10):
            await third.wait()
            stop.set()
            await task
    assert "nothing old was deleted" in caplog.text
    done = len(rounds)
    # Of the round that failed there is nothing to tell.
    assert len(told) == done - 1
    await asyncio.sleep(0.05)
    assert len(rounds) == done
    await store.close()


@pytest.mark.parametrize(
    ("moves", "held"),
    [
        ([("advance", 10_000)], 0.0),
        ([("jump", 59)], 0.0),
        ([("jump", 60)], 3600.0),
        ([("jump", -3600)], 0.0),
        ([("jump", 3600), ("look", 0), ("advance", 3599)], 1.0),
        ([("jump", 3600), ("look", 0), ("advance", 3600)], 0.0),
        ([("jump", 3600), ("look", 0), ("jump", -3600)], 0.0),
        ([("jump", 3600), ("look", 0), ("advance", 1000), ("jump", 3600)], 3600.0),
        ([("jump", -3600), ("look", 0), ("jump", 3600)], 3600.0),
    ],
)
def test_the_guard(moves: list[tuple[str, float]], held: float) -> None:
    """Time that passes and jumps back hold nothing up; a jump ahead does for an hour of real time, or until undone."""
    clock = ManualClock()
    guard = JumpGuard(clock)
    actions: dict[str, Any] = {"advance": clock.advance, "jump": clock.jump, "look": lambda _: guard.held_seconds()}
    for name, seconds in moves:
        actions[name](seconds)
    assert guard.held_seconds() == pytest.approx(held, abs=1e-3)


def test_manual_time_passes_forwards() -> None:
    """The clock for tests refuses to let time pass backwards; only the wall clock jumps."""
    clock = ManualClock()
    with pytest.raises(ValueError, match="forwards"):
        clock.advance(-1)
