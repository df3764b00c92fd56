"""From settings to the parts of a secure server; everything that can be wrong is found here, before it listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from tehai.security.authenticator import ANONYMOUS, Authenticator, CredentialSources
from tehai.security.client_certificates import CertificateGrant, ClientCertificates
from tehai.security.errors import SecuritySetupError
from tehai.security.files import ReloadedFiles
from tehai.security.limits import TenantLimiter, TenantLimits
from tehai.security.listening import Listening, decide_listening
from tehai.security.records import KeyReader
from tehai.security.settings import SecuritySettings
from tehai.security.tls import ServerCertificates, TlsFiles
from tehai.security.token_keys import TokenKeys, load_token_keys
from tehai.security.tokens import TokenPolicy, TokenVerifier

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Security:
    """What a server needs to be safe."""

    listening: Listening
    # None: plain text.
    certificates: ServerCertificates | None
    authenticator: Authenticator
    limiter: TenantLimiter


def set_up_security(
    settings: SecuritySettings,
    host: str,
    keys: KeyReader | None,
    on_reload: Callable[[bool], None] = lambda _: None,
) -> Security:
    """Return the parts for a server on ``host``; raise SecuritySetupError with every fault found."""
    faults: list[str] = []
    listening: Listening | None = None
    try:
        listening = decide_listening(
            host,
            has_certificate=settings.tls_certificate_file is not None,
            plaintext_allowed=settings.plaintext_off_loopback,
        )
    except SecuritySetupError as error:
        faults += error.faults
    certificates = _gather(faults, lambda: _certificates(settings, on_reload))
    tokens = _gather(faults, lambda: _tokens(settings))
    mapping = _gather(faults, lambda: _mapping(settings))
    if faults or listening is None:
        raise SecuritySetupError(tuple(faults))
    anonymous = ANONYMOUS if settings.anonymous_on_loopback and listening.loopback else None
    sources = CredentialSources(keys, tokens, mapping, anonymous)
    return Security(
        listening,
        certificates,
        Authenticator(sources, settings.credential_cache_seconds),
        TenantLimiter(settings.default_limits(), _limits_of_tenants(settings), server=settings.server_limits()),
    )


def _gather(faults: list[str], make: Callable[[], Part | None]) -> Part | None:
    try:
        return make()
    except SecuritySetupError as error:
        faults += error.faults
        return None


def _certificates(settings: SecuritySettings, on_reload: Callable[[bool], None]) -> ServerCertificates | None:
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        return None
    files = TlsFiles(settings.tls_certificate_file, settings.tls_key_file, settings.tls_client_roots_file)
    return ServerCertificates(files, on_reload)


def _tokens(settings: SecuritySettings) -> TokenVerifier | None:
    path = settings.token_keys_file
    if path is None:
        return None
    keys: ReloadedFiles[TokenKeys] = ReloadedFiles([path], lambda: load_token_keys(path, settings.token_algorithms))
    policy = TokenPolicy(
        settings.token_audience,
        settings.token_issuer,
        settings.token_leeway_seconds,
        settings.token_tenant_claim,
        settings.token_scope_claim,
    )
    return TokenVerifier(policy, keys.current)


def _mapping(settings: SecuritySettings) -> ClientCertificates | None:
    if settings.client_certificates == "off":
        return None
    grants = settings.client_certificate_tenants.items()
    return ClientCertificates({subject: CertificateGrant(g.tenant, g.scopes) for subject, g in grants})


def _limits_of_tenants(settings: SecuritySettings) -> dict[str, TenantLimits]:
    default = settings.default_limits()
    return {
        tenant: replace(default, **changed.model_dump(exclude_none=True))
        for tenant, changed in settings.tenant_limits.items()
    }
