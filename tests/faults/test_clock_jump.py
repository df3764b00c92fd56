"""The wall clock jumps, forwards by a year and backwards by a day: no solve is lost, no lease ends, nothing expires."""

from __future__ import annotations

import time
from pathlib import Path

from tehai.v1 import solve_pb2
from tests.faults.clock_program import CLOCK_FILE
from tests.faults.problems import endless_solve, quick_solve
from tests.faults.service import Service
from tests.faults.steps import cancel, created, ended, running, solve

DAY_SECONDS = 86_400.0
# From the right time, one after the other.
JUMPS_SECONDS = (365 * DAY_SECONDS, -DAY_SECONDS)
LEASE_SECONDS = 2.0
SETTINGS = {
    "solves_max": 2,
    "lease_seconds": LEASE_SECONDS,
    "heartbeat_seconds": 0.5,
    # Far less than the jump, so that everything would be old.
    "retention_days": 0.5,
}


def test_the_clock_jumps(tmp_path: Path) -> None:
    """What has ended is kept, what runs goes on in its first attempt, what comes later is taken and ends."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    program = ("-m", "tests.faults.clock_program")
    with Service(tmp_path / "service", SETTINGS, program, {CLOCK_FILE: str(clock)}) as service:
        before = created(service, quick_solve())
        assert ended(service, before).state == solve_pb2.SOLVE_STATE_SUCCEEDED
        runs = created(service, endless_solve())
        running(service, runs)
        for jump_seconds in JUMPS_SECONDS:
            clock.write_text(str(jump_seconds))
            # Several leases, and several looks for what is old.
            time.sleep(2.5 * LEASE_SECONDS)
            assert solve(service, before).state == solve_pb2.SOLVE_STATE_SUCCEEDED
            now = solve(service, runs)
            assert (now.state, now.attempt_count) == (solve_pb2.SOLVE_STATE_RUNNING, 1)
            after = ended(service, created(service, quick_solve()))
            assert after.state == solve_pb2.SOLVE_STATE_SUCCEEDED
            # The jump did reach the store.
            assert abs(after.create_time.ToSeconds() - time.time() - jump_seconds) < DAY_SECONDS / 2
        cancel(service, runs)
        last = ended(service, runs)
        assert (last.state, last.attempt_count) == (solve_pb2.SOLVE_STATE_SUCCEEDED, 1)
        # No solve ends before it was created, whatever the clock says.
        assert last.create_time.ToNanoseconds() <= last.start_time.ToNanoseconds() <= last.end_time.ToNanoseconds()
        assert last.expire_time.ToNanoseconds() > last.end_time.ToNanoseconds()
