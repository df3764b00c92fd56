"""TLS on a real server: certificates changed under way, client certificates demanded, bad files refused."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from structlog.testing import capture_logs

from tehai.security.audit import AuditLog
from tehai.security.authenticator import ANONYMOUS, Authenticator, CredentialSources
from tehai.security.client_certificates import CertificateGrant, ClientCertificates
from tehai.security.errors import SecuritySetupError
from tehai.security.gate import Gate
from tehai.security.limits import TenantLimiter
from tehai.security.tls import ServerCertificates, TlsFiles, load_tls
from tests.security.grpc_server import call, serving
from tests.security.material import TOKEN_KEYS, Authority, Certified, Clock, MemoryAudit, write_pair

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "make_certificates.sh"


@asynccontextmanager
async def tls_server(
    files: TlsFiles, *, demand: bool = False, now: Callable[[], float] = time.time
) -> AsyncIterator[tuple[str, list[bool]]]:
    """Serve with TLS; yield the address and what was told of reloads."""
    reloads: list[bool] = []
    certificates = ServerCertificates(files, reloads.append, now)
    mapping = ClientCertificates({"CN=buyer,O=Example": CertificateGrant("example")})
    sources = CredentialSources(certificates=mapping, anonymous=None if demand else ANONYMOUS)
    async with AuditLog(MemoryAudit()) as audit:
        gate = Gate(Authenticator(sources), TenantLimiter(), audit)
        async with serving(gate, certificates.credentials(require_client_certificate=demand)) as target:
            yield target, reloads


async def ask(target: str, roots: bytes, client: Certified | None = None) -> bytes:
    """Make one call on a connection of its own; raise AioRpcError where the handshake fails."""
    key, certificate = client or (None, None)
    # A pool of its own: connections are not shared between calls of this test.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.secure_channel(
        target, grpc.ssl_channel_credentials(roots, key, certificate), options=options
    ) as channel:
        return await call(channel)


async def refused(target: str, roots: bytes, client: Certified | None = None) -> None:
    """Assert that there is no connection."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(target, roots, client)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_certificates_change_without_a_restart(tmp_path: Path) -> None:
    """New connections get the new certificate, an open one goes on, and broken or expired files change nothing."""
    old, new = Authority("old"), Authority("new")

    async def make() -> list[bool]:
        files = TlsFiles(*write_pair(tmp_path, old.issue("server")))
        async with tls_server(files) as (target, reloads):
            options = [("grpc.use_local_subchannel_pool", 1)]
            credentials = grpc.ssl_channel_credentials(old.pem)
            async with grpc.aio.secure_channel(target, credentials, options=options) as open_before:
                assert await call(open_before) == b"local"
                await refused(target, new.pem)
                # The certificate first, the key later: in between the two do not fit together.
                key, certificate = new.issue("server")
                files.certificate.write_bytes(certificate)
                assert await ask(target, old.pem) == b"local"
                files.key.write_bytes(key)
                assert await ask(target, new.pem) == b"local"
                await refused(target, old.pem)
                assert await call(open_before) == b"local"
            write_pair(tmp_path, old.issue("server", timedelta(days=-1)))
            assert await ask(target, new.pem) == b"local"
            files.key.write_bytes(b"nonsense")
            assert await ask(target, new.pem) == b"local"
            files.certificate.unlink()
            assert await ask(target, new.pem) == b"local"
            write_pair(tmp_path, old.issue("server"))
            assert await ask(target, old.pem) == b"local"
            return reloads

    with capture_logs() as lines:
        reloads = asyncio.run(make())
    assert reloads == [False, True, False, False, False, True]
    refusals = [line for line in lines if line["event"] == "changed files refused, the old ones stay"]
    assert len(refusals) == 4
    assert "is not the key of the certificate" in str(refusals[0])
    assert "expired" in str(refusals[1])
    assert "PRIVATE" not in str(lines)


def test_a_client_must_show_a_certificate_of_the_authority(tmp_path: Path) -> None:
    """With a good client certificate the call is its tenant's; without, of a stranger, or expired, there is no call."""
    authority, stranger = Authority(), Authority()

    async def make() -> None:
        roots = tmp_path / "roots.pem"
        roots.write_bytes(authority.pem)
        files = TlsFiles(*write_pair(tmp_path, authority.issue("server")), roots)
        async with tls_server(files, demand=True) as (target, _):
            assert await ask(target, authority.pem, authority.issue("buyer")) == b"example"
            await refused(target, authority.pem)
            await refused(target, authority.pem, stranger.issue("buyer"))
            await refused(target, authority.pem, authority.issue("buyer", timedelta(days=-1)))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await ask(target, authority.pem, authority.issue("somebody"))
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
            # The authorities of clients change like the certificates.
            roots.write_bytes(stranger.pem)
            assert await ask(target, authority.pem, stranger.issue("buyer")) == b"example"
            await refused(target, authority.pem, authority.issue("buyer"))

    asyncio.run(make())


def test_an_expired_or_foreign_server_is_not_talked_to(tmp_path: Path) -> None:
    """A certificate that ended is refused at start, and by clients where the server's clock is wrong."""
    authority = Authority()
    files = TlsFiles(*write_pair(tmp_path, authority.issue("server", timedelta(hours=-1))))
    with pytest.raises(SecuritySetupError, match="expired"):
        ServerCertificates(files)

    async def make() -> None:
        async with tls_server(files, now=lambda: time.time() - 7200) as (target, _):
            await refused(target, authority.pem)
        write_pair(tmp_path, authority.issue("server"))
        async with tls_server(files) as (target, _):
            assert await ask(target, authority.pem) == b"local"
            await refused(target, Authority().pem)

    asyncio.run(make())


def locked_key() -> bytes:
    """Return a private key with a password."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    return TOKEN_KEYS["ES256"].private_bytes(*form)


def test_every_fault_of_the_files_is_said_at_once(tmp_path: Path) -> None:
    """What is missing, broken, expired, locked or does not fit is named by file, and no key is quoted."""
    authority = Authority()
    certificate, key = write_pair(tmp_path, authority.issue("server"))
    roots = tmp_path / "roots.pem"
    files = TlsFiles(certificate, key, roots)
    cases: dict[str, Callable[[], object]] = {
        "cannot be read": lambda: None,
        "no PEM certificate": lambda: roots.write_bytes(b"nonsense"),
        "no PEM private key": lambda: key.write_bytes(b"nonsense"),
        "has a password": lambda: key.write_bytes(locked_key()),
        "not the key of": lambda: key.write_bytes(authority.issue("other")[0]),
    }
    for expected, spoil in cases.items():
        spoil()
        with pytest.raises(SecuritySetupError) as caught:
            load_tls(files)
        assert expected in str(caught.value)
        assert "BEGIN" not in str(caught.value)
    with pytest.raises(SecuritySetupError) as caught:
        load_tls(files, Clock(10_000_000_000.0))
    assert len(caught.value.faults) == 3
    with pytest.raises(SecuritySetupError, match="valid from"):
        load_tls(files, Clock(0.0))


def test_client_certificates_need_an_authority(tmp_path: Path) -> None:
    """Demanding client certificates without saying whose is refused at start."""
    files = TlsFiles(*write_pair(tmp_path, Authority().issue("server")))
    with pytest.raises(SecuritySetupError, match="TEHAI_TLS_CLIENT_ROOTS_FILE"):
        ServerCertificates(files).credentials(require_client_certificate=True)


def test_key_is_not_shown(tmp_path: Path) -> None:
    """The representation of the material has the certificate at most."""
    material = load_tls(TlsFiles(*write_pair(tmp_path, Authority().issue("server"))))
    assert "PRIVATE" not in repr(material)
    assert material.expire_seconds > 0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_script_makes_certificates_that_work(tmp_path: Path) -> None:
    """What tools/make_certificates.sh makes serves a client with a client certificate, and again after a second run."""

    def make_files() -> None:
        subprocess.run([str(SCRIPT), str(tmp_path / "c d")], check=True, capture_output=True, timeout=60)

    make_files()
    folder = tmp_path / "c d"
    assert (folder / "server-key.pem").stat().st_mode & 0o077 == 0
    files = TlsFiles(folder / "server.pem", folder / "server-key.pem", folder / "authority.pem")

    async def make() -> list[bool]:
        roots = (folder / "authority.pem").read_bytes()
        client = ((folder / "client-key.pem").read_bytes(), (folder / "client.pem").read_bytes())
        async with tls_server(files, demand=True) as (target, reloads):
            for _ in range(2):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await ask(target, roots, client)
                # Connected, and of no tenant.
                assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
                await asyncio.to_thread(make_files)
            return reloads

    assert asyncio.run(make())[-1:] == [True]
