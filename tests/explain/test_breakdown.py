"""The whole breakdown of a plan with everything in it."""

from __future__ import annotations

from tests.report.results import everything


def test_every_list_sums_to_the_objective() -> None:
    """All five views and the member bills are the objective; claims and prices are there."""
    _, result = everything()
    found = result.breakdown
    assert found is not None
    for view in (found.by_component, found.by_member, found.by_site, found.by_currency, found.by_fiscal_year):
        assert sum(item.amount_yen for item in view) == result.objective_yen
    assert sum(bill.bill_yen for bill in found.member_bills) == result.objective_yen
    assert [use.limit for use in found.claim_uses] == [
        "programmes/use/budgets/2027",
        "programmes/use/projects/next",
        "programmes/use/projects/p",
        "programmes/buy/budgets/2027",
    ]
    rows = [price.row for price in found.shadow_prices]
    assert {"portfolio_budgets/2027", "capital_ceilings/2027", "pools/cloud/2027-04-05"} <= set(rows)
    worth = [price.value * price.used for price in found.shadow_prices]
    assert worth == sorted(worth, reverse=True)


def test_the_remainder_is_objective_less_bound() -> None:
    """What the proof leaves open is contained in the bills, to the yen."""
    _, result = everything()
    assert result.breakdown is not None
    rest = sum(bill.remainder_yen for bill in result.breakdown.member_bills)
    assert abs(rest - result.objective_gap_yen) <= 1
