"""From settings to a secure server: where it may listen, and that every fault is found before it does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tehai.security import SecuritySettings, SecuritySetupError, UnauthenticatedError, set_up_security
from tehai.security.api_keys import new_api_key
from tehai.security.limits import TenantLimits
from tehai.security.listening import decide_listening, is_loopback
from tests.security.material import TOKEN_KEYS, Authority, MemoryKeys, public_pem, token, write_pair


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.5.5.5", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1", "unix:/run/tehai.sock"],
)
def test_loopback_may_be_plain(host: str) -> None:
    """What only this machine reaches may be in plain text, and is encrypted where there is a certificate."""
    assert is_loopback(host)
    assert not decide_listening(host, has_certificate=False, plaintext_allowed=False).encrypted
    assert decide_listening(host, has_certificate=True, plaintext_allowed=False).encrypted


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "10.0.0.5", "192.168.1.1", "tehai.example", "localhost.example", "128.0.0.1", "fe80::1%lo"],  # noqa: S104
)
def test_off_loopback_needs_a_certificate_or_a_purpose(host: str) -> None:
    """Without a certificate it is refused, saying what to set; insecure on purpose it listens, with a warning."""
    with pytest.raises(SecuritySetupError) as caught:
        decide_listening(host, has_certificate=False, plaintext_allowed=False)
    for name in ("TEHAI_TLS_CERTIFICATE_FILE", "TEHAI_TLS_KEY_FILE", "TEHAI_PLAINTEXT_OFF_LOOPBACK", "127.0.0.1"):
        assert name in str(caught.value)
    allowed = decide_listening(host, has_certificate=False, plaintext_allowed=True)
    assert not allowed.encrypted
    assert len(allowed.warnings) == 1
    secure = decide_listening(host, has_certificate=True, plaintext_allowed=True)
    assert secure.encrypted
    assert secure.warnings == ()


def open_without_credential(settings: SecuritySettings, host: str) -> str:
    """Return the tenant of a caller without a credential, or the reason why there is none."""
    security = set_up_security(settings, host, MemoryKeys())
    try:
        return asyncio.run(security.authenticator.authenticate(())).tenant
    except UnauthenticatedError as error:
        return error.reason


def test_nobody_is_anonymous_off_loopback() -> None:
    """The tenant "local" is for callers of this machine, by setting, and never for others."""
    assert open_without_credential(SecuritySettings(), "127.0.0.1") == "local"
    off = SecuritySettings(anonymous_on_loopback=False)
    assert open_without_credential(off, "127.0.0.1") == "CREDENTIALS_MISSING"
    everywhere = SecuritySettings(anonymous_on_loopback=True, plaintext_off_loopback=True)
    assert open_without_credential(everywhere, "10.0.0.5") == "CREDENTIALS_MISSING"


def test_everything_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, tokens, certificates and limits work as the environment sets them."""
    certificate, key = write_pair(tmp_path, Authority().issue("server"))
    roots, pem = tmp_path / "roots.pem", tmp_path / "issuer.pem"
    roots.write_bytes(Authority().pem)
    pem.write_bytes(public_pem(TOKEN_KEYS["EdDSA"]))
    given = {
        "TLS_CERTIFICATE_FILE": certificate,
        "TLS_KEY_FILE": key,
        "TLS_CLIENT_ROOTS_FILE": roots,
        "CLIENT_CERTIFICATES": "required",
        "CLIENT_CERTIFICATE_TENANTS": json.dumps({"CN=buyer": {"tenant": "example", "scopes": ["quotes:read"]}}),
        "TOKEN_KEYS_FILE": pem,
        "TOKEN_AUDIENCE": "tehai.example",
        "TOKEN_ISSUER": "https://issuer.example",
        "LIMIT_SOLVES_QUEUED": "7",
        "TENANT_LIMITS": json.dumps({"example": {"solves_queued": 3}}),
    }
    for name, value in given.items():
        monkeypatch.setenv(f"TEHAI_{name}", str(value))
    keys = MemoryKeys()
    made = new_api_key("example", ["quotes:read"], "", 1)
    security = set_up_security(SecuritySettings(), "10.0.0.5", keys)
    assert security.listening.encrypted
    assert security.certificates is not None
    assert security.certificates.credentials(require_client_certificate=True) is not None
    assert security.limiter.limits("other").solves_queued == 7
    assert security.limiter.limits("example").solves_queued == 3
    assert security.limiter.limits("example").streams_open == TenantLimits().streams_open

    async def make() -> list[str]:
        await keys.put_key(made.record)
        # Ends long after this test is run.
        bearers = (made.text, token("EdDSA", exp=4_000_000_000, iat=1))
        calls = [[("authorization", f"Bearer {bearer}")] for bearer in bearers]
        return [(await security.authenticator.authenticate(metadata)).tenant for metadata in calls]

    assert asyncio.run(make()) == ["example", "example"]


def test_defaults_are_the_documented_limits() -> None:
    """The settings' default limits are those of the limits themselves."""
    assert SecuritySettings().default_limits() == TenantLimits()


def test_all_that_does_not_fit_together_is_said_at_once() -> None:
    """Half a pair, certificates without authority, keys without issuer: each is named."""
    with pytest.raises(ValidationError) as caught:
        SecuritySettings(
            tls_key_file=Path("key.pem"),
            client_certificates="optional",
            token_keys_file=Path("keys.json"),
            token_algorithms=(),
        )
    for word in (
        "go together",
        "CLIENT_ROOTS_FILE",
        "CERTIFICATE_PORT",
        "TOKEN_AUDIENCE",
        "TOKEN_ISSUER",
        "ALGORITHMS",
    ):
        assert word in str(caught.value)
    with pytest.raises(ValidationError, match="CLIENT_CERTIFICATE_TENANTS needs"):
        SecuritySettings(client_certificate_tenants={"CN=a": {"tenant": "a"}})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "given",
    [
        {"tenant_limits": {"Not A Tenant": {}}},
        {"tenant_limits": {"a": {"requests_open": 0}}},
        {"tenant_limits": {"a": {"typo": 1}}},
        {"client_certificate_tenants": {"CN=a": {"tenant": "A B"}}},
        {"client_certificate_tenants": {"CN=a": {"tenant": "a", "scopes": ["everything"]}}},
        {"token_algorithms": ("HS256",)},
        {"token_algorithms": ("none",)},
        {"credential_cache_seconds": 3600},
        {"limit_requests_open": 0},
    ],
)
def test_values_out_of_range_are_refused(given: dict[str, object]) -> None:
    """Unknown tenants, scopes, names and algorithms, and limits of nothing, do not pass."""
    with pytest.raises(ValidationError):
        SecuritySettings(**given)  # type: ignore[arg-type]


def test_every_fault_of_a_start_is_said_at_once(tmp_path: Path) -> None:
    """Missing certificates, missing keys and a bad mapping stand in one error."""
    settings = SecuritySettings(
        tls_certificate_file=tmp_path / "none.pem",
        tls_key_file=tmp_path / "none-key.pem",
        tls_client_roots_file=tmp_path / "roots.pem",
        client_certificates="required",
        client_certificate_tenants={"buyer": {"tenant": "example"}},  # type: ignore[dict-item]
        token_keys_file=tmp_path / "keys.json",
        token_audience="a",  # noqa: S106 - no secret
        token_issuer="b",  # noqa: S106 - no secret
    )
    with pytest.raises(SecuritySetupError) as caught:
        set_up_security(settings, "10.0.0.5", None)
    assert len(caught.value.faults) == 5
    with pytest.raises(SecuritySetupError, match="can be reached from other machines"):
        set_up_security(SecuritySettings(), "10.0.0.5", None)
