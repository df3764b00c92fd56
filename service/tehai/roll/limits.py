"""Budgets and other limits after the roll: what is used before the day is taken off."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Purchase
from tehai.domain.problem import Rules
from tehai.domain.workload import Member
from tehai.explain.lists import list_bill
from tehai.explain.payments import purchase_payments
from tehai.explain.reading import release_period
from tehai.roll.claims import MadeClaim, income_to_come
from tehai.roll.moment import Moment, Stage


def rolled_rules(moment: Moment, claims: tuple[MadeClaim, ...]) -> Rules:
    """Return the rules of the running and later fiscal years with what is left of each limit, at least 0.

    Shares of domestic work and of operators are fractions: in the running year they hold for the rest of its work.
    """
    rules, year = moment.reading.problem.rules, moment.fiscal_year
    cash = sum(item.amount_yen for item in moment.paid if moment.paid_in_running_year(item))
    income = income_to_come(moment, claims)
    waited = rules.total_waiting_periods_max
    return replace(
        rules,
        minimum_domestic_shares=tuple(item for item in rules.minimum_domestic_shares if item.fiscal_year >= year),
        concentration_limits=tuple(item for item in rules.concentration_limits if item.fiscal_year >= year),
        portfolio_budgets=_less(moment, rules.portfolio_budgets, {year: cash}, income),
        capital_ceilings=_less(moment, rules.capital_ceilings, _instalments_of_orders(moment), {}),
        carbon_limits=tuple(
            replace(item, mass_kg=max(0.0, item.mass_kg - (_carbon_kg(moment) if item.fiscal_year == year else 0.0)))
            for item in rules.carbon_limits
            if item.fiscal_year >= year
        ),
        total_waiting_periods_max=None if waited is None else max(0, waited - _waited(moment)),
    )


def rolled_members(moment: Moment, claims: tuple[MadeClaim, ...]) -> tuple[Member, ...]:
    """Return the members with what is left of their budgets: list bills before the moment off, claims made on."""
    bills: dict[str, float] = defaultdict(float)
    for placed in moment.reading.placed:
        bill = list_bill(moment.reading, placed, moment.references, before=moment.period)
        bills[placed.workload.member_id] += bill.get(moment.fiscal_year, 0.0)
    return tuple(
        replace(
            member,
            budgets=_less(
                moment,
                member.budgets,
                {moment.fiscal_year: bills[member.id]},
                income_to_come(moment, tuple(c for c in claims if c.for_use and c.member_id == member.id)),
            ),
        )
        for member in moment.reading.problem.members
    )


def _less(
    moment: Moment, amounts: tuple[FiscalYearAmount, ...], used: Mapping[int, float], income: Mapping[int, int]
) -> tuple[FiscalYearAmount, ...]:
    """Return limits of the running and later years less what is used, plus income of claims made; rounded up.

    Rounded up, so that a plan that is carried over unchanged keeps them.
    """
    return tuple(
        FiscalYearAmount(
            item.fiscal_year,
            max(
                0, math.ceil(item.amount_yen - used.get(item.fiscal_year, 0.0) + income.get(item.fiscal_year, 0) - 1e-6)
            ),
        )
        for item in moment.still_to_come(amounts)
    )


def _instalments_of_orders(moment: Moment) -> dict[int, float]:
    """Return what orders before the moment pay in each fiscal year, before and after it, within the horizon."""
    reading, calendar = moment.reading, moment.reading.problem.calendar
    sums: dict[int, float] = defaultdict(float)
    for order in reading.plan.purchase_orders:
        offer = reading.offers[order.offer_id]
        if isinstance(offer.kind, Purchase) and order.order_period < moment.period:
            for item in purchase_payments(reading.problem, offer, order):
                if item.period < calendar.period_count:
                    sums[calendar.fiscal_year(item.period)] += item.amount_yen
    return sums


def _carbon_kg(moment: Moment) -> float:
    """Return the kg of the running fiscal year before the moment."""
    reading = moment.reading
    return sum(moment.before(placed.hours) * reading.carbon_kg(placed.pool) for placed in reading.placed)


def _waited(moment: Moment) -> int:
    """Return the periods of waiting before the moment of the workloads that are placed."""
    waited = 0
    for placed in moment.reading.placed:
        release = release_period(moment.reading.problem, placed.workload)
        until = moment.period if moment.stage(placed) is Stage.PLANNED else placed.start
        waited += max(0, until - release)
    return waited
