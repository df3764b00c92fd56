"""Where a server is and how to prove who calls; one object for both clients."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import grpc

from tehai.domain.limits import LIMITS

# A connection without a sign of life for so long is asked for one; the server allows it every 10 seconds.
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 30_000, 10_000
# gRPC's own pause before it connects again would grow to two minutes, far past a restart of the server.
RECONNECT_MS, RECONNECT_MS_MAX = 200, 5_000
_MODES = ("auto", "on", "off")
Encryption = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True)
class Connection:
    """``target`` is HOST:PORT; the rest has the defaults of a server of this machine without keys.

    Raises ValueError with everything that does not fit together.
    """

    target: str
    # API key or token, sent as "authorization: Bearer ..."; a function is asked before each call, so that a token can
    # be renewed. Never sent unencrypted to another machine.
    credential: str | Callable[[], str] | None = field(default=None, repr=False)
    # "auto": TLS, but plain text where the target is this machine and no certificate is given.
    encryption: Encryption = "auto"
    # PEM; None: the CA certificates that gRPC brings along.
    root_certificates: bytes | None = None
    # PEM, chain and key, where the server wants to see one.
    client_certificate: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    # Name in the server's certificate, where it is not that of the target.
    server_name: str = ""
    # Largest message either way; a server may have a lower limit.
    message_bytes_max: int = LIMITS.input_bytes

    def __post_init__(self) -> None:
        """Find everything that does not fit together."""
        wrong = []
        if self.encryption not in _MODES:
            wrong.append(f"encryption: must be one of {', '.join(_MODES)}, not {self.encryption!r}")
        if (self.client_certificate is None) != (self.client_key is None):
            wrong.append("client_certificate and client_key go together")
        if self.encryption == "off" and (self.root_certificates or self.client_certificate):
            wrong.append("encryption is off: certificates would not be used")
        if self.credential is not None and not self.encrypted and not is_loopback(self.target):
            wrong.append("credential: is sent over TLS only, but for a server of this machine")
        if wrong:
            raise ValueError("; ".join(wrong))

    @classmethod
    def from_environment(cls, target: str, environment: Mapping[str, str] | None = None) -> Connection:
        """Return a connection with what the environment says.

        TEHAI_API_KEY (an API key or a token), TEHAI_CLIENT_TLS (auto, on, off), TEHAI_CLIENT_ROOTS_FILE,
        TEHAI_CLIENT_CERTIFICATE_FILE, TEHAI_CLIENT_KEY_FILE, TEHAI_CLIENT_SERVER_NAME. Raises ValueError and OSError.
        """
        given = os.environ if environment is None else environment

        def content(name: str) -> bytes | None:
            path = given.get(name, "")
            return Path(path).read_bytes() if path else None

        encryption = given.get("TEHAI_CLIENT_TLS", "") or "auto"
        return cls(
            target,
            credential=given.get("TEHAI_API_KEY", "").strip() or None,
            encryption=encryption,  # type: ignore[arg-type]  # checked above
            root_certificates=content("TEHAI_CLIENT_ROOTS_FILE"),
            client_certificate=content("TEHAI_CLIENT_CERTIFICATE_FILE"),
            client_key=content("TEHAI_CLIENT_KEY_FILE"),
            server_name=given.get("TEHAI_CLIENT_SERVER_NAME", ""),
        )

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS."""
        if self.encryption != "auto":
            return self.encryption == "on"
        certificates = self.root_certificates or self.client_certificate
        return bool(certificates) or not is_loopback(self.target)

    @property
    def unanswered(self) -> str:
        """What to say where no connection comes up: gRPC does not tell a missing server from a failed handshake."""
        own = "its own" if self.root_certificates is None else "the given"
        speaks = f"TLS with {own} roots" if self.encrypted else "plain text"
        return (
            f"no Tehai server answers at {self.target}, or the encryption does not fit: this client speaks {speaks}; "
            "see TEHAI_CLIENT_TLS and TEHAI_CLIENT_ROOTS_FILE"
        )

    def channel_credentials(self) -> grpc.ChannelCredentials | None:
        """Return what a TLS channel needs; None for plain text."""
        if not self.encrypted:
            return None
        return grpc.ssl_channel_credentials(self.root_certificates, self.client_key, self.client_certificate)

    def channel_options(self) -> list[tuple[str, str | int]]:
        """Return the options of the channel."""
        options: list[tuple[str, str | int]] = [
            ("grpc.max_receive_message_length", self.message_bytes_max),
            ("grpc.max_send_message_length", self.message_bytes_max),
            ("grpc.keepalive_time_ms", KEEPALIVE_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
            ("grpc.initial_reconnect_backoff_ms", RECONNECT_MS),
            ("grpc.min_reconnect_backoff_ms", RECONNECT_MS_MAX),
            ("grpc.max_reconnect_backoff_ms", RECONNECT_MS_MAX),
            # Retries are ours: only we know which calls may be repeated, and gRPC's would come on top.
            ("grpc.enable_retries", 0),
        ]
        if self.server_name:
            options.append(("grpc.ssl_target_name_override", self.server_name))
        return options

    def metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what a call carries beside its message."""
        pairs = (("x-request-id", request_id),)
        credential = self.credential() if callable(self.credential) else self.credential
        return pairs if credential is None else (*pairs, ("authorization", f"Bearer {credential}"))


def is_loopback(target: str) -> bool:
    """Return whether HOST:PORT is this machine."""
    if target.startswith("unix:"):
        return True
    host = target.rpartition(":")[0].strip("[]") or target
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
