"""A simple planner for tests: valid plans, none of them good, with a bill in exact fractions.

Orders one block of the first term of every reservation and one unit of every purchase as early as possible (nothing
where that alone breaks a budget), places workloads one by one at the earliest column that breaks no row, and claims
what is left of caps and budgets.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from tehai.domain.market import JPY, USD, FiscalYearAmount, UnitPrice
from tehai.domain.offer import OnDemand, Purchase, Reservation
from tehai.domain.plan import (
    BillComponent,
    BillLine,
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
from tests.verify.naive import Naive, NaiveColumn, prepaid

TRIES = 60
Lines = dict[tuple[BillComponent, str, int, str], Fraction]


def greedy_plan(problem: Problem, problem_sha256: str = "", orders: bool = True) -> Plan:
    """Return a plan that keeps every rule, except that a mandatory workload may be missed."""
    plan = _Greedy(problem, orders).plan(problem_sha256)
    return billed(problem, plan)


def billed(problem: Problem, plan: Plan) -> Plan:
    """Return the plan with forward curve, bill, cash, obligation and objective computed anew."""
    bill = _Biller(problem, plan)
    lines = tuple(
        BillLine(*key, round(amount))
        for key, amount in sorted(bill.lines.items(), key=lambda item: (item[0][0].value, *item[0][1:]))
        if round(amount) != 0
    )
    return replace(
        plan,
        forward_usd_jpy=tuple(float(bill.rate(t)) for t in range(problem.calendar.period_count)),
        bill_lines=lines,
        cash=tuple(FiscalYearAmount(year, round(amount)) for year, amount in bill.cash.items()),
        obligation_after_horizon_yen=round(bill.obligation),
        objective_yen=sum(line.amount_yen for line in lines),
    )


class _Greedy:
    def __init__(self, problem: Problem, orders: bool) -> None:
        self.problem, self.naive = problem, Naive(problem)
        self.count, self.hours = self.naive.count, self.naive.period_hours
        self.reservations = self._reservation_orders() if orders else ()
        self.purchases = self._purchase_orders() if orders else ()
        self.live: dict[tuple[str, int], float] = dict.fromkeys(
            ((o.id, t) for o in problem.offers for t in range(self.count)), 0.0
        )
        self.chosen: dict[str, NaiveColumn] = {}
        if not self._budget_fits({}):
            self.reservations, self.purchases = (), ()
        self.live = {(o.id, t): self._live(o.id, t) for o in problem.offers for t in range(self.count)}

    def plan(self, sha256: str) -> Plan:
        """Return the plan without its bill."""
        first = [w for w in self.problem.workloads if w.mandatory]
        for workload in first + [w for w in self.problem.workloads if not w.mandatory]:
            columns = sorted(self.naive.columns(workload), key=lambda column: column.start)
            fitting = (column for column in columns[:TRIES] if self._fits(column))
            column = next(fitting, None)
            if column is not None:
                self.chosen[workload.id] = column
        return self._plan(sha256, self._placements())

    def _plan(self, sha256: str, placements: tuple[Placement, ...]) -> Plan:
        uses = self._uses(self.chosen)
        return Plan(
            schema_version=SCHEMA_VERSION,
            problem_sha256=sha256,
            tehai_version="test",
            options=SolveOptions(),
            stop_reason=StopReason.WORK_LIMIT,
            placements=placements,
            not_run_workload_ids=tuple(w.id for w in self.problem.workloads if w.id not in self.chosen),
            reservation_orders=self.reservations,
            purchase_orders=self.purchases,
            offer_uses=tuple(OfferUse(offer_id, tuple(hours)) for offer_id, hours in uses.items() if any(hours)),
            forward_usd_jpy=(),
            bill_lines=(),
            cash=(),
            obligation_after_horizon_yen=0,
            objective_yen=0,
        )

    def _reservation_orders(self) -> tuple[ReservationOrder, ...]:
        orders = []
        for offer in self.problem.offers:
            if isinstance(offer.kind, Reservation):
                starts = self.naive.term_starts(offer.kind)[:1]
                orders += [ReservationOrder(offer.id, 0, s, self.problem.calendar.date_of(s), 1) for s in starts]
        return tuple(orders)

    def _purchase_orders(self) -> tuple[PurchaseOrder, ...]:
        orders = []
        for offer in self.problem.offers:
            if isinstance(offer.kind, Purchase):
                periods = self.naive.order_periods(offer.kind)[:1]
                orders += [PurchaseOrder(offer.id, s, self.problem.calendar.date_of(s), 1) for s in periods]
        return tuple(orders)

    def _live(self, offer_id: str, t: int) -> float:
        offer = next(o for o in self.problem.offers if o.id == offer_id)
        kind, total = offer.kind, 0.0
        if isinstance(kind, Reservation):
            for order in self.reservations:
                if order.offer_id == offer_id and 0 <= t - order.start_period < kind.terms[0].term_periods:
                    total += kind.block_accelerators * order.blocks
        elif isinstance(kind, Purchase):
            for bought in self.purchases:
                if bought.offer_id == offer_id:
                    total += kind.unit_accelerators * bought.units * self.naive.ramp(kind, t - bought.order_period)
        else:
            total = self.naive.most_live(offer, t)
        return total

    def _fits(self, column: NaiveColumn) -> bool:
        """Whether the column breaks no row next to those already chosen."""
        chosen = {**self.chosen, column.workload.id: column}
        room = {t: sum(self.live[o.id, t] for o in self.naive.offers_of(column.pool)) for t in column.hours}
        if any(column.gang.accelerators > live for live in room.values()):
            return False
        for t, live in room.items():
            placed = [c.hours.get(t, 0.0) for c in chosen.values() if c.pool.id == column.pool.id]
            if sum(placed) > live * self.hours:
                return False
        return self._power_fits(chosen) and self._share_fits(chosen) and self._budget_fits(chosen)

    def _power_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        kwh: dict[tuple[str, int], float] = defaultdict(float)
        for column in chosen.values():
            for t, hours in column.hours.items():
                kwh[column.pool.site_id, t] += hours * self.naive.kilowatts(column.pool)
        limits = {site.id: site.power_limit_kw for site in self.problem.sites}
        return all(used <= (limits[j] or math.inf) * self.hours for (j, _), used in kwh.items())

    def _share_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        work: dict[int, float] = defaultdict(float)
        home: dict[int, float] = defaultdict(float)
        for column in chosen.values():
            for t, hours in column.hours.items():
                part = self.naive.work(column.workload) * hours / sum(column.hours.values())
                work[self.naive.year(t)] += part
                home[self.naive.year(t)] += part * self.naive.domestic(column.pool)
        rules = self.problem.rules.minimum_domestic_shares
        return all(home[s.fiscal_year] >= s.share_fraction * work[s.fiscal_year] for s in rules)

    def _budget_fits(self, chosen: dict[str, NaiveColumn]) -> bool:
        limits = {b.fiscal_year: b.amount_yen for b in self.problem.rules.portfolio_budgets}
        if not limits:
            return True
        trial = _Greedy.__new__(_Greedy)
        trial.__dict__.update(self.__dict__)
        trial.chosen = chosen
        cash = _Biller(self.problem, trial._plan("", ())).cash
        return all(cash[year] <= limit for year, limit in limits.items() if year in cash)

    def _uses(self, chosen: dict[str, NaiveColumn]) -> dict[str, list[float]]:
        uses = {offer.id: [0.0] * self.count for offer in self.problem.offers}
        for pool in self.problem.pools:
            offers = sorted(self.naive.offers_of(pool), key=lambda offer: isinstance(offer.kind, OnDemand))
            for t in range(self.count):
                need = sum(c.hours.get(t, 0.0) for c in chosen.values() if c.pool.id == pool.id)
                for offer in offers:
                    uses[offer.id][t] = min(need, self.live[offer.id, t] * self.hours)
                    need -= uses[offer.id][t]
        return uses

    def _placements(self) -> tuple[Placement, ...]:
        caps = {
            (r.id, w.project): math.inf if r.kind.project_cap_yen is None else r.kind.project_cap_yen
            for r in self.problem.programmes
            for w in self.problem.workloads
        }
        budgets = {(r.id, b.fiscal_year): b.amount_yen for r in self.problem.programmes for b in r.kind.budgets}
        placements = []
        for workload_id, column in self.chosen.items():
            programme_id, claims = "", []
            for programme in self.problem.programmes:
                rate = self.naive.grant_rate(programme, column.workload, column.pool)
                if rate <= 0.0:
                    continue
                for year, cost in self.naive.eligible(programme, column).items():
                    left = min(caps[programme.id, column.workload.project], budgets.get((programme.id, year), math.inf))
                    amount = math.floor(min(rate * cost, left))
                    if amount > 0:
                        claims.append(FiscalYearAmount(year, amount))
                        caps[programme.id, column.workload.project] -= amount
                        if (programme.id, year) in budgets:
                            budgets[programme.id, year] -= amount
                programme_id = programme.id
                break
            date = self.problem.calendar.date_of(column.start)
            segment = Segment(column.pool.id, column.gang.accelerators, column.start, date, column.run_hours)
            placements.append(Placement(workload_id, (segment,), programme_id, tuple(claims)))
        return tuple(placements)


class _Biller:
    """Bills a valid plan in fractions."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.naive = problem, Naive(problem)
        self.lines: Lines = defaultdict(Fraction)
        self.cash = {year: Fraction(0) for year in problem.calendar.fiscal_years()}
        self.obligation = Fraction(0)
        self.offers = {offer.id: offer for offer in problem.offers}
        self._use(plan)
        for order in plan.reservation_orders:
            self._term(order)
        for bought in plan.purchase_orders:
            self._purchase(bought)
        self._workloads(plan)

    def rate(self, t: int) -> Fraction:
        """Forward yen per dollar."""
        market = self.problem.market
        years = Fraction((self.problem.calendar.date_of(t) - market.spot_date).days, 365)
        ratio = (1 + Fraction(market.yen_interest_rate) * years) / (1 + Fraction(market.dollar_interest_rate) * years)
        return Fraction(market.usd_jpy_spot) * ratio

    def _yen(self, price: UnitPrice, t: int) -> Fraction:
        return Fraction(price.amount) * (self.rate(t) if price.currency_code == USD else 1)

    def _add(self, component: BillComponent, subject: str, t: int, currency: str, amount: Fraction) -> None:
        self.lines[component, subject, self.naive.year(t), currency] += amount

    def _use(self, plan: Plan) -> None:
        for use in plan.offer_uses:
            offer = self.offers[use.offer_id]
            for t, hours in enumerate(use.accelerator_hours):
                if isinstance(offer.kind, OnDemand):
                    price = offer.kind.price_per_accelerator_hour
                    amount = Fraction(hours) * self._yen(price, t)
                    self._add(BillComponent.ON_DEMAND, offer.id, t, price.currency_code, amount)
                else:
                    amount = Fraction(hours) * Fraction(self.naive.electricity(offer))
                    self._add(BillComponent.ELECTRICITY, offer.id, t, JPY, amount)
                self.cash[self.naive.year(t)] += amount

    def _term(self, order: ReservationOrder) -> None:
        kind = self.offers[order.offer_id].kind
        assert isinstance(kind, Reservation)
        term = kind.terms[order.term_index]
        price = term.price_per_accelerator_hour
        hours = kind.block_accelerators * self.naive.period_hours * order.blocks
        start, end = order.start_period, order.start_period + term.term_periods
        if prepaid(term):
            booking = start - kind.lead_time_periods
            fee = hours * term.term_periods * self._yen(price, booking)
            share = Fraction(min(end, self.naive.count) - start, term.term_periods)
            self._add(BillComponent.RESERVATION, order.offer_id, booking, price.currency_code, fee * share)
            self.cash[self.naive.year(booking)] += fee
            return
        for t in range(start, end):
            amount = hours * self._yen(price, t)
            if t >= self.naive.count:
                self.obligation += amount
            else:
                self._add(BillComponent.RESERVATION, order.offer_id, t, price.currency_code, amount)
                self.cash[self.naive.year(t)] += amount

    def _purchase(self, order: PurchaseOrder) -> None:
        kind = self.offers[order.offer_id].kind
        assert isinstance(kind, Purchase)
        s = order.order_period
        inside = min(kind.life_periods, self.naive.count - s - kind.delivery_steps[0].periods_after_order)
        paid = order.units * self._yen(kind.price_per_unit, s)
        part = 1 - Fraction(kind.residual_fraction) * (1 - Fraction(kind.residual_haircut_fraction))
        amount = paid * part * Fraction(inside, kind.life_periods)
        self._add(BillComponent.PURCHASE, order.offer_id, s, kind.price_per_unit.currency_code, amount)
        self.cash[self.naive.year(s)] += paid

    def _workloads(self, plan: Plan) -> None:
        workloads = {workload.id: workload for workload in self.problem.workloads}
        for placement in plan.placements:
            for claim in placement.claims:
                key = (BillComponent.GRANT, placement.programme_id, claim.fiscal_year, JPY)
                self.lines[key] -= claim.amount_yen
                if claim.fiscal_year in self.cash:
                    self.cash[claim.fiscal_year] -= claim.amount_yen
            workload, start = workloads[placement.workload_id], placement.segments[0].start_period
            late = workload.late_start_yen_per_period * (start - self.naive.release(workload))
            self._add(BillComponent.LATENESS, workload.id, start, JPY, Fraction(late))
        for workload_id in plan.not_run_workload_ids:
            workload = workloads[workload_id]
            t = min(self.naive.release(workload), self.naive.count - 1)
            self._add(BillComponent.NOT_RUN, workload_id, t, JPY, Fraction(workload.cost_not_run_yen or 0))
