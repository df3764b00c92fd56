"""TLS of the server: certificates that are taken up again when their files change, without a restart.

gRPC asks for certificates before each handshake; open connections keep what they began with. Python's gRPC either
demands a client certificate or never asks for one, so "optional" is a second port that demands it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tehai.security.errors import SecuritySetupError
from tehai.security.files import ReloadedFiles, read_file


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where certificate and key are, in PEM; ``client_roots`` are the authorities whose clients are let in."""

    certificate: Path
    key: Path
    client_roots: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return every file."""
        named = (self.certificate, self.key, self.client_roots)
        return tuple(path for path in named if path is not None)


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """Certificates and key that fit together."""

    chain: bytes
    key: bytes = field(repr=False)
    client_roots: bytes | None
    # When the server's own certificate ends, POSIX seconds.
    expire_seconds: float


def load_tls(files: TlsFiles, now: Callable[[], float] = time.time) -> TlsMaterial:
    """Read and check the files; raise SecuritySetupError with every fault, none of which quotes a key."""
    faults: list[str] = []
    contents: dict[Path, bytes] = {}
    for path in files.paths:
        try:
            contents[path] = read_file(path)
        except SecuritySetupError as error:
            faults += error.faults
    if faults:
        raise SecuritySetupError(tuple(faults))
    leaf = _leaf(files.certificate, contents[files.certificate], now(), faults)
    _check_key(files.key, contents[files.key], leaf, faults)
    if files.client_roots is not None:
        _certificates(files.client_roots, contents[files.client_roots], faults)
    if faults or leaf is None:
        raise SecuritySetupError(tuple(faults))
    return TlsMaterial(
        contents[files.certificate],
        contents[files.key],
        None if files.client_roots is None else contents[files.client_roots],
        leaf.not_valid_after_utc.timestamp(),
    )


def _certificates(path: Path, pem: bytes, faults: list[str]) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        faults.append(f"{path}: holds no PEM certificate that can be read")
        return []


def _leaf(path: Path, pem: bytes, now_seconds: float, faults: list[str]) -> x509.Certificate | None:
    """Return the server's own certificate, the first of its chain."""
    chain = _certificates(path, pem, faults)
    if not chain:
        return None
    if chain[0].not_valid_after_utc.timestamp() <= now_seconds:
        faults.append(f"{path}: the certificate expired on {chain[0].not_valid_after_utc:%Y-%m-%d}; renew it")
    if chain[0].not_valid_before_utc.timestamp() > now_seconds:
        faults.append(f"{path}: the certificate is valid from {chain[0].not_valid_before_utc:%Y-%m-%d} on")
    return chain[0]


def _check_key(path: Path, pem: bytes, leaf: x509.Certificate | None, faults: list[str]) -> None:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, UnsupportedAlgorithm):
        faults.append(f"{path}: holds no PEM private key that can be read")
        return
    except TypeError:
        faults.append(f"{path}: the private key has a password; store it without one, readable by the server alone")
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if leaf is not None and key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        faults.append(f"{path}: is not the key of the certificate")


class ServerCertificates:
    """The server's certificates, as new as their files."""

    def __init__(
        self,
        files: TlsFiles,
        on_reload: Callable[[bool], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Raise SecuritySetupError; ``on_reload`` is told of each change: True taken up, False refused."""
        self._files: ReloadedFiles[TlsMaterial] = ReloadedFiles(files.paths, lambda: load_tls(files, now), on_reload)

    @property
    def expire_seconds(self) -> float:
        """When the newest certificate ends, POSIX seconds."""
        return self._files.current().expire_seconds

    def credentials(self, *, require_client_certificate: bool) -> grpc.ServerCredentials:
        """Return credentials for one port; raise SecuritySetupError without authorities for client certificates."""
        given = self._files.current()
        if require_client_certificate and given.client_roots is None:
            message = "client certificates cannot be checked without TEHAI_TLS_CLIENT_ROOTS_FILE"
            raise SecuritySetupError((message,))

        def fetch() -> grpc.ServerCertificateConfiguration | None:
            # Called by a thread of gRPC; each port remembers what it has handed over.
            nonlocal given
            newest = self._files.current()
            if newest is given:
                return None
            given = newest
            return _configuration(newest, with_roots=require_client_certificate)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(given, with_roots=require_client_certificate),
            fetch,  # type: ignore[arg-type] # None means "no change"; the stubs do not know
            require_client_authentication=require_client_certificate,
        )


def _configuration(material: TlsMaterial, *, with_roots: bool) -> grpc.ServerCertificateConfiguration:
    roots = material.client_roots if with_roots else None
    return grpc.ssl_server_certificate_configuration([(material.key, material.chain)], root_certificates=roots)
