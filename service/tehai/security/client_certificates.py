"""Client certificates: the subject of a verified one stands for a tenant where the settings say so.

That the certificate is genuine, gRPC has checked in the handshake; a connection may outlive it, so its dates are looked
at again here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509

from tehai.security.errors import SecuritySetupError, UnauthenticatedError
from tehai.security.principal import CredentialKind, Principal, Verified
from tehai.security.scopes import ALL_SCOPES, unknown_scopes
from tehai.security.tenants import TENANT_RULE, is_tenant

CERTIFICATE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class CertificateGrant:
    """What the holder of a certificate may do."""

    tenant: str
    scopes: frozenset[str] = ALL_SCOPES


class ClientCertificates:
    """The mapping from subject (RFC 4514, ``CN=buyer,O=Example``) to tenant and scopes."""

    def __init__(self, grants: Mapping[str, CertificateGrant]) -> None:
        """Raise SecuritySetupError with every entry that is wrong."""
        faults: list[str] = []
        self._grants: dict[str, CertificateGrant] = {}
        for subject, grant in grants.items():
            try:
                # One spelling, whatever escapes were typed.
                name = x509.Name.from_rfc4514_string(subject).rfc4514_string()
            except ValueError:
                faults.append(f"client certificate {subject!r}: not a subject such as CN=buyer,O=Example")
                continue
            if not name:
                faults.append("client certificate with an empty subject: name at least a CN")
            if name in self._grants:
                faults.append(f"client certificate {subject!r}: stands there twice")
            if not is_tenant(grant.tenant):
                faults.append(f"client certificate {subject!r}: tenant must be {TENANT_RULE}")
            faults += [
                f"client certificate {subject!r}: scope {scope!r} must be one of {', '.join(sorted(ALL_SCOPES))}"
                for scope in sorted(unknown_scopes(grant.scopes))
            ]
            self._grants[name] = grant
        if faults:
            raise SecuritySetupError(tuple(faults))

    def verify(self, pem: bytes, now_seconds: float) -> Verified | None:
        """Return whose certificate it is, None where it stands for no tenant; raise UnauthenticatedError."""
        if len(pem) > CERTIFICATE_BYTES_MAX:
            raise _invalid()
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            begin = certificate.not_valid_before_utc.timestamp()
            expire = certificate.not_valid_after_utc.timestamp()
            subject = certificate.subject.rfc4514_string()
        except Exception:  # noqa: BLE001 - whatever a broken certificate makes the library do, it proves nothing
            raise _invalid() from None
        if not begin <= now_seconds < expire:
            raise UnauthenticatedError("CERTIFICATE_EXPIRED", "the client certificate is not valid at this time")
        grant = self._grants.get(subject)
        if grant is None:
            return None
        return Verified(Principal(grant.tenant, subject, grant.scopes, CredentialKind.CERTIFICATE), expire)


def _invalid() -> UnauthenticatedError:
    return UnauthenticatedError("INVALID_CERTIFICATE", "the client certificate is not valid")
