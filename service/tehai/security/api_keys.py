"""API keys: ``tehai_<key id>_<secret>``, made here, shown once, kept only as a salted hash.

The secret is 256 random bits, so one round of SHA-256 is enough: slow functions such as scrypt protect words that
people choose, where a thief can try a list; here there is nothing to list, and 2^256 trials are out of reach whatever
one of them costs. A fast hash also means that nobody can keep the server busy with wrong keys. The salt keeps two
records from showing that they share a secret and makes a table of hashes worthless.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from tehai.security.errors import UnauthenticatedError, invalid_api_key
from tehai.security.principal import CredentialKind, Principal, Verified
from tehai.security.records import ApiKey, ApiKeyRecord
from tehai.security.scopes import ALL_SCOPES, unknown_scopes
from tehai.security.tenants import TENANT_RULE, is_tenant

PREFIX = "tehai_"
KEY_ID_BYTES = 8
SECRET_BYTES = 32
SALT_BYTES = 16
DISPLAY_NAME_MAX = 63
MICROSECONDS = 1_000_000
# Lower-case hexadecimal only: one spelling for each key, and a double click selects all of it.
_KEY = re.compile(rf"{PREFIX}([0-9a-f]{{{2 * KEY_ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})", re.ASCII)
_KEY_ID = re.compile(rf"[0-9a-f]{{{2 * KEY_ID_BYTES}}}", re.ASCII)
_SCHEME = "sha256"
_HASH = re.compile(rb"sha256\$([0-9a-f]{32})\$[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """The two parts of a key that a caller showed."""

    key_id: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made: ``text`` is shown to its owner once and kept nowhere."""

    record: ApiKeyRecord
    text: str = field(repr=False)


class InvalidKeyRequestError(ValueError):
    """Raised where a key is asked for that must not be; the text names every fault."""


def new_api_key(
    tenant: str, scopes: Sequence[str], display_name: str, now: int, expire_time: int | None = None
) -> NewApiKey:
    """Make a key; times in microseconds. Raise InvalidKeyRequestError with everything that is wrong."""
    faults = [] if is_tenant(tenant) else [f"tenant {tenant!r}: must be {TENANT_RULE}"]
    if not scopes:
        faults.append(f"scopes: name at least one of {', '.join(sorted(ALL_SCOPES))}")
    faults += [f"scope {s!r}: must be one of {', '.join(sorted(ALL_SCOPES))}" for s in unknown_scopes(scopes)]
    if len(display_name) > DISPLAY_NAME_MAX or not display_name.isprintable():
        faults.append(f"display name: must be at most {DISPLAY_NAME_MAX} printable characters")
    if expire_time is not None and expire_time <= now:
        faults.append("expiry: must lie in the future")
    if faults:
        raise InvalidKeyRequestError("\n".join(faults))
    key_id, secret = secrets.token_hex(KEY_ID_BYTES), secrets.token_bytes(SECRET_BYTES)
    chosen = tuple(sorted(set(scopes)))
    record = ApiKeyRecord(key_id, tenant, hash_secret(secret), chosen, display_name, now, expire_time)
    return NewApiKey(record, f"{PREFIX}{key_id}_{secret.hex()}")


def hash_secret(secret: bytes, salt: bytes | None = None) -> bytes:
    """Return ``sha256$<salt>$<hash>`` in ASCII; a new salt unless one is given."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    return f"{_SCHEME}${salt.hex()}${sha256(salt + secret).hexdigest()}".encode()


def secret_fits(secret: bytes, secret_hash: bytes) -> bool:
    """Return whether the hash is that of the secret, in a time that does not tell how much of it is right."""
    kept = _HASH.fullmatch(secret_hash)
    return kept is not None and hmac.compare_digest(hash_secret(secret, bytes.fromhex(kept[1].decode())), secret_hash)


def looks_like_key(text: str) -> bool:
    """Return whether a bearer credential is meant to be an API key and not a token."""
    return text.startswith(PREFIX)


def parse_key(text: str) -> PresentedKey:
    """Return the parts of a key; raise UnauthenticatedError where it is not written as one."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise invalid_api_key()
    return PresentedKey(found[1], bytes.fromhex(found[2]))


def is_key_id(text: str) -> bool:
    """Return whether ``text`` is written as the id of a key."""
    return _KEY_ID.fullmatch(text) is not None


def verify_key(presented: PresentedKey, record: ApiKey | None, now_seconds: float) -> Verified:
    """Return whose key it is; raise UnauthenticatedError. Only the owner of the secret is told that it has ended."""
    if record is None or not secret_fits(presented.secret, record.secret_hash):
        raise invalid_api_key()
    if record.revoke_time is not None:
        raise UnauthenticatedError("API_KEY_REVOKED", "the API key has been revoked")
    if record.expire_time is not None and record.expire_time <= now_seconds * MICROSECONDS:
        raise UnauthenticatedError("API_KEY_EXPIRED", "the API key has expired")
    principal = Principal(record.tenant, record.key_id, frozenset(record.scopes), CredentialKind.API_KEY)
    return Verified(principal, None if record.expire_time is None else record.expire_time / MICROSECONDS)
