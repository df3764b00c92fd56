"""Results by hand for reports."""

from __future__ import annotations

from tehai.domain.certificate import Certificate
from tehai.domain.plan import Plan, StopReason
from tehai.domain.problem import Problem
from tehai.domain.result import SolveResult, SolveStatus
from tehai.explain import breakdown
from tehai.verify import check_plan, compute_bound
from tests.explain.certificates import certificate_of, oracle_prices
from tests.explain.hand_made import SHA256
from tests.rolling import rolling_plan, rolling_problem


def everything() -> tuple[Problem, SolveResult]:
    """Return a problem with all kinds of offers and limits, and a checked plan of it with a few prices."""
    problem = rolling_problem()
    prices = oracle_prices(
        capacity={("cloud", t): 300.0 for t in range(8)},
        budget={2027: 0.01},
        capital_ceiling={2027: 0.02},
        project_cap={("use", "p"): 0.03},
        waiting=100.0,
    )
    return problem, result_of(problem, rolling_plan(problem), certificate_of(problem, prices))


def result_of(problem: Problem, plan: Plan, certificate: Certificate) -> SolveResult:
    """Return a result that has passed the check of the plan."""
    checked = check_plan(problem, SHA256, plan)
    assert checked.violations == ()
    bound = int(compute_bound(problem, certificate))
    return SolveResult(
        status=SolveStatus.FEASIBLE,
        plan=plan,
        certificate=certificate,
        objective_yen=plan.objective_yen,
        plan_cost_yen=checked.plan_cost_yen,
        lower_bound_yen=bound,
        objective_gap_yen=plan.objective_yen - bound,
        gap=(plan.objective_yen - bound) / plan.objective_yen,
        gap_on_bill=(plan.objective_yen - bound) / checked.plan_cost_yen,
        verified=True,
        solve_seconds=1.0,
        peak_memory_mb=100.0,
        workloads_placed=len(plan.placements),
        workloads_not_run=len(plan.not_run_workload_ids),
        stop_reason=StopReason.TIME_LIMIT,
        unplaceable_workloads=(),
        uncapped=("programmes/buy/member_cap_yen",),
        breakdown=breakdown(problem, plan, certificate),
    )
