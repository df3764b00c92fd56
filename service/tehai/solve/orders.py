"""Orders as nouns, with what is paid for them within the horizon and after it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tehai.domain.calendar import HOURS_PER_DAY
from tehai.domain.offer import CapacityBlock, Purchase, Reservation
from tehai.domain.plan import BillComponent, CapacityBlockOrder, Claim, PurchaseOrder, ReservationOrder
from tehai.engine.block_arrays import block_hours
from tehai.engine.instance import EngineInstance, IntArray
from tehai.engine.market_arrays import FloatArray
from tehai.engine.offer_arrays import upfront_fraction
from tehai.engine.offer_tables import OrderKey
from tehai.engine.purchase_arrays import unit_payments
from tehai.solve.ledger import Ledger


@dataclass
class Orders:
    """Orders by kind, in the order of the engine's options."""

    reservations: list[ReservationOrder] = field(default_factory=list)
    purchases: list[PurchaseOrder] = field(default_factory=list)
    blocks: list[CapacityBlockOrder] = field(default_factory=list)


class OrderBuilder:
    """Turns units of order options into orders and fills the ledger."""

    def __init__(self, instance: EngineInstance, ledger: Ledger) -> None:
        """Look up what every order needs."""
        self.instance, self.ledger = instance, ledger
        self.problem, self.prices = instance.problem, instance.prices
        self.calendar = instance.problem.calendar

    def orders(self, units: IntArray, claims: FloatArray) -> Orders:
        """Return the orders of ``units`` by option, with whole ``claims`` by option."""
        orders = Orders()
        for option, count in self._units_by_claim(units, claims):
            key = self.instance.order_keys[option]
            kind = self.problem.offers[key.offer_index].kind
            if isinstance(kind, Reservation):
                orders.reservations.append(self._reservation(key, kind, count))
            elif isinstance(kind, CapacityBlock):
                orders.blocks.append(self._block(key, kind, count))
            elif isinstance(kind, Purchase):
                orders.purchases.append(self._purchase(key, kind, count, claims[option]))
        return orders

    def _units_by_claim(self, units: IntArray, claims: FloatArray) -> list[tuple[int, int]]:
        """Return (option, units); units of an option whose claim came to nothing join those without a claim."""
        merged: dict[tuple[int, int, int, int, int], tuple[int, int]] = {}
        for option in np.flatnonzero(units > 0):
            key = self.instance.order_keys[option]
            programme = key.programme if claims[option] > 0 else -1
            name = (key.offer_index, key.term_index, key.period, key.booking, programme)
            first, count = merged.get(name, (int(option), 0))
            merged[name] = (first, count + int(units[option]))
        return list(merged.values())

    def _reservation(self, key: OrderKey, kind: Reservation, blocks: int) -> ReservationOrder:
        offer_id, term = self.problem.offers[key.offer_index].id, kind.terms[key.term_index]
        price, upfront = term.price_per_accelerator_hour, upfront_fraction(term)
        start, end, booking = key.period, key.period + term.term_periods, key.period - kind.lead_time_periods
        period_hours = blocks * kind.block_accelerators * self.calendar.period_hours
        inside = min(term.term_periods, self.calendar.period_count - start)
        fee = upfront * period_hours * term.term_periods * self.prices.yen(price, booking)
        counted = self.prices.discount[booking] * inside / term.term_periods
        booked = self.calendar.fiscal_year(booking)
        component = BillComponent.RESERVATION
        self.ledger.spend(component, offer_id, booked, price.currency_code, fee, counted)
        paid = (1.0 - upfront) * period_hours * self.prices.yen_path(price, start, end, booking)
        for t, yen in enumerate(paid[:inside].tolist(), start):
            year = self.calendar.fiscal_year(t)
            self.ledger.spend(component, offer_id, year, price.currency_code, yen, self.prices.discount[t])
        self.ledger.obligations += [yen for yen in paid[inside:].tolist() if yen]
        return ReservationOrder(offer_id, key.term_index, start, self.calendar.date_of(start), blocks)

    def _block(self, key: OrderKey, kind: CapacityBlock, blocks: int) -> CapacityBlockOrder:
        offer_id, term = self.problem.offers[key.offer_index].id, kind.terms[key.term_index]
        whole = kind.block_accelerators * HOURS_PER_DAY * term.term_days
        hours = block_hours(kind, term, float(self.calendar.period_hours), self.calendar.period_count - key.period)
        price = term.price_per_accelerator_hour
        fee = blocks * whole * self.prices.yen(price, key.booking)
        counted = self.prices.discount[key.booking] * float(hours.sum()) / whole
        year = self.calendar.fiscal_year(key.booking)
        self.ledger.spend(BillComponent.CAPACITY_BLOCK, offer_id, year, price.currency_code, fee, counted)
        return CapacityBlockOrder(
            offer_id,
            key.term_index,
            key.period,
            self.calendar.date_of(key.period),
            key.booking,
            self.calendar.date_of(key.booking),
            blocks,
        )

    def _purchase(self, key: OrderKey, kind: Purchase, units: int, claim_yen: float) -> PurchaseOrder:
        offer_id, order = self.problem.offers[key.offer_index].id, key.period
        money = unit_payments(self.problem, self.prices, kind, order)
        year, currency = self.calendar.fiscal_year(order), kind.price_per_unit.currency_code
        self.ledger.charge(BillComponent.PURCHASE, offer_id, year, currency, units * money.cost_yen)
        for period, yen in money.instalments:
            if period < self.calendar.period_count:
                self.ledger.pay(self.calendar.fiscal_year(period), units * yen)
            else:
                self.ledger.obligations.append(units * yen)
        claims: tuple[Claim, ...] = ()
        if claim_yen > 0:
            claims = (Claim(self.problem.programmes[key.programme].id, year, int(claim_yen)),)
            self.ledger.claim(self.instance, key.programme, year - self.instance.years[0], claim_yen)
        return PurchaseOrder(offer_id, order, self.calendar.date_of(order), units, claims)
