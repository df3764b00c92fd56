"""Whether a server may listen where it is told to: off loopback only with TLS, unless insecure on purpose."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from tehai.security.errors import SecuritySetupError


@dataclass(frozen=True, slots=True)
class Listening:
    """What was decided for an address."""

    encrypted: bool
    # Only callers of this machine can reach it.
    loopback: bool
    # Worth a line in the log at start.
    warnings: tuple[str, ...] = ()


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``; names are not looked up, for they may change."""
    if host.startswith("unix:") or host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def decide_listening(host: str, *, has_certificate: bool, plaintext_allowed: bool) -> Listening:
    """Return how to listen on ``host``; raise SecuritySetupError where that would be in plain text for all to read."""
    loopback = is_loopback(host)
    if has_certificate:
        return Listening(encrypted=True, loopback=loopback)
    if loopback:
        return Listening(encrypted=False, loopback=True)
    if plaintext_allowed:
        warning = f"listening on {host!r} without encryption: credentials and plans can be read on the way"
        return Listening(encrypted=False, loopback=False, warnings=(warning,))
    message = (
        f"{host or 'every address'!r} can be reached from other machines and there is no certificate: set"
        " TEHAI_TLS_CERTIFICATE_FILE and TEHAI_TLS_KEY_FILE, listen on 127.0.0.1, or, where something in front of the"
        " server encrypts, set TEHAI_PLAINTEXT_OFF_LOOPBACK=true"
    )
    raise SecuritySetupError((message,))
