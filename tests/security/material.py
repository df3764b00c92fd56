"""Clocks, keys, certificates, tokens and stores that tests make for themselves."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tehai.security.records import ApiKeyRecord, AuditEntry

NOW_SECONDS = 1_800_000_000.0
AUDIENCE, ISSUER = "tehai.example", "https://issuer.example"


class Clock:
    """A clock that stands still until it is moved; seconds."""

    def __init__(self, seconds: float = NOW_SECONDS) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


class MemoryKeys:
    """A store of keys that counts how often it is asked."""

    def __init__(self) -> None:
        self.records: dict[str, ApiKeyRecord] = {}
        self.lookups = 0
        self.failure: Exception | None = None

    async def put_key(self, record: ApiKeyRecord) -> None:
        """Keep a key."""
        self.records[record.key_id] = record

    async def get_key(self, key_id: str) -> ApiKeyRecord:
        """Return a key; raise LookupError, or the failure that was set."""
        self.lookups += 1
        if self.failure is not None:
            raise self.failure
        return self.records[key_id]

    async def list_keys(self, tenant: str) -> Sequence[ApiKeyRecord]:
        """Return the keys of a tenant."""
        return [record for record in self.records.values() if record.tenant == tenant]

    async def revoke_key(self, tenant: str, key_id: str) -> ApiKeyRecord:
        """Revoke a key; raise LookupError."""
        record = self.records[key_id]
        if record.tenant != tenant:
            raise LookupError
        self.records[key_id] = replace(record, revoke_time=record.revoke_time or 1)
        return self.records[key_id]


class MemoryAudit:
    """A sink that keeps entries, or fails."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.failure: Exception | None = None

    async def append_audit(self, entries: Sequence[AuditEntry]) -> None:
        """Keep entries; raise the failure that was set."""
        if self.failure is not None:
            raise self.failure
        self.entries += entries


Certified = tuple[bytes, bytes]


class Authority:
    """A certificate authority with a life of its own in memory."""

    def __init__(self, name: str = "authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.pem = self._certificate(self._name, self._key.public_key(), timedelta(days=1), is_authority=True)

    def issue(self, name: str, valid_for: timedelta = timedelta(days=1)) -> Certified:
        """Return a PEM key and certificate for localhost; a negative ``valid_for`` makes one that has ended."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem, self._certificate(subject, key.public_key(), valid_for, is_authority=False)

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, valid_for: timedelta, *, is_authority: bool
    ) -> bytes:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + valid_for)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM)


def write_pair(folder: Path, certified: Certified) -> tuple[Path, Path]:
    """Write certificate and key as server.pem and server-key.pem; return both paths."""
    certificate, key = folder / "server.pem", folder / "server-key.pem"
    key.write_bytes(certified[0])
    certificate.write_bytes(certified[1])
    return certificate, key


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
TOKEN_KEYS: dict[str, PrivateKey] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def public_pem(key: PrivateKey) -> bytes:
    """Return the public key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: PrivateKey, **more: object) -> dict[str, Any]:
    """Return the public key as an entry of a JWKS."""
    kind: Any = {
        rsa.RSAPublicKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePublicKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PublicKey: jwt.algorithms.OKPAlgorithm,
    }
    public = key.public_key()
    algorithm = next(value for base, value in kind.items() if isinstance(public, base))
    entry: dict[str, Any] = algorithm.to_jwk(public, as_dict=True)
    return {**entry, **more}


def jwks(path: Path, *entries: dict[str, Any]) -> Path:
    """Write a JWKS file."""
    path.write_text(json.dumps({"keys": entries}), encoding="utf-8")
    return path


def claims(**changed: object) -> dict[str, Any]:
    """Return the claims of a good token, with changes; None takes a claim away."""
    good: dict[str, Any] = {
        "aud": AUDIENCE,
        "iss": ISSUER,
        "sub": "alice",
        "tenant": "example",
        "scope": "solves:read quotes:read",
        "iat": NOW_SECONDS - 10,
        "exp": NOW_SECONDS + 600,
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(algorithm: str = "ES256", kid: str | None = None, **changed: object) -> str:
    """Return a token signed with our key of the algorithm."""
    headers = {} if kid is None else {"kid": kid}
    # From bytes: the library would not sign claims that break the standard.
    return jwt.PyJWS().encode(json.dumps(claims(**changed)).encode(), TOKEN_KEYS[algorithm], algorithm, headers)


def segment(value: object) -> str:
    """Return one part of a token that is put together by hand."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
