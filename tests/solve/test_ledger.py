"""The bill: each line is rounded half-even once, from the exact sum of its amounts."""

from __future__ import annotations

from datetime import date

import pytest

from tehai.domain.market import JPY, USD, FiscalYearAmount
from tehai.domain.plan import BillComponent, BillLine
from tehai.engine.instance import build_arrays
from tehai.solve.ledger import Ledger, round_yen
from tests import builders as make


@pytest.mark.parametrize(
    ("amounts", "yen"),
    [
        ([0.5], 0),
        ([1.5], 2),
        ([2.5], 2),
        ([-0.5], 0),
        ([-1.5], -2),
        ([0.49999999999999994], 0),
        ([], 0),
        # a sum of doubles in order would lose the small ones, or gain a yen
        ([1e16, 1.0, -1e16], 1),
        ([0.25] * 6, 2),
        ([9_007_199_254_740_993.0, 0.5], 9_007_199_254_740_992),
    ],
)
def test_round_yen(amounts: list[float], yen: int) -> None:
    """Halves go to the even yen, and the sum before it is exact."""
    assert round_yen(amounts) == yen


def test_a_line_is_rounded_once() -> None:
    """Ten amounts of 0.4 yen are 4 yen on one line; on ten lines they are nothing and left out."""
    ledger, apart = Ledger(), Ledger()
    for i in range(10):
        ledger.charge(BillComponent.ON_DEMAND, "offer", 2027, JPY, 0.4)
        apart.charge(BillComponent.ON_DEMAND, f"offer-{i}", 2027, JPY, 0.4)
    assert ledger.bill_lines() == (BillLine(BillComponent.ON_DEMAND, "offer", 2027, JPY, 4),)
    assert apart.bill_lines() == ()


def test_lines_are_grouped_and_ordered() -> None:
    """Component, subject, year and currency make a line; the order is that of the components, then of the names."""
    ledger = Ledger()
    for component, subject, year, currency in (
        (BillComponent.NOT_RUN, "job", 2027, JPY),
        (BillComponent.ON_DEMAND, "b", 2028, JPY),
        (BillComponent.ON_DEMAND, "b", 2027, USD),
        (BillComponent.ON_DEMAND, "b", 2027, JPY),
        (BillComponent.ON_DEMAND, "a", 2029, JPY),
        (BillComponent.ON_DEMAND, "b", 2027, JPY),
    ):
        ledger.charge(component, subject, year, currency, 10.0)
    assert [(x.component, x.subject_id, x.fiscal_year, x.currency_code, x.amount_yen) for x in ledger.bill_lines()] == [
        (BillComponent.ON_DEMAND, "a", 2029, JPY, 10),
        (BillComponent.ON_DEMAND, "b", 2027, JPY, 20),
        (BillComponent.ON_DEMAND, "b", 2027, USD, 10),
        (BillComponent.ON_DEMAND, "b", 2028, JPY, 10),
        (BillComponent.NOT_RUN, "job", 2027, JPY, 10),
    ]


def test_cash_and_obligations_stand_apart() -> None:
    """Every year of the horizon has a figure, grants lower it, and payments after the horizon are in none."""
    ledger = Ledger()
    ledger.pay(2027, 100.5)
    ledger.pay(2027, -40.25)
    ledger.obligations += [7.5, 1.0]
    assert ledger.cash_by_year((2027, 2028)) == (FiscalYearAmount(2027, 60), FiscalYearAmount(2028, 0))
    assert ledger.obligation_yen() == 8
    assert ledger.bill_lines() == ()


def test_a_payment_counts_in_part_and_is_paid_in_full() -> None:
    """The line has the present value, cash the whole; a payment of nothing leaves no line."""
    ledger = Ledger()
    ledger.spend(BillComponent.TRANSFER, "job", 2027, USD, 1000.0, 0.9)
    ledger.spend(BillComponent.PORTING, "job", 2027, JPY, 0.0, 0.9)
    assert ledger.bill_lines() == (BillLine(BillComponent.TRANSFER, "job", 2027, USD, 900),)
    assert ledger.cash_by_year((2027,)) == (FiscalYearAmount(2027, 1000),)


def test_claims_are_income_of_the_year_of_their_payment() -> None:
    """A claim of 2027 paid in 2028 is income there; one of 2028 paid after the horizon is a receivable of none."""
    calendar = make.make_calendar(first_date=date(2028, 3, 20))
    problem = make.make_problem(programmes=[make.make_programme(lag_days=30)], calendar=calendar)
    built, ledger = build_arrays(problem), Ledger()
    ledger.claim(built, 0, 0, 50.0)
    ledger.claim(built, 0, 1, 70.0)
    assert [(line.fiscal_year, line.amount_yen) for line in ledger.bill_lines()] == [(2027, -50), (2028, -70)]
    assert ledger.cash_by_year(built.years) == (FiscalYearAmount(2027, 0), FiscalYearAmount(2028, -50))
    assert ledger.receivable_yen() == 70
