"""Page tokens: opaque, sealed with a secret of the store, and good only for the list that gave them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence

from tehai.operations.errors import PageTokenError
from tehai.operations.filters import Condition

SECRET_BYTES = 32
_SEAL_BYTES = 16
_NUMBER_BYTES = 8


class PageTokens:
    """Makes and reads the tokens of one store; all processes that share the store share its secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def make(self, tenant: str, conditions: Sequence[Condition], number: int) -> str:
        """Return the token of the page that begins after the solve with ``number``."""
        seal = self._seal(tenant, conditions, number)
        # The number counts the solves of all tenants, so it is not shown.
        return base64.urlsafe_b64encode(seal + self._mask(seal, number.to_bytes(_NUMBER_BYTES))).decode().rstrip("=")

    def read(self, tenant: str, conditions: Sequence[Condition], token: str) -> int:
        """Return the number in a token; raise PageTokenError where ``make`` did not make it for this list."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise PageTokenError from None
        seal = raw[:_SEAL_BYTES]
        if len(raw) != _SEAL_BYTES + _NUMBER_BYTES:
            raise PageTokenError
        number = int.from_bytes(self._mask(seal, raw[_SEAL_BYTES:]))
        if not hmac.compare_digest(seal, self._seal(tenant, conditions, number)):
            raise PageTokenError
        return number

    def _seal(self, tenant: str, conditions: Sequence[Condition], number: int) -> bytes:
        listed = [tenant, [[c.field.value, c.operator.value, c.value] for c in conditions], number]
        return self._digest("seal", json.dumps(listed).encode())[:_SEAL_BYTES]

    def _mask(self, seal: bytes, number: bytes) -> bytes:
        mask = self._digest("mask", seal)
        return bytes(left ^ right for left, right in zip(number, mask, strict=False))

    def _digest(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(self._secret, purpose.encode() + b"\0" + data, hashlib.sha256)
