"""A real server as a subprocess, and what can be seen of it from outside.

It is the one program that starts servers, for the tests, the faults (tests/faults/service.py) and the benches
(benches/serving_server.py).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import grpc
from google.longrunning.operations_pb2_grpc import OperationsStub
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.procfs import children, nice_of, with_environment
from tests.server.server_log import ServerLog

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 90.0
END_SECONDS = 60.0
PROGRAM = ("-m", "tehai.cli.main")
# How much nicer than its server a solve is.
SOLVE_NICE = 10
_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Channels of one process to one address would share a connection, whatever certificate they have.
    ("grpc.use_local_subchannel_pool", 1),
    # A server that was started again is found soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # This is also how long a connection may take.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", 500),
)


class ServerNotStartedError(RuntimeError):
    """Raised when `tehai serve` does not come up."""


def package_environment(**settings: object) -> dict[str, str]:
    """Return this environment with package and tests on the path, and settings of the server as TEHAI_<NAME>."""
    paths = [str(ROOT / "service"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
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
    """``tehai serve`` on a free port, the same one after every start; use it as a context manager.

    Log and database are in ``folder``, None: a temporary one of its own. ``settings`` go to the environment, each as
    TEHAI_<NAME>, and ``environment`` as it is; ``program`` is what Python runs as ``tehai``. ``root_certificates``
    (PEM) are those that its certificate is checked against; without them there is no TLS.
    """

    def __init__(
        self,
        root_certificates: bytes | None = None,
        program: Sequence[str] = PROGRAM,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        **settings: object,
    ) -> None:
        self._roots = root_certificates
        self._program = program
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="tehai-server-")
        place = Path(self._temporary.name) if self._temporary else cast("Path", folder)
        place.mkdir(parents=True, exist_ok=True)
        self.settings: dict[str, object] = {"database_path": place / "solves.sqlite3", **settings}
        self._log = ServerLog(place / "server.log")
        # Inherited by everything that the server starts, so that it is found when the server is gone.
        self._marker = ("TEHAI_TEST_RUN", uuid.uuid4().hex)
        self.environment = {
            **package_environment(**self.settings),
            **(environment or {}),
            **dict([self._marker]),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: dict[str, int] = {}
        self._channels: list[grpc.Channel] = []

    def __enter__(self) -> Self:
        """Start it and wait until it serves."""
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the channels and end every process of it, by force if need be."""
        self.close_channels()
        if self.alive:
            self.signal(signal.SIGTERM)
            try:
                self.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._temporary:
            self._temporary.cleanup()

    def start(self) -> None:
        """Start it and wait until it serves; raise ServerNotStartedError with its log where it does not."""
        self.launch()
        end = time.monotonic() + START_SECONDS
        while not self.lines("serving"):
            if not self.alive or time.monotonic() > end:
                message = f"tehai serve did not start: {self._log.text()[-4000:]}"
                raise ServerNotStartedError(message)
            time.sleep(0.02)
        self._ports = {"port": int(self.lines("serving")[0]["port"])}
        for line in self.lines("telemetry"):
            self._ports["telemetry_port"] = int(line["port"])

    def launch(self) -> None:
        """Start the process and do not wait for it; where it served before, it does so on the same ports."""
        assert not self.alive
        self._log.begin()
        ports = {name: port for name, port in self._ports.items() if not self.settings.get(name)}
        environment = {f"TEHAI_{name.upper()}": str(port) for name, port in ports.items()}
        with self._log.path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program, "serve"],
                env={"TEHAI_PORT": "0", **self.environment, **environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the server's own process as kill -9 does, and nothing else of it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> int:
        """Return its exit code once it has ended."""
        assert self._process is not None
        return self._process.wait(seconds)

    @property
    def alive(self) -> bool:
        """Whether the server's own process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the server's own process."""
        assert self._process is not None
        return self._process.pid

    def processes(self) -> list[int]:
        """Return every living process that came of any start, also those whose server is gone."""
        return with_environment("=".join(self._marker))

    def solve_pids(self) -> list[int]:
        """Return the solve processes: children of the fork server, which is a child of the server.

        Query processes are its children too, but of a higher priority.
        """
        lowest = min(nice_of(self.pid) + SOLVE_NICE, 19)
        found = [pid for fork_server in children(self.pid) for pid in children(fork_server)]
        return [pid for pid in found if nice_of(pid) == lowest]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of one event, of the start that was last made."""
        return [line for line in self._log.lines() if line.get("event") == event]

    def log_lines(self) -> list[dict[str, Any]]:
        """Return all log lines of the start that was last made; what is no JSON stands under "text"."""
        return self._log.lines()

    @property
    def address(self) -> str:
        """HOST:PORT that it listens on."""
        return f"127.0.0.1:{self._ports['port']}"

    def http(self, path: str) -> tuple[int, str]:
        """Return status and text of the HTTP endpoint; (0, "") where nobody listens."""
        url = f"http://127.0.0.1:{self._ports['telemetry_port']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def http_get(self, path: str) -> str:
        """Return what the HTTP endpoint answers with status 200."""
        status, text = self.http(path)
        assert status == 200, (status, text)
        return text

    def channel(
        self,
        bearer: str = "",
        port_name: str = "port",
        certificate: tuple[bytes, bytes] | None = None,
        options: Sequence[tuple[str, object]] = (),
    ) -> grpc.Channel:
        """Return a new connection, closed with the server.

        Its calls carry ``bearer``; ``certificate`` is the client's key and chain in PEM, ``port_name`` a port of the
        log line "serving".
        """
        port = self._ports.get(port_name) or self.lines("serving")[0][port_name]
        chosen = [*_CHANNEL_OPTIONS, *options]
        if self._roots is None:
            channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=chosen)
        else:
            credentials = grpc.ssl_channel_credentials(self._roots, *(certificate or (None, None)))
            channel = grpc.secure_channel(f"localhost:{port}", credentials, options=chosen)
        self._channels.append(channel)
        return grpc.intercept_channel(channel, _Bearer(bearer)) if bearer else channel

    def stub(self, bearer: str = "") -> SourcingServiceStub:
        """Return a plain generated client on a connection of its own."""
        return SourcingServiceStub(self.channel(bearer))

    def operations(self, bearer: str = "") -> OperationsStub:
        """Return a plain generated client of google.longrunning on a connection of its own."""
        return OperationsStub(self.channel(bearer))

    def close_channels(self) -> None:
        """Close every connection that was made here."""
        while self._channels:
            self._channels.pop().close()


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
