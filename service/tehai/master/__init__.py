"""The only door to OR-Tools: the restricted master as a linear and as an integer model."""

from tehai.master.restricted import MasterSolution, RestrictedMaster

__all__ = ["MasterSolution", "RestrictedMaster"]
