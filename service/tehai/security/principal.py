"""Who a caller is, once a credential has been checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CredentialKind(StrEnum):
    """How a caller proved who it is."""

    ANONYMOUS = "anonymous"
    API_KEY = "key"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: everything it sees and does belongs to ``tenant``, which no request can change."""

    tenant: str
    # Id of an API key, ``sub`` of a token, subject of a certificate; empty where anonymous.
    subject: str
    scopes: frozenset[str]
    kind: CredentialKind

    @property
    def audit_subject(self) -> str:
        """Return kind and subject in one text, as it stands in the audit log: ``key:4f...``."""
        return f"{self.kind.value}:{self.subject}" if self.subject else self.kind.value


@dataclass(frozen=True, slots=True)
class Verified:
    """A principal and until when its proof holds: ``expire_seconds`` of the wall clock (POSIX), None for ever."""

    principal: Principal
    expire_seconds: float | None
