"""``tehai roll`` from files to a file that check accepts, and every way in which it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tehai.cli.exit_codes import ExitCode
from tehai.cli.main import cli
from tehai.pipeline_roll import roll
from tehai.v1.problem_pb2 import Problem as ProblemMessage
from tehai.wire import parse_text, plan_to_proto, problem_from_proto, problem_sha256, problem_to_proto, to_json, to_yaml
from tests.builders import day
from tests.report.results import everything
from tests.rolling import ROLL_PERIOD


def tehai(*arguments: str) -> Result:
    """Run a command in process; ``return_value`` is its exit code."""
    return CliRunner().invoke(cli, list(arguments), standalone_mode=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a problem and a plan of it, made by hand."""
    path = tmp_path_factory.mktemp("roll")
    problem, result = everything()
    plan = replace(result.plan, problem_sha256=problem_sha256(problem))
    (path / "problem.yaml").write_text(to_yaml(problem_to_proto(problem)), encoding="utf-8")
    (path / "plan.json").write_text(to_json(plan_to_proto(plan)), encoding="utf-8")
    other = replace(plan, objective_yen=plan.objective_yen + 1)
    (path / "other.json").write_text(to_json(plan_to_proto(other)), encoding="utf-8")
    return path


def rolled(folder: Path, *options: str, plan: str = "plan.json") -> Result:
    """Roll the problem of the folder."""
    return tehai("roll", str(folder / "problem.yaml"), str(folder / plan), *options)


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_rolled_problem_is_saved(folder: Path, tmp_path: Path, suffix: str) -> None:
    """The file holds the problem that ``roll`` makes, check accepts it, and standard error says what became of it."""
    file = tmp_path / f"next.{suffix}"
    done = rolled(folder, "--to", day(ROLL_PERIOD).isoformat(), "--change-yen", "4000", "-o", str(file))
    assert done.return_value == ExitCode.OK, done.output
    assert done.stdout == ""
    assert "1 finished, 2 running and locked, 2 planned" in done.stderr
    assert "existing capacity: 4" in done.stderr
    assert "leave: 2" in done.stderr
    message, violations = parse_text(file.read_bytes(), ProblemMessage, source_name="next")
    assert message is not None, violations
    problem, result = everything()
    assert problem_from_proto(message).problem == roll(problem, result.plan, ROLL_PERIOD, 4_000)
    assert tehai("check", str(file)).return_value == ExitCode.OK


def test_without_a_file_it_is_printed(folder: Path) -> None:
    """Standard output has the YAML and nothing else."""
    done = rolled(folder, "--to", "2027-05-03")
    assert done.return_value == ExitCode.OK
    message, violations = parse_text(done.stdout.encode(), ProblemMessage, source_name="output")
    assert message is not None, violations
    assert message.calendar.first_date == "2027-05-03"


@pytest.mark.parametrize(
    "options", [(), ("--to", "2027-05-04"), ("--to", "May"), ("--to", "2027-05-03", "--change-yen", "-1")]
)
def test_a_day_that_is_no_beginning_is_a_usage_error(folder: Path, options: tuple[str, ...]) -> None:
    """A missing or wrong day, or a negative charge, ends with code 2."""
    arguments = ["roll", str(folder / "problem.yaml"), str(folder / "plan.json"), *options]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == ExitCode.USAGE, done.output
    assert done.stdout == ""
    assert done.stderr


def test_only_one_may_be_standard_input() -> None:
    """Two streams cannot be one."""
    assert CliRunner().invoke(cli, ["roll", "-", "-", "--to", "2027-05-03"]).exit_code == ExitCode.USAGE


def test_a_plan_that_is_not_valid_is_not_rolled(folder: Path) -> None:
    """A plan with another objective fails its check: code 4, and what is wrong."""
    done = rolled(folder, "--to", "2027-05-03", plan="other.json")
    assert done.return_value == ExitCode.NOT_VERIFIED
    assert "V2505" in done.stdout


@pytest.mark.parametrize("broken", ["problem", "plan"])
def test_a_file_of_something_else_is_invalid_input(folder: Path, broken: str) -> None:
    """A plan in the place of the problem, or the other way round, ends with code 3 and violations."""
    problem, plan = str(folder / "problem.yaml"), str(folder / "plan.json")
    files = (plan, plan) if broken == "problem" else (problem, problem)
    done = tehai("roll", *files, "--to", "2027-05-03")
    assert done.return_value == ExitCode.INVALID_INPUT
    assert "violation" in done.stdout
