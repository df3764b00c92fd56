"""Limits: a work limit reads no clock, a time limit reads nothing else, and a wish to stop goes before both."""

from __future__ import annotations

import pytest

from tehai.domain.plan import SolveOptions, StopReason
from tehai.solve import effort as effort_module
from tehai.solve.effort import Effort


class _Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Give the module a clock of its own."""
    clock = _Clock()
    monkeypatch.setattr(effort_module, "time", clock)
    return clock


def _never() -> bool:
    return False


def test_a_work_limit_reads_no_clock(clock: _Clock) -> None:
    """Rounds end the solve however much time passes, and no solver gets a limit in seconds."""
    effort = Effort(SolveOptions(work_limit=3, time_limit_seconds=1.0), _never)
    assert effort.deterministic
    for done in range(3):
        assert effort.fraction_done == pytest.approx(done / 3)
        assert effort.stop_reason() is None
        assert effort.begin_round()
        clock.now += 1e6
    assert effort.stop_reason() is StopReason.WORK_LIMIT
    assert not effort.begin_round()
    assert effort.round_count == 3
    assert effort.seconds_for(0.5) is None
    assert effort.seconds_left == float("inf")


def test_a_time_limit_counts_seconds(clock: _Clock) -> None:
    """The solve ends when the seconds are over; a part of the limit never passes what is left."""
    effort = Effort(SolveOptions(time_limit_seconds=10.0), _never)
    assert not effort.deterministic
    assert effort.seconds_for(0.25) == pytest.approx(2.5)
    clock.now += 9.0
    part = effort.seconds_for(0.25)
    assert part is not None
    assert 0.0 < part <= 1.0
    assert 0.9 <= effort.fraction_done < 1.0
    assert effort.begin_round()
    clock.now += 1.0
    assert effort.stop_reason() is StopReason.TIME_LIMIT
    assert not effort.begin_round()


def test_a_wish_to_stop_goes_first(clock: _Clock) -> None:
    """Whoever asks to stop is named as the reason, also when a limit is reached at the same moment."""
    for options in (SolveOptions(work_limit=0), SolveOptions(time_limit_seconds=0.0)):
        effort = Effort(options, lambda: True)
        clock.now += 5.0
        assert effort.stop_reason() is StopReason.CANCELLED
        assert effort.must_stop()
        assert not effort.begin_round()


def test_what_ends_the_ascent(clock: _Clock) -> None:
    """Before the search begins only a wish to stop and the clock of a time limit count, not the rounds."""
    counted, timed = (Effort(SolveOptions(work_limit=0), _never), Effort(SolveOptions(time_limit_seconds=10.0), _never))
    assert not counted.must_stop()
    assert not timed.must_stop()
    clock.now += 10.0
    assert not counted.must_stop()
    assert timed.must_stop()
