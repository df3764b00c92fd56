"""What is kept of keys and calls, and the two small doors to whatever keeps it (``tehai.operations`` does)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class ApiKey(Protocol):
    """A key without its secret, as a store gives it. Times are whole microseconds since 1970 UTC; None: never."""

    @property
    def key_id(self) -> str:
        """Public part of the key."""

    @property
    def tenant(self) -> str:
        """Whose it is."""

    @property
    def secret_hash(self) -> bytes:
        """See ``api_keys``: enough to recognise the secret, not to find it."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it allows."""

    @property
    def display_name(self) -> str:
        """What its owner calls it."""

    @property
    def create_time(self) -> int:
        """When it was made."""

    @property
    def expire_time(self) -> int | None:
        """When it ends by itself."""

    @property
    def revoke_time(self) -> int | None:
        """When somebody ended it."""


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """A new key for a store; fields as in ``ApiKey``."""

    key_id: str
    tenant: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    display_name: str
    create_time: int
    expire_time: int | None = None
    revoke_time: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who asked for what, and what became of it; never a secret, never the content of a request."""

    # Microseconds since 1970 UTC.
    time: int
    # Empty where the caller is unknown.
    tenant: str
    # ``key:<id>``, ``token:<sub>``, ``certificate:<subject>``, ``anonymous``; empty where unknown.
    subject: str
    # Full name of the RPC.
    method: str
    # Name of the resource; empty where the method has none.
    resource: str
    # "OK", a gRPC status name, or the reason of a refusal.
    outcome: str
    request_id: str
    peer: str


class KeyReader(Protocol):
    """Finds keys; all that a running server needs."""

    async def get_key(self, key_id: str) -> ApiKey:
        """Return the key of any tenant with this id, revoked or not; raise LookupError where there is none."""


class KeyStore(KeyReader, Protocol):
    """Keeps API keys. A store has record classes of its own with the same fields, hence Any."""

    async def put_key(self, record: Any) -> None:  # noqa: ANN401 - an ApiKeyRecord
        """Keep a new key."""

    async def list_keys(self, tenant: str) -> Sequence[ApiKey]:
        """Return every key of a tenant, oldest first, revoked ones too."""

    async def revoke_key(self, tenant: str, key_id: str) -> ApiKey:
        """Revoke a key for good; the first time counts. Raise LookupError where the tenant has no such key."""


class AuditSink(Protocol):
    """Keeps audit entries."""

    async def append_audit(self, entries: Sequence[Any]) -> None:
        """Keep entries (each an AuditEntry) together and in order."""
