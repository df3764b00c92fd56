"""A large problem is decoded and checked in a moment, and the time grows with its size only."""

from __future__ import annotations

import time

from tehai.pipeline_check import check_message
from tehai.v1 import problem_pb2
from tests.wire.small_problem import small_message

WORKLOADS = 10_000
# Three tenths of a second on the machine it was written on; this leaves room for slow and busy ones.
SECONDS_MAX = 4.0


def _large() -> problem_pb2.Problem:
    message = small_message()
    for i in range(WORKLOADS):
        workload = message.workloads.add()
        workload.CopyFrom(message.workloads[i % 4])
        workload.id, workload.project_id = f"w{i}", f"project-{i // 3}"
    for i in range(1_000):
        member = message.members.add()
        member.CopyFrom(message.members[0])
        member.id = f"m{i}"
    return message


def test_ten_thousand_workloads() -> None:
    """Decoding and every rule take well under the limit for 10,000 workloads; no rule is quadratic."""
    message = _large()
    started = time.perf_counter()
    problem, violations = check_message(message)
    seconds = time.perf_counter() - started
    assert violations == ()
    assert problem is not None
    assert len(problem.workloads) == WORKLOADS + 4
    assert seconds < SECONDS_MAX
