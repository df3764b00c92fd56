"""Each command, its formats and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tehai.catalog import demo_problem
from tehai.cli.exit_codes import MEANINGS, ExitCode
from tehai.cli.main import COMMANDS, cli
from tehai.wire import problem_to_proto, to_json, to_yaml

QUICK = ("--work-limit", "5", "--seed", "3", "--quiet")


def tehai(*arguments: str, text: bytes | None = None) -> Result:
    """Run a command in process; ``return_value`` is its exit code."""
    return CliRunner().invoke(cli, list(arguments), input=text, standalone_mode=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the small problem as problem.yaml and a plan of it as plan.yaml."""
    path = tmp_path_factory.mktemp("cli")
    (path / "problem.yaml").write_text(to_yaml(problem_to_proto(demo_problem("small"))), encoding="utf-8")
    done = tehai("solve", str(path / "problem.yaml"), *QUICK, "--plan-out", str(path / "plan.yaml"))
    assert done.return_value == ExitCode.OK, done.output
    return path


WANTED = {
    "objective_yen": int,
    "plan_cost_yen": int,
    "lower_bound_yen": int,
    "gap": (float, type(None)),
    "gap_on_bill": (float, type(None)),
    "verified": bool,
    "solve_seconds": float,
    "peak_memory_mb": float,
    "workloads_placed": int,
    "workloads_not_run": int,
    "stop_reason": str,
    "status": str,
}


def test_solve_prints_one_json_object(folder: Path) -> None:
    """The JSON of a solve is one object with every promised field, and nothing else is on standard output."""
    done = tehai("solve", str(folder / "problem.yaml"), *QUICK, "--output", "json")
    assert done.return_value == ExitCode.OK, done.output
    summary = json.loads(done.stdout)
    for name, kind in WANTED.items():
        assert isinstance(summary[name], kind), name  # type: ignore[arg-type]
    assert summary["verified"] is True
    assert summary["lower_bound_yen"] <= summary["objective_yen"]
    assert summary["stop_reason"] in {"gap_reached", "work_limit", "optimal", "exhausted"}


def test_yaml_says_what_json_says(folder: Path) -> None:
    """The two formats have the same fields, and the same values but for time and memory."""
    arguments = ("solve", str(folder / "problem.yaml"), *QUICK, "--output")
    one, other = json.loads(tehai(*arguments, "json").stdout), yaml.safe_load(tehai(*arguments, "yaml").stdout)
    assert list(one) == list(other)
    measured = {"solve_seconds", "peak_memory_mb"}
    assert {k: v for k, v in one.items() if k not in measured} == {k: v for k, v in other.items() if k not in measured}


def test_the_table_has_the_answer_and_where_it_comes_from(folder: Path) -> None:
    """The default output names cost, bound, pools, bill, cash and sources."""
    text = tehai("solve", str(folder / "problem.yaml"), *QUICK).stdout
    for part in ("Objective", "Lower bound", "How to read it", "Workloads placed", "Bill", "Cash", "Sources of"):
        assert part in text, part


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_saved_plan_passes_verify(folder: Path, tmp_path: Path, suffix: str) -> None:
    """What --plan-out writes, in either format, verify accepts, with the same objective and bound."""
    plan = tmp_path / f"plan.{suffix}"
    solved = tehai("solve", str(folder / "problem.yaml"), *QUICK, "-o", "json", "--plan-out", str(plan))
    summary = json.loads(solved.stdout)
    done = tehai("verify", str(folder / "problem.yaml"), str(plan), "--output", "json")
    assert done.return_value == ExitCode.OK, done.output
    verdict = json.loads(done.stdout)
    assert verdict["valid"] is True
    assert verdict["violations"] == []
    assert verdict["objective_yen"] == summary["objective_yen"]
    assert verdict["lower_bound_yen"] == summary["lower_bound_yen"]


def test_the_same_seed_gives_the_same_plan(folder: Path, tmp_path: Path) -> None:
    """Two solves under one work limit and seed save the same plan and certificate."""
    saved = []
    for name in ("one.json", "two.json"):
        tehai("solve", str(folder / "problem.yaml"), *QUICK, "--plan-out", str(tmp_path / name))
        result = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        saved.append((result["plan"], result["certificate"]))
    assert saved[0] == saved[1]


def test_a_plan_that_was_changed_fails_verify(folder: Path, tmp_path: Path) -> None:
    """A plan file with another objective is well formed and not valid: exit code 4 and the violations."""
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))
    plan["plan"]["objective_yen"] += 1
    changed = tmp_path / "plan.json"
    changed.write_text(json.dumps(plan), encoding="utf-8")
    done = tehai("verify", str(folder / "problem.yaml"), str(changed), "--output", "json")
    assert done.return_value == ExitCode.NOT_VERIFIED
    verdict = json.loads(done.stdout)
    assert verdict["valid"] is False
    assert verdict["violations"]
    assert tehai("verify", str(folder / "problem.yaml"), str(changed)).return_value == ExitCode.NOT_VERIFIED


def test_verify_takes_a_plan_alone(folder: Path, tmp_path: Path) -> None:
    """A file with a plan and no certificate is checked as a plan; there is no bound then."""
    plan = yaml.safe_load((folder / "plan.yaml").read_text(encoding="utf-8"))["plan"]
    alone = tmp_path / "plan.json"
    alone.write_text(json.dumps(plan), encoding="utf-8")
    done = tehai("verify", str(folder / "problem.yaml"), str(alone), "--output", "json")
    assert done.return_value == ExitCode.OK, done.output
    assert json.loads(done.stdout)["lower_bound_yen"] is None


def test_verify_of_something_else_is_invalid_input(folder: Path) -> None:
    """A problem in the place of a plan is refused with exit code 3 and violations."""
    problem = str(folder / "problem.yaml")
    done = tehai("verify", problem, problem, "--output", "json")
    assert done.return_value == ExitCode.INVALID_INPUT
    assert json.loads(done.stdout)["violations"]


def test_check_reads_standard_input() -> None:
    """``tehai check -`` reads the problem from standard input, YAML or JSON."""
    message = problem_to_proto(demo_problem("small"))
    digests = set()
    for text in (to_yaml(message), to_json(message)):
        done = tehai("check", "-", "--output", "json", text=text.encode())
        assert done.return_value == ExitCode.OK, done.output
        value = json.loads(done.stdout)
        assert value["valid"] is True
        digests.add(value["problem_sha256"])
    assert len(digests) == 1
    assert "workloads" in tehai("check", "-", text=text.encode()).stdout


def test_demo_saves_its_problem(tmp_path: Path) -> None:
    """``tehai demo --problem-out`` writes a file that check accepts."""
    file = tmp_path / "small.yaml"
    done = tehai("demo", "small", *QUICK, "--problem-out", str(file), "--output", "json")
    assert done.return_value == ExitCode.OK, done.output
    assert tehai("check", str(file)).return_value == ExitCode.OK


@pytest.mark.parametrize(
    "arguments",
    [
        ("no-such-command",),
        ("solve",),
        ("solve", "no-such-file.yaml"),
        ("solve", "x.yaml", "--gap", "2"),
        ("solve", "x.yaml", "--work-limit", "0"),
        ("solve", "x.yaml", "--time-limit", "-1"),
        ("demo", "no-such-demo"),
        ("verify", "-", "-"),
        ("roll", "no-such-file.yaml", "no-such-file.yaml", "--to", "2027-05-03"),
    ],
)
def test_usage_errors_have_one_code(arguments: tuple[str, ...]) -> None:
    """An unknown command, option value or file ends with code 2 and a text on stderr."""
    done = CliRunner().invoke(cli, list(arguments))
    assert done.exit_code == ExitCode.USAGE, done.output
    assert done.stdout == ""
    assert done.stderr


def test_no_server_has_its_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address without a server ends with code 6."""
    from tehai.cli.failures import Failure
    from tehai.client import sourcing_client

    monkeypatch.setattr(sourcing_client, "CONNECT_SECONDS", 0.5)
    done = tehai("solve", str(folder / "problem.yaml"), "--server", "127.0.0.1:1", "--quiet")
    assert isinstance(done.exception, Failure)
    assert done.exception.code == ExitCode.SERVER
    assert "127.0.0.1:1" in str(done.exception)


def test_serve_names_the_extra_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database whose packages are not installed ends serve with code 6 and what to install."""
    from tehai.cli.failures import Failure
    from tehai.server import app

    def serve(_: object) -> None:
        name = "psycopg"
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(app, "serve", serve)
    error = tehai("serve").exception
    assert isinstance(error, Failure)
    assert (error.code, "pip install 'tehai[postgres]'" in str(error)) == (ExitCode.SERVER, True)


def test_help_lists_commands_and_codes() -> None:
    """The help names every command and the meaning of every exit code."""
    text = " ".join(CliRunner().invoke(cli, ["--help"]).stdout.split())
    assert all(name in text for name in COMMANDS)
    assert all(f"{code.value} {meaning}" in text for code, meaning in MEANINGS.items())
    for name in COMMANDS:
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_version_prints_one_line() -> None:
    """``tehai version`` names the program and its version."""
    assert tehai("version").stdout.startswith("tehai 0.")
