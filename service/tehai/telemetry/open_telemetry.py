"""The one place where spans are OpenTelemetry's; imported only once tracing is on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tehai.telemetry.trace_context import TraceParent

SCOPE = "tehai"
CLOSE_MILLISECONDS = 5_000


class OpenTelemetrySpan:
    """A span that is under way."""

    def __init__(self, opened: Span) -> None:
        self._opened = opened

    @property
    def here(self) -> TraceParent:
        """Return what makes other spans its children."""
        return _traceparent_of(self._opened.get_span_context())

    def end(self, *, failed: bool = False, **attributes: str | bool | int | float) -> None:
        """End it now, with what is known by then."""
        self._opened.set_attributes(attributes)
        if failed:
            self._opened.set_status(Status(StatusCode.ERROR))
        self._opened.end()


class OpenTelemetryBackend:
    """Opens and records spans with a provider of its own, so that nothing global is touched."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SCOPE)

    @contextmanager
    def span(self, name: str, attributes: dict[str, str | bool | int | float]) -> Iterator[None]:
        """Open a span for the length of a block; of an exception only the class is kept, its text may be private."""
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as opened:
            try:
                yield
            except Exception as error:
                opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def record(
        self,
        name: str,
        start_ns: int,
        end_ns: int,
        parent: TraceParent | None,
        attributes: dict[str, str | bool | int | float],
    ) -> None:
        """Write down a span that is over."""
        context = None if parent is None else _context_of(parent)
        past = self._tracer.start_span(
            name, context=context, kind=SpanKind.INTERNAL, attributes=attributes, start_time=start_ns
        )
        past.end(end_time=end_ns)

    def begin(
        self, name: str, start_ns: int, parent: TraceParent, attributes: dict[str, str | bool | int | float]
    ) -> OpenTelemetrySpan:
        """Begin a span."""
        return OpenTelemetrySpan(
            self._tracer.start_span(
                name, context=_context_of(parent), kind=SpanKind.INTERNAL, attributes=attributes, start_time=start_ns
            )
        )

    def current(self) -> TraceParent | None:
        """Return where the current trace stands; None outside of one."""
        found = trace.get_current_span().get_span_context()
        return _traceparent_of(found) if found.is_valid else None

    @contextmanager
    def continued(self, parent: TraceParent) -> Iterator[None]:
        """Make the spans of a block children of ``parent``."""
        token = otel_context.attach(_context_of(parent))
        try:
            yield
        finally:
            otel_context.detach(token)

    def close(self) -> None:
        """Send what is in hand, for a few seconds at most, and end."""
        self._provider.force_flush(CLOSE_MILLISECONDS)
        self._provider.shutdown()


def _traceparent_of(context: SpanContext) -> TraceParent:
    return TraceParent(f"{context.trace_id:032x}", f"{context.span_id:016x}", context.trace_flags.sampled)


def _context_of(parent: TraceParent) -> otel_context.Context:
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    known = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(known))
