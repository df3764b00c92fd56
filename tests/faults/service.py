"""A server that is killed and started again at the same address, on the same database, and watched from outside."""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
from google.longrunning.operations_pb2_grpc import OperationsStub
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tehai.v1.sourcing_service_pb2_grpc import SourcingServiceStub
from tests.procfs import Usage, command_line, descendants, parents, usage
from tests.server.process import PROGRAM, ROOT, ServerProcess, wait_until

__all__ = ["ROOT", "Service", "wait_until"]


class Service(ServerProcess):
    """A server with the HTTP endpoint and a folder that is kept; its clients share one connection."""

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, object] | None = None,
        program: Sequence[str] = PROGRAM,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        chosen = {"telemetry_port": 0, **(settings or {})}
        super().__init__(None, program, folder, environment, **chosen)
        self._shared: dict[str, grpc.Channel] = {}

    @property
    def database_path(self) -> Path:
        """The file of the embedded database."""
        return Path(str(self.settings["database_path"]))

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

    def stub(self, bearer: str = "") -> SourcingServiceStub:
        """Return a plain generated client on the connection that everything here shares."""
        return SourcingServiceStub(self._shared_channel(bearer))

    def operations(self, bearer: str = "") -> OperationsStub:
        """Return a plain generated client of google.longrunning on the connection that everything here shares."""
        return OperationsStub(self._shared_channel(bearer))

    def _shared_channel(self, bearer: str = "") -> grpc.Channel:
        if bearer not in self._shared:
            self._shared[bearer] = self.channel(bearer)
        return self._shared[bearer]

    def close_channels(self) -> None:
        """Close every connection that was made here."""
        self._shared = {}
        super().close_channels()

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
        return self.http("/readyz")

    def metrics(self) -> str:
        """Return the page of /metrics."""
        return self.http_get("/metrics")
