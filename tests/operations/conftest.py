"""A database for each test; the PostgreSQL server is started once and stopped if it did not run before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tehai.operations.clock import ManualClock
from tehai.operations.sql_store import SqlStore
from tests.operations.backends import Backend
from tests.operations.servers import fresh_schema, shared_server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a real PostgreSQL server."""
    with shared_server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Give an empty database of each kind."""
    path = tmp_path / "data" / "tehai.db"
    if request.param == "sqlite":
        yield Backend("", path)
        return
    with fresh_schema(request.getfixturevalue("postgres_url")) as url:
        yield Backend(url, path)


@pytest.fixture
def clock(backend: Backend) -> ManualClock:
    """Give the clock of the store."""
    return backend.clock


@pytest_asyncio.fixture
async def store(backend: Backend) -> AsyncIterator[SqlStore]:
    """Give a store over an empty database."""
    yield await backend.open()
    await backend.close()
