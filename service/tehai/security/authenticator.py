"""From what a call carries to who calls.

A bearer credential (``authorization: Bearer ...``) is an API key or a token. A client certificate that stands for a
tenant is a credential too; shown together, both must be right and of one tenant, and only what both allow is allowed.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from tehai.security.api_keys import looks_like_key, parse_key, verify_key
from tehai.security.client_certificates import ClientCertificates
from tehai.security.errors import CredentialsUnavailableError, SecurityError, UnauthenticatedError
from tehai.security.principal import CredentialKind, Principal, Verified
from tehai.security.records import KeyReader
from tehai.security.scopes import ALL_SCOPES
from tehai.security.tenants import LOCAL_TENANT
from tehai.security.tokens import TokenVerifier

AUTHORIZATION = "authorization"
BEARER_CHARACTERS_MAX = 8 * 1024
CACHE_ENTRIES_MAX = 10_000
# Keys looked up in the store at once; what a flood of unknown keys can ask of it.
LOOKUPS_MAX = 8

Metadata = Iterable[tuple[str, str | bytes]]
ANONYMOUS = Principal(LOCAL_TENANT, "", ALL_SCOPES, CredentialKind.ANONYMOUS)


@dataclass(frozen=True, slots=True)
class CredentialSources:
    """What is taken as proof; None: this kind is not."""

    keys: KeyReader | None = None
    tokens: TokenVerifier | None = None
    certificates: ClientCertificates | None = None
    # Who a caller without a credential is. Only for a server that listens on loopback.
    anonymous: Principal | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    verified: Verified
    # Of the monotonic clock.
    fresh_until: float


class Authenticator:
    """Checks credentials and remembers the good ones for ``cache_seconds``; a revoked key works that long at most.

    What is remembered is found by a hash of the credential, so no secret stays in memory. Refusals are not remembered.
    """

    def __init__(
        self,
        sources: CredentialSources,
        cache_seconds: float = 10.0,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Times in seconds; ``now`` is the wall clock (POSIX)."""
        self._sources = sources
        self._cache_seconds = cache_seconds
        self._now = now
        self._monotonic = monotonic
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._under_way: dict[bytes, asyncio.Task[Verified]] = {}
        self._lookups = asyncio.Semaphore(LOOKUPS_MAX)

    async def authenticate(self, metadata: Metadata, peer_certificates: Sequence[bytes] = ()) -> Principal:
        """Return who calls; raise UnauthenticatedError or CredentialsUnavailableError.

        ``peer_certificates`` are the PEM certificates that the TLS handshake has verified, the caller's own first.
        """
        bearer = bearer_of(metadata)
        certificate = peer_certificates[0] if peer_certificates and self._sources.certificates is not None else b""
        if bearer is None and not certificate:
            return self._anonymous()
        # One digest for both; the length keeps the two apart.
        text = (bearer or "").encode("utf-8", "surrogatepass")
        digest = blake2b(b"%d:%b%b" % (len(text), text, certificate), digest_size=32).digest()
        kept = self._kept.get(digest)
        if kept is not None:
            expire = kept.verified.expire_seconds
            if self._monotonic() < kept.fresh_until and (expire is None or self._now() < expire):
                self._kept.move_to_end(digest)
                return kept.verified.principal
            del self._kept[digest]
        return (await self._verify_once(digest, bearer, certificate)).principal

    def _anonymous(self) -> Principal:
        if self._sources.anonymous is None:
            raise UnauthenticatedError(
                "CREDENTIALS_MISSING", "this server needs a credential: authorization: Bearer <API key or token>"
            )
        return self._sources.anonymous

    async def _verify_once(self, digest: bytes, bearer: str | None, certificate: bytes) -> Verified:
        """Verify a credential; calls that bring the same one at the same time share the work."""
        task = self._under_way.get(digest)
        if task is None:
            task = asyncio.create_task(self._verify(bearer, certificate))
            self._under_way[digest] = task
            task.add_done_callback(lambda done: self._finish(digest, done))
        # A caller that goes away must not take the answer from the others.
        return await asyncio.shield(task)

    def _finish(self, digest: bytes, task: asyncio.Task[Verified]) -> None:
        self._under_way.pop(digest, None)
        # Asked for here, so that an error whose caller has gone away is not reported as forgotten.
        if task.cancelled() or task.exception() is not None:
            return
        self._kept[digest] = _Kept(task.result(), self._monotonic() + self._cache_seconds)
        while len(self._kept) > CACHE_ENTRIES_MAX:
            self._kept.popitem(last=False)

    async def _verify(self, bearer: str | None, certificate: bytes) -> Verified:
        now = self._now()
        by_certificate = self._by_certificate(certificate, now)
        if bearer is None:
            if by_certificate is None:
                return Verified(self._anonymous(), None)
            return by_certificate
        by_bearer = await self._by_bearer(bearer, now)
        return by_bearer if by_certificate is None else _both(by_bearer, by_certificate)

    def _by_certificate(self, certificate: bytes, now: float) -> Verified | None:
        if self._sources.certificates is None or not certificate:
            return None
        return self._sources.certificates.verify(certificate, now)

    async def _by_bearer(self, bearer: str, now: float) -> Verified:
        if looks_like_key(bearer) and self._sources.keys is not None:
            presented = parse_key(bearer)
            async with self._lookups:
                try:
                    record = await self._sources.keys.get_key(presented.key_id)
                except LookupError:
                    record = None
                except SecurityError:
                    raise
                except Exception as error:
                    raise CredentialsUnavailableError from error
            return verify_key(presented, record, now)
        if self._sources.tokens is not None and not looks_like_key(bearer):
            return self._sources.tokens.verify(bearer, now)
        raise UnauthenticatedError("CREDENTIAL_NOT_TAKEN", "this server does not take credentials of this kind")


def bearer_of(metadata: Metadata) -> str | None:
    """Return the bearer credential of a call, None without one; raise UnauthenticatedError where it is not one."""
    found = [value for key, value in metadata if key == AUTHORIZATION]
    if not found:
        return None
    value = found[0]
    if len(found) > 1 or not isinstance(value, str) or len(value) > BEARER_CHARACTERS_MAX:
        raise _malformed()
    scheme, _, credential = value.partition(" ")
    if scheme.lower() != "bearer" or not credential or credential != credential.strip():
        raise _malformed()
    return credential


def _malformed() -> UnauthenticatedError:
    text = "authorization must be given once, as: Bearer <API key or token>"
    return UnauthenticatedError("MALFORMED_AUTHORIZATION", text)


def _both(bearer: Verified, certificate: Verified) -> Verified:
    """Return what holds of two proofs together; raise UnauthenticatedError where they are of two tenants."""
    if bearer.principal.tenant != certificate.principal.tenant:
        raise UnauthenticatedError("CREDENTIALS_DISAGREE", "the credential and the client certificate disagree")
    principal = bearer.principal
    scopes = principal.scopes & certificate.principal.scopes
    ends = [end for end in (bearer.expire_seconds, certificate.expire_seconds) if end is not None]
    return Verified(Principal(principal.tenant, principal.subject, scopes, principal.kind), min(ends) if ends else None)
