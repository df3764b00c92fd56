"""Settings of the server, from the environment (prefix TEHAI_) or the command line."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tehai.domain.limits import LIMITS


class ServerSettings(BaseSettings):
    """Every setting with its default; a value out of range is refused at start."""

    model_config = SettingsConfigDict(env_prefix="TEHAI_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    # 0 lets the system choose; the chosen port is logged.
    port: int = Field(default=50051, ge=0, le=65535)
    # Solves that run at once; one more is refused with RESOURCE_EXHAUSTED.
    solves_max: int = Field(default=2, ge=1, le=256)
    # Largest request and response.
    message_bytes_max: int = Field(default=LIMITS.input_bytes, ge=1024, le=2**31 - 1)
    # Whether clients may ask which services there are.
    reflection: bool = False
    # Least time between two progress events of a solve.
    progress_interval_seconds: float = Field(default=0.2, gt=0, le=60)
    # A solve that runs longer is told to stop; it then answers with its best plan.
    solve_seconds_max: float = Field(default=3600, gt=0)
    # Time that a cancelled solve has to stop before it is killed.
    cancel_grace_seconds: float = Field(default=1.0, ge=0, le=600)
    # Time that running solves have to answer after SIGTERM.
    shutdown_grace_seconds: float = Field(default=10.0, ge=0, le=3600)
    # When a refused client should try again.
    retry_seconds: float = Field(default=5.0, gt=0, le=3600)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
