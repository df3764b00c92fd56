"""The package stands alone: nothing of Tehai but itself, nothing foreign but the driver behind one door."""

from __future__ import annotations

import ast
import subprocess
import sys

from tests.operations.backends import program_environment
from tests.operations.servers import ROOT

PACKAGE = ROOT / "service" / "tehai" / "operations"


def test_it_imports_itself_and_the_standard_library() -> None:
    """Read from the syntax of every file; only postgres_store has the driver."""
    foreign: dict[str, set[str]] = {}
    files = sorted(PACKAGE.rglob("*.py"))
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                root = name.split(".")[0]
                if root not in sys.stdlib_module_names and not name.startswith("tehai.operations"):
                    foreign.setdefault(path.name, set()).add(root)
    assert len(files) > 15
    assert foreign == {"postgres_store.py": {"psycopg"}}


def test_the_default_store_loads_no_driver() -> None:
    """Opening SQLite loads neither the driver of PostgreSQL nor anything else of Tehai."""
    program = (
        "import sys, tehai.operations.store, tehai.operations.sqlite_store, tehai.operations.retention;"
        "print(sorted({m.split('.')[1] for m in sys.modules if m.startswith('tehai.')}), 'psycopg' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=program_environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['operations'] False"
