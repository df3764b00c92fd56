"""The database is gone and comes back: UNAVAILABLE and not ready meanwhile, then all goes on by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from tehai.v1 import solve_pb2
from tests.faults.conftest import Place
from tests.faults.load import CALL_SECONDS
from tests.faults.problems import endless_solve, quick_solve
from tests.faults.service import Service, wait_until
from tests.faults.steps import cancel, created, ended, refused, repeated, running, solve
from tests.operations.servers import PostgresServer, fresh_schema
from tests.server.process import reason_of, retry_seconds

SETTINGS = {"solves_max": 2, "lease_seconds": 60, "limit_heavy_requests_per_second": 1_000, "shutdown_grace_seconds": 1}
NOTICED_SECONDS = 30.0
RECOVERED_SECONDS = 60.0


def check_gone(service: Service) -> None:
    """A creation is UNAVAILABLE with a time to retry, within its deadline, and the server is not ready."""
    error = refused(lambda: service.stub().CreateSolve(quick_solve("meanwhile"), timeout=CALL_SECONDS))
    assert error.code() is grpc.StatusCode.UNAVAILABLE, error
    assert reason_of(error) == "STORE_UNAVAILABLE"
    assert retry_seconds(error) > 0
    wait_until(lambda: service.readiness()[0] == 503, NOTICED_SECONDS, "the server is not ready")
    # Alive all the same: a new process would not help.
    assert service.alive


def check_back(service: Service, accepted: list[str]) -> None:
    """The server is ready by itself, takes the request again, and every accepted solve ends with its plan."""
    wait_until(lambda: service.readiness()[0] == 200, RECOVERED_SECONDS, "the server is ready again")
    wait_until(service.is_healthy, RECOVERED_SECONDS, "it is healthy")
    repeated(lambda: created(service, quick_solve("meanwhile")), RECOVERED_SECONDS, "the request is taken")
    repeated(lambda: cancel(service, accepted[0]), RECOVERED_SECONDS, "the endless one can be stopped")
    for name in (*accepted, created(service, quick_solve("meanwhile"))):
        assert ended(service, name).state == solve_pb2.SOLVE_STATE_SUCCEEDED
    # The same process went on with it: a database that was away is no reason to begin again.
    assert solve(service, accepted[0]).attempt_count == 1


def go_and_come_back(service: Service, away: Callable[[], None], back: Callable[[], None]) -> None:
    """Take the database away while a solve runs and others wait, and bring it back."""
    accepted = [created(service, endless_solve())]
    running(service, accepted[0])
    accepted += [created(service, quick_solve(f"waits-{number}")) for number in range(2)]
    away()
    check_gone(service)
    back()
    check_back(service, accepted)


def move(source: Path, target: Path) -> None:
    """Rename a file."""
    source.rename(target)


def started(postgres: PostgresServer) -> None:
    """Start PostgreSQL with the data it had."""
    postgres.start()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Give a PostgreSQL server of this module's own, which may be stopped."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.remove()


@pytest.mark.services
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgres_stops_and_starts(sqlite_place: Place, postgres: PostgresServer, mode: str) -> None:
    """PostgreSQL is shut down in order, or crashes, and is started again."""
    with fresh_schema(postgres.start()) as url:
        place = Place(sqlite_place.folder, url)
        with place.service(**SETTINGS) as service:
            go_and_come_back(service, lambda: postgres.stop(mode), lambda: started(postgres))
        database = place.database(service)
        assert database.faults() == []
        assert database.damage() == []


def test_the_file_is_moved_and_put_back(sqlite_place: Place) -> None:
    """Somebody moves the file of the embedded database away; nothing is written to where it would be lost."""
    with sqlite_place.service(**SETTINGS) as service:
        away = service.database_path.with_name("away")
        go_and_come_back(service, lambda: move(service.database_path, away), lambda: move(away, service.database_path))
    assert sqlite_place.database(service).faults() == []
    assert sqlite_place.database(service).damage() == []


@pytest.mark.faults
def test_a_lock_on_the_file(sqlite_place: Place) -> None:
    """While another process holds the write lock creating is UNAVAILABLE and reading goes on; then all goes on."""
    with sqlite_place.service(**SETTINGS) as service:
        first = created(service, endless_solve())
        running(service, first)
        other = sqlite3.connect(service.database_path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        error = refused(lambda: service.stub().CreateSolve(quick_solve("meanwhile"), timeout=CALL_SECONDS))
        assert error.code() is grpc.StatusCode.UNAVAILABLE, error
        assert reason_of(error) == "STORE_UNAVAILABLE"
        wait_until(lambda: service.readiness()[0] == 503, NOTICED_SECONDS, "the server is not ready")
        assert solve(service, first).state == solve_pb2.SOLVE_STATE_RUNNING
        other.execute("ROLLBACK")
        other.close()
        check_back(service, [first])
    assert sqlite_place.database(service).faults() == []
