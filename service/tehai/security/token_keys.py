"""Public keys that tokens are checked against, from a JWKS file or PEM blocks.

The algorithm of a key follows from its type, once, here. Whatever a token says of its own algorithm can only agree
with that or be refused, so neither ``none`` nor an HMAC under a public key has a way in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tehai.security.errors import SecuritySetupError
from tehai.security.files import read_file

ALGORITHMS = ("RS256", "ES256", "EdDSA")
RSA_BITS_MIN = 2048
PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One public key with the only algorithm it is used with."""

    # None for a key from PEM, or from a JWKS that does not name it.
    key_id: str | None
    algorithm: str
    key: PublicKey


@dataclass(frozen=True, slots=True)
class TokenKeys:
    """The keys of an issuer."""

    keys: tuple[TokenKey, ...]

    def find(self, key_id: str | None, algorithm: str) -> TokenKey | None:
        """Return the key that a token names; without a name, the only key of its algorithm. None where none fits."""
        fitting = [key for key in self.keys if key.algorithm == algorithm]
        if key_id is not None:
            named = [key for key in fitting if key.key_id == key_id]
            if named:
                return named[0]
            # Keys from PEM have no name, and issuers name theirs all the same.
            fitting = [key for key in fitting if key.key_id is None]
        return fitting[0] if len(fitting) == 1 else None


def load_token_keys(path: Path, algorithms: Sequence[str] = ALGORITHMS) -> TokenKeys:
    """Read a JWKS or PEM file; raise SecuritySetupError with every fault. No key material stands in the text."""
    content = read_file(path)
    if b"-----BEGIN" in content:
        found, faults = _from_pem(content)
    else:
        found, faults = _from_jwks(content)
    keys = tuple(key for key in found if key.algorithm in algorithms)
    names = [key.key_id for key in keys if key.key_id is not None]
    faults += [f"two keys with the kid {name!r}" for name in sorted(set(names)) if names.count(name) > 1]
    if not keys and not faults:
        faults.append(f"no public key for {', '.join(algorithms)}")
    if faults:
        raise SecuritySetupError(tuple(f"{path}: {fault}" for fault in faults))
    return TokenKeys(keys)


def _from_jwks(content: bytes) -> tuple[list[TokenKey], list[str]]:
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError):
        return [], ["neither a JWKS (JSON) nor PEM"]
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        return [], ['a JWKS is an object with a list "keys"']
    keys: list[TokenKey] = []
    faults: list[str] = []
    for index, entry in enumerate(entries):
        try:
            key = _from_jwk(entry)
        except _UnfitKeyError as error:
            faults.append(f"keys[{index}]: {error}")
        else:
            keys += [] if key is None else [key]
    return keys, faults


class _UnfitKeyError(ValueError):
    """Why one key cannot be used."""


def _from_jwk(entry: object) -> TokenKey | None:
    """Return a key; None for one of another use; raise _UnfitKeyError."""
    if not isinstance(entry, dict):
        message = "not an object"
        raise _UnfitKeyError(message)
    if "d" in entry or entry.get("kty") == "oct":
        message = "holds a secret; the file must have public keys only"
        raise _UnfitKeyError(message)
    if entry.get("use", "sig") != "sig":
        return None
    key_id = entry.get("kid")
    if not (key_id is None or isinstance(key_id, str)):
        message = "kid is not a text"
        raise _UnfitKeyError(message)
    kind: Any = {
        "RSA": jwt.algorithms.RSAAlgorithm,
        "EC": jwt.algorithms.ECAlgorithm,
        "OKP": jwt.algorithms.OKPAlgorithm,
    }.get(str(entry.get("kty")))
    if kind is None:
        message = "kty must be RSA, EC or OKP"
        raise _UnfitKeyError(message)
    try:
        public = kind.from_jwk(entry)
    except Exception:  # noqa: BLE001 - whatever a broken entry makes the library do, it is a broken entry
        message = "not a valid public key"
        raise _UnfitKeyError(message) from None
    key = _token_key(key_id, public)
    if entry.get("alg", key.algorithm) != key.algorithm:
        message = f"alg does not fit the key, which is one for {key.algorithm}"
        raise _UnfitKeyError(message)
    return key


def _from_pem(content: bytes) -> tuple[list[TokenKey], list[str]]:
    keys: list[TokenKey] = []
    faults: list[str] = []
    for index, block in enumerate(_PEM_BLOCK.finditer(content)):
        label = block[1].decode()
        try:
            if "PRIVATE" in label:
                message = "is a private key; the file must have public keys only"
                raise _UnfitKeyError(message)
            public = _public_of_pem(label, block[0])
            keys.append(_token_key(None, public))
        except _UnfitKeyError as error:
            faults.append(f"PEM block {index + 1} ({label}) {error}")
    if not keys and not faults:
        faults.append("no whole PEM block")
    return keys, faults


def _public_of_pem(label: str, block: bytes) -> object:
    try:
        if label == "CERTIFICATE":
            return x509.load_pem_x509_certificate(block).public_key()
        return load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm):
        message = "is not a valid public key or certificate"
        raise _UnfitKeyError(message) from None


def _token_key(key_id: str | None, key: object) -> TokenKey:
    """Return a key with the one algorithm that it is for; raise _UnfitKeyError."""
    if isinstance(key, RSAPublicKey):
        if key.key_size < RSA_BITS_MIN:
            message = f"has only {key.key_size} bits; {RSA_BITS_MIN} are the least"
            raise _UnfitKeyError(message)
        return TokenKey(key_id, "RS256", key)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return TokenKey(key_id, "ES256", key)
    if isinstance(key, Ed25519PublicKey):
        return TokenKey(key_id, "EdDSA", key)
    message = "must be RSA, P-256 or Ed25519"
    raise _UnfitKeyError(message)
