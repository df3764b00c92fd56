"""Traces by OpenTelemetry (extra ``tracing``); without it, or switched off, a span costs next to nothing.

OpenTelemetry is imported by ``start_tracing`` and nowhere else, so a server that does not trace never loads it. A
solver's process needs none of it: it gets the traceparent as text, reports when its phases began and ended, and the
server writes those down with ``record_span``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from tehai.telemetry.trace_context import TraceParent, parse_traceparent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

Attribute = str | bool | int | float
# Where the current call came from, for a server that traces nothing itself but hands the trace on.
_PARENT: ContextVar[TraceParent | None] = ContextVar("tehai_traceparent", default=None)


class TracingNotInstalledError(RuntimeError):
    """Raised where tracing is switched on without its packages."""

    def __init__(self) -> None:
        super().__init__("tracing needs the packages of the extra: pip install 'tehai[tracing]', or switch it off")


class OpenSpan(Protocol):
    """A span that is under way, held apart from the code that runs meanwhile."""

    @property
    def here(self) -> TraceParent:
        """Return what makes other spans its children."""

    def end(self, *, failed: bool = False, **attributes: Attribute) -> None:
        """End it now, with what is known by then."""


class _Backend(Protocol):
    """What tracing is, once it is on."""

    def span(self, name: str, attributes: dict[str, Attribute]) -> AbstractContextManager[None]:
        """Open a span for the length of a block."""

    def record(
        self, name: str, start_ns: int, end_ns: int, parent: TraceParent | None, attributes: dict[str, Attribute]
    ) -> None:
        """Write down a span that is over."""

    def begin(self, name: str, start_ns: int, parent: TraceParent, attributes: dict[str, Attribute]) -> OpenSpan:
        """Begin a span."""

    def current(self) -> TraceParent | None:
        """Return where the current trace stands."""

    def continued(self, parent: TraceParent) -> AbstractContextManager[None]:
        """Make the spans of a block children of ``parent``."""

    def close(self) -> None:
        """Send what is in hand and end."""


class _Nothing:
    """A block around which nothing happens; one for all, so that it costs no memory."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


_NOTHING = _Nothing()
_backend: _Backend | None = None


def span(name: str, /, **attributes: Attribute) -> AbstractContextManager[None]:
    """Return a block that is one span, a child of the span around it; an exception within marks it as failed.

    Give no attribute that holds a secret or a request's content.
    """
    return _NOTHING if _backend is None else _backend.span(name, attributes)


def record_span(
    name: str, start_ns: int, end_ns: int, parent: TraceParent | None = None, /, **attributes: Attribute
) -> None:
    """Write down a span that is over, nanoseconds since 1970 UTC; a child of ``parent``, else of the current span."""
    if _backend is not None:
        _backend.record(name, start_ns, end_ns, parent, attributes)


def begin_span(name: str, start_ns: int, parent: TraceParent, /, **attributes: Attribute) -> OpenSpan | None:
    """Begin a child of ``parent``, to be ended by the caller; nanoseconds since 1970 UTC; None where tracing is off."""
    return None if _backend is None else _backend.begin(name, start_ns, parent, attributes)


@contextmanager
def continued_trace(parent: TraceParent | str | None) -> Iterator[None]:
    """Make the spans of the block children of ``parent``, be it a caller's or kept as text; None: a new trace."""
    known = parse_traceparent(parent) if isinstance(parent, str) else parent
    token = _PARENT.set(known)
    try:
        if _backend is None or known is None:
            yield
        else:
            with _backend.continued(known):
                yield
    finally:
        # A generator that is thrown away is closed in another context, which never had it.
        with suppress(ValueError):
            _PARENT.reset(token)


def current_traceparent() -> str:
    """Return the text that hands the current trace on, to another server or a process; "" without a trace."""
    here = None if _backend is None else _backend.current()
    here = here or _PARENT.get()
    return "" if here is None else str(here)


def start_tracing(
    service_name: str = "tehai", endpoint: str = "", exporter: SpanExporter | None = None, sample_fraction: float = 1.0
) -> None:
    """Switch tracing on; raise TracingNotInstalledError.

    Spans go to ``endpoint`` (OTLP over gRPC; "" leaves it to OTEL_EXPORTER_OTLP_ENDPOINT) unless ``exporter`` is given.
    New traces are kept at ``sample_fraction``; a caller's trace is kept where the caller keeps it.
    """
    global _backend  # noqa: PLW0603 - one process traces to one place
    stop_tracing()
    _backend = _new_backend(_new_provider(service_name, endpoint, exporter, sample_fraction))


def stop_tracing() -> None:
    """Send what is in hand and switch tracing off."""
    global _backend
    backend, _backend = _backend, None
    if backend is not None:
        backend.close()


def _new_provider(
    service_name: str, endpoint: str, exporter: SpanExporter | None, sample_fraction: float
) -> TracerProvider:
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

        if exporter is None:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=endpoint) if endpoint else OTLPSpanExporter()
    except ImportError as error:
        raise TracingNotInstalledError from error
    provider = TracerProvider(
        resource=Resource.create({"service.name": service_name}), sampler=ParentBasedTraceIdRatio(sample_fraction)
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _new_backend(provider: TracerProvider) -> _Backend:
    from tehai.telemetry.open_telemetry import OpenTelemetryBackend

    return OpenTelemetryBackend(provider)
