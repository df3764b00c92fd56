"""Start, serve until a signal, end: the life of a server."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.context import ForkServerContext
from typing import Any

import grpc.aio
from google.longrunning import operations_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tehai.operations.clock import SystemClock
from tehai.operations.records import BlobKind, RetentionPolicy
from tehai.operations.retention import Retention
from tehai.operations.store import Store, open_store
from tehai.runner.places import Places
from tehai.runner.processes import start_fork_server
from tehai.runner.queries import QueryProcesses
from tehai.runner.runner import Runner
from tehai.runner.settings import RunnerSettings
from tehai.security import (
    AuditLog,
    Gate,
    Security,
    SecuritySettings,
    TenantLimiter,
    current_admission,
    set_up_security,
)
from tehai.security.scopes import RULES
from tehai.server.console import CONTENT_TYPE, Console
from tehai.server.errors import code_of, status_bytes
from tehai.server.handlers import generic_handler
from tehai.server.interceptors import CallInterceptor
from tehai.server.limits import new_scanner
from tehai.server.logs import configure, get_logger
from tehai.server.measured_store import measured
from tehai.server.methods import operations_methods, sourcing_methods
from tehai.server.observer import SolveObserver
from tehai.server.parts import ServerParts
from tehai.server.plan_methods import solve_of_plan
from tehai.server.quotes import Quotes, StoredBook
from tehai.server.settings import ServerSettings
from tehai.server.solve_methods import DAY_SECONDS
from tehai.server.watches import WatchHub
from tehai.telemetry import HttpEndpoint, Metrics, Readiness, TelemetrySettings
from tehai.telemetry.http_endpoint import Page
from tehai.telemetry.loop_lag import watch_loop_lag
from tehai.telemetry.tracing import start_tracing, stop_tracing
from tehai.v1.sourcing_service_pb2 import DESCRIPTOR

SOURCING = DESCRIPTOR.services_by_name["SourcingService"]
OPERATIONS = operations_pb2.DESCRIPTOR.services_by_name["Operations"]
SERVICES = (SOURCING.full_name, OPERATIONS.full_name)
RETENTION_INTERVAL_SECONDS = 600.0
# So much above the limit a request is still received, for the error table to refuse it; gRPC itself, which knows no
# reasons and no advice, refuses what is larger.
OVERSIZE_BYTES = 4 * 1024 * 1024
# gRPC's options are of C's int.
INT_MAX = 2**31 - 1
# What is left of calls when running solves have ended.
STOP_SECONDS = 2.0


class AddressInUseError(OSError):
    """Raised when the server cannot listen where it should."""


@dataclass(frozen=True, slots=True)
class AllSettings:
    """The settings of every part, read from one environment."""

    server: ServerSettings
    runner: RunnerSettings
    security: SecuritySettings
    telemetry: TelemetrySettings


def serve(settings: AllSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises AddressInUseError, SecuritySetupError, TracingNotInstalledError and what ``open_store`` raises.
    """
    configure(settings.server)
    context = start_fork_server()
    asyncio.run(_serve(settings, context))


async def _serve(settings: AllSettings, context: ForkServerContext) -> None:
    """Serve on the running loop; what was opened last is closed first."""
    metrics = Metrics((method for method in RULES), version("tehai"))
    readiness = Readiness()
    async with AsyncExitStack() as stack:
        _trace(settings.telemetry, stack)
        store = await _open_store(settings.server, metrics, stack)
        readiness.add("store", store.ping)
        security = set_up_security(
            settings.security,
            settings.server.host,
            store,
            lambda taken: metrics.count("tehai_certificate_reloads_total", "taken_up" if taken else "refused"),
        )
        parts = await stack.enter_async_context(_parts(settings, context, store, security, metrics))
        audit = await stack.enter_async_context(
            AuditLog(store, lambda where, count: metrics.count("tehai_audit_entries_total", where, amount=count))
        )
        gate = Gate(
            security.authenticator,
            security.limiter,
            audit,
            audit_everything=settings.security.audit_everything,
            outcome_of=code_of,
            on_refusal=lambda reason: metrics.count("tehai_refusals_total", reason),
        )
        healthy = health.aio.HealthServicer()  # type: ignore[attr-defined]
        server = _new_server(settings, parts, gate, healthy)
        ports = await _start(server, settings, security)
        stack.push_async_callback(server.stop, None)
        await _watch_and_tell(settings, parts, readiness, security, stack)
        for name in ("", *SERVICES):
            await healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
        for warning in security.listening.warnings:
            get_logger(__name__).warning(warning)
        get_logger(__name__).info("serving", host=settings.server.host, **ports, tls=security.listening.encrypted)
        await _signal()
        await _drain(settings, parts, readiness, healthy, server)
    get_logger(__name__).info("ended")


def _trace(settings: TelemetrySettings, stack: AsyncExitStack) -> None:
    if settings.tracing:
        start_tracing(endpoint=settings.tracing_endpoint, sample_fraction=settings.tracing_sample_fraction)
        stack.callback(stop_tracing)


async def _open_store(settings: ServerSettings, metrics: Metrics, stack: AsyncExitStack) -> Store:
    store = await open_store(settings.database_url.get_secret_value(), settings.database_file)
    stack.push_async_callback(store.close)
    return measured(store, metrics)


@asynccontextmanager
async def _parts(
    settings: AllSettings, context: ForkServerContext, store: Store, security: Security, metrics: Metrics
) -> AsyncIterator[ServerParts]:
    """Give the parts that methods share, with the runner at work; the end leaves no process behind."""
    observer = SolveObserver(metrics)
    watches = WatchHub(store, metrics)
    places = Places(context, settings.runner)
    runner = Runner(store, places, settings.runner, status_bytes, observer)
    queries = QueryProcesses(context, settings.runner)
    quotes = _quotes(store, queries, security.limiter, settings, metrics)
    parts = ServerParts(
        settings=settings.server,
        runner_settings=settings.runner,
        store=store,
        scanner=new_scanner(),
        limiter=security.limiter,
        metrics=metrics,
        watches=watches,
        places=places,
        runner=runner,
        queries=queries,
        quotes=quotes,
        observer=observer,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(queries.close)
        stack.callback(quotes.close)
        stack.push_async_callback(places.end_all)
        await runner.start()
        stack.push_async_callback(runner.drain, 0.0)
        stack.push_async_callback(watches.close)
        yield parts


def _quotes(
    store: Store, queries: QueryProcesses, limiter: TenantLimiter, settings: AllSettings, metrics: Metrics
) -> Quotes:
    """Return what answers quotes: books from the store, and a query process for requests that are wrong."""

    async def read_book(tenant: str, solve_id: str) -> StoredBook:
        record = await solve_of_plan(store, tenant, solve_id)
        return StoredBook(await store.get_blob(tenant, BlobKind.QUOTE_BOOK, solve_id), record.expire_time)

    async def slow_path(book: bytes, request: bytes, kind: str) -> object:
        tenant = current_admission().tenant
        limiter.charge_heavy(tenant)
        return await queries.call("quote", [book, request, kind.encode()], settings.runner.query_seconds_max, tenant)

    return Quotes(read_book, slow_path, observe=lambda seconds: metrics.observe("tehai_quote_seconds", seconds))


def _new_server(settings: AllSettings, parts: ServerParts, gate: Gate, healthy: object) -> grpc.aio.Server:
    """Return a server with every service, its interceptor and the limits of the settings."""
    keepalive_ms = round(settings.server.keepalive_seconds * 1000)
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", min(settings.server.message_bytes_max + OVERSIZE_BYTES, INT_MAX)),
        ("grpc.max_send_message_length", settings.server.message_bytes_max),
        # gRPC holds the limit against what comes in, and inflates it without one: 1 MB of zeros would be 1 GB, of
        # anybody. Nothing compressed is taken (UNIMPLEMENTED); bit 0 is "identity".
        ("grpc.compression_enabled_algorithms_bitset", 1),
        ("grpc.per_message_decompression", 0),
        ("grpc.max_concurrent_streams", settings.server.connection_streams_max),
        # A second server on the same port is an error, not a silent half of the calls.
        ("grpc.so_reuseport", 0),
        # Notices a client that vanished without a word; connections have no age.
        ("grpc.keepalive_time_ms", keepalive_ms),
        ("grpc.keepalive_timeout_ms", min(10_000, keepalive_ms)),
        # Clients may ask as often.
        ("grpc.http2.min_ping_interval_without_data_ms", min(10_000, keepalive_ms)),
        ("grpc.keepalive_permit_without_calls", 1),
    ]
    interceptor = CallInterceptor(parts.metrics, gate, parts.limiter, settings.server.message_bytes_max)
    server = grpc.aio.server(interceptors=[interceptor], options=options)
    handlers = [
        generic_handler(SOURCING, sourcing_methods(parts)),
        generic_handler(OPERATIONS, operations_methods(parts)),
    ]
    server.add_generic_rpc_handlers(handlers)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    if settings.server.reflection:
        reflection.enable_server_reflection([*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    return server


async def _start(server: grpc.aio.Server, settings: AllSettings, security: Security) -> dict[str, int]:
    """Bind every port and start; return the ports by name."""
    mode = settings.security.client_certificates
    try:
        ports = {"port": _bind(server, settings.server, settings.server.port, security, demand=mode == "required")}
        if mode == "optional":
            extra = settings.security.client_certificate_port or 0
            ports["client_certificate_port"] = _bind(server, settings.server, extra, security, demand=True)
        await server.start()
    except BaseException:
        await server.stop(None)
        raise
    return ports


def _bind(server: grpc.aio.Server, settings: ServerSettings, port: int, security: Security, *, demand: bool) -> int:
    """Listen on a port and return it; with ``demand`` only for clients that show a certificate."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{port}"
    try:
        if security.certificates is None:
            return server.add_insecure_port(address)
        credentials = security.certificates.credentials(require_client_certificate=demand)
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        message = f"cannot listen on {address}"
        raise AddressInUseError(message) from error


async def _watch_and_tell(
    settings: AllSettings, parts: ServerParts, readiness: Readiness, security: Security, stack: AsyncExitStack
) -> None:
    """Start what looks after the server: loop lag, retention, and the HTTP endpoint."""
    policy = RetentionPolicy(audit_seconds=settings.server.audit_retention_days * DAY_SECONDS)
    held = "tehai_retention_held_seconds"
    retention = Retention(
        parts.store, SystemClock(), policy, lambda report: parts.metrics.set(held, report.held_seconds)
    )
    ended = asyncio.Event()
    tasks = [
        asyncio.create_task(watch_loop_lag(parts.metrics), name="loop lag"),
        asyncio.create_task(retention.run(RETENTION_INTERVAL_SECONDS, ended), name="retention"),
        asyncio.create_task(_watch_certificate(parts.metrics, security), name="certificate"),
    ]
    stack.push_async_callback(_end_tasks, tasks)
    port = settings.telemetry.telemetry_port
    if port is None:
        return
    pages = {}
    if settings.server.console:
        console = Console(parts.store, parts.observer, parts.metrics, readiness)
        pages["/console"] = Page(CONTENT_TYPE, console.page)
    endpoint = HttpEndpoint(parts.metrics, readiness, settings.telemetry.telemetry_host, port, pages=pages)
    try:
        await stack.enter_async_context(endpoint)
    except OSError as error:
        message = f"cannot listen on {settings.telemetry.telemetry_host}:{port} for telemetry"
        raise AddressInUseError(message) from error
    get_logger(__name__).info("telemetry", host=settings.telemetry.telemetry_host, port=endpoint.port)


async def _watch_certificate(metrics: Metrics, security: Security) -> None:
    """Say when the certificate ends, as new as its file."""
    while security.certificates is not None:
        metrics.set("tehai_certificate_expire_timestamp_seconds", security.certificates.expire_seconds)
        await asyncio.sleep(60)


async def _end_tasks(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(
    settings: AllSettings,
    parts: ServerParts,
    readiness: Readiness,
    healthy: Any,  # noqa: ANN401 - untyped in its package
    server: grpc.aio.Server,
) -> None:
    """Take no new work, let running solves end or hand them back, end the streams, stop."""
    grace_seconds = settings.server.shutdown_grace_seconds
    get_logger(__name__).info("shutting down", grace_seconds=grace_seconds)
    started = asyncio.get_running_loop().time()
    readiness.drain()
    parts.draining = True
    await healthy.enter_graceful_shutdown()
    parts.places.stop_all()
    # Watches see the end of their solves; what follows is for those whose solve was handed back.
    await parts.runner.drain(grace_seconds)
    await parts.watches.close()
    left = grace_seconds - (asyncio.get_running_loop().time() - started)
    await server.stop(max(left, STOP_SECONDS))


async def _signal() -> None:
    """Return when the process is asked to end."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()
