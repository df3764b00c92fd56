"""Every row of the master decides in a problem that was worked out by hand."""

from __future__ import annotations

import pytest

from tehai.domain.plan import SolveOptions, StopReason
from tehai.engine.instance import build_instance
from tehai.master.linear_model import SolveLimits, Solver
from tehai.master.restricted import RestrictedMaster
from tehai.solve.plan_builder import build_plan
from tehai.verify import check_plan
from tests.master.columns import every_column
from tests.master.small_cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_the_rule_decides(name: str) -> None:
    """The integer master over all columns finds the optimum; its plan costs that much and passes the second opinion."""
    problem, expected = CASES[name]
    instance = build_instance(problem)
    solved = RestrictedMaster(instance, every_column(instance), integer=True).solve(Solver.HIGHS, SolveLimits())
    assert solved is not None
    assert solved.plan is not None
    assert solved.objective_yen == pytest.approx(expected, abs=0.1)
    plan = build_plan(instance, solved.plan, "", "0", SolveOptions(), StopReason.OPTIMAL)
    checked = check_plan(problem, "", plan)
    assert checked.valid, checked.violations
    assert plan.objective_yen == expected
