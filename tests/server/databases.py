"""Empty databases of each kind for servers; PostgreSQL is behind the marker `services`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.operations.servers import fresh_schema, shared_server

# Gives the URL of an empty database while a server needs it: "" is the embedded one, a file of the server's own.
NewDatabase = Callable[[], AbstractContextManager[str]]


@contextmanager
def _embedded() -> Iterator[str]:
    yield ""


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def new_database(request: pytest.FixtureRequest) -> Iterator[NewDatabase]:
    """Return what gives empty databases, of each kind in turn."""
    if request.param == "sqlite":
        yield _embedded
        return
    with shared_server() as url:
        yield lambda: fresh_schema(url)
