"""The page of violations is what the codes say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tehai.validation import RULES
from tehai.wire.codes import FORMAT_CODES
from tehai.wire.evaluation import SCENARIO_CODES
from tehai.wire.violation_table import violation_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "violations.md"


def test_the_page_is_fresh() -> None:
    """docs/violations.md is the output of its generator."""
    assert PAGE.read_text(encoding="utf-8") == violation_table()


def test_every_code_is_on_the_page_once() -> None:
    """No code is missing, none is taken twice, and no cell breaks the table."""
    assert not set(RULES) & set(FORMAT_CODES | SCENARIO_CODES)
    rows = [line for line in violation_table().splitlines() if line.startswith("| E")]
    assert len(rows) == len(RULES) + len(FORMAT_CODES) + len(SCENARIO_CODES) > 100
    assert len({row.split(" | ")[0] for row in rows}) == len(rows)
    assert all(row.count("|") == 4 for row in rows)


def test_the_generator_runs_as_the_page_says() -> None:
    """The command on the page prints the page."""
    command = [sys.executable, "-m", "tehai.wire.violation_table"]
    done = subprocess.run(command, cwd=PAGE.parents[1] / "service", capture_output=True, text=True, check=True)
    assert done.stdout == PAGE.read_text(encoding="utf-8")
