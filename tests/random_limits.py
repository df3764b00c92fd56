"""Current plan, rules and member budgets of a random problem: what all placements together have to keep.

Limits are drawn on top of what a *witness* needs: one placement for the mandatory and one for the locked workload that
need no order. So every problem has a plan.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Existing, Offer, Purchase
from tehai.domain.problem import CurrentPlacement, CurrentPlan, Problem, Rules
from tehai.domain.workload import CountryRule, Member, Workload
from tests import builders as make
from tests.oracle_columns import Column
from tests.oracle_numbers import Numbers
from tests.random_draw import OPERATORS, Draw
from tests.random_workloads import value_of

# on top of what the witness needs, so that it leaves some room
WITNESS_MARGIN = 2.0


class Limits:
    """Draws the limits of a problem whose workloads and offers are known."""

    def __init__(self, draw: Draw, draft: Problem) -> None:
        """Choose the current plan and the witness."""
        self.draw = draw
        self.draft = draft
        self.numbers = Numbers(draft)
        self.columns: dict[str, list[Column]] = defaultdict(list)
        for column in self.numbers.columns:
            self.columns[column.workload_id].append(column)
        self.witness: list[Column] = []
        self.current_plan = self._current_plan()
        self._add_mandatory()

    def _offered(self, column: Column) -> bool:
        """Return whether the offers that need no order carry a column next to the witness, within the power limit."""
        for t, hours in zip(column.touched, column.hours, strict=True):
            supplies = [s for s in self.numbers.supplies_in(column.pool_id) if s.quota_hours is None]
            live = sum(s.fixed_capacity[t] for s in supplies)
            site = self.numbers.site_of(column.pool_id)
            others = [
                (c.pool_id, value)
                for c in self.witness
                for at, value in zip(c.touched, c.hours, strict=True)
                if at == t
            ]
            here = sum(value for pool_id, value in others if pool_id == column.pool_id)
            kwh = hours * self.numbers.facility_kw(column.pool_id) + sum(
                value * self.numbers.facility_kw(pool_id)
                for pool_id, value in others
                if self.numbers.site_of(pool_id).id == site.id
            )
            fits = column.occupied <= live and here + hours <= live * self.numbers.hours
            if not fits or (site.power_limit_kw is not None and kwh > site.power_limit_kw * self.numbers.hours):
                return False
        return True

    # Current plan

    def _current_plan(self) -> CurrentPlan:
        placements: dict[str, CurrentPlacement] = {}
        if self.draw.on["lock"]:
            home = {place.pool.id for place in self.draw.places if place.site.operator_id == "home"}
            possible = [
                column
                for workload in self.draft.workloads
                if workload.cost_not_run_yen is not None and not workload.after_workload_ids
                for column in self.columns[workload.id]
                if column.pool_id in home and self._offered(column)
            ]
            if possible:
                column = self.draw.random.choice(possible)
                self.witness.append(column)
                placements[column.workload_id] = self._placement(column, locked=True)
        if self.draw.on["current plan"]:
            for workload in self.draw.random.sample(self.draft.workloads, 3):
                if self.columns[workload.id] and workload.id not in placements:
                    column = self.draw.random.choice(self.columns[workload.id])
                    placements[workload.id] = self._placement(column, locked=False)
        typical = sum(value_of(w) for w in self.draft.workloads) / len(self.draft.workloads)
        change_yen = round(typical * self.draw.between(0.01, 0.2)) if placements else 0
        return CurrentPlan(change_yen, tuple(placements.values()))

    def _placement(self, column: Column, locked: bool) -> CurrentPlacement:
        workload = self.numbers.workloads[column.workload_id]
        own = round(value_of(workload) * self.draw.between(0.02, 0.3)) if self.draw.happens(0.5) else None
        start = self.numbers.first_day(column.start)
        return CurrentPlacement(column.workload_id, column.pool_id, column.accelerators, start, locked, own)

    def _add_mandatory(self) -> None:
        home = self.draw.places[0].pool.id
        for workload in self.draft.workloads:
            if workload.cost_not_run_yen is None:
                possible = [c for c in self.columns[workload.id] if c.pool_id == home and self._offered(c)]
                self.witness.append(possible[0])

    # Rules

    def rules(self) -> Rules:
        """Return rules that the witness keeps."""
        draw, years = self.draw, self.draw.calendar.fiscal_years()
        shares = {year: round(draw.random.uniform(0.4, 0.9), 2) for year in years if draw.happens(0.3)}
        bill = sum(value_of(w) for w in self.draft.workloads)
        budgets = {
            year: round(bill * draw.between(0.08, 0.35) + self._witness_cash(year))
            for year in years
            if draw.happens(0.7 if draw.on["existing payments"] else 0.3)
        }
        return make.make_rules(
            CountryRule(("JP",), ("JP",)) if draw.happens(0.3) else make.ONLY_JAPAN,
            shares,
            budgets,
            self._capital_ceilings(),
            self._concentration(),
            round(draw.between(15, 120)) if draw.on["carbon price"] else 0,
            self._carbon_limits(),
            self._waiting_max(),
        )

    def _witness_list_bill(self, year: int, member_id: str) -> float:
        return WITNESS_MARGIN * sum(
            column.list_bill_by_year.get(year, 0.0)
            for column in self.witness
            if self.numbers.workloads[column.workload_id].member_id == member_id
        )

    def _witness_cash(self, year: int) -> float:
        """Return what the witness pays at most: its hours on the dearest offer that needs no order."""
        cash = 0.0
        for column in self.witness:
            prices = [s.use_yen for s in self.numbers.supplies_in(column.pool_id) if not s.orders]
            for t, hours in zip(column.touched, column.hours, strict=True):
                if self.numbers.fiscal_year(t) == year:
                    cash += hours * max(price[t] for price in prices)
            if self.numbers.fiscal_year(column.start) == year:
                cash += column.moving_yen
        return WITNESS_MARGIN * cash

    def _capital_ceilings(self) -> dict[int, int]:
        prices = [
            self.numbers.yen(offer.kind.price_per_unit, 0)
            for offer in self.draft.offers
            if isinstance(offer.kind, Purchase)
        ]
        if not self.draw.on["capital ceiling"] or not prices:
            return {}
        years = self.draw.calendar.fiscal_years()
        return {year: round(max(prices) * self.draw.between(0.05, 1.0)) for year in years if self.draw.happens(0.75)}

    def _concentration(self) -> dict[tuple[str, int], float]:
        """Return limits for operators that the witness does not need."""
        if not self.draw.on["concentration"]:
            return {}
        years = self.draw.calendar.fiscal_years()
        limits = {(o, y): round(self.draw.random.uniform(0.1, 0.6), 2) for o in OPERATORS for y in years}
        if not self.witness:
            limits |= {("home", year): round(self.draw.random.uniform(0.3, 0.7), 2) for year in years}
        present = {place.site.operator_id for place in self.draw.places}
        return {key: share for key, share in limits.items() if key[0] in present and self.draw.happens(0.75)}

    def _mean_by_year(self, what: str, workload: Workload, year: int) -> float:
        columns = self.columns[workload.id]
        return float(sum(getattr(c, what).get(year, 0.0) for c in columns) / max(1, len(columns)))

    def _carbon_limits(self) -> dict[int, float]:
        limits = {}
        for year in self.draw.calendar.fiscal_years() if self.draw.on["carbon limit"] else ():
            needed = sum(column.carbon_kg_by_year.get(year, 0.0) for column in self.witness)
            typical = sum(self._mean_by_year("carbon_kg_by_year", w, year) for w in self.draft.workloads)
            if self.draw.happens(0.75):
                limits[year] = round(needed + typical * self.draw.between(0.1, 0.6) + 1, 1)
        return limits

    def _waiting_max(self) -> int | None:
        if not self.draw.on["waiting"]:
            return None
        needed = sum(column.waiting_periods for column in self.witness)
        return needed + self.draw.random.randint(0, len(self.draft.workloads) // 2)

    # Members and sunk payments

    def members(self) -> tuple[Member, ...]:
        """Return the members with budgets that the witness keeps."""
        return tuple(replace(member, budgets=self._member_budgets(member)) for member in self.draft.members)

    def _member_budgets(self, member: Member) -> tuple[FiscalYearAmount, ...]:
        if not self.draw.on["member budget"] or self.draw.happens(0.3):
            return ()
        budgets = {}
        for year in self.draw.calendar.fiscal_years():
            own = [w for w in self.draft.workloads if w.member_id == member.id]
            typical = sum(self._mean_by_year("list_bill_by_year", w, year) for w in own)
            if self.draw.happens(0.75):
                budgets[year] = round(self._witness_list_bill(year, member.id) + typical * self.draw.between(0.15, 0.8))
        return make.amounts(budgets)

    def offers(self, rules: Rules) -> tuple[Offer, ...]:
        """Return the offers with sunk payments that take up part of the portfolio budgets."""

        def with_payments(offer: Offer) -> Offer:
            if not isinstance(offer.kind, Existing) or not self.draw.on["existing payments"]:
                return offer
            payments = {}
            for budget in rules.portfolio_budgets:
                free = budget.amount_yen - self._witness_cash(budget.fiscal_year)
                payments[budget.fiscal_year] = round(free * self.draw.between(0.3, 0.9))
            return replace(offer, kind=replace(offer.kind, payments=make.amounts(payments)))

        return tuple(with_payments(offer) for offer in self.draft.offers)
