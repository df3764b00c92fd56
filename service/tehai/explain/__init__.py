"""A plan explained: the bill by member, site and currency, claims against limits, worth of limits, member bills."""

from tehai.explain.breakdown import breakdown

__all__ = ["breakdown"]
