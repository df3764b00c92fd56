"""Places, cancellation, crashes and the end of a server: nothing is left behind and nothing of the inside leaks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2

from tehai.v1.plan_pb2 import SolveOptions, StopReason
from tehai.v1.problem_pb2 import Problem
from tehai.v1.sourcing_service_pb2 import CheckProblemRequest, StreamSolveRequest, StreamSolveResponse
from tests.procfs import children
from tests.server.process import ROOT, ServerProcess, package_environment, status_of, wait_until

ENDLESS = SolveOptions(time_limit_seconds=300, gap_fraction=0)
# A cancelled solve has the grace of one second, then it is killed.
GONE_SECONDS = 10.0


@pytest.fixture
def narrow_server() -> Iterator[ServerProcess]:
    """Return a server with one place, of this test alone."""
    with ServerProcess(solves_max=1, cancel_grace_seconds=0.5, shutdown_grace_seconds=60) as process:
        yield process


def started(server: ServerProcess, problem: Problem) -> Any:  # noqa: ANN401 - a call is untyped in gRPC
    """Return a call whose solve runs: its first progress has come. A call that is dropped is cancelled."""
    call: Any = server.stub().StreamSolve(StreamSolveRequest(problem=problem, options=ENDLESS), timeout=300)
    assert next(call).WhichOneof("event") == "progress"
    return call


def test_one_solve_too_many_is_refused_with_a_time_to_retry(
    narrow_server: ServerProcess, long_problem: Problem
) -> None:
    """Past the limit a call ends in RESOURCE_EXHAUSTED with RetryInfo, and the running solve is not disturbed."""
    first = started(narrow_server, long_problem)
    with pytest.raises(grpc.RpcError) as caught:
        next(iter(narrow_server.stub().StreamSolve(StreamSolveRequest(problem=long_problem), timeout=60)))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status = status_of(caught.value)
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert retry.retry_delay.ToMilliseconds() == 5000
    assert first.is_active()
    first.cancel()


def test_cancelling_a_call_ends_its_process_and_frees_the_place(
    narrow_server: ServerProcess, long_problem: Problem, small_problem: Problem
) -> None:
    """After a cancelled call its process is gone, and another solve gets an answer."""
    call = started(narrow_server, long_problem)
    assert len(narrow_server.solve_pids()) == 1
    call.cancel()
    wait_until(lambda: narrow_server.solve_pids() == [], GONE_SECONDS, "the solve process ends")
    # The server hears of the end of a process a moment after the process table does.
    request = StreamSolveRequest(problem=small_problem, options=SolveOptions(work_limit=5))
    answers: list[StreamSolveResponse] = []

    def answered() -> bool:
        try:
            answers.extend(narrow_server.stub().StreamSolve(request, timeout=120))
        except grpc.RpcError as error:
            return error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED
        return True

    wait_until(answered, GONE_SECONDS, "the place is free")
    assert answers[-1].result.verified


def test_a_client_that_is_killed_takes_its_solve_along(
    narrow_server: ServerProcess, long_problem: Problem, tmp_path: Path
) -> None:
    """A client process that dies without a word does not leave a solve behind."""
    file = tmp_path / "problem.json"
    from tehai.wire import to_json

    file.write_text(to_json(long_problem), encoding="utf-8")
    command = [sys.executable, "-m", "tehai.cli.main", "solve", str(file), "--server", narrow_server.address]
    client = subprocess.Popen(
        [*command, "--time-limit", "300", "--gap", "0"],
        env=package_environment(),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: len(narrow_server.solve_pids()) == 1, 60, "the solve starts")
    finally:
        client.kill()
        client.wait()
    wait_until(lambda: narrow_server.solve_pids() == [], GONE_SECONDS, "the solve process ends")


def test_a_crash_of_a_solve_is_an_internal_error_and_nothing_more(
    narrow_server: ServerProcess, long_problem: Problem
) -> None:
    """A killed solve process ends its call with INTERNAL and an incident number; the server goes on."""
    call = started(narrow_server, long_problem)
    os.kill(narrow_server.solve_pids()[0], signal.SIGKILL)
    with pytest.raises(grpc.RpcError) as caught:
        list(call)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    text = str(caught.value.details())
    assert text.startswith("the solve ended without an answer (incident ")
    assert "process" not in text
    incident = text.partition("incident ")[2].rstrip(")")
    wait_until(lambda: bool(narrow_server.lines("call failed")), 10, "the crash is logged")
    assert narrow_server.lines("call failed")[0]["incident"] == incident
    checked = narrow_server.stub().CheckProblem(CheckProblemRequest(problem=long_problem), timeout=60)
    assert checked.problem_sha256


def test_a_dead_fork_server_is_replaced(narrow_server: ServerProcess, small_problem: Problem) -> None:
    """When the process that solves are forked from dies, the next solve starts a new one and gets its answer."""
    # The fork server and whatever helps it.
    for pid in children(narrow_server.pid):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: children(narrow_server.pid) == [], 10, "the fork server is gone")
    request = StreamSolveRequest(problem=small_problem, options=SolveOptions(work_limit=5))
    assert list(narrow_server.stub().StreamSolve(request, timeout=120))[-1].result.verified


def test_sigterm_lets_a_running_solve_answer(narrow_server: ServerProcess, long_problem: Problem) -> None:
    """On SIGTERM a running solve answers with its best plan, new ones are refused, and the server ends with 0."""
    call = started(narrow_server, long_problem)
    narrow_server.signal(signal.SIGTERM)
    last = None
    for event in call:
        last = event
    assert last is not None
    assert last.result.verified
    assert last.result.stop_reason == StopReason.STOP_REASON_CANCELLED
    assert narrow_server.wait(30) == 0


def test_a_killed_server_leaves_no_solve_behind(long_problem: Problem) -> None:
    """A solve whose server is killed ends by itself, at the latest after the grace."""
    with ServerProcess(cancel_grace_seconds=0, shutdown_grace_seconds=0) as server:
        call = started(server, long_problem)
        pids = server.solve_pids()
        assert len(pids) == 1
        server.signal(signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{pids[0]}").exists(), 20, "the solve process ends")
        call.cancel()


def test_a_solve_past_the_servers_limit_answers_with_its_plan(long_problem: Problem) -> None:
    """A server may limit the time of a solve; the client still gets a plan."""
    # A stop is heard within a tenth of a second; what is left is a first plan and its check, on a busy machine.
    with ServerProcess(solve_seconds_max=1, shutdown_grace_seconds=30) as server:
        events = list(server.stub().StreamSolve(StreamSolveRequest(problem=long_problem, options=ENDLESS), timeout=120))
    assert events[-1].result.verified
    assert events[-1].result.stop_reason == StopReason.STOP_REASON_CANCELLED
