"""The bill: exact amounts by line, each rounded once (docs/rules.md, "Objective and bill")."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from tehai.domain.market import FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine

BillKey = tuple[BillComponent, str, int, str]
COMPONENT_ORDER = {component: i for i, component in enumerate(BillComponent)}


def round_yen(amounts: list[float]) -> int:
    """Return the sum of exact amounts rounded half-even to the yen."""
    return int(sum(map(Decimal, amounts), Decimal(0)).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


@dataclass
class Ledger:
    """Amounts in yen by bill line, cash by fiscal year, and payments after the horizon."""

    lines: dict[BillKey, list[float]] = field(default_factory=lambda: defaultdict(list))
    cash: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    obligations: list[float] = field(default_factory=list)

    def charge(self, component: BillComponent, subject: str, year: int, currency: str, yen: float) -> None:
        """Add to a line of the objective."""
        if yen:
            self.lines[component, subject, year, currency].append(yen)

    def pay(self, year: int, yen: float) -> None:
        """Add cash paid in a fiscal year; grants are negative."""
        self.cash[year].append(yen)

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
