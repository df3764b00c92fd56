"""A real server as a subprocess, and what can be seen of it from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import cast

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0


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


class ServerProcess:
    """``tehai serve`` on a free port; use it as a context manager."""

    def __init__(self, **settings: object) -> None:
        command = [sys.executable, "-m", "tehai.cli.main", "serve", "--port", "0"]
        self._process = subprocess.Popen(
            command, env=package_environment(**settings), cwd=ROOT, stderr=subprocess.PIPE, text=True, encoding="utf-8"
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

    def channel(self) -> grpc.Channel:
        """Return a new connection, closed with the server."""
        size = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        channel = grpc.insecure_channel(self.address, options=size)
        self._channels.append(channel)
        return channel

    def stub(self) -> SourcingServiceStub:
        """Return a plain generated client on a connection of its own."""
        return SourcingServiceStub(self.channel())

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
        """Return the solve processes: children of the fork server, which is a child of the server."""
        return [pid for fork_server in children(self.pid) for pid in children(fork_server)]

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"text": line.rstrip()})


def status_of(error: grpc.RpcError) -> status_pb2.Status:
    """Return the google.rpc.Status of a failed call."""
    status: status_pb2.Status | None = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None
    return status


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
