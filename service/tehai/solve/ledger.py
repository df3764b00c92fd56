"""The bill: exact amounts by line, each rounded once (docs/rules.md, "Objective and bill")."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from tehai.domain.market import JPY, FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine
from tehai.engine.instance import ProblemArrays

BillKey = tuple[BillComponent, str, int, str]
COMPONENT_ORDER = {component: i for i, component in enumerate(BillComponent)}


def round_yen(amounts: list[float]) -> int:
    """Return the sum of exact amounts rounded half-even to the yen."""
    return int(sum(map(Decimal, amounts), Decimal(0)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@dataclass
class Ledger:
    """Present values in yen by bill line, cash by fiscal year, and payments and claims after the horizon."""

    lines: dict[BillKey, list[float]] = field(default_factory=lambda: defaultdict(list))
    cash: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    obligations: list[float] = field(default_factory=list)
    receivables: list[float] = field(default_factory=list)

    def charge(self, component: BillComponent, subject: str, year: int, currency: str, yen: float) -> None:
        """Add to a line of the objective."""
        if yen:
            self.lines[component, subject, year, currency].append(yen)

    def pay(self, year: int, yen: float) -> None:
        """Add cash paid in a fiscal year; grants are negative."""
        self.cash[year].append(yen)

    def spend(
        self, component: BillComponent, subject: str, year: int, currency: str, yen: float, counted: float
    ) -> None:
        """Add a payment of ``yen`` to the cash of its fiscal year, and the part of it that is ``counted`` to a line."""
        if yen:
            self.charge(component, subject, year, currency, yen * float(counted))
            self.pay(year, yen)

    def claim(self, built: ProblemArrays, programme: int, year: int, yen: float) -> None:
        """Add a claim of a fiscal year (index): discounted to its payment, and as income where the horizon sees it."""
        counted = float(built.arrays["claim_discount"][programme, year])
        subject = built.problem.programmes[programme].id
        self.charge(BillComponent.GRANT, subject, built.years[year], JPY, -yen * counted)
        paid = int(built.arrays["claim_pay_year"][programme, year])
        if paid < 0:
            self.receivables.append(yen)
        else:
            self.pay(built.years[paid], -yen)

    def bill_lines(self) -> tuple[BillLine, ...]:
        """Return the lines by component, subject and year; those that round to zero are left out."""
        rounded = [(key, round_yen(amounts)) for key, amounts in self.lines.items()]
        rounded.sort(key=lambda row: (COMPONENT_ORDER[row[0][0]], *row[0][1:]))
        return tuple(BillLine(*key, amount) for key, amount in rounded if amount)

    def cash_by_year(self, years: tuple[int, ...]) -> tuple[FiscalYearAmount, ...]:
        """Return the cash of each fiscal year, rounded."""
        return tuple(FiscalYearAmount(year, round_yen(self.cash[year])) for year in years)

    def obligation_yen(self) -> int:
        """Return the payments after the horizon, rounded."""
        return round_yen(self.obligations)

    def receivable_yen(self) -> int:
        """Return the claims that are paid after the horizon."""
        return round_yen(self.receivables)
