"""Write problem.yaml beside this file from the packaged portfolio: `python examples/team-japan/build.py`."""

from __future__ import annotations

from pathlib import Path

from tehai.catalog import demo_problem
from tehai.wire import problem_to_proto, to_yaml

PROBLEM_PATH = Path(__file__).parent / "problem.yaml"


def problem_text() -> str:
    """Return the example as YAML; the same text every time."""
    return to_yaml(problem_to_proto(demo_problem("team-japan")))


if __name__ == "__main__":
    PROBLEM_PATH.write_text(problem_text(), encoding="utf-8")
