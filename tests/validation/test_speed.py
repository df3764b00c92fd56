"""A large problem is decoded and checked in a moment, and the time grows with its size only."""

from __future__ import annotations

import time
from dataclasses import replace

from tehai.domain.limits import LIMITS
from tehai.domain.programme import SizeClassRate
from tehai.domain.workload import SizeClass
from tehai.pipeline_check import check_message
from tehai.v1 import problem_pb2
from tehai.validation import notes, validate
from tests import builders as make
from tests.wire.small_problem import pairs, small_message

WORKLOADS = 10_000
# Every workload but the first comes after another one, in as many long chains.
CHAINS = 2
# Three tenths of a second on the machine it was written on; this leaves room for slow and busy ones.
SECONDS_MAX = 4.0


# Two seconds on the same machine: each workload is looked at in every pool.
NOTES_SECONDS_MAX = 12.0


def _large() -> problem_pb2.Problem:
    message = small_message()
    for i in range(WORKLOADS):
        workload = message.workloads.add()
        workload.CopyFrom(message.workloads[i % 4])
        workload.id, workload.project_id = f"w{i}", f"project-{i // 3}"
        if i >= CHAINS:
            workload.after_workload_ids[:] = [f"w{i - CHAINS}"]
            workload.cost_not_run_yen = 1_000
    for i in range(1_000):
        member = message.members.add()
        member.CopyFrom(message.members[0])
        member.id = f"m{i}"
        member.ClearField("share_fraction")
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
    assert sum(len(workload.after_workload_ids) for workload in problem.workloads) > WORKLOADS / 2
    assert seconds < SECONDS_MAX


def test_notes_on_ten_thousand_workloads() -> None:
    """So do the notes, which look for a place for every workload and follow the chains."""
    problem, _ = check_message(_large())
    assert problem is not None
    started = time.perf_counter()
    found = notes(problem)
    seconds = time.perf_counter() - started
    assert any("can never run after" in note for note in found)
    assert seconds < NOTES_SECONDS_MAX


def test_many_programmes_that_stack() -> None:
    """As many stacking programmes as the limits allow, in groups that all go together, do not take the check long."""
    groups = [[f"g{g}-{k}" for k in range(LIMITS.stackable_programmes + 1)] for g in range(11)]
    programmes = [
        make.make_programme(
            name,
            rates=[SizeClassRate(SizeClass.LARGE, 0.12, name)],
            stackable=[other for other in group if other != name],
        )
        for group in groups
        for name in group
    ]
    members = [make.make_member(f"m{i}", flags=groups[i % 11][: i % 9]) for i in range(1_000)]
    problem = make.make_problem(members=[make.make_member(), *members], programmes=programmes)
    started = time.perf_counter()
    assert validate(problem) == ()
    assert time.perf_counter() - started < SECONDS_MAX
    generous = [replace(member, flags=(*groups[0], *member.flags)) for member in problem.members[:1]]
    found = validate(replace(problem, members=(*generous, *problem.members[1:])))
    assert pairs(found) == [("E1519", "programmes[0].stackable_programme_ids")]
    assert " + ".join(f'0.12 of "{name}"' for name in groups[0]) in found[0].message
