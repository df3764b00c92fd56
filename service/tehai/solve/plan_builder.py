"""From arrays to the plan a buyer reads: use by merit order, claims in whole yen, orders, bill."""

from __future__ import annotations

import math

import numpy as np

from tehai.domain.market import JPY, FiscalYearAmount
from tehai.domain.offer import OnDemand, PaymentTiming, Purchase, Reservation
from tehai.domain.plan import (
    BillComponent,
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
from tehai.engine.instance import EngineInstance, IntArray
from tehai.engine.market_arrays import FloatArray, prices_over_time
from tehai.engine.search import PlanArrays
from tehai.solve.ledger import Ledger

# Claims within this part of a yen under a whole yen count as that yen.
CLAIM_ROUNDING = 1e-6


def build_plan(
    instance: EngineInstance,
    arrays: PlanArrays,
    problem_sha256: str,
    tehai_version: str,
    options: SolveOptions,
    stop_reason: StopReason,
) -> Plan:
    """Return the plan of ``arrays`` with everything a checker or a buyer needs."""
    builder = _PlanBuilder(instance, arrays)
    placements = builder.placements()
    uses = builder.offer_uses()
    reservations, purchases = builder.orders()
    ledger = builder.ledger
    lines = ledger.bill_lines()
    problem = instance.problem
    return Plan(
        schema_version=SCHEMA_VERSION,
        problem_sha256=problem_sha256,
        tehai_version=tehai_version,
        options=options,
        stop_reason=stop_reason,
        placements=placements,
        not_run_workload_ids=tuple(w.id for w, mode in zip(problem.workloads, arrays.mode, strict=True) if mode < 0),
        reservation_orders=reservations,
        purchase_orders=purchases,
        offer_uses=uses,
        forward_usd_jpy=tuple(float(rate) for rate in instance.prices.forward),
        bill_lines=lines,
        cash=ledger.cash_by_year(instance.years),
        obligation_after_horizon_yen=ledger.obligation_yen(),
        objective_yen=sum(line.amount_yen for line in lines),
    )


class _PlanBuilder:
    """Fills the ledger while it turns each part of the arrays into nouns."""

    def __init__(self, instance: EngineInstance, arrays: PlanArrays) -> None:
        self.instance, self.arrays = instance, arrays
        self.problem: Problem = instance.problem
        self.calendar = self.problem.calendar
        self.ledger = Ledger()
        self.modes = instance.native.modes()
        self.hours = np.zeros((len(self.problem.pools), self.calendar.period_count))
        self.claims = _whole_claims(instance, arrays)

    def fiscal_year(self, period: int) -> int:
        return self.calendar.fiscal_year(period)

    def placements(self) -> tuple[Placement, ...]:
        placed = []
        for w, mode in enumerate(self.arrays.mode):
            if mode < 0:
                self._charge_not_run(w)
            else:
                placed.append(self._placement(w, int(mode)))
        return tuple(placed)

    def _charge_not_run(self, w: int) -> None:
        workload = self.problem.workloads[w]
        if workload.cost_not_run_yen is not None:
            release = min(int(self.instance.arrays["release"][w]), self.calendar.period_count - 1)
            year = self.fiscal_year(release)
            self.ledger.charge(BillComponent.NOT_RUN, workload.id, year, JPY, float(workload.cost_not_run_yen))

    def _placement(self, w: int, mode: int) -> Placement:
        workload, modes = self.problem.workloads[w], self.modes
        start, gang = int(self.arrays.start[w]), int(modes["gang"][mode])
        full, rest = int(modes["full"][mode]), float(modes["rest_hours"][mode])
        pool, length = int(modes["pool"][mode]), int(modes["length"][mode])
        self.hours[pool, start : start + full] += gang * self.calendar.period_hours
        if length > full:
            self.hours[pool, start + full] += gang * rest
        late = workload.late_start_yen_per_period * (start - int(self.instance.arrays["release"][w]))
        self.ledger.charge(BillComponent.LATENESS, workload.id, self.fiscal_year(start), JPY, float(late))
        programme = int(self.arrays.programme[w])
        claims = self._claims(w, programme)
        run_hours = full * self.calendar.period_hours + rest
        segment = Segment(self.problem.pools[pool].id, gang, start, self.calendar.date_of(start), run_hours)
        name = self.problem.programmes[programme].id if claims else ""
        return Placement(workload.id, (segment,), name, claims)

    def _claims(self, w: int, programme: int) -> tuple[FiscalYearAmount, ...]:
        if programme < 0:
            return ()
        found = []
        for year, yen in zip(self.instance.years, self.claims[w], strict=True):
            if yen > 0:
                found.append(FiscalYearAmount(year, int(yen)))
                self.ledger.charge(BillComponent.GRANT, self.problem.programmes[programme].id, year, JPY, -float(yen))
                self.ledger.pay(year, -float(yen))
        return tuple(found)

    def orders(self) -> tuple[tuple[ReservationOrder, ...], tuple[PurchaseOrder, ...]]:
        reservations, purchases = [], []
        for option in np.flatnonzero(self.arrays.units > 0):
            key, units = self.instance.order_keys[option], int(self.arrays.units[option])
            offer = self.problem.offers[key.offer_index]
            date = self.calendar.date_of(key.period)
            if isinstance(offer.kind, Reservation):
                reservations.append(ReservationOrder(offer.id, key.term_index, key.period, date, units))
                self._pay_reservation(offer.id, offer.kind, key.term_index, key.period, units)
            elif isinstance(offer.kind, Purchase):
                purchases.append(PurchaseOrder(offer.id, key.period, date, units))
                self._pay_purchase(offer.id, offer.kind, key.period, units)
        return tuple(reservations), tuple(purchases)

    def _pay_reservation(self, offer_id: str, kind: Reservation, term_index: int, start: int, blocks: int) -> None:
        term = kind.terms[term_index]
        price = term.price_per_accelerator_hour
        end = start + term.term_periods
        rates = prices_over_time(self.problem, max(0, end - self.calendar.period_count))
        block_hours = blocks * kind.block_accelerators * self.calendar.period_hours
        inside = min(term.term_periods, self.calendar.period_count - start)
        if term.payment_timing is PaymentTiming.PREPAID:
            booking = start - kind.lead_time_periods
            fee = block_hours * term.term_periods * rates.yen(price, booking)
            year = self.fiscal_year(booking)
            share = inside / term.term_periods
            self.ledger.charge(BillComponent.RESERVATION, offer_id, year, price.currency_code, fee * share)
            self.ledger.pay(year, fee)
            return
        for t in range(start, end):
            paid = block_hours * rates.yen(price, t)
            if t >= self.calendar.period_count:
                self.ledger.obligations.append(paid)
                continue
            self.ledger.charge(BillComponent.RESERVATION, offer_id, self.fiscal_year(t), price.currency_code, paid)
            self.ledger.pay(self.fiscal_year(t), paid)

    def _pay_purchase(self, offer_id: str, kind: Purchase, order: int, units: int) -> None:
        price = units * self.instance.prices.yen(kind.price_per_unit, order)
        kept = 1.0 - kind.residual_fraction * (1.0 - kind.residual_haircut_fraction)
        first = order + kind.delivery_steps[0].periods_after_order
        share = min(kind.life_periods, self.calendar.period_count - first) / kind.life_periods
        year, currency = self.fiscal_year(order), kind.price_per_unit.currency_code
        self.ledger.charge(BillComponent.PURCHASE, offer_id, year, currency, price * kept * share)
        self.ledger.pay(year, price)

    def offer_uses(self) -> tuple[OfferUse, ...]:
        use = dispatch(self.instance, self.arrays.units, self.hours)
        uses = []
        for index, offer in enumerate(self.problem.offers):
            if not use[index].any():
                continue
            uses.append(OfferUse(offer.id, tuple(float(hours) for hours in use[index])))
            self._charge_use(index, use[index])
        return tuple(uses)

    def _charge_use(self, index: int, hours: FloatArray) -> None:
        offer = self.problem.offers[index]
        instance = self.instance
        if index in instance.hourly_offers:
            unit_cost = instance.arrays["hourly_unit_cost"][instance.hourly_offers.index(index)]
        else:
            unit_cost = instance.arrays["use_cost"][instance.committed_offers.index(index)]
        component, currency = BillComponent.ELECTRICITY, JPY
        if isinstance(offer.kind, OnDemand):
            component, currency = BillComponent.ON_DEMAND, offer.kind.price_per_accelerator_hour.currency_code
        for t in np.flatnonzero(hours * unit_cost):
            yen = float(hours[t] * unit_cost[t])
            self.ledger.charge(component, offer.id, self.fiscal_year(int(t)), currency, yen)
            self.ledger.pay(self.fiscal_year(int(t)), yen)


def dispatch(instance: EngineInstance, units: IntArray, hours: FloatArray) -> FloatArray:
    """Serve placed ``hours`` (P, T) from each pool's offers, cheapest first; returns use by offer, (offers, T).

    Merit order is optimal here: every offer of a pool serves every workload alike, and dearer hours cost more cash too.
    """
    arrays, problem = instance.arrays, instance.problem
    use = np.zeros((len(problem.offers), hours.shape[1]))
    supply: list[list[tuple[FloatArray, FloatArray, int]]] = [[] for _ in problem.pools]
    for row, index in enumerate(instance.hourly_offers):
        entry = (arrays["hourly_unit_cost"][row], arrays["hourly_limit_hours"][row], index)
        supply[arrays["hourly_pool"][row]].append(entry)
    live = live_accelerators(instance, units)
    for row, index in enumerate(instance.committed_offers):
        entry = (arrays["use_cost"][row], live[row] * arrays["period_hours"], index)
        supply[arrays["committed_pool"][row]].append(entry)
    for pool, offers in enumerate(supply):
        for t in np.flatnonzero(hours[pool] > 0.0):
            left = hours[pool, t]
            for _, limit, index in sorted(offers, key=lambda offer: (offer[0][t], offer[2])):
                taken = min(left, limit[t])
                use[index, t] = taken
                left -= taken
            # What rounding leaves over (far below verification's tolerance) stays on the last offer that has any room.
            if left > 0.0 and offers:
                dearest = max((o for o in offers if o[1][t] > 0.0), key=lambda offer: (offer[0][t], offer[2]))
                use[dearest[2], t] += left
    return use


def live_accelerators(instance: EngineInstance, units: IntArray) -> FloatArray:
    """Return accelerators live by committed offer and period, shape (committed offers, T)."""
    arrays = instance.arrays
    live = np.zeros((len(instance.committed_offers), arrays["periods"]))
    for option in np.flatnonzero(units > 0):
        row = int(np.searchsorted(arrays["option_offset"], option, side="right")) - 1
        low, high = arrays["live_offset"][option], arrays["live_offset"][option + 1]
        first = arrays["option_first"][option]
        live[row, first : first + high - low] += units[option] * arrays["live_accelerators"][low:high]
    return live


def _whole_claims(instance: EngineInstance, arrays: PlanArrays) -> FloatArray:
    """Round claims down to the yen and keep every cap exactly, (W, Y)."""
    table = instance.arrays
    claims = np.floor(arrays.claims + CLAIM_ROUNDING)
    claims[arrays.mode < 0] = 0.0
    claims[arrays.programme < 0] = 0.0
    years = len(instance.years)
    placed = np.flatnonzero((arrays.mode >= 0) & (arrays.programme >= 0))
    rows = instance.native.expand(
        {"mode": arrays.mode[placed], "start": arrays.start[placed], "programme": arrays.programme[placed]}
    )
    claimable = np.asarray(rows["claimable_yen"]).reshape(len(placed), years)
    budget_left = table["programme_budget_yen"].copy()
    cap_left: dict[tuple[int, int], float] = {}
    for row, w in enumerate(placed):
        programme, project = int(arrays.programme[w]), int(table["project"][w])
        left = cap_left.get((programme, project), float(table["project_cap_yen"][programme]))
        for y in range(years):
            most = min(math.floor(claimable[row, y]), left, budget_left[programme, y])
            claims[w, y] = min(claims[w, y], most)
            left -= claims[w, y]
            budget_left[programme, y] -= claims[w, y]
        cap_left[programme, project] = left
    return claims
