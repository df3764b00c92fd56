"""The settings of a server: documented with their defaults, refused together, never quoted where they are secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from tehai.runner.settings import RunnerSettings
from tehai.security import SecuritySettings
from tehai.server.settings import ServerSettings, StoreSettings
from tehai.telemetry import TelemetrySettings
from tests.server.process import ROOT, package_environment

SECTIONS: dict[str, type[BaseSettings]] = {
    "Settings of the server": ServerSettings,
    "Settings of its processes": RunnerSettings,
    "Settings of security": SecuritySettings,
    "Settings of telemetry": TelemetrySettings,
}
# What depends on the machine.
IN_WORDS = {"TEHAI_SOLVE_THREADS_MAX": "cores less one"}


def shown(name: str, default: Any) -> str:  # noqa: ANN401 - of any setting
    """Return a default as the document has it."""
    if name in IN_WORDS:
        return IN_WORDS[name]
    if default is PydanticUndefined:
        return "{}"
    if isinstance(default, tuple):
        return json.dumps(list(default))
    return default.get_secret_value() if isinstance(default, SecretStr) else str(default)


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_setting_is_documented(heading: str) -> None:
    """docs/cli.md has every setting of every part with its default, and none that is not there."""
    section = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    rows = [line.strip("|").split("|") for line in section.partition("\n## ")[0].splitlines() if line[:8] == "| `TEHAI"]
    documented = {row[0].strip(" `"): row[1].strip().lower() for row in rows}
    fields = {f"TEHAI_{name.upper()}": field.default for name, field in SECTIONS[heading].model_fields.items()}
    assert len(fields) >= 5
    assert documented == {name: shown(name, default).lower() for name, default in fields.items()}


def test_the_parts_do_not_share_a_name() -> None:
    """One variable is one setting."""
    names = [name for kind in SECTIONS.values() for name in kind.model_fields]
    assert len(names) == len(set(names))


def test_the_database_is_in_a_folder_for_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Systemd's folder comes first, then that of the user; a path that is given wins."""
    for name in ("TEHAI_DATABASE_PATH", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert StoreSettings().database_file == tmp_path / "tehai" / "tehai.sqlite3"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/tehai:/var/lib/other")
    assert StoreSettings().database_file == Path("/var/lib/tehai/tehai.sqlite3")
    monkeypatch.setenv("TEHAI_DATABASE_PATH", str(tmp_path / "own.sqlite3"))
    assert StoreSettings().database_file == tmp_path / "own.sqlite3"


def test_wrong_settings_are_told_all_at_once_without_their_values(tmp_path: Path) -> None:
    """Faults of every part come together, by the names of their variables, and no secret is quoted."""
    secret = "postgresql://tehai:hunter2@db/tehai"  # noqa: S105 - made up
    environment = package_environment(
        database_url=secret,
        database_path=tmp_path / "solves.sqlite3",
        queue_max=0,
        solves_max="many",
        limit_requests_open=0,
        telemetry_port=-1,
        token_keys_file=tmp_path / "none",
    )
    command = [sys.executable, "-m", "tehai.cli.main", "serve", "--port", "0"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    for name in ("QUEUE_MAX", "SOLVES_MAX", "LIMIT_REQUESTS_OPEN", "TELEMETRY_PORT"):
        assert f"TEHAI_{name}" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_status_page_needs_a_port(tmp_path: Path) -> None:
    """The page is on the port of telemetry, so that one must be given."""
    environment = package_environment(database_path=tmp_path / "solves.sqlite3")
    command = [sys.executable, "-m", "tehai.cli.main", "serve", "--console"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "TEHAI_TELEMETRY_PORT" in done.stderr
