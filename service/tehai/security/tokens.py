"""Bearer tokens (JWT, RFC 7519) of an issuer that the settings name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from tehai.security.errors import UnauthenticatedError, invalid_token
from tehai.security.principal import CredentialKind, Principal, Verified
from tehai.security.scopes import ALL_SCOPES
from tehai.security.tenants import is_tenant
from tehai.security.token_keys import ALGORITHMS, TokenKeys

TOKEN_CHARACTERS_MAX = 8 * 1024
SUBJECT_CHARACTERS_MAX = 255
# Times are checked here, against the injected clock.
_OPTIONS: Any = {
    "require": ["aud", "iss", "exp", "sub"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": True,
    "verify_iss": True,
}


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What a token must say to be taken."""

    audience: str
    issuer: str
    # How far the clocks of issuer and server may be apart.
    leeway_seconds: float = 30.0
    tenant_claim: str = "tenant"
    # Scopes with blanks between them, or a list.
    scope_claim: str = "scope"


class TokenVerifier:
    """Checks tokens; ``keys`` is asked each time, so that it may change."""

    def __init__(self, policy: TokenPolicy, keys: Callable[[], TokenKeys]) -> None:
        self._policy = policy
        self._keys = keys

    def verify(self, token: str, now_seconds: float) -> Verified:
        """Return whose token it is; raise UnauthenticatedError and, whatever ``token`` holds, nothing else.

        A caller learns that a token has ended or is for somebody else only once its signature has been found right.
        """
        if len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            raise invalid_token()
        try:
            claims = self._claims(token)
        except UnauthenticatedError:
            raise
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise UnauthenticatedError("WRONG_TOKEN", "the token is not for this server") from None
        except jwt.MissingRequiredClaimError:
            raise UnauthenticatedError("INCOMPLETE_TOKEN", "the token lacks one of aud, iss, exp, sub") from None
        except Exception:  # noqa: BLE001 - hostile text may make a parser raise anything; it is an invalid token
            # Without its cause: parsers quote what they could not read.
            raise invalid_token() from None
        return self._verified(claims, now_seconds)

    def _claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token whose signature, audience and issuer are right."""
        header = jwt.get_unverified_header(token)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS or not (key_id is None or isinstance(key_id, str)):
            raise invalid_token()
        key = self._keys().find(key_id, algorithm)
        if key is None:
            raise invalid_token()
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            audience=self._policy.audience,
            issuer=self._policy.issuer,
            options=_OPTIONS,
        )
        return claims

    def _verified(self, claims: dict[str, Any], now_seconds: float) -> Verified:
        expire_seconds = self._check_times(claims, now_seconds)
        tenant, subject = claims.get(self._policy.tenant_claim), claims["sub"]
        if not is_tenant(tenant):
            raise UnauthenticatedError("INCOMPLETE_TOKEN", "the token names no valid tenant")
        if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_CHARACTERS_MAX or not subject.isprintable():
            raise UnauthenticatedError("INCOMPLETE_TOKEN", "the token names no valid subject")
        scopes = self._scopes(claims.get(self._policy.scope_claim))
        return Verified(Principal(str(tenant), subject, scopes, CredentialKind.TOKEN), expire_seconds)

    def _check_times(self, claims: dict[str, Any], now_seconds: float) -> float:
        """Return until when the token holds, leeway included; raise UnauthenticatedError."""
        leeway = self._policy.leeway_seconds
        expire = _time(claims["exp"])
        begin = max(_time(claims[name]) if name in claims else -math.inf for name in ("nbf", "iat"))
        if now_seconds >= expire + leeway:
            raise UnauthenticatedError("TOKEN_EXPIRED", "the token has expired")
        if begin > now_seconds + leeway:
            raise UnauthenticatedError("TOKEN_NOT_YET_VALID", "the token is not valid yet")
        return expire + leeway

    def _scopes(self, claim: object) -> frozenset[str]:
        """Return the scopes that we know; an issuer may grant others for others."""
        named = claim.split() if isinstance(claim, str) else claim
        if not isinstance(named, list) or not all(isinstance(scope, str) for scope in named):
            raise UnauthenticatedError("INCOMPLETE_TOKEN", "the token names no scopes")
        return ALL_SCOPES & frozenset(named)


def _time(value: object) -> float:
    """Return a NumericDate as seconds; raise UnauthenticatedError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise invalid_token()
    return float(value)
