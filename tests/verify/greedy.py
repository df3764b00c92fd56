"""A simple planner for tests: valid plans, none of them good, billed by ``biller``.

Orders one block of the first term of every reservation and capacity block and one unit of every purchase as early as
possible (nothing where that alone breaks a limit), places workloads one by one at the earliest column that breaks no
row, and claims what is left of caps and budgets.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import localcontext

from tehai.domain.offer import Allocation, CapacityBlock, Offer, OnDemand, Purchase, Reservation
from tehai.domain.plan import (
    CapacityBlockOrder,
    Claim,
    OfferUse,
    Placement,
    Plan,
    PurchaseOrder,
    ReservationOrder,
    Segment,
    SolveOptions,
    StopReason,
)
from tehai.domain.problem import SCHEMA_VERSION, Problem
from tehai.domain.programme import Programme, UsageGrant
from tehai.domain.workload import Workload
from tests.verify.biller import Biller, billed
from tests.verify.naive_columns import NaiveColumn, NaiveColumns

__all__ = ["billed", "greedy_plan", "segments_of"]

TRIES = 60


def greedy_plan(problem: Problem, problem_sha256: str = "", orders: bool = True) -> Plan:
    """Return a plan that keeps every rule, except that a mandatory workload may be missed."""
    plan = _Greedy(problem, orders).plan(problem_sha256)
    return billed(problem, plan)


def segments_of(naive: NaiveColumns, column: NaiveColumn) -> tuple[Segment, ...]:
    """Return the segments of a column."""
    runs: list[list[int]] = []
    for t in sorted(column.hours):
        if runs and runs[-1][-1] == t - 1:
            runs[-1].append(t)
        else:
            runs.append([t])
    before = [len(run) * float(naive.period_hours) for run in runs[:-1]]
    hours = [*before, column.run_hours - sum(before)]
    return tuple(
        Segment(column.pool.id, column.gang.accelerators, run[0], naive.day(run[0]), run_hours)
        for run, run_hours in zip(runs, hours, strict=True)
    )


class _Greedy:
    def __init__(self, problem: Problem, orders: bool) -> None:
        self.problem, self.naive = problem, NaiveColumns(problem)
        self.count, self.hours = self.naive.count, self.naive.period_hours
        self.terms: tuple[ReservationOrder, ...] = ()
        self.blocks: tuple[CapacityBlockOrder, ...] = ()
        self.units: tuple[PurchaseOrder, ...] = ()
        self.chosen: dict[str, NaiveColumn] = {}
        if orders:
            self._order_everything()
        if not self._money_fits({}):
            self.terms, self.blocks, self.units = (), (), ()
        pairs = [(offer, t) for offer in problem.offers for t in range(self.count)]
        self.live = {(offer.id, t): self._live(offer, t, False) for offer, t in pairs}
        self.offered = {(offer.id, t): self._live(offer, t, True) for offer, t in pairs}

    def plan(self, sha256: str) -> Plan:
        """Return the plan without its bill."""
        for workload in self._in_order():
            columns = sorted(self.naive.columns(workload), key=lambda column: (column.start, column.pauses))
            column = next((column for column in columns[:TRIES] if self._fits(column)), None)
            if column is not None:
                self.chosen[workload.id] = column
        claims = Claims(self.naive)
        placements = tuple(
            Placement(workload_id, segments_of(self.naive, column), claims.of_column(column))
            for workload_id, column in self.chosen.items()
        )
        self.units = tuple(
            PurchaseOrder(o.offer_id, o.order_period, o.order_date, o.units, claims.of_order(o)) for o in self.units
        )
        return self._plan(sha256, placements)

    def _in_order(self) -> list[Workload]:
        """Predecessors first; workloads that have to run, with all before them, before the others."""
        by_id = {w.id: w for w in self.problem.workloads}
        done: dict[str, Workload] = {}

        def add(workload: Workload) -> None:
            for before in workload.after_workload_ids:
                add(by_id[before])
            done.setdefault(workload.id, workload)

        for workload in sorted(self.problem.workloads, key=lambda w: not self.naive.must_run(w)):
            add(workload)
        return list(done.values())

    def _plan(self, sha256: str, placements: tuple[Placement, ...]) -> Plan:
        uses = self._uses(self.chosen)
        assert uses is not None
        return Plan(
            schema_version=SCHEMA_VERSION,
            problem_sha256=sha256,
            tehai_version="test",
            options=SolveOptions(),
            stop_reason=StopReason.WORK_LIMIT,
            placements=placements,
            not_run_workload_ids=tuple(w.id for w in self.problem.workloads if w.id not in self.chosen),
            reservation_orders=self.terms,
            purchase_orders=self.units,
            offer_uses=tuple(OfferUse(offer_id, tuple(hours)) for offer_id, hours in uses.items() if any(hours)),
            forward_usd_jpy=(),
            bill_lines=(),
            cash=(),
            obligation_after_horizon_yen=0,
            objective_yen=0,
            capacity_block_orders=self.blocks,
        )

    def _order_everything(self) -> None:
        naive = self.naive
        for offer in self.problem.offers:
            match offer.kind:
                case Reservation():
                    for s in naive.term_starts(offer.kind)[:1]:
                        self.terms += (ReservationOrder(offer.id, 0, s, naive.day(s), 1),)
                case CapacityBlock():
                    for term, s, b in naive.block_options(offer.kind)[:1]:
                        k = offer.kind.terms.index(term)
                        self.blocks += (CapacityBlockOrder(offer.id, k, s, naive.day(s), b, naive.day(b), 1),)
                case Purchase():
                    for s in naive.order_periods(offer.kind)[:1]:
                        self.units += (PurchaseOrder(offer.id, s, naive.day(s), 1),)
                case _:
                    pass

    def _live(self, offer: Offer, t: int, hours: bool) -> float:
        """Accelerators live, or hours offered."""
        kind, total = offer.kind, 0.0
        match kind:
            case Reservation():
                for order in self.terms:
                    if order.offer_id == offer.id and 0 <= t - order.start_period < kind.terms[0].term_periods:
                        total += kind.block_accelerators * order.blocks
            case Purchase():
                for bought in self.units:
                    if bought.offer_id == offer.id:
                        total += kind.unit_accelerators * bought.units * self.naive.ramp(kind, t - bought.order_period)
            case CapacityBlock():
                for block in self.blocks:
                    lasting = self.naive.block_hours(kind.terms[block.term_index], block.start_period)
                    if block.offer_id == offer.id and t in lasting:
                        per_block = kind.block_accelerators * block.blocks
                        total += per_block * (lasting[t] if hours else 1)
                return total
            case _:
                total = self.naive.most_live(offer, t)
        return total * self.hours if hours else total

    def _fits(self, column: NaiveColumn) -> bool:
        """Whether the column breaks no row next to those already chosen."""
        chosen = {**self.chosen, column.workload.id: column}
        occupied = math.ceil(column.gang.accelerators / column.pool.node_accelerators) * column.pool.node_accelerators
        offers = self.naive.offers_of(column.pool)
        if any(occupied > sum(self.live[offer.id, t] for offer in offers) for t in column.hours):
            return False
        ends = [self.chosen[b].end if b in self.chosen else math.inf for b in column.workload.after_workload_ids]
        if column.start < max(ends, default=0):
            return False
        most = self.problem.rules.total_waiting_periods_max
        if most is not None and sum(c.start - self.naive.release(c.workload) for c in chosen.values()) > most:
            return False
        checks = (self._power_fits, self._work_fits, self._carbon_fits, self._members_fit, self._money_fits)
        return self._uses(chosen) is not None and all(check(chosen) for check in checks)

    def _power_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        kwh: dict[tuple[str, int], float] = defaultdict(float)
        for column in chosen.values():
            for t, hours in column.hours.items():
                kwh[column.pool.site_id, t] += hours * self.naive.kilowatts(column.pool)
        limits = {site.id: site.power_limit_kw for site in self.problem.sites}
        return all(used <= (limits[j] or math.inf) * self.hours for (j, _), used in kwh.items())

    def _work_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        """Whether domestic shares and concentration limits hold."""
        work: dict[tuple[str, int], float] = defaultdict(float)
        for column in chosen.values():
            site = self.naive.site(column.pool)
            for t, hours in column.hours.items():
                part, year = self.naive.work(column.workload) * hours / sum(column.hours.values()), self.naive.year(t)
                work["all", year] += part
                work["home", year] += part * self.naive.domestic(column.pool)
                work["of " + site.operator_id, year] += part
        rules = self.problem.rules
        home = all(
            work["home", s.fiscal_year] >= s.share_fraction * work["all", s.fiscal_year]
            for s in rules.minimum_domestic_shares
        )
        return home and all(
            work["of " + c.operator_id, c.fiscal_year] <= c.share_fraction * work["all", c.fiscal_year]
            for c in rules.concentration_limits
        )

    def _carbon_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        kg: dict[int, float] = defaultdict(float)
        for column in chosen.values():
            for t, hours in column.hours.items():
                kg[self.naive.year(t)] += hours * self.naive.carbon(column.pool)
        return all(kg[limit.fiscal_year] <= limit.mass_kg for limit in self.problem.rules.carbon_limits)

    def _members_fit(self, chosen: dict[str, NaiveColumn]) -> bool:
        """Whether member budgets hold even without claims."""
        bills: dict[tuple[str, int], float] = defaultdict(float)
        for c in chosen.values():
            once = (self.naive.transfer(c.workload, c.pool, c.start) or 0.0) + self.naive.porting(c.workload, c.pool)
            bills[c.workload.member_id, self.naive.year(c.start)] += once
            for t, hours in c.hours.items():
                listed = hours * self.naive.charge_reference(c.pool, t)
                bills[c.workload.member_id, self.naive.year(t)] += listed
        return all(
            bills[member.id, budget.fiscal_year] <= budget.amount_yen
            for member in self.problem.members
            for budget in member.budgets
        )

    def _money_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        """Whether portfolio budgets and capital ceilings hold even without claims."""
        rules = self.problem.rules
        if not rules.portfolio_budgets and not rules.capital_ceilings:
            return True
        if not chosen:
            pairs = [(offer, t) for offer in self.problem.offers for t in range(self.count)]
            self.offered = {(offer.id, t): self._live(offer, t, True) for offer, t in pairs}
        trial = _Greedy.__new__(_Greedy)
        trial.__dict__.update(self.__dict__)
        trial.chosen = chosen
        placements = tuple(Placement(w, segments_of(self.naive, c), ()) for w, c in chosen.items())
        with localcontext(prec=30):
            bill = Biller(self.problem, trial._plan("", placements))
        cash = all(bill.cash.get(b.fiscal_year, 0) <= b.amount_yen for b in rules.portfolio_budgets)
        return cash and all(bill.capital.get(c.fiscal_year, 0) <= c.amount_yen for c in rules.capital_ceilings)

    def _uses(self, chosen: dict[str, NaiveColumn]) -> dict[str, list[float]] | None:
        """Use of the offers, the cheap kinds first; None where they do not reach."""
        uses = {offer.id: [0.0] * self.count for offer in self.problem.offers}
        quotas = {
            (offer.id, quota.fiscal_year): quota.accelerator_hours
            for offer in self.problem.offers
            if isinstance(offer.kind, Allocation)
            for quota in offer.kind.quotas
        }
        for pool in self.problem.pools:
            offers = sorted(self.naive.offers_of(pool), key=lambda offer: isinstance(offer.kind, OnDemand))
            for t in range(self.count):
                need = sum(c.hours.get(t, 0.0) for c in chosen.values() if c.pool.id == pool.id)
                for offer in offers:
                    used = min(need, self.offered[offer.id, t])
                    if isinstance(offer.kind, Allocation):
                        used = min(used, quotas.get((offer.id, self.naive.year(t)), 0.0))
                        quotas[offer.id, self.naive.year(t)] = quotas.get((offer.id, self.naive.year(t)), 0.0) - used
                    uses[offer.id][t] = used
                    need -= used
                if need > 1e-9:
                    return None
        return uses


@dataclass
class Claims:
    """Claims what is left of every limit, programme by programme."""

    naive: NaiveColumns
    taken: dict[tuple[object, ...], int] = field(default_factory=lambda: defaultdict(int))
    groups: dict[tuple[str, str], str] = field(default_factory=dict)

    def of_column(self, column: NaiveColumn) -> tuple[Claim, ...]:
        """Return the claims of a placement."""
        claims: list[Claim] = []
        used: list[Programme] = []
        workload, naive = column.workload, self.naive
        for programme in naive.problem.programmes:
            rate = naive.grant_rate(programme, workload, column.pool)
            stacks = all(
                a.id in programme.stackable_programme_ids and programme.id in a.stackable_programme_ids for a in used
            )
            if rate <= 0.0 or not stacks or not self._free(programme, "project " + workload.project):
                continue
            for year, cost in naive.eligible(programme, column).items():
                amount = self._take(programme, workload.member_id, workload.project, year, rate * cost)
                if amount > 0:
                    claims.append(Claim(programme.id, year, amount))
                    self._use(programme, "project " + workload.project)
                    used.append(programme)
        return tuple(claims)

    def of_order(self, order: PurchaseOrder) -> tuple[Claim, ...]:
        """Return the claim of an order."""
        naive = self.naive
        offer = next(o for o in naive.problem.offers if o.id == order.offer_id)
        kind = offer.kind
        assert isinstance(kind, Purchase)
        for programme in naive.problem.programmes:
            rate = naive.order_rate(programme, kind, naive.pools[offer.pool_id])
            owner = "owner " + kind.owner_member_id
            if rate <= 0 or not naive.in_window(programme, order.order_period) or not self._free(programme, owner):
                continue
            year = naive.year(order.order_period)
            s, price = order.order_period, kind.price_per_unit
            most = rate * order.units * (naive.cur(price, s) * naive.part_inside(kind, s))
            amount = self._take(programme, kind.owner_member_id, "", year, most)
            if amount > 0:
                self._use(programme, owner)
                return (Claim(programme.id, year, amount),)
        return ()

    def _free(self, programme: Programme, claimant: str) -> bool:
        return self.groups.get((claimant, programme.exclusivity_group), programme.id) == programme.id

    def _use(self, programme: Programme, claimant: str) -> None:
        if programme.exclusivity_group:
            self.groups[claimant, programme.exclusivity_group] = programme.id

    def _take(self, programme: Programme, member_id: str, project: str, year: int, most: float) -> int:
        keys: dict[tuple[object, ...], float] = {
            (programme.id, "budget", year): self.naive.budget_left(programme, year),
            (programme.id, "member", member_id, year): self.naive.member_left(programme, member_id, year),
        }
        if isinstance(programme.kind, UsageGrant):
            keys[programme.id, "project", project] = self.naive.project_left(programme, project)
        amount = math.floor(min([most, *(left - self.taken[key] for key, left in keys.items())]))
        for key in keys:
            self.taken[key] += max(0, amount)
        return amount
