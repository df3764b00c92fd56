"""Settings of telemetry, from the environment (prefix TEHAI_); docs/cli.md lists them."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TelemetrySettings(BaseSettings):
    """Every setting with its default; a value out of range is refused at start."""

    model_config = SettingsConfigDict(env_prefix="TEHAI_", frozen=True, extra="ignore")

    # Where /metrics, /healthz and /readyz are.
    telemetry_host: str = "127.0.0.1"
    # Unset: nowhere; 0 lets the system choose.
    telemetry_port: int | None = Field(default=None, ge=0, le=65535)
    # Whether to trace; needs the extra "tracing".
    tracing: bool = False
    # OTLP over gRPC, for example http://127.0.0.1:4317; empty leaves it to OTEL_EXPORTER_OTLP_ENDPOINT.
    tracing_endpoint: str = ""
    tracing_sample_fraction: float = Field(default=1.0, ge=0, le=1)
