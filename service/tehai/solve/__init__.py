"""The story of a solve: ascend, master, search, polish, certify."""

from tehai.solve.sourcing import Answer, solve

__all__ = ["Answer", "solve"]
