"""The summary of a solve as one flat object with stable names."""

from __future__ import annotations

from dataclasses import asdict

from tehai.domain.result import Breakdown, SolveResult

Summary = dict[str, object]
# Of the shadow prices, the rows that are listed; those worth most.
SHADOW_PRICES_MAX = 100


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
        "claims_receivable_after_horizon_yen": plan.claims_receivable_after_horizon_yen,
        "breakdown": None if result.breakdown is None else _breakdown(result.breakdown),
        "uncapped": list(result.uncapped),
        "problem_sha256": plan.problem_sha256,
        "tehai_version": plan.tehai_version,
    }


def _breakdown(breakdown: Breakdown) -> Summary:
    """Return a breakdown with the field names of the contract; of shadow prices those worth most."""
    return {
        "by_component": [asdict(item) for item in breakdown.by_component],
        "by_member": [asdict(item) for item in breakdown.by_member],
        "by_site": [asdict(item) for item in breakdown.by_site],
        "by_currency": [asdict(item) for item in breakdown.by_currency],
        "by_fiscal_year": [asdict(item) for item in breakdown.by_fiscal_year],
        "claim_uses": [asdict(item) for item in breakdown.claim_uses],
        "shadow_prices": [asdict(item) for item in breakdown.shadow_prices[:SHADOW_PRICES_MAX]],
        "member_bills": [asdict(item) for item in breakdown.member_bills],
    }
