"""A service on each kind of database; the long forms and PostgreSQL are behind markers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.inspection import Database
from tests.faults.service import Service
from tests.operations.servers import fresh_schema, shared_server


@dataclass(frozen=True)
class Place:
    """Where a service keeps its things."""

    folder: Path
    database_url: str

    def service(self, **settings: object) -> Service:
        """Return a service that is not started yet."""
        return Service(self.folder, {"database_url": self.database_url, **settings})

    def database(self, service: Service) -> Database:
        """Return a look into its database."""
        return Database(service.database_path, self.database_url)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a real PostgreSQL server."""
    with shared_server() as url:
        yield url


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    """Give a place with the embedded database."""
    return Place(tmp_path / "service", "")


@pytest.fixture
def postgres_place(tmp_path: Path, postgres_url: str) -> Iterator[Place]:
    """Give a place with a schema of its own in PostgreSQL."""
    with fresh_schema(postgres_url) as url:
        yield Place(tmp_path / "service", url)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def place(request: pytest.FixtureRequest) -> Place:
    """Give a place on each kind of database."""
    chosen: Place = request.getfixturevalue(f"{request.param}_place")
    return chosen
