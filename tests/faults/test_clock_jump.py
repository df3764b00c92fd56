"""The wall clock jumps, or is wrong from the start: no solve is lost, no lease ends, nothing expires."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc

from tehai.v1 import solve_pb2
from tests.faults.clock_program import CLOCK_FILE, RETENTION_INTERVAL_SECONDS
from tests.faults.problems import endless_solve, quick_solve
from tests.faults.service import Service, wait_until
from tests.faults.steps import cancel, created, ended, running, solve

DAY_SECONDS = 86_400.0
# From the right time, one after the other.
JUMPS_SECONDS = (365 * DAY_SECONDS, -DAY_SECONDS)
LEASE_SECONDS = 2.0
SEVERAL_LOOKS_SECONDS = 2.5 * RETENTION_INTERVAL_SECONDS
HELD = "tehai_retention_held_seconds"
SETTINGS = {
    "solves_max": 2,
    "lease_seconds": LEASE_SECONDS,
    "heartbeat_seconds": 0.5,
    # Far less than the jump, so that everything would be old.
    "retention_days": 0.5,
}
PROGRAM = ("-m", "tests.faults.clock_program")


@contextmanager
def served(folder: Path) -> Iterator[tuple[Service, Path, str]]:
    """Give a server, the file that moves its clock, and a solve that ended while the clock was right."""
    clock = folder / "clock"
    clock.write_text("0")
    with Service(folder / "service", SETTINGS, PROGRAM, {CLOCK_FILE: str(clock)}) as service:
        before = created(service, quick_solve())
        assert ended(service, before).state == solve_pb2.SOLVE_STATE_SUCCEEDED
        yield service, clock, before


def held_seconds(service: Service) -> float:
    """Return for how long nothing is deleted, as /metrics says it."""
    (line,) = (line for line in service.metrics().splitlines() if line.startswith(f"{HELD} "))
    return float(line.split()[1])


def is_there(service: Service, name: str) -> bool:
    """Return whether a solve still exists."""
    try:
        solve(service, name)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return False
    return True


def test_the_clock_is_ahead_at_a_start(tmp_path: Path) -> None:
    """A year ahead nothing is deleted, also by the next start, and the metric says so; with the right time it ends."""
    with served(tmp_path) as (service, clock, before):
        assert held_seconds(service) == 0.0
        for _ in range(2):
            start_again(service, clock, 365 * DAY_SECONDS)
            wait_until(lambda: held_seconds(service) > 0.9 * DAY_SECONDS, 30, "deleting is held")
            time.sleep(SEVERAL_LOOKS_SECONDS)
            assert is_there(service, before)
            assert service.readiness()[0] == 200
        clock.write_text("0")
        wait_until(lambda: held_seconds(service) == 0.0, 30, "deleting goes on")
        assert is_there(service, before)
        # Within a day the clock is believed, and the solve is older than it is kept: so deleting is what was held.
        start_again(service, clock, 0.9 * DAY_SECONDS)
        wait_until(lambda: not is_there(service, before), 30, "what is old is deleted")


def start_again(service: Service, clock: Path, wrong_seconds: float) -> None:
    """Stop the server, move the clock, and start it."""
    service.signal(signal.SIGTERM)
    assert service.wait(60) == 0
    clock.write_text(str(wrong_seconds))
    service.close_channels()
    service.start()


def test_the_clock_jumps(tmp_path: Path) -> None:
    """What has ended is kept, what runs goes on in its first attempt, what comes later is taken and ends."""
    with served(tmp_path) as (service, clock, before):
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
