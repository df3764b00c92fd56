"""The wheel holds everything: installed in a fresh environment, away from the source, it solves and serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.services, pytest.mark.timeout(900)]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command without this environment's Python path; return its output, or fail with all of it."""
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "maturin", "build", "--release", "--out", folder, cwd=ROOT)
    wheels = list(folder.glob("*.whl"))
    assert len(wheels) == 1
    return wheels[0]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel with its declared dependencies, in pinned versions; return the folder of the environment."""
    folder = tmp_path_factory.mktemp("fresh place")
    run(sys.executable, "-m", "venv", folder / "env", cwd=folder)
    pins = ROOT / "requirements" / "lock.txt"
    run(folder / "env" / "bin" / "python", "-m", "pip", "install", "--quiet", "-c", pins, wheel, cwd=folder)
    return folder


def test_the_wheel_has_every_module_and_data_file(wheel: Path) -> None:
    """Every file of the package is in the wheel, with the compiled engine."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    source = ROOT / "service"
    wanted = {
        str(path.relative_to(source))
        for path in (source / "tehai").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }
    assert len(wanted) > 50
    assert wanted - inside == set()
    assert any(name.startswith("tehai/engine/_native") and name.endswith(".so") for name in inside)


def test_the_installed_command_solves(installed: Path) -> None:
    """``tehai demo small`` works from the wheel alone, and ``tehai verify`` accepts its plan."""
    tehai = installed / "env" / "bin" / "tehai"
    files = ("--problem-out", "problem.yaml", "--plan-out", "plan.yaml")
    summary = json.loads(
        run(tehai, "demo", "small", "--work-limit", "5", *files, "-o", "json", "--quiet", cwd=installed)
    )
    assert summary["verified"] is True
    verdict = json.loads(run(tehai, "verify", "problem.yaml", "plan.yaml", "-o", "json", cwd=installed))
    assert verdict["valid"] is True
    assert run(tehai, "version", cwd=installed).startswith("tehai 0.")


def test_nothing_is_missing_from_the_declared_dependencies(installed: Path) -> None:
    """Pip finds no broken requirement, and the server loads with the declared dependencies alone."""
    python = installed / "env" / "bin" / "python"
    run(python, "-m", "pip", "check", cwd=installed)
    run(python, "-c", "import tehai.server.app, tehai.runner.worker, tehai.client, tehai.report", cwd=installed)
