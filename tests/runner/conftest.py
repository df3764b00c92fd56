"""One fork server for all tests, and a store for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import pytest_asyncio

from tehai.operations.clock import SystemClock
from tehai.operations.sqlite_store import open_sqlite
from tehai.operations.store import Store
from tehai.runner.processes import start_fork_server
from tests.runner.service import Service


@pytest.fixture(scope="session")
def fork_server() -> ForkServerContext:
    """Give what processes are forked from."""
    return start_fork_server()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give the path of a database that is not there yet."""
    return tmp_path / "tehai.sqlite3"


@pytest_asyncio.fixture
async def store(database: Path) -> AsyncIterator[Store]:
    """Give an empty store."""
    opened = await open_sqlite(database, SystemClock())
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def service(fork_server: ForkServerContext, store: Store) -> AsyncIterator[Service]:
    """Give a store with a runner that a test starts as it likes; its processes end with the test."""
    made = Service(fork_server, store)
    yield made
    await made.close()
