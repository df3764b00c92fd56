"""API keys: what they look like, what is kept of them, and that nothing but the key itself opens anything."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tehai.security.api_keys import (
    InvalidKeyRequestError,
    hash_secret,
    new_api_key,
    parse_key,
    secret_fits,
    verify_key,
)
from tehai.security.errors import UnauthenticatedError
from tehai.security.principal import CredentialKind
from tests.security.material import NOW_SECONDS

NOW = int(NOW_SECONDS * 1_000_000)
KEY = new_api_key("example", ["solves:read"], "a key", NOW)


def test_a_key_opens_what_its_record_says() -> None:
    """The text of a new key, with the record that was kept, gives tenant, id and scopes."""
    verified = verify_key(parse_key(KEY.text), KEY.record, NOW_SECONDS)
    assert verified.principal.tenant == "example"
    assert verified.principal.subject == KEY.record.key_id
    assert verified.principal.scopes == {"solves:read"}
    assert verified.principal.kind is CredentialKind.API_KEY
    assert verified.expire_seconds is None


def test_nothing_that_is_kept_or_printed_has_the_secret() -> None:
    """Record and representations hold neither the key nor its secret in any spelling."""
    secret = parse_key(KEY.text).secret
    assert len(secret) == 32
    shown = [repr(KEY), repr(KEY.record), repr(asdict(KEY.record)), repr(parse_key(KEY.text)), str(KEY)]
    for text in shown:
        assert secret.hex() not in text
        assert repr(secret) not in text
    assert secret not in KEY.record.secret_hash


def test_the_salt_hides_equal_secrets() -> None:
    """One secret hashed twice gives two texts, and both recognise it."""
    one, other = hash_secret(b"s" * 32), hash_secret(b"s" * 32)
    assert one != other
    assert secret_fits(b"s" * 32, one)
    assert secret_fits(b"s" * 32, other)
    assert not secret_fits(b"t" * 32, one)


def test_every_key_is_another() -> None:
    """A hundred keys share neither id nor secret."""
    keys = [new_api_key("example", ["solves:read"], "", NOW) for _ in range(100)]
    assert len({key.record.key_id for key in keys}) == 100
    assert len({parse_key(key.text).secret for key in keys}) == 100


def opened(text: str) -> str:
    """Return whose key it is where the only record is KEY's, or the reason of the refusal."""
    try:
        presented = parse_key(text)
        record = KEY.record if presented.key_id == KEY.record.key_id else None
        return verify_key(presented, record, NOW_SECONDS).principal.tenant
    except UnauthenticatedError as error:
        return error.reason


def test_one_changed_character_anywhere_closes_it() -> None:
    """Each character of a key counts: none may be another one, missing, or in capitals."""
    assert opened(KEY.text) == "example"
    checked = 0
    for place, character in enumerate(KEY.text):
        changed = "1" if character != "1" else "2"
        for text in (KEY.text[:place] + changed + KEY.text[place + 1 :], KEY.text[:place] + KEY.text[place + 1 :]):
            checked += 1
            assert opened(text) == "INVALID_API_KEY"
    assert checked == 2 * len(KEY.text)
    with pytest.raises(UnauthenticatedError):
        parse_key(KEY.text.upper())


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"revoke_time": NOW - 1}, "API_KEY_REVOKED"), ({"expire_time": NOW}, "API_KEY_EXPIRED")],
)
def test_only_the_owner_learns_that_a_key_has_ended(change: dict[str, int], reason: str) -> None:
    """With the right secret the reason is told; with a wrong one the key is as unknown as any other."""
    record, presented = replace(KEY.record, **change), parse_key(KEY.text)  # type: ignore[arg-type]
    with pytest.raises(UnauthenticatedError) as caught:
        verify_key(presented, record, NOW_SECONDS)
    assert caught.value.reason == reason
    with pytest.raises(UnauthenticatedError) as caught:
        verify_key(replace(presented, secret=b"x" * 32), record, NOW_SECONDS)
    assert caught.value.reason == "INVALID_API_KEY"


def test_a_key_that_will_end_says_when() -> None:
    """The end of the key is the end of its proof."""
    record = replace(KEY.record, expire_time=NOW + 5_000_000)
    assert verify_key(parse_key(KEY.text), record, NOW_SECONDS).expire_seconds == NOW_SECONDS + 5


def test_everything_wrong_with_a_wish_is_said_at_once() -> None:
    """Tenant, scopes, name and expiry are each named."""
    with pytest.raises(InvalidKeyRequestError) as caught:
        new_api_key("Not A Tenant", ["solves:read", "everything"], "x" * 64, NOW, NOW)
    for word in ("tenant", "'everything'", "display name", "expiry"):
        assert word in str(caught.value)
    with pytest.raises(InvalidKeyRequestError, match="at least one"):
        new_api_key("example", [], "", NOW)


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"sha256",
        b"sha256$$",
        b"md5$00$00",
        b"sha256$zz$00",
        b"sha256$" + b"0" * 32 + b"$",
        b"\xff\xfe",
        b"$" * 100,
    ],
)
def test_a_broken_record_fits_nothing(kept: bytes) -> None:
    """A hash that was damaged or never one recognises no secret and raises nothing."""
    assert not secret_fits(parse_key(KEY.text).secret, kept)
    assert not secret_fits(b"", kept)


@given(
    st.one_of(
        st.text(),
        st.text("tehai_0123456789abcdef", max_size=100).map("tehai_".__add__),
        st.from_regex(r"tehai_[0-9a-fA-F]{16}_[0-9a-fA-F]{63,65}", fullmatch=True),
    )
)
def test_hostile_text_is_a_key_or_refused(text: str) -> None:
    """Whatever a caller sends is parsed, or refused by the one declared error in words that do not repeat it."""
    refused: UnauthenticatedError | None = None
    try:
        presented = parse_key(text)
    except UnauthenticatedError as error:
        refused = error
    if refused is None:
        assert text == f"tehai_{presented.key_id}_{presented.secret.hex()}"
    else:
        assert str(refused) == "the API key is not valid"
        assert (refused.__cause__, refused.__context__) == (None, None)


@given(st.binary(max_size=80), st.binary(max_size=120))
def test_hostile_records_raise_nothing(secret: bytes, kept: bytes) -> None:
    """Comparing any bytes with any bytes only ever says yes to the hash of the secret."""
    assert not secret_fits(secret, kept)
    assert secret_fits(secret, hash_secret(secret))
