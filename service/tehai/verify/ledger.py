"""Where the amounts of a bill are collected, in decimals of 60 digits, with its own prices and discount factors."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from tehai.domain.market import USD, PriceStep, UnitPrice
from tehai.domain.plan import BillComponent
from tehai.domain.problem import Problem
from tehai.verify.case import Case
from tehai.verify.timeline import DAYS_A_YEAR, day_offset, dollar_cost, fiscal_year, step_value

DIGITS = 60
LineKey = tuple[BillComponent, str, int, str]


class Ledger:
    """Collects amounts by line and by fiscal year of payment; all amounts are exact to ``DIGITS``."""

    def __init__(self, case: Case) -> None:
        """Start with the years of the horizon at zero."""
        self.problem: Problem = case.problem
        years = case.reference.years
        self.lines: dict[LineKey, Decimal] = {}
        self.cash: dict[int, Decimal] = dict.fromkeys(years, Decimal(0))
        self.capital: dict[int, Decimal] = dict.fromkeys(years, Decimal(0))
        self.obligation = Decimal(0)
        self.receivable = Decimal(0)
        self.year = [fiscal_year(self.problem, t) for t in range(case.reference.period_count)]
        self._dollars: dict[int, Decimal] = {}
        self._discounts: dict[tuple[int, Decimal], Decimal] = {}

    def yen(self, price: UnitPrice, decided: int, paid: int) -> Decimal:
        """Return cur(price, day(decided), paid); both are periods and may lie after the horizon."""
        amount = step_value(self.problem, price.amount, price.steps, day_offset(self.problem, decided))
        return amount * self._dollar(paid) if price.currency_code == USD else amount

    def tariff(self, base: Decimal, steps: Sequence[PriceStep], period: int) -> Decimal:
        """Return the yen per kWh in force in a period."""
        return step_value(self.problem, base, steps, day_offset(self.problem, period))

    def discount(self, period: int, annual: Decimal | None = None) -> Decimal:
        """Return D of the first day of a period, at the market's rate unless another is given."""
        return self.discount_on(day_offset(self.problem, period), annual)

    def discount_on(self, offset: int, annual: Decimal | None = None) -> Decimal:
        """Return D of a day, counted from ``first_date``."""
        rate = self.problem.market.discount_rate if annual is None else annual
        if rate == 0:
            return Decimal(1)
        key = (offset, rate)
        if key not in self._discounts:
            self._discounts[key] = (1 + rate) ** (Decimal(-offset) / DAYS_A_YEAR)
        return self._discounts[key]

    def line(self, component: BillComponent, subject: str, year: int, currency: str, amount: Decimal) -> None:
        """Add a present value to a line."""
        key = (component, subject, year, currency)
        self.lines[key] = self.lines.get(key, Decimal(0)) + amount

    def pay(self, period: int, amount: Decimal) -> None:
        """Add what is paid in a period: cash, or an obligation after the horizon."""
        if period < len(self.year):
            self.cash[self.year[period]] += amount
        else:
            self.obligation += amount

    def receive(self, year: int, amount: Decimal) -> None:
        """Take a claim that is paid in a fiscal year off the cash; one paid later is receivable."""
        if year in self.cash:
            self.cash[year] -= amount
        else:
            self.receivable += amount

    def _dollar(self, period: int) -> Decimal:
        if period not in self._dollars:
            self._dollars[period] = to_decimal(dollar_cost(self.problem, period))
        return self._dollars[period]


def to_decimal(value: Fraction) -> Decimal:
    """Return a fraction to the digits of the current context."""
    return Decimal(value.numerator) / Decimal(value.denominator)
