"""One fake server and both clients, each test with one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.fake import AnyClient, FakeServer, client_of, fake_server
from tests.server.databases import new_database

# A fixture of this folder too.
__all__ = ["new_database"]


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    """Return a server to be told what to answer."""
    with fake_server() as server:
        yield server


@pytest.fixture(params=["blocking", "loop"])
def client(request: pytest.FixtureRequest, fake: FakeServer) -> Iterator[AnyClient]:
    """Return each client in turn."""
    with client_of(request.param, fake.address) as connected:
        yield connected
