"""The soak bench in short: what it loads, sees and judges; the half hour itself is `python benches/soak.py`."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from benches.soak import JUDGED_CALLS, RATES, Record, Sample, slopes
from tests.faults.service import ROOT


def record(server_mb_per_minute: float) -> Record:
    """Return a run of half an hour whose server grows by so much."""
    found = Record(time.monotonic())
    for second in range(0, 1_800, 5):
        # Scatter as processes that come and go make it.
        scatter = 2.0 * (second // 5 % 3)
        server_mb = 100.0 + scatter + server_mb_per_minute * second / 60.0
        found.samples.append(Sample(float(second), server_mb, 200.0 + 20.0 * scatter, 4, 40, 20, 1.0))
    for minute in range(30):
        for method in JUDGED_CALLS:
            found.calls[method, minute] = [0.001, 0.002, 0.003]
    return found


def test_a_leak_is_seen() -> None:
    """A server that grows by 1 MB a minute is not flat, one that scatters and does not grow is."""
    by_name = {line.series: line for line in slopes(record(1.0))}
    assert not by_name["server_mb"].flat
    assert by_name["server_mb"].per_hour == pytest.approx(60.0, rel=0.05)
    assert all(line.flat for name, line in by_name.items() if name != "server_mb")
    assert all(line.flat for line in slopes(record(0.0)))


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_minute_of_soak() -> None:
    """A minute of mixed load makes every kind of call, none fails, and figures come out."""
    command = [sys.executable, "benches/soak.py", "--minutes", "1", "--output", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    # A minute is too short for a verdict; both are answers.
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert found["failed_calls"] == {}
    assert "log" not in found
    wanted = {"CreateSolve", "WatchSolve", *RATES} - {"solve"}
    assert wanted <= set(found["calls"])
    assert len(found["samples"]) > 5
