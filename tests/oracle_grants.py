"""Who may claim what: rates, eligibility, claim sets, what is left of caps, and when a claim is paid."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import combinations

from tehai.domain.programme import CapitalGrant, Programme, UsageGrant
from tehai.domain.workload import Member, Workload
from tests.oracle_basics import Basics, year_of


class Grants:
    """The programmes of a problem, read from docs/rules.md, "Claims"."""

    def __init__(self, basics: Basics) -> None:
        """Keep calendar, members and places."""
        self.basics = basics
        self.programmes: dict[str, Programme] = {p.id: p for p in basics.problem.programmes}

    # Eligibility

    def rate(self, programme: Programme, member: Member) -> float:
        """Return the largest rate that holds for a member, 0 without one."""
        return max(
            (
                entry.rate_fraction
                for entry in programme.kind.rates
                if entry.size_class is member.size_class
                and (not entry.required_member_flag or entry.required_member_flag in member.flags)
            ),
            default=0.0,
        )

    def _place_is_eligible(self, programme: Programme, pool_id: str) -> bool:
        kind, site = programme.kind, self.basics.site_of(pool_id)
        listed = not kind.eligible_pool_ids or pool_id in kind.eligible_pool_ids
        return listed and kind.eligible_countries.accepts(site.country_code, site.operator_country_code)

    def usage_rate(self, programme: Programme, workload: Workload, pool_id: str) -> float:
        """Return the rate of a usage programme for a workload in a pool; 0 where it is not open."""
        kind = programme.kind
        if not isinstance(kind, UsageGrant) or not self._place_is_eligible(programme, pool_id):
            return 0.0
        if kind.eligible_tags and not set(workload.tags) & set(kind.eligible_tags):
            return 0.0
        return self.rate(programme, self.basics.members[workload.member_id])

    def capital_rate(self, programme: Programme, owner_id: str, pool_id: str) -> float:
        """Return the rate of a capital programme for an owner's purchase in a pool; 0 where it is not open."""
        if not owner_id or not isinstance(programme.kind, CapitalGrant):
            return 0.0
        if not self._place_is_eligible(programme, pool_id):
            return 0.0
        return self.rate(programme, self.basics.members[owner_id])

    def in_window(self, programme: Programme, period: int) -> bool:
        """Return whether use or orders of a period are eligible."""
        return self.basics.within(period, programme.from_date, programme.until_date)

    def claim_sets(self, open_ids: Iterable[str]) -> list[tuple[str, ...]]:
        """Return every set of open programmes that may be claimed together: none, one, or all naming each other."""
        ids = list(open_ids)
        return [
            chosen
            for size in range(len(ids) + 1)
            for chosen in combinations(ids, size)
            if all(self._stack(a, b) for a, b in combinations(chosen, 2))
        ]

    def _stack(self, one: str, other: str) -> bool:
        return (
            other in self.programmes[one].stackable_programme_ids
            and one in self.programmes[other].stackable_programme_ids
        )

    # What is left of limits, in yen; None where there is no limit

    def project_cap_left(self, programme: Programme, project: str) -> float | None:
        """Return what a project may still claim over all years."""
        cap = programme.kind.project_cap_yen if isinstance(programme.kind, UsageGrant) else None
        made = sum(c.amount_yen for c in programme.claims_made if c.project_id == project)
        return None if cap is None else float(max(0, cap - made))

    def member_cap_left(self, programme: Programme, member_id: str, year: int) -> float | None:
        """Return what a member may still claim for a fiscal year."""
        cap = programme.member_cap_yen
        made = sum(c.amount_yen for c in programme.claims_made if c.member_id == member_id and c.fiscal_year == year)
        return None if cap is None else float(max(0, cap - made))

    def budget_left(self, programme: Programme, year: int) -> float | None:
        """Return what all may still claim for a fiscal year."""
        budgets = {b.fiscal_year: b.amount_yen for b in programme.budgets}
        made = sum(c.amount_yen for c in programme.claims_made if c.fiscal_year == year)
        return float(max(0, budgets[year] - made)) if year in budgets else None

    # Payment

    def payment_day(self, programme: Programme, year: int) -> date:
        """Return pay(r, fy)."""
        return date(year + 1, 3, 31) + timedelta(days=programme.payment_lag_days)

    def payment_year(self, programme: Programme, year: int) -> int | None:
        """Return the fiscal year whose income a claim is; None after the last one of the horizon."""
        paid = year_of(self.payment_day(programme, year))
        return paid if paid <= self.basics.fiscal_years[-1] else None

    def present_value(self, programme: Programme, year: int) -> float:
        """Return D(pay(r, fy))."""
        return self.basics.discount(self.payment_day(programme, year))
