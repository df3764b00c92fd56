"""``tehai diff`` of two files, in every format."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tehai.cli.diff import command
from tehai.cli.exit_codes import ExitCode
from tehai.evaluate import diff_plans
from tehai.wire import plan_difference_to_proto, plan_to_proto, result_to_proto, to_json, to_yaml
from tests.explain.hand_made import placement, reserved
from tests.report.results import everything


def diff(*arguments: str) -> Result:
    """Run the command in process; ``return_value`` is its exit code."""
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


@pytest.fixture(scope="module", name="files")
def make_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the paths of a saved result and of another plan alone."""
    path = tmp_path_factory.mktemp("diff")
    problem, result = everything()
    placements = (*result.plan.placements[2:], placement(problem, "runs", {2: 1008.0}, None, "cloud"))
    other = replace(
        result.plan,
        placements=placements,
        reservation_orders=(reserved(problem, 1, 2),),
        objective_yen=result.plan.objective_yen - 5,
        bill_lines=result.plan.bill_lines[1:],
    )
    (path / "before.json").write_text(to_json(result_to_proto(result)), encoding="utf-8")
    (path / "after.yaml").write_text(to_yaml(plan_to_proto(other)), encoding="utf-8")
    expected = diff_plans(result.plan, other)
    assert expected.placements
    assert expected.bill
    assert expected.commitments
    (path / "expected.json").write_text(to_json(plan_difference_to_proto(expected)), encoding="utf-8")
    return str(path / "before.json"), str(path / "after.yaml")


def test_json_is_the_difference(files: tuple[str, str]) -> None:
    """The output is the message of the service in JSON; YAML says the same."""
    done = diff(*files, "-o", "json")
    assert done.return_value == ExitCode.OK, done.output
    assert done.stdout == (Path(files[0]).parent / "expected.json").read_text(encoding="utf-8")
    assert yaml.safe_load(diff(*files, "-o", "yaml").stdout) == json.loads(done.stdout)


def test_tables(files: tuple[str, str]) -> None:
    """Each part that has rows has its table; of a plan and itself there is none."""
    done = diff(*files)
    assert done.return_value == ExitCode.OK
    for text in ("dropped", "moved", "allocation", "reservation/reserved", "objective: -5 yen", "differently: 2"):
        assert text in done.stdout, done.stdout
    assert diff(files[0], files[0]).stdout == "workloads placed differently: 0\nobjective: +0 yen\n"


def test_a_file_of_something_else(files: tuple[str, str], tmp_path: Path) -> None:
    """A file that holds no plan ends with code 3 and violations."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("colour: blue\n", encoding="utf-8")
    for pair in ((str(wrong), files[0]), (files[0], str(wrong))):
        done = diff(*pair)
        assert done.return_value == ExitCode.INVALID_INPUT
        assert "E1005" in done.stdout


def test_only_one_may_be_standard_input() -> None:
    """Two streams cannot be one."""
    assert CliRunner().invoke(command, ["-", "-"]).exit_code == ExitCode.USAGE
