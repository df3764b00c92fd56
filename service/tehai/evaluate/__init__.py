"""A given plan billed under a change of the world, and two plans compared; no solve."""

from tehai.evaluate.difference import diff_plans
from tehai.evaluate.evaluation import evaluate_plan

__all__ = ["diff_plans", "evaluate_plan"]
