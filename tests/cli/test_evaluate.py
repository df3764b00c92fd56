"""``tehai evaluate``: a bill under a change from files, in every format, and every way in which it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tehai.cli.evaluate import command
from tehai.cli.exit_codes import ExitCode
from tehai.domain.evaluation import OfferPriceFactor, ScenarioChange
from tehai.evaluate import evaluate_plan
from tehai.wire import evaluation_to_proto, plan_to_proto, problem_sha256, problem_to_proto, to_json, to_yaml
from tests.report.results import everything


def evaluate(*arguments: str) -> Result:
    """Run the command in process; ``return_value`` is its exit code."""
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


@pytest.fixture(scope="module", name="files")
def make_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the paths of a problem and of a plan of it."""
    path = tmp_path_factory.mktemp("evaluate")
    problem, result = everything()
    plan = replace(result.plan, problem_sha256=problem_sha256(problem))
    (path / "problem.yaml").write_text(to_yaml(problem_to_proto(problem)), encoding="utf-8")
    (path / "plan.json").write_text(to_json(plan_to_proto(plan)), encoding="utf-8")
    return str(path / "problem.yaml"), str(path / "plan.json")


def test_json_is_the_evaluation(files: tuple[str, str]) -> None:
    """The options make up the change, and the output is the message of the service in JSON."""
    options = ["--usd-jpy-factor", "1.1", "--offer-price", "bought=4", "--offer-price", "demand=1.2"]
    options += ["--without-programme", "use", "--electricity-factor", "1.3"]
    done = evaluate(*files, *options, "-o", "json")
    assert done.return_value == ExitCode.OK, done.output
    problem, result = everything()
    digest = problem_sha256(problem)
    plan = replace(result.plan, problem_sha256=digest)
    change = ScenarioChange(1.1, (OfferPriceFactor("bought", 4.0), OfferPriceFactor("demand", 1.2)), ("use",), 1.3)
    expected = evaluate_plan(problem, digest, plan, change)
    assert expected.broken_limits
    assert done.stdout == to_json(evaluation_to_proto(expected))
    assert yaml.safe_load(evaluate(*files, *options, "-o", "yaml").stdout) == json.loads(done.stdout)


def test_tables(files: tuple[str, str]) -> None:
    """The tables show what moves, and each limit that is broken."""
    done = evaluate(*files, "--offer-price", "bought=4")
    assert done.return_value == ExitCode.OK
    for text in ("16,000,000", "64,000,000", "+48,000,000", "FY2027", "Objective", "V2305", "V2308"):
        assert text in done.stdout
    assert "limits: none is broken" in evaluate(*files).stdout


@pytest.mark.parametrize("text", ["bought", "bought=", "=2", "bought=dear"])
def test_a_factor_that_cannot_be_read(files: tuple[str, str], text: str) -> None:
    """Text that is no offer and factor ends with code 2."""
    done = CliRunner().invoke(command, [*files, "--offer-price", text])
    assert done.exit_code == ExitCode.USAGE
    assert "--offer-price" in done.stderr


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ("--usd-jpy-factor=0", "E2001"),
        ("--electricity-factor=nan", "E2001"),
        ("--offer-price=nothing=2", "E2002"),
        ("--without-programme=nothing", "E2005"),
    ],
)
def test_a_change_that_cannot_be_applied(files: tuple[str, str], option: str, code: str) -> None:
    """A change with a fault ends with code 3, and the fault."""
    done = evaluate(*files, option, "-o", "json")
    assert done.return_value == ExitCode.INVALID_INPUT
    assert [violation["code"] for violation in json.loads(done.stdout)["violations"]] == [code]


def test_a_plan_of_another_problem(files: tuple[str, str], tmp_path: Path) -> None:
    """A plan with another hash fails its check: code 4, and what is wrong."""
    other = tmp_path / "other.json"
    other.write_text(to_json(plan_to_proto(everything()[1].plan)), encoding="utf-8")
    done = evaluate(files[0], str(other))
    assert done.return_value == ExitCode.NOT_VERIFIED
    assert "V2002 plan.problem_sha256" in done.stdout


@pytest.mark.parametrize("broken", [0, 1])
def test_a_file_of_something_else(files: tuple[str, str], broken: int) -> None:
    """A plan in the place of the problem, or the other way round, ends with code 3 and violations."""
    done = evaluate(files[1 - broken], files[1 - broken])
    assert done.return_value == ExitCode.INVALID_INPUT
    assert "violation" in done.stdout


def test_only_one_may_be_standard_input() -> None:
    """Two streams cannot be one."""
    assert CliRunner().invoke(command, ["-", "-"]).exit_code == ExitCode.USAGE
