"""Tokens: each algorithm, each claim, each known attack, and text that is no token at all."""

from __future__ import annotations

import hmac
import json
import traceback
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tehai.security.errors import SecuritySetupError, UnauthenticatedError
from tehai.security.files import ReloadedFiles
from tehai.security.principal import CredentialKind
from tehai.security.token_keys import ALGORITHMS, TokenKey, TokenKeys, load_token_keys
from tehai.security.tokens import TokenPolicy, TokenVerifier
from tests.security.material import (
    AUDIENCE,
    ISSUER,
    NOW_SECONDS,
    TOKEN_KEYS,
    claims,
    jwk,
    jwks,
    public_pem,
    segment,
    token,
)

POLICY = TokenPolicy(AUDIENCE, ISSUER, leeway_seconds=30)
KEYS = TokenKeys(tuple(TokenKey(None, name, key.public_key()) for name, key in TOKEN_KEYS.items()))
VERIFIER = TokenVerifier(POLICY, lambda: KEYS)


def refusal(text: str, verifier: TokenVerifier = VERIFIER) -> UnauthenticatedError:
    """Return how a token is refused."""
    with pytest.raises(UnauthenticatedError) as caught:
        verifier.verify(text, NOW_SECONDS)
    return caught.value


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", ["jwks", "pem"])
def test_each_algorithm_opens_from_each_kind_of_file(tmp_path: Path, algorithm: str, form: str) -> None:
    """A key from JWKS or PEM verifies a token of its algorithm, which names tenant, subject and scopes."""
    path = tmp_path / "keys"
    if form == "jwks":
        jwks(path, *(jwk(key, kid=name) for name, key in TOKEN_KEYS.items()))
    else:
        path.write_bytes(b"".join(public_pem(key) for key in TOKEN_KEYS.values()))
    keys = load_token_keys(path)
    assert len(keys.keys) == len(ALGORITHMS)
    verified = TokenVerifier(POLICY, lambda: keys).verify(token(algorithm, kid=algorithm), NOW_SECONDS)
    assert verified.principal.tenant == "example"
    assert verified.principal.audit_subject == "token:alice"
    assert verified.principal.scopes == {"solves:read", "quotes:read"}
    assert verified.principal.kind is CredentialKind.TOKEN
    assert verified.expire_seconds == NOW_SECONDS + 630


def test_a_token_without_signature_is_refused() -> None:
    """``none`` in any spelling opens nothing, with or without something in the signature's place."""
    for name in ("none", "None", "NONE", "nOnE", ""):
        for signature in ("", segment(b"x" * 64)):
            text = f"{segment({'alg': name, 'typ': 'JWT'})}.{segment(claims())}.{signature}"
            assert refusal(text).reason == "INVALID_TOKEN"


@pytest.mark.parametrize("name", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_no_secret(name: str) -> None:
    """A token signed by HMAC with the public key, which everyone has, is refused."""
    head = f"{segment({'alg': name})}.{segment(claims())}"
    for key in TOKEN_KEYS.values():
        signature = hmac.new(public_pem(key), head.encode(), sha256).digest()
        assert refusal(f"{head}.{segment(signature)}").reason == "INVALID_TOKEN"


def test_a_key_is_used_with_its_own_algorithm_only(tmp_path: Path) -> None:
    """A token that names a key and another algorithm is refused, and so is one that brings its own key."""
    keys = load_token_keys(jwks(tmp_path / "keys", jwk(TOKEN_KEYS["RS256"], kid="a")))
    verifier = TokenVerifier(POLICY, lambda: keys)
    stranger = ec.generate_private_key(ec.SECP256R1())
    for headers in ({"kid": "a"}, {"kid": "a", "jwk": jwk(stranger)}, {"jku": "https://evil.example/keys"}):
        assert refusal(jwt.encode(claims(), stranger, "ES256", headers=headers), verifier).reason == "INVALID_TOKEN"
    text = jwt.encode(claims(), TOKEN_KEYS["RS256"], "RS384", headers={"kid": "a"})
    assert refusal(text, verifier).reason == "INVALID_TOKEN"


def test_another_key_opens_nothing() -> None:
    """A good token of somebody else's key is refused without a word about its claims."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert refusal(jwt.encode(claims(aud="other"), stranger, "ES256")).reason == "INVALID_TOKEN"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"aud": "other"}, "WRONG_TOKEN"),
        ({"iss": "https://evil.example"}, "WRONG_TOKEN"),
        ({"aud": None}, "INCOMPLETE_TOKEN"),
        ({"iss": None}, "INCOMPLETE_TOKEN"),
        ({"exp": None}, "INCOMPLETE_TOKEN"),
        ({"sub": None}, "INCOMPLETE_TOKEN"),
        ({"tenant": None}, "INCOMPLETE_TOKEN"),
        ({"tenant": "Not A Tenant"}, "INCOMPLETE_TOKEN"),
        ({"tenant": ["example"]}, "INCOMPLETE_TOKEN"),
        ({"scope": None}, "INCOMPLETE_TOKEN"),
        ({"scope": 7}, "INCOMPLETE_TOKEN"),
        ({"scope": [["solves:read"]]}, "INCOMPLETE_TOKEN"),
        ({"sub": ""}, "INCOMPLETE_TOKEN"),
        ({"sub": "a\nb"}, "INCOMPLETE_TOKEN"),
        ({"sub": "a" * 256}, "INCOMPLETE_TOKEN"),
        ({"exp": NOW_SECONDS - 30}, "TOKEN_EXPIRED"),
        ({"nbf": NOW_SECONDS + 31}, "TOKEN_NOT_YET_VALID"),
        ({"iat": NOW_SECONDS + 31}, "TOKEN_NOT_YET_VALID"),
        ({"exp": "soon"}, "INVALID_TOKEN"),
        ({"exp": True}, "INVALID_TOKEN"),
        ({"exp": 10**400}, "INVALID_TOKEN"),
        ({"exp": float("nan")}, "INVALID_TOKEN"),
        ({"exp": float("inf")}, "INVALID_TOKEN"),
        ({"nbf": {}}, "INVALID_TOKEN"),
    ],
)
def test_each_claim_counts(change: dict[str, Any], reason: str) -> None:
    """A signed token with one claim wrong or missing is refused for that claim."""
    assert refusal(token(**change)).reason == reason


def test_clocks_may_differ_by_the_leeway() -> None:
    """Just within the leeway a token still opens, at either end."""
    changes: list[dict[str, Any]] = [{"exp": NOW_SECONDS - 29}, {"nbf": NOW_SECONDS + 29}, {"iat": NOW_SECONDS + 30}]
    for change in changes:
        assert VERIFIER.verify(token(**change), NOW_SECONDS).principal.subject == "alice"


def test_scopes_of_others_are_left_out() -> None:
    """A list of scopes works as well, and names that mean nothing here give nothing."""
    verified = VERIFIER.verify(token(scope=["mail:read", "solves:write", "SOLVES:READ"]), NOW_SECONDS)
    assert verified.principal.scopes == {"solves:write"}
    assert VERIFIER.verify(token(scope=""), NOW_SECONDS).principal.scopes == frozenset()


def test_claims_may_have_other_names() -> None:
    """The settings name the claims of tenant and scopes."""
    policy = TokenPolicy(AUDIENCE, ISSUER, tenant_claim="https://tehai.example/tenant", scope_claim="scp")
    named: dict[str, Any] = {"https://tehai.example/tenant": "other", "scp": ["plans:read"]}
    principal = TokenVerifier(policy, lambda: KEYS).verify(token(**named), NOW_SECONDS).principal
    assert principal.tenant == "other"
    assert principal.scopes == {"plans:read"}


def test_a_key_is_found_by_its_name(tmp_path: Path) -> None:
    """Of two keys of one algorithm the token names one; without a name there is nothing to choose by."""
    other = ec.generate_private_key(ec.SECP256R1())
    path = jwks(tmp_path / "keys", jwk(other, kid="old"), jwk(TOKEN_KEYS["ES256"], kid="new"))
    verifier = TokenVerifier(POLICY, ReloadedFiles([path], lambda: load_token_keys(path)).current)
    assert verifier.verify(token(kid="new"), NOW_SECONDS).principal.subject == "alice"
    for kid in ("old", "unknown", None):
        assert refusal(token(kid=kid), verifier).reason == "INVALID_TOKEN"


def test_keys_are_rotated_without_a_restart(tmp_path: Path) -> None:
    """A changed file is taken up at once; a broken one is not, and the keys before it still open."""
    old = ec.generate_private_key(ec.SECP256R1())
    path = jwks(tmp_path / "keys", jwk(old, kid="old"))
    verifier = TokenVerifier(POLICY, ReloadedFiles([path], lambda: load_token_keys(path)).current)
    assert refusal(token(kid="new"), verifier).reason == "INVALID_TOKEN"
    jwks(path, jwk(old, kid="old"), jwk(TOKEN_KEYS["ES256"], kid="new"))
    assert verifier.verify(token(kid="new"), NOW_SECONDS)
    path.write_text("{", encoding="utf-8")
    assert verifier.verify(token(kid="new"), NOW_SECONDS)
    path.unlink()
    assert verifier.verify(token(kid="new"), NOW_SECONDS)


def private_pem() -> bytes:
    """Return a private key, which no key file may hold."""
    return TOKEN_KEYS["ES256"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
BAD_FILES: dict[str, tuple[object, str]] = {
    "a secret": ({"keys": [{"kty": "oct", "k": segment(b"s" * 32)}]}, "keys[0]: holds a secret"),
    "a private key": ({"keys": [jwk(TOKEN_KEYS["ES256"], d=segment(b"s" * 32))]}, "keys[0]: holds a secret"),
    "a weak key": ({"keys": [jwk(WEAK)]}, "keys[0]: has only 1024 bits"),
    "another curve": ({"keys": [jwk(ec.generate_private_key(ec.SECP384R1()))]}, "keys[0]: must be"),
    "another algorithm": ({"keys": [jwk(TOKEN_KEYS["RS256"], alg="HS256")]}, "keys[0]: alg does not fit"),
    "one name twice": ({"keys": [jwk(key, kid="a") for key in TOKEN_KEYS.values()]}, "two keys with the kid 'a'"),
    "a broken key": ({"keys": [{"kty": "EC", "crv": "P-256", "x": "!", "y": 3}]}, "keys[0]: not a valid public key"),
    "no object": ({"keys": ["key"]}, "keys[0]: not an object"),
    "an unknown type": ({"keys": [{"kty": "PQ"}]}, "keys[0]: kty must be"),
    "only keys for encryption": ({"keys": [jwk(TOKEN_KEYS["ES256"], use="enc")]}, "no public key"),
    "no list": ({"key": []}, 'a list "keys"'),
    "no document": (b"\xff\xfe", "neither a JWKS"),
    "deep nesting": (b"[" * 100_000, "neither a JWKS"),
    "a private PEM": (private_pem(), "is a private key"),
    "a broken PEM": (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "is not a valid public key"),
    "half a PEM": (b"-----BEGIN PUBLIC KEY-----\nAAAA\n", "no whole PEM block"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_key_file_is_refused_without_quoting_it(tmp_path: Path, name: str) -> None:
    """Each fault is named with its place; nothing of a key stands in the text."""
    content, expected = BAD_FILES[name]
    path = tmp_path / "keys"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(SecuritySetupError) as caught:
        load_token_keys(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)
    assert segment(b"s" * 32) not in "".join(traceback.format_exception(caught.value))


def test_a_missing_or_huge_file_is_refused(tmp_path: Path) -> None:
    """What cannot be read is said by name, and no file is read without end."""
    with pytest.raises(SecuritySetupError, match="cannot be read"):
        load_token_keys(tmp_path / "missing")
    (tmp_path / "huge").write_bytes(b" " * (1 << 20) + b"  ")
    with pytest.raises(SecuritySetupError, match="larger than"):
        load_token_keys(tmp_path / "huge")


def refused_or_verified(text: str) -> None:
    """Assert that a text opens something or is refused by the declared error, without repeating the text."""
    try:
        VERIFIER.verify(text, NOW_SECONDS)
    except UnauthenticatedError as error:
        shown = "".join(traceback.format_exception(error))
        for part in text.split("."):
            assert len(part) < 16 or part not in shown


PART = st.one_of(st.text(max_size=40), st.binary(max_size=60).map(segment))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
HEADER = st.fixed_dictionaries(
    {"alg": st.sampled_from(["RS256", "ES256", "EdDSA", "none", "HS256", "PS256"]) | JSON},
    optional={"kid": JSON, "crit": JSON, "b64": JSON, "typ": JSON, "jwk": JSON, "jku": JSON, "x5c": JSON},
)


@given(st.one_of(st.text(), st.lists(PART, min_size=1, max_size=5).map(".".join), st.binary().map(bytes.hex)))
def test_text_that_is_no_token_is_refused(text: str) -> None:
    """No text makes the verifier raise anything but its own error."""
    refused_or_verified(text)


@given(HEADER, JSON, st.binary(max_size=80))
def test_hostile_headers_are_refused(header: dict[str, Any], payload: object, signature: bytes) -> None:
    """Whatever stands in header and payload, without the right signature it is an invalid token."""
    assert refusal(f"{segment(header)}.{segment(payload)}.{segment(signature)}").reason == "INVALID_TOKEN"


@settings(max_examples=200)
@given(st.sampled_from(["aud", "iss", "sub", "tenant", "scope", "exp", "nbf", "iat", "jti"]), JSON)
def test_hostile_claims_with_a_good_signature_are_refused_or_mean_nothing(name: str, value: object) -> None:
    """An issuer that goes mad in one claim cannot make the server raise, nor become another tenant by it."""
    try:
        changed: dict[str, Any] = {name: value}
        verified = VERIFIER.verify(token("EdDSA", **changed), NOW_SECONDS)
    except UnauthenticatedError:
        return
    assert verified.principal.tenant == (value if name == "tenant" and value is not None else "example")


@pytest.mark.parametrize("content", [b"[" * 7_000, b'{"alg":' * 900, b'{"alg":"ES256","kid":' + b"9" * 5_000 + b"}"])
def test_a_bomb_in_the_header_is_refused(content: bytes) -> None:
    """Deep nesting and huge numbers in what is read before any signature is checked end in the declared error."""
    assert refusal(f"{segment(content)}.{segment({})}.AAAA").reason == "INVALID_TOKEN"


def test_a_huge_token_is_not_even_parsed() -> None:
    """Above 8 KB a token is refused by its length."""
    assert refusal("a" * 8193).reason == "INVALID_TOKEN"
    assert refusal("é.é.é").reason == "INVALID_TOKEN"
