"""What a server tells of itself: metrics, log fields, traces, health. Knows nothing of solves and plans."""

from tehai.telemetry.calls import measured_call
from tehai.telemetry.http_endpoint import HttpEndpoint
from tehai.telemetry.metrics import METRICS, Metrics
from tehai.telemetry.readiness import Readiness
from tehai.telemetry.request_context import RequestContext, request_context
from tehai.telemetry.settings import TelemetrySettings

__all__ = [
    "METRICS",
    "HttpEndpoint",
    "Metrics",
    "Readiness",
    "RequestContext",
    "TelemetrySettings",
    "measured_call",
    "request_context",
]
