"""A real server as a subprocess, and what can be seen of it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import grpc
from google.longrunning.operations_pb2_grpc import OperationsStub
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0
PROGRAM = ("-m", "tehai.cli.main")
# How much nicer than its server a solve is.
SOLVE_NICE = 10


def package_environment(**settings: object) -> dict[str, str]:
    """Return this environment with the package on the path and settings of the server, each as TEHAI_<NAME>."""
    paths = [str(ROOT / "service"), *filter(None, [os.environ.get("PYTHONPATH")])]
    chosen = {f"TEHAI_{name.upper()}": str(value) for name, value in settings.items()}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **chosen}


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until ``true()``; fail with ``what`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class _Bearer(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[type-arg] # generic in the stubs only
    grpc.UnaryStreamClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamUnaryClientInterceptor,  # type: ignore[type-arg]
    grpc.StreamStreamClientInterceptor,  # type: ignore[type-arg]
):
    """Adds a credential to every call."""

    def __init__(self, bearer: str) -> None:
        self._pair = ("authorization", f"Bearer {bearer}")

    def _call(self, continuation: Any, details: Any, request: Any) -> Any:  # noqa: ANN401 - as gRPC has it
        metadata = [*(details.metadata or ()), self._pair]
        return continuation(details._replace(metadata=metadata), request)

    # The stubs have four signatures for what is one.
    intercept_unary_unary: Any = _call
    intercept_unary_stream: Any = _call
    intercept_stream_unary: Any = _call
    intercept_stream_stream: Any = _call


class ServerProcess:
    """``tehai serve`` on a free port, with a database of its own unless one is named; use it as a context manager.

    ``root_certificates`` (PEM) are those that its certificate is checked against; without them there is no TLS.
    """

    def __init__(
        self, root_certificates: bytes | None = None, program: Sequence[str] = PROGRAM, **settings: object
    ) -> None:
        self._roots = root_certificates
        self._folder = tempfile.TemporaryDirectory(prefix="tehai-server-")
        self.settings: dict[str, object] = {"database_path": Path(self._folder.name) / "solves.sqlite3", **settings}
        command = [sys.executable, *program, "serve", "--port", "0"]
        environment = package_environment(**self.settings)
        self._process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.log: list[dict[str, object]] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self._channels: list[grpc.Channel] = []

    def __enter__(self) -> ServerProcess:
        """Wait until it serves."""
        wait_until(lambda: bool(self.lines("serving")) or not self.alive, START_SECONDS, "server starts")
        assert self.alive, self.log
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the channels and end the server, by force if need be."""
        for channel in self._channels:
            channel.close()
        if self.alive:
            self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._folder.cleanup()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the server's process."""
        return self._process.pid

    @property
    def address(self) -> str:
        """HOST:PORT that it listens on."""
        return f"127.0.0.1:{self.lines('serving')[0]['port']}"

    @property
    def http_address(self) -> str:
        """URL of its HTTP endpoint."""
        return f"http://127.0.0.1:{self.lines('telemetry')[0]['port']}"

    def http_get(self, path: str) -> str:
        """Return what the HTTP endpoint answers with status 200."""
        with urllib.request.urlopen(f"{self.http_address}{path}", timeout=10) as response:  # noqa: S310 - of ours
            text: str = response.read().decode()
        return text

    def channel(
        self, bearer: str = "", port_name: str = "port", certificate: tuple[bytes, bytes] | None = None
    ) -> grpc.Channel:
        """Return a new connection, closed with the server.

        Its calls carry ``bearer``; ``certificate`` is the client's key and chain in PEM, ``port_name`` a port of the
        log line "serving".
        """
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            # Channels of one process to one address would share a connection, whatever certificate they have.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        port = self.lines("serving")[0][port_name]
        if self._roots is None:
            channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=options)
        else:
            credentials = grpc.ssl_channel_credentials(self._roots, *(certificate or (None, None)))
            channel = grpc.secure_channel(f"localhost:{port}", credentials, options=options)
        self._channels.append(channel)
        return grpc.intercept_channel(channel, _Bearer(bearer)) if bearer else channel

    def stub(self, bearer: str = "") -> SourcingServiceStub:
        """Return a plain generated client on a connection of its own."""
        return SourcingServiceStub(self.channel(bearer))

    def operations(self, bearer: str = "") -> OperationsStub:
        """Return a plain generated client of google.longrunning on a connection of its own."""
        return OperationsStub(self.channel(bearer))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """Return its exit code once it has ended."""
        return self._process.wait(seconds)

    def lines(self, event: str) -> list[dict[str, object]]:
        """Return the log lines of one event."""
        return [line for line in self.log if line.get("event") == event]

    def solve_pids(self) -> list[int]:
        """Return the solve processes: children of the fork server, which is a child of the server.

        Query processes are its children too, but of a higher priority.
        """
        lowest = min(nice_of(self.pid) + SOLVE_NICE, 19)
        found = [pid for fork_server in children(self.pid) for pid in children(fork_server)]
        return [pid for pid in found if nice_of(pid) == lowest]

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"text": line.rstrip()})


def nice_of(pid: int) -> int:
    """Return how nice a process is; -100 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -100
    # The third field of the file is the first after the name; niceness is the nineteenth.
    return int(fields[16])


def status_of(error: grpc.RpcError) -> status_pb2.Status:
    """Return the google.rpc.Status of a failed call."""
    status: status_pb2.Status | None = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None
    return status


def reason_of(error: grpc.RpcError) -> str:
    """Return the reason in the ErrorInfo of a failed call."""
    info = error_details_pb2.ErrorInfo()
    assert status_of(error).details[0].Unpack(info)
    return str(info.reason)


def field_faults(error: grpc.RpcError | status_pb2.Status) -> dict[str, str]:
    """Return the fields of the BadRequest of a failed call, or of a status, with what is wrong with each."""
    status = error if isinstance(error, status_pb2.Status) else status_of(error)
    found = error_details_pb2.BadRequest()
    assert any(detail.Unpack(found) for detail in status.details), status
    return {violation.field: violation.description for violation in found.field_violations}


def retry_seconds(error: grpc.RpcError) -> float:
    """Return when a refused call may be tried again."""
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status_of(error).details)
    return float(retry.retry_delay.ToNanoseconds() / 1e9)


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name in parentheses: state, then the parent.
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        if int(parent) == pid and state != "Z":
            found.append(int(path.parent.name))
    return found
