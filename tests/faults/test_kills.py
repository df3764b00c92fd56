"""kill -9 at random moments under load: nothing accepted is lost, nothing ends twice, the database is whole."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence

import pytest

from tehai.v1 import solve_pb2
from tests.faults.conftest import Place
from tests.faults.inspection import Database
from tests.faults.load import callers, essence, wait_for_the_end
from tests.faults.problems import endless_solve, quick_solve
from tests.faults.service import Service, wait_until
from tests.faults.steps import created, ended, running, solve
from tests.hostile.judge import leaks

KILLS_SHORT = 4
KILLS_LONG = 100
CALLERS = 8
# Of the kills; the others hit a worker, and some hit the server while it starts.
SERVER_PART = 0.5
STARTING_PART = 0.2
END_SECONDS = 600.0
SETTINGS = {
    "solves_max": 2,
    "limit_heavy_requests_per_second": 1_000,
    "cancel_grace_seconds": 0.5,
    "shutdown_grace_seconds": 5,
}
LONG = (pytest.mark.faults, pytest.mark.timeout(5_400))


class Killer:
    """Kills one process after the other; which and when follows from the seed."""

    def __init__(self, services: Sequence[Service], seed: int) -> None:
        self._services = services
        self._random = random.Random(seed)
        self.killed: Counter[str] = Counter()

    def kill_one(self) -> None:
        """Wait a random time and kill a server or a worker; afterwards every server serves."""
        time.sleep(self._random.uniform(0.0, 1.5))
        if self._random.random() < SERVER_PART:
            self._kill_server(self._random.choice(self._services))
        else:
            self._kill_worker()

    def _kill_server(self, service: Service) -> None:
        service.kill()
        if self._random.random() < STARTING_PART:
            self.killed["server while it starts"] += 1
            service.launch()
            time.sleep(self._random.uniform(0.0, 2.0))
            service.kill()
        else:
            self.killed["server"] += 1
        service.start()

    def _workers(self) -> list[int]:
        return [pid for service in self._services for pid in service.workers()]

    def _kill_worker(self) -> None:
        """Kill a worker; where there comes none, callers have nothing to do, which is a fault of the test."""
        wait_until(lambda: self._workers() != [], 60, "a solve runs")
        try:
            os.kill(self._random.choice(self._workers()), signal.SIGKILL)
        except (ProcessLookupError, IndexError):
            # It has just ended by itself.
            self._kill_worker()
        else:
            self.killed["worker"] += 1


def kill_under_load(services: Sequence[Service], database: Database, kills: int) -> None:
    """Kill processes of services that share a database, and judge what became of everything that was accepted."""
    killer = Killer(services, seed=kills)
    with callers(services, CALLERS, seed=kills) as ledger:
        for _ in range(kills):
            killer.kill_one()
        time.sleep(1.0)
    assert ledger.faults == []
    assert len(ledger.accepted) >= kills
    found = wait_for_the_end(services[0], ledger, END_SECONDS)
    for name, told in ledger.endings.items():
        assert essence(found[name]) == essence(told)
    # Nothing is given up for but one reason: its processes were killed as often as it may be started.
    failed = [one for one in found.values() if one.state == solve_pb2.SOLVE_STATE_FAILED]
    assert all(one.attempt_count == one.attempts_max and one.error.code != 0 for one in failed)
    # Those whose reply was lost with the server end as well.
    wait_until(lambda: database.faults() == [], END_SECONDS, "every solve has ended once")
    states = Counter(solve_pb2.SolveState.Name(one.state) for one in found.values())
    print(f"\nkilled: {dict(killer.killed)}; accepted: {len(ledger.accepted)}; {dict(ledger.counts)}")
    print(f"started more than once: {database.retried()} of {database.solves()}; {dict(states)}")
    # The kills did hit solves that ran.
    assert database.retried() > 0
    assert database.solves() >= len(ledger.accepted)
    assert sum(killer.killed.values()) == kills


@pytest.mark.parametrize("kills", [KILLS_SHORT, pytest.param(KILLS_LONG, marks=LONG)])
def test_kills_under_load(place: Place, kills: int) -> None:
    """Every id that got a reply exists and ends, once and as it was told; the database is whole; no process is left."""
    with place.service(**SETTINGS) as service:
        database = place.database(service)
        kill_under_load([service], database, kills)
    assert database.faults() == []
    assert database.damage() == []
    assert service.processes() == []


@pytest.mark.services
@pytest.mark.parametrize("kills", [KILLS_SHORT, pytest.param(KILLS_LONG // 2, marks=LONG)])
def test_kills_of_two_servers(postgres_place: Place, kills: int) -> None:
    """So it is with two servers on one database: what one of them leaves, either of them takes up, and never both."""
    other_place = Place(postgres_place.folder / "other", postgres_place.database_url)
    with postgres_place.service(**SETTINGS) as first, other_place.service(**SETTINGS) as second:
        database = postgres_place.database(first)
        kill_under_load([first, second], database, kills)
    assert database.faults() == []
    assert database.damage() == []
    assert first.processes() == second.processes() == []


def test_a_solve_whose_every_process_dies(sqlite_place: Place) -> None:
    """After its last attempt it is FAILED with what happened, said in words for the caller; the next solve succeeds."""
    attempts_max = 2
    with sqlite_place.service(solves_max=1, attempts_max=attempts_max) as service:
        name = created(service, endless_solve())
        for attempt in range(1, attempts_max + 1):
            running(service, name)
            assert solve(service, name).attempt_count == attempt
            for pid in service.workers():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda known=attempt: moved_on(solve(service, name), known), 60, "the death is noticed")  # type: ignore[misc]
        last = ended(service, name)
        assert (last.state, last.attempt_count) == (solve_pb2.SOLVE_STATE_FAILED, attempts_max)
        assert last.error.code != 0
        assert str(attempts_max) in last.error.message
        assert leaks(last.error.message) == []
        assert ended(service, created(service, quick_solve())).state == solve_pb2.SOLVE_STATE_SUCCEEDED
    assert sqlite_place.database(service).faults() == []


def moved_on(found: solve_pb2.Solve, attempt: int) -> bool:
    """Return whether a solve is past an attempt: it waits, has begun another one, or has ended."""
    return found.state != solve_pb2.SOLVE_STATE_RUNNING or found.attempt_count > attempt
