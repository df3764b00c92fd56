"""From metadata and certificates to a principal: every mix of credentials, the cache, a store that fails."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tehai.security.api_keys import new_api_key
from tehai.security.authenticator import ANONYMOUS, CACHE_ENTRIES_MAX, Authenticator, CredentialSources
from tehai.security.client_certificates import CertificateGrant, ClientCertificates
from tehai.security.errors import CredentialsUnavailableError, SecuritySetupError, UnauthenticatedError
from tehai.security.principal import CredentialKind, Principal
from tehai.security.scopes import ALL_SCOPES
from tehai.security.token_keys import TokenKey, TokenKeys
from tehai.security.tokens import TokenPolicy, TokenVerifier
from tests.security.material import AUDIENCE, ISSUER, TOKEN_KEYS, Authority, Clock, MemoryKeys, token

TOKENS = TokenVerifier(
    TokenPolicy(AUDIENCE, ISSUER),
    lambda: TokenKeys(tuple(TokenKey(None, name, key.public_key()) for name, key in TOKEN_KEYS.items())),
)
CERTIFICATES = ClientCertificates(
    {
        "CN=buyer,O=Example": CertificateGrant("example", frozenset({"quotes:read", "plans:read"})),
        "CN=other,O=Example": CertificateGrant("other"),
    }
)
AUTHORITY = Authority()


class Door:
    """An authenticator with clocks and a store of its own, called from outside of a loop."""

    def __init__(self, **sources: object) -> None:
        self.now, self.monotonic, self.keys = Clock(), Clock(0.0), MemoryKeys()
        chosen = {"keys": self.keys, **sources}
        self.authenticator = Authenticator(CredentialSources(**chosen), 10.0, self.now, self.monotonic)  # type: ignore[arg-type]
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Door:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the loop."""
        self._loop.close()

    def new_key(self, tenant: str = "example", expire_seconds: float | None = None) -> str:
        """Keep a new key and return its text."""
        expire = None if expire_seconds is None else int(expire_seconds * 1_000_000)
        key = new_api_key(tenant, ["quotes:read"], "", int(self.now() * 1_000_000), expire)
        self._loop.run_until_complete(self.keys.put_key(key.record))
        return key.text

    def open(self, bearer: str | None = None, *certificates: bytes) -> Principal:
        """Authenticate one call."""
        metadata = [] if bearer is None else [("authorization", f"Bearer {bearer}")]
        return self._loop.run_until_complete(self.authenticator.authenticate(metadata, certificates))

    def reason(self, bearer: str | None = None, *certificates: bytes) -> str:
        """Return the reason for which a call is refused."""
        with pytest.raises(UnauthenticatedError) as caught:
            self.open(bearer, *certificates)
        return caught.value.reason


def certificate(name: str, valid_for: timedelta = timedelta(days=3650)) -> bytes:
    """Return a client certificate."""
    return AUTHORITY.issue(name, valid_for)[1]


def test_keys_and_tokens_open() -> None:
    """Each kind of bearer credential gives its principal."""
    with Door(tokens=TOKENS) as door:
        assert door.open(door.new_key()).kind is CredentialKind.API_KEY
        assert door.open(token()).kind is CredentialKind.TOKEN


def test_without_a_credential_nobody_is_anybody() -> None:
    """A call without a credential is refused; where the server allows it, it is the tenant "local" with all scopes."""
    with Door() as door:
        assert door.reason() == "CREDENTIALS_MISSING"
    with Door(anonymous=ANONYMOUS) as door:
        assert door.open() == Principal("local", "", ALL_SCOPES, CredentialKind.ANONYMOUS)


def test_a_wrong_credential_is_never_anonymous() -> None:
    """Where no credential would do, a wrong one is refused all the same."""
    with Door(anonymous=ANONYMOUS, tokens=TOKENS) as door:
        assert door.reason("tehai_0000000000000000_" + "0" * 64) == "INVALID_API_KEY"
        assert door.reason("a.b.c") == "INVALID_TOKEN"


def test_a_kind_that_is_not_taken_is_refused() -> None:
    """A server without an issuer takes no token, one without a store no key."""
    with Door() as door:
        assert door.reason(token()) == "CREDENTIAL_NOT_TAKEN"
    with Door(keys=None, tokens=TOKENS) as door:
        assert door.reason("tehai_0000000000000000_" + "0" * 64) == "CREDENTIAL_NOT_TAKEN"


@pytest.mark.parametrize(
    "metadata",
    [
        [("authorization", "")],
        [("authorization", "Bearer")],
        [("authorization", "Bearer ")],
        [("authorization", "Bearer  x")],
        [("authorization", "Bearer x ")],
        [("authorization", "Basic dXNlcjpwYXNz")],
        [("authorization", b"Bearer x")],
        [("authorization", "Bearer " + "x" * 9000)],
        [("authorization", "Bearer x"), ("authorization", "Bearer x")],
    ],
)
def test_authorization_must_be_one_bearer(metadata: list[tuple[str, str | bytes]]) -> None:
    """Anything but exactly one bearer credential is refused, even where none at all would do."""
    with Door(anonymous=ANONYMOUS) as door, pytest.raises(UnauthenticatedError) as caught:
        asyncio.run(door.authenticator.authenticate(metadata))
    assert caught.value.reason == "MALFORMED_AUTHORIZATION"


def test_a_good_credential_is_looked_up_once_in_ten_seconds() -> None:
    """Within the time to live the store is not asked; after it, it is."""
    with Door() as door:
        key = door.new_key()
        for _ in range(100):
            door.open(key)
        assert door.keys.lookups == 1
        door.monotonic.seconds += 10
        door.open(key)
        assert door.keys.lookups == 2


def test_a_revoked_key_works_ten_seconds_longer_at_most() -> None:
    """Revoking counts as soon as what is remembered has aged."""
    with Door() as door:
        key = door.new_key()
        door.open(key)
        for key_id, record in door.keys.records.items():
            door.keys.records[key_id] = replace(record, revoke_time=1)
        assert door.open(key).tenant == "example"
        door.monotonic.seconds += 10
        assert door.reason(key) == "API_KEY_REVOKED"


def test_a_key_that_ends_ends_at_once() -> None:
    """An end that is known beforehand counts to the moment, remembered or not; so does a token's."""
    with Door(tokens=TOKENS) as door:
        key, bearer = door.new_key(expire_seconds=door.now() + 5), token(exp=door.now() - 25)
        assert door.open(key)
        assert door.open(bearer)
        door.now.seconds += 5
        assert door.reason(key) == "API_KEY_EXPIRED"
        assert door.reason(bearer) == "TOKEN_EXPIRED"


def test_refusals_are_not_remembered() -> None:
    """A key that is made after it was first tried opens at once."""
    with Door() as door:
        key = door.new_key()
        kept, door.keys.records = door.keys.records, {}
        assert door.reason(key) == "INVALID_API_KEY"
        door.keys.records = kept
        assert door.open(key)


def test_a_store_that_fails_is_no_refusal() -> None:
    """While keys cannot be looked up a caller is told to try again, and nothing of the failure."""
    with Door() as door:
        key = door.new_key()
        door.keys.failure = RuntimeError("connection to 10.0.0.5 refused")
        with pytest.raises(CredentialsUnavailableError) as caught:
            door.open(key)
        assert "10.0.0.5" not in str(caught.value)
        assert caught.value.retry_seconds > 0
        door.keys.failure = None
        assert door.open(key)
        door.keys.failure = RuntimeError()
        # What is remembered still opens.
        assert door.open(key)


def test_calls_at_the_same_time_share_one_lookup() -> None:
    """A hundred calls with a new key ask the store once, and one that goes away does not take the others with it."""

    async def calls() -> int:
        keys = MemoryKeys()
        key = new_api_key("example", ["quotes:read"], "", 1)
        await keys.put_key(key.record)
        authenticator = Authenticator(CredentialSources(keys))
        metadata = [("authorization", f"Bearer {key.text}")]
        tasks = [asyncio.create_task(authenticator.authenticate(metadata)) for _ in range(100)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert all(isinstance(found, Principal) for found in done[1:])
        return keys.lookups

    assert asyncio.run(calls()) == 1


def test_what_is_remembered_is_bounded_and_holds_no_secret() -> None:
    """The memory keeps a fixed number of hashes and not one credential."""
    with Door() as door:
        key = door.new_key()
        door.open(key)
        assert key.rpartition("_")[2] not in repr(door.authenticator._kept)
        (kept,) = door.authenticator._kept.values()
        for number in range(CACHE_ENTRIES_MAX + 5):
            door.authenticator._kept[b"%d" % number] = kept
        door.open(door.new_key())
        assert len(door.authenticator._kept) == CACHE_ENTRIES_MAX


def test_a_certificate_stands_for_its_tenant() -> None:
    """The subject of a client certificate gives tenant and scopes, where certificates are taken at all."""
    with Door(certificates=CERTIFICATES) as door:
        principal = door.open(None, certificate("buyer"))
        assert (principal.tenant, principal.kind) == ("example", CredentialKind.CERTIFICATE)
        assert principal.audit_subject == "certificate:CN=buyer,O=Example"
        assert door.reason(None, certificate("stranger")) == "CREDENTIALS_MISSING"
    with Door() as door:
        assert door.reason(None, certificate("buyer")) == "CREDENTIALS_MISSING"


def test_key_and_certificate_together_must_agree() -> None:
    """Both must be of one tenant, and allow only what both allow; a certificate without a tenant changes nothing."""
    with Door(certificates=CERTIFICATES, tokens=TOKENS) as door:
        both = door.open(token(scope="quotes:read solves:write"), certificate("buyer"))
        assert both.kind is CredentialKind.TOKEN
        assert both.scopes == {"quotes:read"}
        assert door.reason(door.new_key(), certificate("other")) == "CREDENTIALS_DISAGREE"
        alone = door.open(token(scope="quotes:read solves:write"), certificate("stranger"))
        assert alone.scopes == {"quotes:read", "solves:write"}
        # Remembered apart from each other.
        assert door.open(token(scope="quotes:read solves:write"), certificate("buyer")).scopes == {"quotes:read"}


def test_a_certificate_ends_within_a_connection() -> None:
    """A connection may outlive its certificate: the calls on it do not."""
    with Door(certificates=CERTIFICATES) as door:
        pem = certificate("buyer", timedelta(days=3650))
        door.open(None, pem)
        door.now.seconds += 20 * 365 * 86400
        assert door.reason(None, pem) == "CERTIFICATE_EXPIRED"
        assert door.reason(None, b"-----BEGIN CERTIFICATE-----\nAAAA") == "INVALID_CERTIFICATE"
        assert door.reason(None, b"x" * 70_000) == "INVALID_CERTIFICATE"


def test_a_mapping_is_checked_as_a_whole() -> None:
    """Subjects, tenants and scopes that are wrong are all named, and so is one subject in two spellings."""
    wrong = {
        "buyer": CertificateGrant("example"),
        "": CertificateGrant("example"),
        "CN=twice": CertificateGrant("example"),
        "CN=\\74wice": CertificateGrant("other"),
        "CN=a": CertificateGrant("No Tenant", frozenset({"everything"})),
    }
    with pytest.raises(SecuritySetupError) as caught:
        ClientCertificates(wrong)
    for word in ("'buyer'", "empty subject", "tenant must be", "'everything'", "stands there twice"):
        assert word in str(caught.value)
    escaped = ClientCertificates({"CN=b\\75yer,O=Example": CertificateGrant("example")})
    assert escaped.verify(certificate("buyer"), Clock()()) is not None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["authorization", "x-request-id"]),
            st.one_of(st.text(), st.binary(), st.text().map("Bearer ".__add__), st.text().map("Bearer tehai_".__add__)),
        ),
        max_size=3,
    ),
    st.lists(st.binary(max_size=40), max_size=2),
)
def test_hostile_metadata_is_refused(metadata: list[tuple[str, str | bytes]], certificates: list[bytes]) -> None:
    """No metadata and no certificate makes the authenticator raise anything but its own error, nor repeat a secret."""
    sources = CredentialSources(MemoryKeys(), TOKENS, CERTIFICATES)
    with pytest.raises(UnauthenticatedError) as caught:
        asyncio.run(Authenticator(sources).authenticate(metadata, certificates))
    shown = "".join(traceback.format_exception(caught.value))
    assert not any(len(value) > 24 and str(value)[8:] in shown for _, value in metadata)
