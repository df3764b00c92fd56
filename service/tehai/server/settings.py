"""Settings of the server, from the environment (prefix TEHAI_) or the command line; docs/cli.md lists them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from tehai.domain.limits import LIMITS

DATABASE_FILE_NAME = "tehai.sqlite3"
GIBIBYTE = 1024**3


def default_database_path() -> Path:
    """Return where the embedded database is: the folder that systemd gives, else the user's folder for state."""
    folder = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if folder:
        return Path(folder) / DATABASE_FILE_NAME
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tehai" / DATABASE_FILE_NAME


class StoreSettings(BaseSettings):
    """Where solves and keys are kept; ``tehai serve`` and ``tehai keys`` read the same."""

    model_config = SettingsConfigDict(env_prefix="TEHAI_", frozen=True, extra="ignore")

    # postgresql://...; empty: the embedded database.
    database_url: SecretStr = SecretStr("")
    # File of the embedded database; unset: see default_database_path.
    database_path: Path | None = None

    @property
    def database_file(self) -> Path:
        """Return the file of the embedded database."""
        return self.database_path or default_database_path()


class ServerSettings(StoreSettings):
    """Every setting with its default; a value out of range is refused at start."""

    host: str = "127.0.0.1"
    # 0 lets the system choose; the chosen port is logged.
    port: int = Field(default=50051, ge=0, le=65535)
    # Largest request and response.
    message_bytes_max: int = Field(default=LIMITS.input_bytes, ge=1024, le=2**31 - 1)
    # Largest problem that is uploaded in parts.
    upload_bytes_max: int = Field(default=4 * LIMITS.input_bytes, ge=1024, le=16 * GIBIBYTE)
    # Solves of all tenants that wait; one more is refused with RESOURCE_EXHAUSTED.
    queue_max: int = Field(default=1_000, ge=1, le=1_000_000)
    # Starts of a solver process before a solve counts as failed.
    attempts_max: int = Field(default=3, ge=1, le=100)
    # A solve with its plan is kept so long after its end, an uploaded problem after its upload.
    retention_days: float = Field(default=30.0, ge=0, le=36_500)
    # Entries of the audit log.
    audit_retention_days: float = Field(default=400.0, ge=0, le=36_500)
    # Calls and streams at once on one connection.
    connection_streams_max: int = Field(default=1_024, ge=1, le=1_000_000)
    # A connection without a sign of life for so long is asked for one.
    keepalive_seconds: float = Field(default=20.0, ge=1, le=3_600)
    # Whether clients may ask which services there are.
    reflection: bool = False
    # Whether the HTTP endpoint has the status page /console.
    console: bool = False
    # Time that running solves have to answer after SIGTERM.
    shutdown_grace_seconds: float = Field(default=10.0, ge=0, le=3600)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
