"""Rules on claims made before the horizon, E152x."""

from __future__ import annotations

from collections.abc import Iterator

from tehai.domain.limits import LIMITS
from tehai.domain.programme import ClaimMade, UsageGrant
from tehai.validation.common import shown
from tehai.validation.registry import Found, rule
from tehai.validation.view import ProblemView

# Older claims cannot count against a cap of today.
YEARS_BACK_MAX = 10


def _claims(view: ProblemView) -> Iterator[tuple[str, ClaimMade]]:
    for i, programme in enumerate(view.problem.programmes):
        for k, claim in enumerate(programme.claims_made):
            yield f"programmes[{i}].claims_made[{k}]", claim


@rule("E1521", "the amount of a claim made is out of range", "Give whole yen above 0; remove a claim of nothing.")
def check_e1521_claim_amount_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A claim that was made is some yen."""
    for path, claim in _claims(view):
        if not 0 < claim.amount_yen <= LIMITS.amount_yen:
            message = f"{claim.amount_yen:,} yen is not above 0 and at most {LIMITS.amount_yen:,}"
            yield Found(f"{path}.amount_yen", message)


@rule(
    "E1522",
    "a claim was made for a fiscal year that cannot matter",
    f"Give a fiscal year of the horizon or of the {YEARS_BACK_MAX} years before it, or remove the claim.",
    reads=("calendar",),
)
def check_e1522_claim_year_out_of_range(view: ProblemView) -> Iterator[Found]:
    """A claim belongs to a year of the horizon or not long before."""
    if view.fiscal_years is None:
        return
    first, last = min(view.fiscal_years) - YEARS_BACK_MAX, max(view.fiscal_years)
    for path, claim in _claims(view):
        if not first <= claim.fiscal_year <= last:
            yield Found(f"{path}.fiscal_year", f"fiscal year {claim.fiscal_year} is not between {first} and {last}")


@rule(
    "E1523",
    "a claim made from a capital programme names a project",
    "Leave project_id empty: capital grants have no project cap.",
)
def check_e1523_capital_claim_with_project(view: ProblemView) -> Iterator[Found]:
    """Orders belong to a member, not to a project."""
    for i, programme in enumerate(view.problem.programmes):
        if isinstance(programme.kind, UsageGrant):
            continue
        for k, claim in enumerate(programme.claims_made):
            if claim.project_id:
                yield Found(f"programmes[{i}].claims_made[{k}].project_id", f"{shown(claim.project_id)} is given")
