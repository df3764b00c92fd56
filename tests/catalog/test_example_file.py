"""The example file in the repository is what its script writes."""

from __future__ import annotations

import runpy
from pathlib import Path

from tehai.catalog import demo_problem
from tehai.v1 import problem_pb2
from tehai.wire import parse_text, problem_from_proto

EXAMPLE = Path(__file__).parents[2] / "examples" / "team-japan"


def test_example_file_is_fresh() -> None:
    """`python examples/team-japan/build.py` would change nothing."""
    script = runpy.run_path(str(EXAMPLE / "build.py"))
    assert (EXAMPLE / "problem.yaml").read_text(encoding="utf-8") == script["problem_text"]()


def test_example_file_reads_back_as_the_demo_problem() -> None:
    """The file, read as a user's file is read, gives the packaged problem."""
    data = (EXAMPLE / "problem.yaml").read_bytes()
    message, violations = parse_text(data, problem_pb2.Problem, source_name="problem.yaml")
    assert violations == ()
    assert message is not None
    assert problem_from_proto(message).problem == demo_problem("team-japan")
