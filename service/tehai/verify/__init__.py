"""The second opinion: plans and bounds checked by code that shares nothing with the solver but the nouns."""

from tehai.verify.answer import check_answer, check_plan
from tehai.verify.bound import Bound, compute_bound
from tehai.verify.verification import Verification, gap

__all__ = ["Bound", "Verification", "check_answer", "check_plan", "compute_bound", "gap"]
