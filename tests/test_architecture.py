"""The structure that the documents promise is there; each check proves that it had something to check."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "service" / "tehai"
GENERATED = PACKAGE / "v1"
SKIPPED_FOLDERS = {".git", ".venv", ".tools", "target", "out", "dist", "__pycache__", ".stamps"}
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def python_files(*folders: str) -> list[Path]:
    """Return our own Python files; never an empty list."""
    files = [
        path
        for folder in folders
        if (ROOT / folder).is_dir()
        for path in sorted((ROOT / folder).rglob("*.py"))
        if GENERATED not in path.parents
    ]
    assert files, f"nothing to check in {folders}"
    return files


def project_files() -> list[Path]:
    """Return every text file of the project, generated stubs included; build products excluded."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and not f.endswith(("_cache", ".egg-info")))
        found += [Path(folder) / name for name in sorted(names) if not name.endswith((".so", ".pyc", ".db"))]
    return [path for path in found if not _within_hidden_cache(path)]


def _within_hidden_cache(path: Path) -> bool:
    return any(part in {".hypothesis", ".benchmarks"} for part in path.relative_to(ROOT).parts)


def project_table() -> dict[str, object]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_import_contracts_hold() -> None:
    """Every import-linter contract is kept, and the linter has analysed the whole package."""
    command = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    contracts = len(project_table()["tool"]["importlinter"]["contracts"])  # type: ignore[index]
    assert contracts >= 5
    assert f"Contracts: {contracts} kept, 0 broken" in done.stdout
    analysed = re.search(r"Analyzed (\d+) files", done.stdout)
    assert analysed is not None, done.stdout
    assert int(analysed.group(1)) >= len(python_files("service"))


def test_the_second_opinion_shares_no_code() -> None:
    """Files of verify import the nouns, numpy and the standard library, read from their syntax rather than a linter."""
    allowed = {"tehai.domain", "tehai.verify", "numpy"}
    files = python_files("service/tehai/verify")
    for path in files:
        for module in imported_modules(path):
            root = module.split(".")[0]
            inside = root in sys.stdlib_module_names or any((module + ".").startswith(f"{a}.") for a in allowed)
            assert inside, f"{path.relative_to(ROOT)} imports {module}"


def test_only_the_engine_package_touches_the_compiled_module() -> None:
    """No file outside tehai/engine imports ``_native``, which import-linter cannot see."""
    found = {
        path.parent.name for path in python_files("service") for module in imported_modules(path) if "_native" in module
    }
    assert found == {"engine"}


def test_the_oracle_shares_no_code() -> None:
    """The oracle of the tests uses nothing of the product but its nouns."""
    files = [path for path in python_files("tests") if path.name.startswith("oracle")]
    assert files
    for path in files:
        ours = [module for module in imported_modules(path) if module.split(".")[0] == "tehai"]
        assert all((module + ".").startswith("tehai.domain.") for module in ours), f"{path.name} imports {ours}"


def test_the_root_package_imports_nothing() -> None:
    """``import tehai`` loads no other module, so that each entry point chooses what it loads."""
    assert imported_modules(PACKAGE / "__init__.py") == []


def imported_modules(path: Path) -> list[str]:
    """Return the modules that a file imports, at any depth, by full name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            if node.module != "__future__":
                found += [
                    f"{node.module}.{alias.name}" if node.module in ("tehai", "tehai.engine") else str(node.module)
                    for alias in node.names
                ]
    return found


def test_files_and_functions_fit_a_screen() -> None:
    """No file of ours is longer than 500 lines and no Python function longer than 70."""
    files = python_files("service", "tests", "tools", "benches")
    rust = sorted((ROOT / "core_rs").rglob("*.rs"))
    assert rust
    too_long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in (*files, *rust)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    ]
    functions = 0
    for path in files:
        for name, lines in function_lengths(path):
            functions += 1
            if lines > FUNCTION_LINES_MAX:
                too_long.append(f"{path.relative_to(ROOT)}: {name} has {lines} lines")
    assert functions > 100
    assert too_long == []


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and the number of lines of every function in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


# Put together here, so that this file does not find itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~])/(?:" + "work|root|" + r"home/\w+|" + r"Users/\w+)/"),
    "a registry host": re.compile(r"(?:" + "pypi|pythonhosted|" + r"npmjs)\.org|index\.crates\.io|static\.crates\.io"),
    "an index option": re.compile(r"--(?:extra-)?index-" + r"url|--find-" + "links|--trusted-" + "host"),
}


def test_no_machine_and_no_registry_is_named() -> None:
    """No file names a path of a developer's machine or the host of a package registry."""
    files = project_files()
    assert len(files) > 100
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {what}" for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert found == []


def locked_versions() -> dict[str, str]:
    """Return the exact version of every package in the lock file."""
    lines = (ROOT / "requirements" / "lock.txt").read_text(encoding="utf-8").split("\n")
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert len(pins) > 20
    return pins


def test_the_environment_is_the_locked_one() -> None:
    """Every pinned package is installed in exactly the pinned version."""
    pins = locked_versions()
    wrong = {name: importlib.metadata.version(name) for name in pins if importlib.metadata.version(name) != pins[name]}
    assert wrong == {}


def test_declared_dependencies_are_the_imported_ones() -> None:
    """pyproject.toml declares what the package imports, no more and no less, and the lock file fits its ranges."""
    from packaging.requirements import Requirement

    project: dict[str, Any] = project_table()["project"]  # type: ignore[assignment]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    declared = [Requirement(text) for text in [*project["dependencies"], *extras]]
    pins = {name.lower().replace("_", "-"): version for name, version in locked_versions().items()}
    for requirement in declared:
        assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement
    provided = importlib.metadata.packages_distributions()
    roots = {module.split(".")[0] for path in python_files("service") for module in imported_modules(path)}
    foreign = sorted(root for root in roots if root not in sys.stdlib_module_names and root != "tehai")
    assert len(foreign) >= 8
    used = {name.lower().replace("_", "-") for root in foreign for name in provided[root]}
    names = {requirement.name.lower() for requirement in declared}
    missing = {root for root in foreign if not names & {n.lower().replace("_", "-") for n in provided[root]}}
    assert missing == set()
    assert names - used == set()


def test_protobuf_stays_in_the_range_of_ortools() -> None:
    """OR-Tools still refuses protobuf 7; once it does not, the whole protobuf family should move together."""
    from packaging.requirements import Requirement

    found = [Requirement(text) for text in importlib.metadata.requires("ortools") or []]
    ranges = [requirement.specifier for requirement in found if requirement.name == "protobuf"]
    assert len(ranges) == 1
    assert ranges[0].contains(importlib.metadata.version("protobuf"))
    assert not ranges[0].contains("7.0.0"), "raise protobuf, grpcio and mypy-protobuf together, then this test"


def test_stubs_are_fresh() -> None:
    """The committed stubs are what the pinned generators make of the proto files."""
    script = ROOT / "tools" / "generate_stubs.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"stubs of [1-9]\d* proto files are fresh", done.stdout)


def test_only_service_files_have_grpc_modules() -> None:
    """A proto file without a service has no gRPC module beside it."""
    with_service = {
        path.stem
        for path in (ROOT / "proto" / "tehai").rglob("*.proto")
        if "\nservice " in path.read_text(encoding="utf-8")
    }
    assert with_service
    assert {path.name.removesuffix("_pb2_grpc.py") for path in GENERATED.glob("*_pb2_grpc.py")} == with_service


LIGHT_DOORS = {
    # Reads messages and quote books in Rust.
    "tehai.server.app": ("ortools", "tehai.master", "tehai.solve", "tehai.pipeline"),
    "tehai.client": ("ortools", "tehai.master", "tehai.engine"),
    "tehai.cli.main": ("ortools", "tehai.master", "tehai.engine"),
    "tehai.wire": ("ortools", "tehai.master", "tehai.engine"),
    "tehai.verify": ("ortools", "tehai.master", "tehai.engine"),
}


@pytest.mark.parametrize("module", LIGHT_DOORS)
def test_light_doors_load_no_solver(module: str) -> None:
    """Each of these loads without OR-Tools, and all but the server without the engine."""
    program = f"import sys, {module}; print([m for m in {LIGHT_DOORS[module]} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "service", capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
