"""A problem with what many rules look up, built once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cached_property
from typing import Protocol, TypeVar

from tehai.domain.calendar import Calendar
from tehai.domain.limits import LIMITS
from tehai.domain.problem import Problem
from tehai.domain.programme import CapitalGrant, Programme, UsageGrant
from tehai.domain.supply import Accelerator, Pool, Site
from tehai.domain.workload import Member, Workload

FIRST_DATE_MIN = date(2000, 1, 1)
FIRST_DATE_MAX = date(2100, 12, 31)
# Longest horizon, term, life, lead time or delivery: anything longer is a slip of the pen.
YEARS_MAX = 50
HOURS_MAX = YEARS_MAX * 8_784


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_HasId)


def by_id(items: Iterable[N]) -> dict[str, N]:
    """Return items by id; the first of those that share one."""
    found: dict[str, N] = {}
    for item in items:
        found.setdefault(item.id, item)
    return found


PROGRAMME_KIND_FIELDS = {UsageGrant: "usage_grant", CapitalGrant: "capital_grant"}


def programme_kind_path(i: int, programme: Programme) -> str:
    """Return the path of what is particular to a programme's kind."""
    return f"programmes[{i}].{PROGRAMME_KIND_FIELDS[type(programme.kind)]}"


class ProblemView:
    """Look-ups over one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @cached_property
    def accelerators(self) -> dict[str, Accelerator]:
        """Accelerators by id."""
        return by_id(self.problem.accelerators)

    @cached_property
    def sites(self) -> dict[str, Site]:
        """Sites by id."""
        return by_id(self.problem.sites)

    @cached_property
    def pools(self) -> dict[str, Pool]:
        """Pools by id."""
        return by_id(self.problem.pools)

    @cached_property
    def members(self) -> dict[str, Member]:
        """Members by id."""
        return by_id(self.problem.members)

    @cached_property
    def workloads(self) -> dict[str, Workload]:
        """Workloads by id."""
        return by_id(self.problem.workloads)

    @cached_property
    def programmes(self) -> dict[str, Programme]:
        """Programmes by id."""
        return by_id(self.problem.programmes)

    @cached_property
    def routes(self) -> frozenset[tuple[str, str]]:
        """Pairs of sites (from, to) between which data can be moved."""
        return frozenset((route.from_site_id, route.to_site_id) for route in self.problem.routes)

    @cached_property
    def calendar(self) -> Calendar | None:
        """The calendar; None where it is so wrong that dates cannot be counted (rules of its own say why)."""
        calendar = self.problem.calendar
        usable = (
            FIRST_DATE_MIN <= calendar.first_date <= FIRST_DATE_MAX
            and 1 <= calendar.period_hours <= LIMITS.period_hours
            and 1 <= calendar.period_count <= LIMITS.period_count
            and calendar.period_hours * calendar.period_count <= HOURS_MAX
        )
        return calendar if usable else None

    @cached_property
    def fiscal_years(self) -> frozenset[int] | None:
        """Fiscal years of the horizon; None where the calendar cannot be used."""
        return None if self.calendar is None else frozenset(self.calendar.fiscal_years())

    @cached_property
    def periods_max(self) -> int:
        """Longest sensible length in periods."""
        hours = self.problem.calendar.period_hours
        return HOURS_MAX // hours if hours >= 1 else HOURS_MAX
