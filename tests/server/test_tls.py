"""TLS end to end: encrypted, mutual, reloaded, and never plain off loopback by accident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from tehai.v1 import sourcing_service_pb2 as pb
from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.security.material import Authority, Certified, write_pair
from tests.server.process import ROOT, ServerProcess, package_environment, reason_of, wait_until

BUYER = {"CN=buyer,O=Example": {"tenant": "acme", "scopes": ["solves:read"]}}


@dataclass(frozen=True)
class Encrypted:
    """A server with TLS, a second port for client certificates, and what is needed to call it."""

    server: ServerProcess
    authority: Authority
    folder: Path


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    """Return a server with certificates that stand in files."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority()
    certificate, key = write_pair(folder, authority.issue("server"))
    roots = folder / "clients.pem"
    roots.write_bytes(authority.pem)
    server = ServerProcess(
        authority.pem,
        host="localhost",
        anonymous_on_loopback=False,
        tls_certificate_file=certificate,
        tls_key_file=key,
        tls_client_roots_file=roots,
        client_certificates="optional",
        client_certificate_port=0,
        client_certificate_tenants=json.dumps(BUYER),
        credential_cache_seconds=0,
        telemetry_port=0,
    )
    with server:
        yield Encrypted(server, authority, folder)


def list_solves(channel: grpc.Channel) -> pb.ListSolvesResponse:
    """List solves on a channel."""
    return SourcingServiceStub(channel).ListSolves(pb.ListSolvesRequest(), timeout=20)


def certified(encrypted: Encrypted, pair: Certified) -> grpc.Channel:
    """Return a connection to the port for client certificates, with one."""
    return encrypted.server.channel(port_name="client_certificate_port", certificate=pair)


def test_a_key_made_on_the_command_line_works_over_tls(encrypted: Encrypted) -> None:
    """``tehai keys`` makes a key in the running server's database, TLS carries it, and after revoking it is nothing."""
    environment = package_environment(database_path=encrypted.server.settings["database_path"])

    def keys(*arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "tehai.cli.main", "keys", *arguments, "--tenant", "acme", "-o", "json"]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, timeout=60, check=True)
        found: dict[str, str] = json.loads(done.stdout)
        return found

    made = keys("create", "--scope", "solves:read")
    assert list_solves(encrypted.server.channel(made["key"])) == pb.ListSolvesResponse()
    keys("revoke", made["key_id"])
    with pytest.raises(grpc.RpcError) as caught:
        list_solves(encrypted.server.channel(made["key"]))
    assert reason_of(caught.value) == "API_KEY_REVOKED"


def test_a_client_certificate_is_a_credential(encrypted: Encrypted) -> None:
    """Its subject is the tenant with its scopes; one of another authority, or none, does not connect."""
    channel = certified(encrypted, encrypted.authority.issue("buyer"))
    assert list_solves(channel) == pb.ListSolvesResponse()
    with pytest.raises(grpc.RpcError) as caught:
        SourcingServiceStub(channel).GetPlan(pb.GetPlanRequest(name="tenants/acme/plans/a"), timeout=20)
    assert reason_of(caught.value) == "SCOPE_MISSING"
    with pytest.raises(grpc.RpcError) as caught:
        list_solves(certified(encrypted, encrypted.authority.issue("stranger")))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    for pair in (Authority("elsewhere").issue("buyer"), None):
        channel = encrypted.server.channel(port_name="client_certificate_port", certificate=pair)
        with pytest.raises(grpc.RpcError) as caught:
            list_solves(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_plain_text_is_not_spoken(encrypted: Encrypted) -> None:
    """A client without TLS gets nothing."""
    port = encrypted.server.lines("serving")[0]["port"]
    with grpc.insecure_channel(f"localhost:{port}") as channel, pytest.raises(grpc.RpcError) as caught:
        list_solves(channel)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_new_certificate_is_taken_up_without_a_restart(encrypted: Encrypted) -> None:
    """After the files change, new connections see the new authority; a broken file changes nothing."""
    new = Authority("new authority")
    for path in write_pair(encrypted.folder, new.issue("server")):
        os.utime(path)

    def trusted(authority: Authority) -> bool:
        credentials = grpc.ssl_channel_credentials(authority.pem)
        options = [("grpc.use_local_subchannel_pool", 1)]
        port = encrypted.server.lines("serving")[0]["port"]
        with grpc.secure_channel(f"localhost:{port}", credentials, options=options) as channel:
            try:
                list_solves(channel)
            except grpc.RpcError as error:
                return error.code() is grpc.StatusCode.UNAUTHENTICATED
        return False

    wait_until(lambda: trusted(new), 20, "the new certificate is used")
    assert not trusted(encrypted.authority)
    (encrypted.folder / "server.pem").write_text("no certificate", encoding="ascii")
    assert trusted(new)
    metrics = encrypted.server.http_get("/metrics")
    assert 'tehai_certificate_reloads_total{outcome="taken_up"} 1.0' in metrics
    assert 'tehai_certificate_reloads_total{outcome="refused"} 1.0' in metrics


def test_no_certificate_no_start_off_loopback(tmp_path: Path) -> None:
    """On an address that others can reach a server without a certificate does not start, and says what to do."""
    command = [sys.executable, "-m", "tehai.cli.main", "serve", "--host", "0.0.0.0", "--port", "0"]  # noqa: S104 - refused
    environment = package_environment(database_path=tmp_path / "solves.sqlite3")
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "TEHAI_TLS_CERTIFICATE_FILE" in done.stderr
    assert "Traceback" not in done.stderr
