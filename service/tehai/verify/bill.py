"""The bill of a plan, computed again from its decisions in decimal arithmetic of 60 digits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from tehai.verify.bill_demand import bill_demand
from tehai.verify.bill_supply import bill_supply
from tehai.verify.case import Case
from tehai.verify.ledger import DIGITS, Ledger, LineKey
from tehai.verify.tolerances import TOLERANCES

HALF_YEN = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Bill:
    """Exact amounts before rounding, yen: ``lines`` are present values, all others nominal.

    ``cash`` and ``capital`` (instalments of purchases) are by fiscal year of the horizon, ``obligation`` is what is
    paid and ``receivable`` what is claimed and paid out after it.
    """

    lines: dict[LineKey, Decimal]
    cash: dict[int, Decimal]
    capital: dict[int, Decimal]
    obligation: Decimal
    receivable: Decimal

    @property
    def objective(self) -> Decimal:
        """The exact sum of the lines."""
        return sum(self.lines.values(), Decimal(0))

    @property
    def gross(self) -> Decimal:
        """The sum of the lines without their signs, a measure of size."""
        return sum((abs(amount) for amount in self.lines.values()), Decimal(0))


def compute_bill(case: Case) -> Bill:
    """Bill everything in the plan that can be read."""
    with localcontext(prec=DIGITS):
        ledger = Ledger(case)
        bill_supply(ledger, case)
        bill_demand(ledger, case)
        return Bill(ledger.lines, ledger.cash, ledger.capital, ledger.obligation, ledger.receivable)


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
