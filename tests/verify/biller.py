"""Bills a valid plan again from docs/rules.md, in decimals of 50 digits; nothing from ``tehai.verify``."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext

from tehai.domain.market import JPY, USD, FiscalYearAmount, UnitPrice
from tehai.domain.offer import Allocation, CapacityBlock, Existing, OnDemand, Purchase, Reservation
from tehai.domain.plan import (
    BillComponent,
    BillLine,
    CapacityBlockOrder,
    Claim,
    Placement,
    Plan,
    PurchaseOrder,
    ReservationOrder,
)
from tehai.domain.problem import Problem
from tests.verify.naive import payments_of, upfront
from tests.verify.naive_columns import NaiveColumn, NaiveColumns


def billed(problem: Problem, plan: Plan) -> Plan:
    """Return the plan with forward curve, bill, cash, obligation, receivable and objective computed anew."""
    with localcontext(prec=50):
        bill = Biller(problem, plan)
        lines = tuple(
            BillLine(*key, round(amount))
            for key, amount in sorted(bill.lines.items(), key=lambda item: (item[0][0].value, *item[0][1:]))
            if round(amount) != 0
        )
        return replace(
            plan,
            forward_usd_jpy=tuple(float(bill.forward(t)) for t in range(problem.calendar.period_count)),
            bill_lines=lines,
            cash=tuple(FiscalYearAmount(year, round(amount)) for year, amount in bill.cash.items()),
            obligation_after_horizon_yen=round(bill.obligation),
            claims_receivable_after_horizon_yen=bill.receivable,
            objective_yen=sum(line.amount_yen for line in lines),
        )


def column_of(naive: NaiveColumns, placement: Placement) -> NaiveColumn:
    """Return the hours of a valid placement."""
    workload = next(w for w in naive.problem.workloads if w.id == placement.workload_id)
    first = placement.segments[0]
    pool = naive.pools[first.pool_id]
    gang = next(g for g in workload.gang_options if g.accelerators == first.accelerators)
    occupied = -(-gang.accelerators // pool.node_accelerators) * pool.node_accelerators
    hours = {}
    for segment in placement.segments:
        left, t = segment.run_hours, segment.start_period
        while left > 1e-6:
            hours[t] = occupied * min(left, float(naive.period_hours))
            left -= naive.period_hours
            t += 1
    run = sum(segment.run_hours for segment in placement.segments)
    return NaiveColumn(workload, pool, gang, len(placement.segments) - 1, run, hours)


class Biller:
    """The lines, cash and obligations of a valid plan."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.naive = problem, NaiveColumns(problem)
        self.lines: dict[tuple[BillComponent, str, int, str], Decimal] = defaultdict(Decimal)
        self.cash = {year: Decimal(0) for year in problem.calendar.fiscal_years()}
        self.capital = {year: Decimal(0) for year in problem.calendar.fiscal_years()}
        self.obligation, self.receivable = Decimal(0), 0
        self.offers = {offer.id: offer for offer in problem.offers}
        self._use(plan)
        for order in plan.reservation_orders:
            self._term(order)
        for block in plan.capacity_block_orders:
            self._block(block)
        for bought in plan.purchase_orders:
            self._purchase(bought)
            for claim in bought.claims:
                self._claim(claim)
        self._workloads(plan)

    def forward(self, t: int) -> Decimal:
        """Forward yen per dollar."""
        market = self.problem.market
        years = Decimal((self.problem.calendar.date_of(t) - market.spot_date).days) / 365
        return market.usd_jpy_spot * (1 + market.yen_interest_rate * years) / (1 + market.dollar_interest_rate * years)

    def _yen(self, price: UnitPrice, decided: int, paid: int) -> Decimal:
        amount = price.amount_on(self.problem.calendar.date_of(decided))
        return amount * (
            self.forward(paid) + self.problem.market.usd_conversion_spread_yen if price.currency_code == USD else 1
        )

    def _discount(self, when: int | date, annual: Decimal | None = None) -> Decimal:
        day = self.problem.calendar.date_of(when) if isinstance(when, int) else when
        rate = self.problem.market.discount_rate if annual is None else annual
        return (1 + rate) ** (Decimal(-(day - self.problem.calendar.first_date).days) / 365)

    def _add(self, component: BillComponent, subject: str, t: int, currency: str, amount: Decimal) -> None:
        self.lines[component, subject, self.naive.year(t), currency] += amount

    def _pay(self, t: int, amount: Decimal) -> None:
        if t < self.naive.count:
            self.cash[self.naive.year(t)] += amount
        else:
            self.obligation += amount

    def _use(self, plan: Plan) -> None:
        for offer in self.problem.offers:
            for payment in offer.kind.payments if isinstance(offer.kind, Existing) else ():
                self.cash[payment.fiscal_year] += payment.amount_yen
        for use in plan.offer_uses:
            offer = self.offers[use.offer_id]
            for t, hours in enumerate(use.accelerator_hours):
                component, currency = BillComponent.ELECTRICITY, JPY
                if isinstance(offer.kind, OnDemand | Allocation):
                    price = offer.kind.price_per_accelerator_hour
                    on_demand = isinstance(offer.kind, OnDemand)
                    component = BillComponent.ON_DEMAND if on_demand else BillComponent.ALLOCATION
                    currency, amount = price.currency_code, Decimal(hours) * self._yen(price, t, t)
                else:
                    amount = Decimal(hours) * Decimal(self.naive.electricity(offer, t))
                self._add(component, offer.id, t, currency, amount * self._discount(t))
                self._pay(t, amount)

    def _term(self, order: ReservationOrder) -> None:
        kind = self.offers[order.offer_id].kind
        assert isinstance(kind, Reservation)
        term = kind.terms[order.term_index]
        price, u = term.price_per_accelerator_hour, Decimal(upfront(term))
        hours = kind.block_accelerators * self.naive.period_hours * order.blocks
        start, end = order.start_period, order.start_period + term.term_periods
        b = start - kind.lead_time_periods
        fee = u * hours * term.term_periods * self._yen(price, b, b)
        share = Decimal(min(end, self.naive.count) - start) / term.term_periods
        self._add(BillComponent.RESERVATION, order.offer_id, b, price.currency_code, fee * share * self._discount(b))
        self._pay(b, fee)
        for t in range(start, end):
            amount = (1 - u) * hours * self._yen(price, b, t)
            self._pay(t, amount)
            if t < self.naive.count:
                counted = amount * self._discount(t)
                self._add(BillComponent.RESERVATION, order.offer_id, t, price.currency_code, counted)

    def _block(self, order: CapacityBlockOrder) -> None:
        kind = self.offers[order.offer_id].kind
        assert isinstance(kind, CapacityBlock)
        term, b = kind.terms[order.term_index], order.booking_period
        price = term.price_per_accelerator_hour
        fee = order.blocks * kind.block_accelerators * 24 * term.term_days * self._yen(price, b, b)
        hours = self.naive.block_hours(term, order.start_period)
        inside = Decimal(sum(h for t, h in hours.items() if t < self.naive.count)) / (24 * term.term_days)
        counted = fee * inside * self._discount(b)
        self._add(BillComponent.CAPACITY_BLOCK, order.offer_id, b, price.currency_code, counted)
        self._pay(b, fee)

    def _purchase(self, order: PurchaseOrder) -> None:
        kind = self.offers[order.offer_id].kind
        assert isinstance(kind, Purchase)
        s, price = order.order_period, kind.price_per_unit
        annual = self.naive.members[kind.owner_member_id].cost_of_capital if kind.owner_member_id else None
        first = kind.delivery_steps[0].periods_after_order
        inside = min(kind.life_periods, self.naive.count - s - first)
        part = 1 - Decimal(kind.residual_fraction) * (1 - Decimal(kind.residual_haircut_fraction))
        book = order.units * self._yen(price, s, s) * (1 - part * inside / kind.life_periods)
        counted = -book * self._discount(s + first + inside, annual)
        for after, fraction in payments_of(kind):
            amount = order.units * Decimal(fraction) * self._yen(price, s, s + after)
            counted += amount * self._discount(s + after, annual)
            self._pay(s + after, amount)
            if s + after < self.naive.count:
                self.capital[self.naive.year(s + after)] += amount
        self._add(BillComponent.PURCHASE, order.offer_id, s, price.currency_code, counted)

    def _claim(self, claim: Claim) -> None:
        programme = next(r for r in self.problem.programmes if r.id == claim.programme_id)
        counted = -claim.amount_yen * self._discount(self.naive.pay_day(programme, claim.fiscal_year))
        self.lines[BillComponent.GRANT, programme.id, claim.fiscal_year, JPY] += counted
        paid_in = self.naive.pay_year(programme, claim.fiscal_year)
        if paid_in is None:
            self.receivable += claim.amount_yen
        else:
            self.cash[paid_in] -= claim.amount_yen

    def _workloads(self, plan: Plan) -> None:
        naive = self.naive
        workloads = {workload.id: workload for workload in self.problem.workloads}
        for placement in plan.placements:
            for claim in placement.claims:
                self._claim(claim)
            if placement.segments:
                self._placed(column_of(naive, placement))
        for workload_id in plan.not_run_workload_ids:
            workload = workloads[workload_id]
            if naive.must_run(workload) and not any(True for _ in naive.columns(workload)):
                continue
            t = min(naive.release(workload), naive.count - 1)
            self._add(BillComponent.NOT_RUN, workload_id, t, JPY, Decimal(workload.cost_not_run_yen or 0))
            self._add(BillComponent.CHANGE, workload_id, t, JPY, Decimal(naive.change(workload, None)))

    def _placed(self, column: NaiveColumn) -> None:
        naive, workload, s = self.naive, column.workload, column.start
        late = workload.late_start_yen_per_period * (s - naive.release(workload))
        self._add(BillComponent.LATENESS, workload.id, s, JPY, Decimal(late))
        self._add(BillComponent.CHANGE, workload.id, s, JPY, Decimal(naive.change(workload, column)))
        porting = Decimal(naive.porting(workload, column.pool))
        self._add(BillComponent.PORTING, workload.id, s, JPY, porting * self._discount(s))
        self._pay(s, porting)
        if naive.transfer(workload, column.pool, s):
            route = next(
                r
                for r in self.problem.routes
                if (r.from_site_id, r.to_site_id) == (workload.data_site_id, column.pool.site_id)
            )
            price = route.price_per_terabyte
            amount = Decimal(workload.data_terabytes) * self._yen(price, s, s)
            self._add(BillComponent.TRANSFER, workload.id, s, price.currency_code, amount * self._discount(s))
            self._pay(s, amount)
        for t, hours in column.hours.items():
            kg = Decimal(hours) * Decimal(naive.carbon(column.pool))
            amount = self.problem.rules.carbon_price_yen_per_kg * kg
            self._add(BillComponent.CARBON, column.pool.site_id, t, JPY, amount)
