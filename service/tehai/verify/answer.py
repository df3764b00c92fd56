"""The second opinion on a plan, alone or with its certificate.

Everything is derived again from docs/rules.md; nothing is shared with what made the plan but the nouns themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.certificate import Certificate
from tehai.domain.plan import BillComponent, Plan
from tehai.domain.problem import SCHEMA_VERSION, Problem
from tehai.domain.violation import Violation
from tehai.verify import (
    blocks,
    capital_claims,
    claim_limits,
    claims,
    figures,
    order_rows,
    placements,
    rows,
    segments,
    supply,
    uses,
    year_rows,
)
from tehai.verify import certificate as certificate_checks
from tehai.verify.bill import Bill, agrees, compute_bill, round_yen
from tehai.verify.bound import Bound, evaluate_bound, form_faults
from tehai.verify.case import Case, build_case
from tehai.verify.columns import has_legal_column
from tehai.verify.faults import violation
from tehai.verify.ledger import LineKey
from tehai.verify.reference import must_run
from tehai.verify.tolerances import TOLERANCES
from tehai.verify.verification import Verification

PENALTIES = (BillComponent.LATENESS, BillComponent.NOT_RUN, BillComponent.CHANGE)


def check_plan(problem: Problem, problem_sha256: str, plan: Plan) -> Verification:
    """Check a plan against a valid problem whose canonical hash is ``problem_sha256``; a plan never makes it raise."""
    case = build_case(problem, problem_sha256, plan)
    bill = compute_bill(case)
    return _verification(case, bill, tuple(_plan_violations(case, bill)), None)


def check_answer(problem: Problem, problem_sha256: str, plan: Plan, certificate: Certificate) -> Verification:
    """Check a plan and the bound its certificate claims; neither makes it raise."""
    case = build_case(problem, problem_sha256, plan)
    bill = compute_bill(case)
    violations = list(_plan_violations(case, bill))
    plan_valid = not violations
    for check in certificate_checks.CHECKS:
        violations += check(case.reference, problem_sha256, certificate)
    lower_bound_yen: int | None = None
    missed = _missed_workload_ids(case)[1]
    if not form_faults(case.reference, certificate):
        bound = evaluate_bound(case.reference, certificate)
        violations += check_v2607_bound_overstated(certificate, bound)
        if not missed:
            violations += check_v2608_bound_above_objective(case, bill, certificate, bound if plan_valid else None)
        lower_bound_yen = min(bound.whole_yen, certificate.lower_bound_yen)
    return _verification(case, bill, tuple(violations), lower_bound_yen)


def check_v2001_schema_version(case: Case) -> Iterator[Violation]:
    """The plan has this schema version."""
    if case.plan.schema_version != SCHEMA_VERSION:
        yield violation("V2001", "schema_version", f"expected {SCHEMA_VERSION}, found {case.plan.schema_version}")


def check_v2002_other_problem(case: Case) -> Iterator[Violation]:
    """The plan carries the hash of this problem."""
    if case.plan.problem_sha256 != case.problem_sha256:
        message = f'expected "{case.problem_sha256}", found "{case.plan.problem_sha256}"'
        yield violation("V2002", "problem_sha256", message)


def check_v2607_bound_overstated(certificate: Certificate, bound: Bound) -> Iterator[Violation]:
    """The bound that is claimed is no more than the prices prove."""
    proved = bound.whole_yen
    if certificate.lower_bound_yen > proved:
        message = f"expected at most {proved} yen, found {certificate.lower_bound_yen} yen"
        yield violation("V2607", "certificate.lower_bound_yen", message)


def check_v2608_bound_above_objective(
    case: Case, bill: Bill, certificate: Certificate, bound: Bound | None
) -> Iterator[Violation]:
    """No bound, claimed or proved, is above the objective of a plan that places every mandatory workload.

    ``bound`` is None where the plan has faults of its own, which may lower its objective below any bound.
    """
    lines = len(bill.lines) + len(case.plan.bill_lines)
    slack = 0.5 * lines + TOLERANCES.duality_relative.value * float(bill.gross)
    highest = certificate.lower_bound_yen
    if bound is not None:
        highest = max(highest, bound.whole_yen)
    objective = max(float(bill.objective), float(case.plan.objective_yen))
    if highest > objective + slack:
        message = f"expected at most {case.plan.objective_yen} yen, found {highest}"
        yield violation("V2608", "certificate.lower_bound_yen", message)


def _plan_violations(case: Case, bill: Bill) -> Iterator[Violation]:
    """Yield every violation of the plan, subject by subject."""
    yield from check_v2001_schema_version(case)
    yield from check_v2002_other_problem(case)
    for check in placements.CHECKS + segments.CHECKS + supply.CHECKS + uses.CHECKS + blocks.CHECKS:
        yield from check(case)
    for check_row in rows.CHECKS + year_rows.CHECKS:
        yield from check_row(case, bill)
    for check in order_rows.CHECKS + claims.CHECKS + claim_limits.CHECKS + capital_claims.CHECKS:
        yield from check(case)
    for check_figure in figures.CHECKS:
        yield from check_figure(case, bill)


def _verification(
    case: Case, bill: Bill, violations: tuple[Violation, ...], lower_bound_yen: int | None
) -> Verification:
    """Return the findings with the figures computed again."""
    rounded = _rounded_lines(case, bill)
    unplaceable, missed = _missed_workload_ids(case)
    return Verification(
        valid=not violations,
        violations=violations,
        objective_yen=sum(rounded.values()),
        exact_objective=float(bill.objective),
        plan_cost_yen=sum(amount for key, amount in rounded.items() if key[0] not in PENALTIES),
        lower_bound_yen=lower_bound_yen,
        unplaceable_workload_ids=unplaceable,
        mandatory_missed_ids=missed,
    )


def _rounded_lines(case: Case, bill: Bill) -> dict[LineKey, int]:
    """Return the recomputed lines in whole yen; next to a half yen the plan's own rounding is kept."""
    listed = {
        (line.component, line.subject_id, line.fiscal_year, line.currency_code): line.amount_yen
        for line in case.plan.bill_lines
    }
    rounded = {}
    for key, exact in bill.lines.items():
        found = listed.get(key, 0)
        rounded[key] = found if agrees(found, exact) else round_yen(exact)
    return rounded


def _missed_workload_ids(case: Case) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return workloads that have to run without a legal column, and those with one that the plan does not place."""
    placed = {placement.workload_id for placement in case.plan.placements}
    unplaceable: list[str] = []
    missed: list[str] = []
    for index, workload in enumerate(case.problem.workloads):
        if must_run(case.reference, index) and workload.id not in placed:
            (missed if has_legal_column(case.reference, index) else unplaceable).append(workload.id)
    return tuple(unplaceable), tuple(missed)
