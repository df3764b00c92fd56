"""Every legal placement of a workload, one by one, and what it may claim; a plain reading of docs/rules.md."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise

from tehai.domain.offer import Purchase
from tehai.domain.problem import CurrentPlacement
from tehai.domain.programme import CapitalGrant, Programme, UsageGrant
from tehai.domain.supply import Pool
from tehai.domain.workload import GangOption, Member, Workload
from tests.verify.naive import Naive


@dataclass(frozen=True, slots=True)
class NaiveColumn:
    """A legal placement; ``hours`` are accelerator-hours by period, idle ones of a node included."""

    workload: Workload
    pool: Pool
    gang: GangOption
    pauses: int
    run_hours: float
    hours: dict[int, float]

    @property
    def start(self) -> int:
        """The first period touched."""
        return min(self.hours)

    @property
    def end(self) -> int:
        """The period after the last one touched."""
        return max(self.hours) + 1


class NaiveColumns(Naive):
    """Answers questions about columns too."""

    def columns(self, workload: Workload) -> Iterator[NaiveColumn]:
        """Every legal column of a workload."""
        current = self.current(workload)
        for pool in self.problem.pools:
            for gang in workload.gang_options:
                if not self._possible(workload, pool, gang):
                    continue
                if (
                    current
                    and current.locked
                    and (current.pool_id, current.accelerators) != (pool.id, gang.accelerators)
                ):
                    continue
                for column in self._columns_in(workload, pool, gang):
                    if not (current and current.locked) or self.begins_on(column.start, current.start_date):
                        yield column

    def _columns_in(self, workload: Workload, pool: Pool, gang: GangOption) -> Iterator[NaiveColumn]:
        speeds = {f.software_family: f.normalised_throughput for f in self.accelerator(pool).throughputs}
        speed = gang.accelerators * speeds[workload.software_family] * gang.scaling_efficiency_fraction
        node = pool.node_accelerators
        occupied = math.ceil(gang.accelerators / node) * node
        pausing = workload.pausing
        free = [
            t
            for t in range(self.release(workload), self.deadline(workload))
            if occupied <= sum(self.most_live(o, t) for o in self.offers_of(pool)) + 1e-6
        ]
        for pauses in range(pausing.pauses_max + 1 if pausing else 1):
            run = self.work(workload) / speed + (pauses * pausing.resume_overhead_hours if pausing else 0.0)
            length, last = self._touched(run)
            for chosen in _in_runs(free, length, pauses + 1):
                hours = {t: float(occupied * self.period_hours) for t in chosen}
                hours[chosen[-1]] = occupied * last
                yield NaiveColumn(workload, pool, gang, pauses, run, hours)

    def _touched(self, run: float) -> tuple[int, float]:
        """Periods touched and the hours in the last one."""
        quotient = run / self.period_hours
        full = math.floor(quotient + 1e-9)
        rest = 0.0 if quotient - full <= 1e-9 else (quotient - full) * self.period_hours
        if full == 0 and rest == 0.0:
            rest = run
        return (full + 1, rest) if rest > 0.0 else (full, float(self.period_hours))

    def _possible(self, workload: Workload, pool: Pool, gang: GangOption) -> bool:
        """Whether gang, memory, family, sovereignty and data allow the pool."""
        accelerator, site = self.accelerator(pool), self.site(pool)
        families = [f.software_family for f in accelerator.throughputs]
        return (
            workload.software_family in families
            and gang.accelerators <= pool.gang_accelerators_max
            and gang.accelerators * accelerator.memory_gb >= workload.memory_gb
            and workload.sovereignty.accepts(site.country_code, site.operator_country_code)
            and self.transfer(workload, pool, 0) is not None
        )

    def current(self, workload: Workload) -> CurrentPlacement | None:
        """The current placement of a workload."""
        found = [p for p in self.problem.current_plan.placements if p.workload_id == workload.id]
        return found[0] if found else None

    def must_run(self, workload: Workload) -> bool:
        """Whether a workload is mandatory or locked."""
        current = self.current(workload)
        return workload.mandatory or (current is not None and current.locked)

    def begins_on(self, t: int, day: date) -> bool:
        """Whether t is the first period that begins on a day."""
        return self.day(t) == day and (t == 0 or self.day(t - 1) != day)

    def change(self, workload: Workload, column: NaiveColumn | None) -> int:
        """The charge for a change of the current plan."""
        current = self.current(workload)
        if current is None:
            return 0
        if column is not None and (
            (current.pool_id, current.accelerators) == (column.pool.id, column.gang.accelerators)
            and self.begins_on(column.start, current.start_date)
        ):
            return 0
        return self.problem.current_plan.change_yen if current.change_yen is None else current.change_yen

    def transfer(self, workload: Workload, pool: Pool, t: int) -> float | None:
        """What moving the data to a pool costs in a period, None without a route."""
        origin = workload.data_site_id
        if origin is None or workload.data_terabytes == 0 or origin == pool.site_id:
            return 0.0
        for route in self.problem.routes:
            if (route.from_site_id, route.to_site_id) == (origin, pool.site_id):
                return workload.data_terabytes * self.cur(route.price_per_terabyte, t)
        return None

    def porting(self, workload: Workload, pool: Pool) -> int:
        """What porting to the accelerator of a pool costs."""
        return sum(p.amount_yen for p in workload.porting if p.accelerator_id == pool.accelerator_id)

    def member_rate(self, programme: Programme, member: Member) -> float:
        """The largest rate that holds for a member."""
        return max(
            (
                rate.rate_fraction
                for rate in programme.kind.rates
                if rate.size_class is member.size_class and rate.required_member_flag in ("", *member.flags)
            ),
            default=0.0,
        )

    def _covers(self, programme: Programme, pool: Pool) -> bool:
        grant, site = programme.kind, self.site(pool)
        named = not grant.eligible_pool_ids or pool.id in grant.eligible_pool_ids
        return named and grant.eligible_countries.accepts(site.country_code, site.operator_country_code)

    def grant_rate(self, programme: Programme, workload: Workload, pool: Pool) -> float:
        """Rate of a usage programme for a workload in a pool, 0 where it is not open."""
        grant = programme.kind
        if not isinstance(grant, UsageGrant) or not self._covers(programme, pool):
            return 0.0
        if grant.eligible_tags and not any(tag in grant.eligible_tags for tag in workload.tags):
            return 0.0
        return self.member_rate(programme, self.members[workload.member_id])

    def order_rate(self, programme: Programme, kind: Purchase, pool: Pool) -> float:
        """Rate of a capital programme for an order in a pool, 0 where it is not open."""
        if not isinstance(programme.kind, CapitalGrant) or not kind.owner_member_id:
            return 0.0
        owner = self.members[kind.owner_member_id]
        return self.member_rate(programme, owner) if self._covers(programme, pool) else 0.0

    def in_window(self, programme: Programme, t: int) -> bool:
        """Whether a period is eligible."""
        return programme.from_date <= self.day(t) < programme.until_date

    def eligible(self, programme: Programme, column: NaiveColumn) -> dict[int, float]:
        """Eligible cost by fiscal year."""
        cost: dict[int, float] = {}
        for t, hours in column.hours.items():
            if self.in_window(programme, t):
                year = self.year(t)
                cost[year] = cost.get(year, 0.0) + hours * self.grant_reference(column.pool, t)
        return cost

    def claim_sets(self) -> list[tuple[Programme, ...]]:
        """Every set of usage programmes each two of which name the other, the empty one too."""
        usage = [r for r in self.problem.programmes if isinstance(r.kind, UsageGrant)]
        return [
            chosen
            for size in range(len(usage) + 1)
            for chosen in combinations(usage, size)
            if all(
                a.id in b.stackable_programme_ids and b.id in a.stackable_programme_ids
                for a, b in combinations(chosen, 2)
            )
        ]

    def project_left(self, programme: Programme, project: str) -> float:
        """What is left of a project's cap."""
        grant = programme.kind
        if not isinstance(grant, UsageGrant) or grant.project_cap_yen is None:
            return math.inf
        return max(
            0, grant.project_cap_yen - sum(c.amount_yen for c in programme.claims_made if c.project_id == project)
        )

    def member_left(self, programme: Programme, member_id: str, year: int) -> float:
        """What is left of a member's cap in a fiscal year."""
        if programme.member_cap_yen is None:
            return math.inf
        made = [c for c in programme.claims_made if (c.member_id, c.fiscal_year) == (member_id, year)]
        return max(0, programme.member_cap_yen - sum(c.amount_yen for c in made))

    def budget_left(self, programme: Programme, year: int) -> float:
        """What is left of a programme's budget in a fiscal year."""
        listed = {b.fiscal_year: b.amount_yen for b in programme.budgets}
        if year not in listed:
            return math.inf
        return max(0, listed[year] - sum(c.amount_yen for c in programme.claims_made if c.fiscal_year == year))


def _in_runs(free: list[int], length: int, runs: int) -> Iterator[list[int]]:
    """Every choice of ``length`` of the periods that falls into exactly so many runs."""
    if runs == 1:
        allowed = set(free)
        for t in free:
            if all(t + i in allowed for i in range(length)):
                yield list(range(t, t + length))
        return
    for chosen in combinations(free, length):
        if sum(b - a > 1 for a, b in pairwise(chosen)) == runs - 1:
            yield list(chosen)
