"""Everything that is wrong with a problem at once, and what is worth knowing about a valid one."""

from tehai.domain.problem import Problem
from tehai.domain.violation import Violation

# Importing a module registers its rules, in the order of a problem's parts.
from tehai.validation import (  # noqa: F401
    allocations,
    calendar,
    capacity_blocks,
    claims_made,
    costs,
    current_plan,
    ids,
    limits,
    market,
    members,
    moving,
    offers,
    precedence,
    prices,
    programmes,
    purchases,
    references,
    reservations,
    rules,
    stacking,
    supply,
    workloads,
)
from tehai.validation.notes import notes
from tehai.validation.placement import unplaceable, unplaceable_reason
from tehai.validation.registry import RULES, Finding, Rule, findings_of, ordered
from tehai.validation.uncapped import uncapped

__all__ = [
    "RULES",
    "Finding",
    "Rule",
    "findings_of",
    "notes",
    "ordered",
    "uncapped",
    "unplaceable",
    "unplaceable_reason",
    "validate",
]


def validate(problem: Problem) -> tuple[Violation, ...]:
    """Return every violation of a problem, each once, by path; empty for a valid one. Never raises."""
    return ordered(finding.violation for finding in findings_of(problem))
