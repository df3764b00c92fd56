"""Start, serve until a signal, end: the life of a server."""

from __future__ import annotations

import asyncio
import signal
from multiprocessing.context import ForkServerContext

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tehai.server.interceptor import ErrorInterceptor
from tehai.server.logs import configure, get_logger
from tehai.server.settings import ServerSettings
from tehai.server.solve_process import start_fork_server
from tehai.server.solves import Solves
from tehai.server.sourcing_service import SourcingService
from tehai.v1.sourcing_service_pb2 import DESCRIPTOR
from tehai.v1.sourcing_service_pb2_grpc import add_SourcingServiceServicer_to_server

SERVICE_NAME = DESCRIPTOR.services_by_name["SourcingService"].full_name


class AddressInUseError(OSError):
    """Raised when the server cannot listen where it should."""


def serve(settings: ServerSettings) -> None:
    """Serve until SIGTERM or SIGINT; raise AddressInUseError where the address is taken."""
    configure(settings)
    context = start_fork_server()
    asyncio.run(_serve(settings, context))


async def _serve(settings: ServerSettings, context: ForkServerContext) -> None:
    """Serve on the running loop: start, wait for a signal, let running solves answer, end."""
    solves = Solves(context, settings)
    server = _new_server(settings)
    add_SourcingServiceServicer_to_server(SourcingService(solves), server)
    healthy = health.aio.HealthServicer()  # type: ignore[attr-defined]
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    services = [SERVICE_NAME, health.SERVICE_NAME]
    if settings.reflection:
        reflection.enable_server_reflection([*services, reflection.SERVICE_NAME], server)
    try:
        port = _listen(server, settings)
        await server.start()
    except BaseException:
        await server.stop(None)
        raise
    for name in ("", SERVICE_NAME):
        await healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    log = get_logger(__name__)
    log.info("serving", host=settings.host, port=port, solves_max=settings.solves_max)
    await _signal()
    log.info("shutting down", grace_seconds=settings.shutdown_grace_seconds)
    await healthy.enter_graceful_shutdown()
    solves.stop_all()
    await server.stop(settings.shutdown_grace_seconds)
    await solves.end_all()
    log.info("ended")


def _new_server(settings: ServerSettings) -> grpc.aio.Server:
    """Return a server with the interceptor and the limits of the settings."""
    return grpc.aio.server(
        interceptors=[ErrorInterceptor()],
        options=[
            ("grpc.max_receive_message_length", settings.message_bytes_max),
            ("grpc.max_send_message_length", settings.message_bytes_max),
            # A second server on the same port is an error, not a silent half of the calls.
            ("grpc.so_reuseport", 0),
            # Notices a client that vanished without a word within half a minute.
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
        ],
    )


def _listen(server: grpc.aio.Server, settings: ServerSettings) -> int:
    """Bind the address and return the port; without encryption, so meant for this machine or a private network."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        return server.add_insecure_port(f"{host}:{settings.port}")
    except RuntimeError as error:
        message = f"cannot listen on {host}:{settings.port}"
        raise AddressInUseError(message) from error


async def _signal() -> None:
    """Return when the process is asked to end."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
