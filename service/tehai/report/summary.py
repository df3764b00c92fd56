"""The summary of a solve as one flat object with stable names."""

from __future__ import annotations

from tehai.domain.result import SolveResult

Summary = dict[str, object]


def result_summary(result: SolveResult) -> Summary:
    """Return what a program wants to know of a solve; amounts in whole yen, enumerations in lower case."""
    plan = result.plan
    return {
        "status": result.status.value,
        "stop_reason": result.stop_reason.value,
        "verified": result.verified,
        "objective_yen": result.objective_yen,
        "plan_cost_yen": result.plan_cost_yen,
        "lower_bound_yen": result.lower_bound_yen,
        "objective_gap_yen": result.objective_gap_yen,
        "gap": result.gap,
        "gap_on_bill": result.gap_on_bill,
        "solve_seconds": result.solve_seconds,
        "peak_memory_mb": result.peak_memory_mb,
        "workloads_placed": result.workloads_placed,
        "workloads_not_run": result.workloads_not_run,
        "not_run_workload_ids": list(plan.not_run_workload_ids),
        "unplaceable_workloads": [
            {"workload_id": workload.workload_id, "reason": workload.reason}
            for workload in result.unplaceable_workloads
        ],
        "cash": [{"fiscal_year": cash.fiscal_year, "amount_yen": cash.amount_yen} for cash in plan.cash],
        "obligation_after_horizon_yen": plan.obligation_after_horizon_yen,
        "uncapped": list(result.uncapped),
        "problem_sha256": plan.problem_sha256,
        "tehai_version": plan.tehai_version,
    }
