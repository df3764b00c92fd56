"""The bill of a given plan under a change; docs/evaluation.md says what moves and what is held fixed."""

from __future__ import annotations

from dataclasses import replace

from tehai.domain.evaluation import BrokenLimit, Evaluation, ScenarioChange
from tehai.domain.plan import Plan
from tehai.domain.problem import Problem
from tehai.domain.violation import InvalidProblemError, UnverifiedAnswerError, Violation
from tehai.evaluate.bill import with_bill
from tehai.evaluate.claims import with_claims_left
from tehai.evaluate.scenario import change_violations, changed_problem
from tehai.validation.costs import EXACT_YEN_MAX
from tehai.verify import check_plan
from tehai.verify.case import build_case
from tehai.wire import scenario_violation, violations_within

# The limits in yen on what prices decide: portfolio budgets, member budgets, capital ceilings.
LIMIT_CODES = frozenset({"V2305", "V2307", "V2308"})
OTHER_PROBLEM = "V2002"


def evaluate_plan(problem: Problem, problem_sha256: str, plan: Plan, change: ScenarioChange) -> Evaluation:
    """Return what a plan of a valid problem, whose canonical hash is ``problem_sha256``, costs under a change.

    Raises:
        InvalidProblemError: with all that is wrong with the change (E20xx, under "change"); or the plan belongs to
            another problem, or breaks a rule as it is (V2xxx, under "plan").
        UnverifiedAnswerError: the changed bill fails its check; a fault of Tehai.
    """
    violations = (*_plan_violations(problem, problem_sha256, plan), *change_violations(problem, change))
    if violations:
        raise InvalidProblemError(violations)
    changed = changed_plan(problem, problem_sha256, plan, change)
    found = check_plan(changed_problem(problem, change), problem_sha256, changed).violations
    faults = tuple(violation for violation in found if violation.code not in LIMIT_CODES)
    if faults:
        raise UnverifiedAnswerError(faults)
    return Evaluation(
        objective_yen=plan.objective_yen,
        changed_objective_yen=changed.objective_yen,
        bill_lines=plan.bill_lines,
        changed_bill_lines=changed.bill_lines,
        # The plan as it is breaks no rule, so whatever it breaks now the change has broken.
        broken_limits=tuple(BrokenLimit(item.code, item.path, item.message) for item in found),
        cash=plan.cash,
        changed_cash=changed.cash,
    )


def changed_plan(problem: Problem, problem_sha256: str, plan: Plan, change: ScenarioChange) -> Plan:
    """Return a valid plan with the claims and figures that it has under a change without violations.

    Raises:
        InvalidProblemError: E2007, the figures are larger than is exact.
    """
    case = build_case(changed_problem(problem, change), problem_sha256, plan)
    claiming = with_claims_left(case, frozenset(change.cancelled_programme_ids))
    # What claims change in a case is the plan alone.
    billed, largest = with_bill(replace(case, plan=claiming))
    if largest > EXACT_YEN_MAX:
        message = f"{largest:.3g} yen; {EXACT_YEN_MAX:,} is the limit"
        raise InvalidProblemError((scenario_violation("E2007", "change", message),))
    return billed


def _plan_violations(problem: Problem, problem_sha256: str, plan: Plan) -> tuple[Violation, ...]:
    """Return what is wrong with a plan as it is; of a plan of another problem only that."""
    found = check_plan(problem, problem_sha256, plan).violations
    other = tuple(violation for violation in found if violation.code == OTHER_PROBLEM)
    return violations_within("plan", other or found)
