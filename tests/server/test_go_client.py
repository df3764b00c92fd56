"""A program in another language, generated from the contract, solves, quotes and cancels (make test-services)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tehai.domain.plan import SolveOptions
from tehai.pipeline import run
from tehai.v1.plan_pb2 import StopReason
from tehai.v1.problem_pb2 import Problem
from tehai.v1.solve_pb2 import SolveState
from tehai.v1.sourcing_service_pb2 import GetSolveRequest
from tests.server.process import ROOT, ServerProcess

CLIENT = ROOT / ".tools" / "go-client"
WORK_LIMIT = 4

pytestmark = [pytest.mark.services, pytest.mark.timeout(600)]


def call(*arguments: str | Path, key: str = "") -> subprocess.CompletedProcess[str]:
    """Run the Go program; it is built by tools/build_go_client.sh, and missing it is a failure, not a skip."""
    assert CLIENT.is_file(), "run tools/build_go_client.sh"
    command = [str(CLIENT), *map(str, arguments)]
    environment = {**os.environ, "TEHAI_API_KEY": key}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_it_solves_and_reads_the_plan(server: ServerProcess, small_problem: Problem, tmp_path: Path) -> None:
    """It follows the progress, adds up the bill, and reads the very figures that Python gets in process."""
    summary_path = tmp_path / "summary.json"
    done = call("-server", server.address, "-work-limit", str(WORK_LIMIT), "-json", summary_path)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(summary_path.read_text(encoding="utf-8"))
    expected = run(small_problem, SolveOptions(work_limit=WORK_LIMIT, threads=1))
    assert summary["objective_yen"] == expected.objective_yen
    assert summary["lower_bound_yen"] == expected.lower_bound_yen
    assert summary["placed"] == expected.workloads_placed
    assert summary["not_run"] == expected.workloads_not_run
    assert summary["verified"] is True
    assert summary["status"] == expected.status.value
    assert summary["progress_count"] > 2
    assert all(placement.workload_id in done.stdout for placement in expected.plan.placements)


def test_it_creates_watches_quotes_and_cancels(server: ServerProcess, small_problem: Problem, tmp_path: Path) -> None:
    """Its solve is kept by the server and has the plan of a solve in process; another one ends when it is told to."""
    path = tmp_path / "summary.json"
    done = call("-server", server.address, "-durable", "-work-limit", str(WORK_LIMIT), "-json", path)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads(path.read_text(encoding="utf-8"))
    expected = run(small_problem, SolveOptions(work_limit=WORK_LIMIT, threads=1))
    assert summary["objective_yen"] == expected.objective_yen
    assert summary["verified"] is True
    durable = summary["durable"]
    assert (durable["state"], durable["request_id_kept"]) == ("succeeded", True)
    assert len(durable["quoted_yen"]) == 3
    assert durable["indicative"] is True
    assert (durable["cancelled_state"], durable["cancel_asked"]) == ("succeeded", True)
    kept = server.stub().GetSolve(GetSolveRequest(name=durable["solve"]), timeout=30)
    assert (kept.state, kept.display_name) == (SolveState.SOLVE_STATE_SUCCEEDED, "go-client")
    cancelled = server.stub().GetSolve(GetSolveRequest(name=durable["cancelled_solve"]), timeout=30)
    assert cancelled.cancel_requested
    assert cancelled.standing.stop_reason == StopReason.STOP_REASON_CANCELLED


def test_it_says_which_credential_is_refused(server: ServerProcess) -> None:
    """Its key goes with each call, and the reason that the server gives is told."""
    done = call("-server", server.address, key="no-key-of-this-server")
    assert done.returncode == 2
    assert "Unauthenticated" in done.stderr
    assert "reason " in done.stderr


def test_it_says_what_is_wrong(server: ServerProcess) -> None:
    """An unknown demo problem is told with the server's own words and exit status 2."""
    done = call("-server", server.address, "-problem", "no-such-problem")
    assert done.returncode == 2
    assert "no-such-problem" in done.stderr


def test_it_ends_where_there_is_no_server() -> None:
    """Without a server it ends in time with an error."""
    done = call("-server", "127.0.0.1:1", "-timeout", "10s")
    assert done.returncode == 2
    assert done.stderr.startswith("go-client:")
