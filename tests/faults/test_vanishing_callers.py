"""Callers that vanish in the middle of a call: what was done for them alone ends, what was accepted goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tehai.v1 import solve_pb2
from tests.faults.conftest import Place
from tests.faults.problems import endless_solve, quick_solve
from tests.faults.service import ROOT, Service, wait_until
from tests.faults.steps import cancel, created, ended, running, solve

WATCHES = 40
STREAMS_MAX = 50
GONE_SECONDS = 30.0
SETTINGS = {"solves_max": 1, "cancel_grace_seconds": 0.5, "limit_streams_open": STREAMS_MAX}


@contextmanager
def caller(service: Service, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Give a program of ``caller_program`` on a service, which has said that it is in the middle of its calls."""
    command = [sys.executable, "-m", "tests.faults.caller_program", service.address, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=service.environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.faults)])
def test_a_stream_solve_ends_with_its_caller(sqlite_place: Place, number: signal.Signals) -> None:
    """The process of a StreamSolve ends when its caller is killed or goes; its place is free for another solve."""
    with sqlite_place.service(**SETTINGS) as service:
        with caller(service, "stream-solve") as process:
            pids = service.workers()
            assert pids
            process.send_signal(number)
            process.wait(30)
            wait_until(lambda: not set(pids) & set(service.workers()), GONE_SECONDS, "the solve process ends")
        assert ended(service, created(service, quick_solve())).state == solve_pb2.SOLVE_STATE_SUCCEEDED


def test_watches_are_freed(sqlite_place: Place) -> None:
    """Forty watches of a caller that is killed do not count any more, and the solve that they watched goes on."""
    with sqlite_place.service(**SETTINGS) as service:
        name = created(service, endless_solve())
        running(service, name)
        before = service.usage()
        for _ in range(3):
            # The second round fits the limit on streams only where the first one is gone.
            with caller(service, "watch", name, WATCHES) as process:
                process.kill()
                process.wait()
            wait_until(lambda: _watchers(service) == 0, GONE_SECONDS, "the watches are gone")
        after = service.usage()
        assert after.open_files - before.open_files < 10
        assert after.threads - before.threads < 20
        assert solve(service, name).state == solve_pb2.SOLVE_STATE_RUNNING
        cancel(service, name)
        assert ended(service, name).state == solve_pb2.SOLVE_STATE_SUCCEEDED


def _watchers(service: Service) -> float:
    lines = [line for line in service.metrics().splitlines() if line.startswith("tehai_watchers ")]
    assert len(lines) == 1, service.metrics()
    return float(lines[0].split()[1])


def test_a_creation_whose_caller_vanished_is_whole_or_not_there(sqlite_place: Place) -> None:
    """Creations that are cancelled at once leave no half: asked again with its id, each is one solve, and ends."""
    with sqlite_place.service(**{**SETTINGS, "limit_heavy_requests_per_second": 1_000}) as service:
        stub = service.stub()
        for number in range(20):
            call: Any = stub.CreateSolve.future(quick_solve(f"vanishing-{number}"), timeout=30)
            time.sleep(0.002 * (number % 5))
            call.cancel()
        names = {created(service, quick_solve(f"vanishing-{number}")) for number in range(20)}
        assert len(names) == 20
        for name in names:
            cancel(service, name)
            ended(service, name)
    assert sqlite_place.database(service).solves() == 20
    assert sqlite_place.database(service).faults() == []
