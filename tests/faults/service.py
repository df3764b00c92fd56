"""``tehai serve`` as a process that may be killed and started again at the same address, on the same database."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.longrunning import operations_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.faults.procfs import Usage, command_line, descendants, parents, usage, with_environment

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0
END_SECONDS = 60.0
SERVE = ("-m", "tehai.cli.main", "serve")
_CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Each channel has a connection of its own.
    ("grpc.use_local_subchannel_pool", 1),
    # A server that was started again is found soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # This is also how long a connection may take.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    ("grpc.max_reconnect_backoff_ms", 500),
)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until ``true()``; fail with ``what`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Service:
    """A server with a folder for its database and log; use it as a context manager.

    ``settings`` go to the environment, each as TEHAI_<NAME>; ``program`` is what Python runs.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object] | None = None,
        program: Sequence[str] = SERVE,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database_path = folder / "tehai.sqlite3"
        self.log_path = folder / "server.log"
        self.port = free_port()
        self.http_port = free_port()
        self.marker = f"TEHAI_TEST_RUN={uuid.uuid4().hex}"
        self._program = program
        paths = [str(ROOT / "service"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        chosen = {"port": self.port, "telemetry_port": self.http_port, "database_path": self.database_path}
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            **{f"TEHAI_{name.upper()}": str(value) for name, value in {**chosen, **(settings or {})}.items()},
            **(environment or {}),
            **dict([self.marker.split("=")]),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._channels: list[grpc.Channel] = []
        self._shared: grpc.Channel | None = None
        self._log_start = 0

    def __enter__(self) -> Service:
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
            os.kill(pid, signal.SIGKILL)

    def launch(self) -> None:
        """Start the process and do not wait for it."""
        assert not self.alive
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start it and wait until it serves."""
        self.launch()
        self.wait_until_serving()

    def wait_until_serving(self) -> None:
        """Wait until the start that was last made serves; fail with its log where it ended instead."""
        wait_until(lambda: self.serves() or not self.alive, START_SECONDS, "the server starts")
        assert self.alive, self.log_text()[-4000:]

    def serves(self) -> bool:
        """Return whether the start that was last made has said that it serves."""
        return any(line.get("event") == "serving" for line in self.log_lines())

    def kill(self) -> None:
        """End the server's own process as kill -9 does, and nothing else of it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        assert self._process is not None
        self._process.send_signal(number)

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
        return with_environment(self.marker)

    def workers(self) -> list[int]:
        """Return the processes that work for the server: what its fork server has forked."""
        of = parents()
        forkers = [pid for pid in descendants(self.pid) if "forkserver" in command_line(pid)]
        return [pid for pid in forkers if of.get(of.get(pid, 0), 0) == self.pid]

    def usage(self) -> Usage:
        """Return what the server's own process uses."""
        return usage([self.pid])

    def usage_of_children(self) -> Usage:
        """Return what all its other processes use together."""
        return usage(descendants(self.pid))

    def limit_file_bytes(self, file_bytes_max: int) -> None:
        """Let no file of the server's own process grow beyond this; RLIM_INFINITY lifts the limit."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (file_bytes_max, resource.RLIM_INFINITY))

    @property
    def address(self) -> str:
        """HOST:PORT that it listens on, the same after every start."""
        return f"127.0.0.1:{self.port}"

    def channel(self, *options: tuple[str, object]) -> grpc.Channel:
        """Return a new connection, closed with the service."""
        channel = grpc.insecure_channel(self.address, options=[*_CHANNEL_OPTIONS, *options])
        self._channels.append(channel)
        return channel

    def stub(self) -> SourcingServiceStub:
        """Return a plain generated client on the connection that everything here shares."""
        return SourcingServiceStub(self._shared_channel())

    def operations(self) -> Any:  # noqa: ANN401 - generated without types
        """Return a plain generated client of google.longrunning on the connection that everything here shares."""
        return operations_pb2_grpc.OperationsStub(self._shared_channel())

    def _shared_channel(self) -> grpc.Channel:
        if self._shared is None:
            self._shared = self.channel()
        return self._shared

    def close_channels(self) -> None:
        """Close every connection that was made here."""
        self._shared = None
        while self._channels:
            self._channels.pop().close()

    def is_healthy(self) -> bool:
        """Return what the gRPC health service says; False where it does not answer."""
        try:
            request = health_pb2.HealthCheckRequest()
            answer = health_pb2_grpc.HealthStub(self._shared_channel()).Check(request, timeout=10)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def readiness(self) -> tuple[int, str]:
        """Return the HTTP status and text of /readyz; (0, "") where nobody listens."""
        return self._http("/readyz")

    def metrics(self) -> str:
        """Return the page of /metrics."""
        code, text = self._http("/metrics")
        assert code == 200, (code, text)
        return text

    def _http(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=10) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def log_text(self) -> str:
        """Return what the start that was last made has written."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the log lines of that start; what is no JSON stands under "text"."""
        found: list[dict[str, Any]] = []
        for line in self.log_text().splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                value = {"text": line}
            found.append(value if isinstance(value, dict) else {"text": line})
        return found
