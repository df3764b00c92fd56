"""The second opinion: plans and bounds checked by code that shares nothing with the solver but the nouns."""

from tehai.verify.answer import check_answer, check_plan
from tehai.verify.bound import Bound, BoundParts, bound_parts, compute_bound
from tehai.verify.bound_rows import RowTerm
from tehai.verify.verification import Verification, gap

__all__ = [
    "Bound",
    "BoundParts",
    "RowTerm",
    "Verification",
    "bound_parts",
    "check_answer",
    "check_plan",
    "compute_bound",
    "gap",
]
