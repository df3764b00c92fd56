"""A day at the command line against a real server on each database, from the key to the deletion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tehai.catalog import demo_problem
from tehai.cli.exit_codes import ExitCode
from tehai.cli.failures import Failure
from tehai.cli.main import cli
from tehai.domain.plan import SolveOptions
from tehai.pipeline import run
from tehai.wire import problem_to_proto, result_to_proto, to_yaml
from tests.server.databases import NewDatabase
from tests.server.process import ServerProcess

LIMITS = ("--work-limit", "4", "--threads", "1")


def tehai(*arguments: str, code: ExitCode = ExitCode.OK) -> Result:
    """Run a command in this process; fail where it does not end with ``code``."""
    done = CliRunner().invoke(cli, list(arguments), standalone_mode=False)
    assert done.return_value == code, (done.output, done.exception)
    return done


def objects(*arguments: str) -> dict[str, object]:
    """Return what a command prints as JSON."""
    found: dict[str, object] = json.loads(tehai(*arguments, "--output", "json").stdout)
    return found


def plan_in(saved: str) -> object:
    """Return the plan of a saved result."""
    return yaml.safe_load(saved)["plan"]


def test_a_day(new_database: NewDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key, a solve watched to its end, its plan saved, priced, quoted and compared; it is gone in the evening."""
    problem = problem_to_proto(demo_problem("small"))
    file, plan_file = tmp_path / "problem.yaml", tmp_path / "plan.yaml"
    file.write_text(to_yaml(problem), encoding="utf-8")
    with new_database() as url, ServerProcess(database_url=url, anonymous_on_loopback=False) as server:
        # Keys are made in the database itself, by the settings of the server.
        for name, value in server.settings.items():
            monkeypatch.setenv(f"TEHAI_{name.upper()}", str(value))
        monkeypatch.setenv("TEHAI_SERVER", server.address)
        key = objects("keys", "create", "--tenant", "acme", "--scope", "all")
        monkeypatch.setenv("TEHAI_API_KEY", str(key["key"]))
        solve = tehai("solves", "create", str(file), *LIMITS, "--display-name", "June", "--request-id", "r1").stdout
        solve = solve.strip()
        assert solve.startswith("tenants/acme/solves/")
        again = tehai("solves", "create", str(file), *LIMITS, "--display-name", "June", "--request-id", "r1")
        assert again.stdout.strip() == solve
        assert "succeeded" in tehai("solves", "watch", solve).stdout
        assert solve in tehai("solves", "list", "--filter", 'display_name = "June"').stdout
        assert tehai("solves", "list", "--filter", "priority = 9").stdout == "no solves\n"
        tehai("solves", "show", solve, "--plan-out", str(plan_file))
        here = run(problem, SolveOptions(work_limit=4, threads=1))
        assert plan_in(plan_file.read_text(encoding="utf-8")) == plan_in(to_yaml(result_to_proto(here)))
        quotes = objects("quote", solve, str(file), "--id", problem.workloads[0].id)["quotes"]
        assert isinstance(quotes, list)
        assert [quote["workload_id"] for quote in quotes] == [problem.workloads[0].id]
        evaluation = objects("evaluate", str(file), str(plan_file), "--electricity-factor", "2")
        assert int(str(evaluation["objective_yen"])) == here.objective_yen
        assert "placed differently: 0" in tehai("diff", str(plan_file), str(plan_file)).stdout
        tehai("solves", "cancel", solve)
        tehai("solves", "delete", solve)
        gone = CliRunner().invoke(cli, ["solves", "show", solve], standalone_mode=False).exception
        assert isinstance(gone, Failure)
        assert (gone.code, "NOT_FOUND" in str(gone)) == (ExitCode.SERVER, True)
        assert str(key["key_id"]) in tehai("keys", "list", "--tenant", "acme").stdout
        tehai("keys", "revoke", str(key["key_id"]), "--tenant", "acme")
        assert objects("keys", "list", "--tenant", "acme")["keys"][0]["revoke_time"]  # type: ignore[index]
