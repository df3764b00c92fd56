"""Damaged problems that are still valid are solved, soon, and the answer passes the second opinion: no nonsense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tehai.domain.plan import SolveOptions
from tehai.domain.problem import Problem
from tehai.pipeline import solve_valid
from tehai.pipeline_check import check_message, check_text
from tehai.v1 import problem_pb2
from tests.wire.mutation import changed_documents, changed_messages
from tests.wire.test_mutation import LONG, SHORT, deadline

# Processor time of one solve; the undamaged problem takes about a second.
CPU_SECONDS_MAX = 120.0
LITTLE_WORK = SolveOptions(work_limit=1, threads=1)


def _solve(problem: Problem | None) -> bool:
    """Solve a problem that is valid; return whether it was."""
    if problem is None:
        return False
    with deadline(CPU_SECONDS_MAX):
        result = solve_valid(problem, LITTLE_WORK)
    assert result.verified
    named = {placement.workload_id for placement in result.plan.placements} | set(result.plan.not_run_workload_ids)
    assert named == {workload.id for workload in problem.workloads}
    assert result.lower_bound_yen <= result.objective_yen or result.gap is None
    return True


@SHORT
@given(st.data())
def test_some_damaged_problems_are_solved(data: st.DataObject) -> None:
    """Texts and messages in turn: what check lets pass gets a verified answer."""
    if data.draw(st.booleans()):
        _solve(check_text(data.draw(changed_documents()), source_name="-")[0])
    else:
        _solve(check_message(data.draw(changed_messages()))[0])


@pytest.mark.slow
@pytest.mark.timeout(7200)
@LONG
@given(changed_documents())
def test_ten_thousand_damaged_files_are_solved_or_refused(data: bytes) -> None:
    """Ten thousand damaged files: each is refused with violations or solved with a verified answer."""
    problem, violations = check_text(data, source_name="-")
    assert _solve(problem) != bool(violations)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@LONG
@given(changed_messages())
def test_ten_thousand_damaged_messages_are_solved_or_refused(message: problem_pb2.Problem) -> None:
    """The same for messages as a caller sends them."""
    problem, violations = check_message(message)
    assert _solve(problem) != bool(violations)
