"""Ctrl-C, as a signal to a real process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tehai.cli.exit_codes import ExitCode
from tehai.cli.interrupt import run_interruptible
from tests.server.process import ROOT, ServerProcess, package_environment


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start an endless solve of the large demo problem and wait until it shows progress."""
    command = [sys.executable, "-m", "tehai.cli.main", "demo", "--time-limit", "300", "--gap", "0", *arguments]
    process = subprocess.Popen(
        command, env=package_environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while " s  " not in (line := process.stderr.readline()):
        assert line, "the process ended without progress"
    return process


def test_one_interrupt_keeps_the_best_plan(tmp_path: Path) -> None:
    """After SIGINT the process prints a verified plan and saves it; the code is that of the plan it had by then."""
    plan = tmp_path / "plan.json"
    process = start("--output", "json", "--plan-out", str(plan))
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    summary = json.loads(output)
    full = summary["status"] in {"feasible", "optimal"}
    assert process.returncode == (ExitCode.OK if full else ExitCode.NO_FULL_PLAN), errors
    assert summary["stop_reason"] == "cancelled"
    assert summary["verified"] is True
    assert json.loads(plan.read_text(encoding="utf-8"))["plan"]["objective_yen"] == summary["objective_yen"]


def test_a_second_interrupt_ends_at_once() -> None:
    """A second SIGINT ends the process with 130 and prints no plan, however busy the solver is."""
    process = start("--output", "json")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Ctrl-C again" not in (line := process.stderr.readline()):
        assert line, "the first interrupt was not heard"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=5)
    # The solve may have finished between the two signals.
    assert (process.returncode, output) == (ExitCode.INTERRUPTED, "") or output.startswith("{")


def test_an_interrupt_ends_a_solve_on_a_server() -> None:
    """SIGINT with --server ends with 130, says that the plan is lost, and frees the server."""
    with ServerProcess() as server:
        process = start("--server", server.address)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == ExitCode.INTERRUPTED
        assert "its plan is lost" in errors


def test_what_the_work_raises_is_raised() -> None:
    """An exception of the work comes out as it is, and the handler of SIGINT is restored."""
    before = signal.getsignal(signal.SIGINT)

    def fail(_: object) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run_interruptible(fail, note="")
    assert signal.getsignal(signal.SIGINT) is before


def test_the_first_interrupt_sets_the_flag() -> None:
    """One SIGINT makes ``should_stop`` true and lets the work finish."""

    def work(should_stop: object) -> str:
        assert callable(should_stop)
        threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,)).start()
        while not should_stop():
            threading.Event().wait(0.01)
        return "best so far"

    assert run_interruptible(work, note="stopping") == "best so far"
