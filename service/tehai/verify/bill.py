"""The bill of a plan, computed again from its decisions in decimal arithmetic of 60 digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

from tehai.domain.market import JPY, USD, UnitPrice
from tehai.domain.offer import Existing, Offer, OnDemand, PaymentTiming, Purchase, Reservation, ReservationTerm
from tehai.domain.plan import BillComponent, PurchaseOrder, ReservationOrder
from tehai.verify.case import Case, ordered_purchase, ordered_term
from tehai.verify.timeline import fiscal_year, forward_rate
from tehai.verify.tolerances import TOLERANCES

DIGITS = 60
HALF_YEN = Decimal("0.5")
LineKey = tuple[BillComponent, str, int, str]


@dataclass(frozen=True, slots=True)
class Bill:
    """Exact amounts before rounding, yen; cash by fiscal year of the horizon."""

    lines: dict[LineKey, Decimal]
    cash: dict[int, Decimal]
    obligation: Decimal

    @property
    def objective(self) -> Decimal:
        """The exact sum of the lines."""
        return sum(self.lines.values(), Decimal(0))

    @property
    def gross(self) -> Decimal:
        """The sum of the lines without their signs, a measure of size."""
        return sum((abs(amount) for amount in self.lines.values()), Decimal(0))


class _Ledger:
    """Collects amounts by line and by fiscal year of payment."""

    def __init__(self, case: Case) -> None:
        """Start with the years of the horizon at zero."""
        problem = case.problem
        self.lines: dict[LineKey, Decimal] = {}
        self.cash: dict[int, Decimal] = dict.fromkeys(case.reference.years, Decimal(0))
        self.obligation = Decimal(0)
        self.year = [fiscal_year(problem, t) for t in range(case.reference.period_count)]
        self._problem = problem
        self._forward: dict[int, Decimal] = {}

    def yen(self, price: UnitPrice, period: int) -> Decimal:
        """Return a unit price in yen at the forward rate of any period."""
        return price.amount * self._rate(period) if price.currency_code == USD else price.amount

    def cost(self, component: BillComponent, subject: str, period: int, currency: str, amount: Decimal) -> None:
        """Add an amount to the line of a period's fiscal year."""
        self.line(component, subject, self.year[period], currency, amount)

    def line(self, component: BillComponent, subject: str, year: int, currency: str, amount: Decimal) -> None:
        """Add an amount to a line."""
        key = (component, subject, year, currency)
        self.lines[key] = self.lines.get(key, Decimal(0)) + amount

    def pay(self, period: int, amount: Decimal) -> None:
        """Add cash paid in a period of the horizon."""
        self.cash[self.year[period]] += amount

    def _rate(self, period: int) -> Decimal:
        if period not in self._forward:
            self._forward[period] = to_decimal(forward_rate(self._problem, period))
        return self._forward[period]


def to_decimal(value: Fraction) -> Decimal:
    """Return a fraction to the digits of the current context."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def compute_bill(case: Case) -> Bill:
    """Bill everything in the plan that can be read."""
    with localcontext(prec=DIGITS):
        ledger = _Ledger(case)
        _bill_use(ledger, case)
        for order in case.plan.reservation_orders:
            found = ordered_term(case.reference, order)
            if found is not None:
                _bill_term(ledger, case, order, *found)
        for bought in case.plan.purchase_orders:
            purchase = ordered_purchase(case.reference, bought)
            if purchase is not None:
                _bill_purchase(ledger, case, bought, purchase)
        _bill_claims(ledger, case)
        _bill_workloads(ledger, case)
        return Bill(ledger.lines, ledger.cash, ledger.obligation)


def _bill_use(ledger: _Ledger, case: Case) -> None:
    """Bill accelerator-hours: on demand at its price, metered offers at their electricity."""
    for o, offer in enumerate(case.problem.offers):
        kwh_yen = _electricity(case, offer, case.reference.pool_of_offer[o])
        for t in case.use[o].nonzero()[0].tolist():
            hours = Decimal(float(case.use[o, t]))
            if isinstance(offer.kind, OnDemand):
                price = offer.kind.price_per_accelerator_hour
                amount = hours * ledger.yen(price, t)
                ledger.cost(BillComponent.ON_DEMAND, offer.id, t, price.currency_code, amount)
                ledger.pay(t, amount)
            elif kwh_yen is not None:
                ledger.cost(BillComponent.ELECTRICITY, offer.id, t, JPY, hours * kwh_yen)
                ledger.pay(t, hours * kwh_yen)


def _electricity(case: Case, offer: Offer, pool: int) -> Decimal | None:
    """Return yen of electricity for one accelerator-hour, None where the offer is not metered."""
    if not isinstance(offer.kind, Existing | Purchase) or not offer.kind.metered:
        return None
    site = case.reference.site(pool)
    power_kw = Decimal(case.reference.accelerator_of_pool[pool].power_kw)
    return power_kw * Decimal(site.power_usage_effectiveness) * (site.electricity_yen_per_kwh or Decimal(0))


def _bill_term(ledger: _Ledger, case: Case, order: ReservationOrder, kind: Reservation, term: ReservationTerm) -> None:
    """Bill the blocks of one term."""
    start, count = order.start_period, case.reference.period_count
    price = term.price_per_accelerator_hour
    hours = Decimal(order.blocks * kind.block_accelerators * case.reference.period_hours)
    inside = min(term.term_periods, count - start)
    if term.payment_timing is PaymentTiming.PREPAID:
        booking = start - kind.lead_time_periods
        rate = hours * ledger.yen(price, booking)
        ledger.cost(BillComponent.RESERVATION, order.offer_id, booking, price.currency_code, rate * inside)
        ledger.pay(booking, rate * term.term_periods)
        return
    for t in range(start, start + inside):
        amount = hours * ledger.yen(price, t)
        ledger.cost(BillComponent.RESERVATION, order.offer_id, t, price.currency_code, amount)
        ledger.pay(t, amount)
    for t in range(start + inside, start + term.term_periods):
        ledger.obligation += hours * ledger.yen(price, t)


def _bill_purchase(ledger: _Ledger, case: Case, order: PurchaseOrder, kind: Purchase) -> None:
    """Bill the units of one order: the share of their life in the horizon, less the residual."""
    period = order.order_period
    first = period + kind.delivery_steps[0].periods_after_order
    inside = min(kind.life_periods, case.reference.period_count - first)
    paid = order.units * ledger.yen(kind.price_per_unit, period)
    kept = 1 - Decimal(kind.residual_fraction) * (1 - Decimal(kind.residual_haircut_fraction))
    amount = paid * kept * inside / kind.life_periods
    ledger.cost(BillComponent.PURCHASE, order.offer_id, period, kind.price_per_unit.currency_code, amount)
    ledger.pay(period, paid)


def _bill_claims(ledger: _Ledger, case: Case) -> None:
    """Credit the claims of known programmes."""
    for placement in case.plan.placements:
        if placement.programme_id not in case.reference.programme_index:
            continue
        for claim in placement.claims:
            amount = Decimal(-claim.amount_yen)
            ledger.line(BillComponent.GRANT, placement.programme_id, claim.fiscal_year, JPY, amount)
            if claim.fiscal_year in ledger.cash:
                ledger.cash[claim.fiscal_year] += amount


def _bill_workloads(ledger: _Ledger, case: Case) -> None:
    """Charge late starts and workloads that are not run."""
    reference = case.reference
    for item in case.segments:
        start = item.segment.start_period
        late = start - int(reference.release[item.workload])
        if 0 <= start < reference.period_count and late > 0:
            workload = case.problem.workloads[item.workload]
            amount = Decimal(workload.late_start_yen_per_period * late)
            ledger.cost(BillComponent.LATENESS, workload.id, start, JPY, amount)
    for workload_id in _not_run(case):
        index = reference.workload_index[workload_id]
        cost = case.problem.workloads[index].cost_not_run_yen
        period = min(int(reference.release[index]), reference.period_count - 1)
        ledger.cost(BillComponent.NOT_RUN, workload_id, period, JPY, Decimal(cost or 0))


def _not_run(case: Case) -> Iterator[str]:
    """Yield each known workload listed as not run once."""
    for workload_id in dict.fromkeys(case.plan.not_run_workload_ids):
        if workload_id in case.reference.workload_index:
            yield workload_id


def round_yen(amount: Decimal) -> int:
    """Round half-even to the yen."""
    with localcontext(prec=DIGITS):
        return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def agrees(found_yen: int, exact: Decimal) -> bool:
    """Return whether a whole amount is the rounding of ``exact``; next to a half yen either neighbour is."""
    if found_yen == round_yen(exact):
        return True
    with localcontext(prec=DIGITS):
        slack = max(
            Decimal(TOLERANCES.half_yen_absolute.value), Decimal(TOLERANCES.half_yen_relative.value) * abs(exact)
        )
        return abs(found_yen - exact) <= HALF_YEN + slack
