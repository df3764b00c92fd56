"""Offers as arrays, in numbers worked out by hand from docs/rules.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from tehai.domain.offer import Offer
from tehai.domain.programme import SizeClassRate
from tehai.domain.supply import Pool, Site
from tehai.domain.workload import SizeClass
from tehai.engine.block_arrays import Booking, kept_bookings
from tehai.engine.instance import ProblemArrays, build_arrays
from tests import builders as make

HOURS = 168.0
# Four weeks of which the last two begin in fiscal year 2028.
TURN = date(2028, 3, 20)
# 10 % a year, seven days later.
WEEK = 1.1 ** (-7 / 365)


def _built(
    offers: Sequence[Offer],
    pool: Pool | None = None,
    site: Site | None = None,
    **parts: Any,  # noqa: ANN401
) -> ProblemArrays:
    market = parts.pop("market", make.make_market("100", TURN, discount_rate="0.1", spread="2"))
    problem = make.make_problem(
        offers=offers,
        calendar=make.make_calendar(first_date=TURN),
        market=market,
        pools=[pool or make.make_pool()],
        sites=[site or make.make_site()],
        **parts,
    )
    return build_arrays(problem)


def test_on_demand_steps_spread_and_discount() -> None:
    """Dollars cost the rate and the spread; price and quota step by date; the objective counts discounted yen."""
    price = make.dollars(2, {make.day(1, TURN): 3})
    built = _built([make.make_offer(make.on_demand(price, quota=8, steps={make.day(2, TURN): 16}))])
    cash = np.array([204.0, 306.0, 306.0, 306.0])
    assert built.arrays["hourly_unit_cash"][0] == pytest.approx(cash)
    assert built.arrays["hourly_unit_cost"][0] == pytest.approx(cash * WEEK ** np.arange(4))
    assert built.arrays["hourly_limit_hours"][0] == pytest.approx(np.array([8, 8, 16, 16]) * HOURS)
    assert np.isinf(built.arrays["hourly_quota_hours"]).all()
    # The curve itself is without the spread.
    assert built.prices.forward == pytest.approx([100.0] * 4)


def test_existing_capacity_steps_and_tariff() -> None:
    """Accelerators and the electricity of metered ones step by date."""
    site = make.make_site(electricity_yen_per_kwh="30", electricity_steps={make.day(3, TURN): 50})
    offer = make.make_offer(make.existing(4, metered=True, steps={make.day(1, TURN): 2}))
    built = _built([offer], site=site)
    assert built.arrays["hourly_unit_cash"][0] == pytest.approx([30, 30, 30, 50])
    assert built.arrays["hourly_limit_hours"][0] == pytest.approx(np.array([4, 2, 2, 2]) * HOURS)


def test_an_allocation_has_a_quota_by_fiscal_year() -> None:
    """Hours of a listed year, none of another one."""
    built = _built([make.make_offer(make.allocation({2027: 500.0}, accelerators=8))])
    assert built.arrays["hourly_quota_hours"].tolist() == [[500.0, 0.0]]
    assert built.arrays["capacity_max"].tolist() == [[8.0] * 4]


def test_a_reservation_paid_in_part_when_booked() -> None:
    """A quarter of the fee in the booking period at its price, the rest period by period; the tail only as its share.

    Two periods of a term of four lie within the horizon: the fee counts half, cash counts all of it.
    """
    price = make.yen(300, {make.day(2, TURN): 900})
    offer = make.make_offer(make.reservation([make.term(4, price, upfront=0.25)], block=8, lead=1))
    built = _built([offer])
    option = [key.period for key in built.order_keys].index(2)
    week = 8 * HOURS * 300
    fee, periodic = 0.25 * 4 * week, 0.75 * week
    expected = WEEK * fee * 2 / 4 + periodic * (WEEK**2 + WEEK**3)
    assert built.arrays["option_cost"][option] == pytest.approx(expected)
    # Booked in the week before 1 April, used in fiscal year 2028.
    assert built.arrays["option_cash"][option] == pytest.approx([fee, 2 * periodic])
    assert [key.period for key in built.order_keys] == [1, 2, 3]


def test_a_capacity_block_offers_days() -> None:
    """Ten days are a full week and three days of the next, and accelerators live in both."""
    offer = make.make_offer(make.capacity_block([make.block_term(10)], block=8, blocks_max=2))
    built = _built([offer], market=make.make_market())
    arrays = built.arrays
    assert [(key.period, key.booking) for key in built.order_keys] == [(t, t) for t in range(4)]
    spans = [slice(*arrays["live_offset"][i : i + 2]) for i in range(4)]
    assert arrays["live_hours"][spans[0]].tolist() == [8 * 168.0, 8 * 72.0]
    assert arrays["live_accelerators"][spans[0]].tolist() == [8.0, 8.0]
    # What lies after the horizon is not counted, but paid.
    assert arrays["live_hours"][spans[3]].tolist() == [8 * 168.0]
    assert arrays["option_cost"][3] == pytest.approx(8 * 168 * 400)
    assert arrays["option_cash"][3] == pytest.approx([0.0, 8 * 240 * 400])
    assert arrays["limit_is_live"].tolist() == [True]


def test_bookings_that_others_undercut_are_left_out() -> None:
    """Falling prices: the latest booking of each fiscal year with a budget stays, otherwise the cheapest alone."""
    price = make.yen(400, {make.day(1, TURN): 390, make.day(2, TURN): 380, make.day(3, TURN): 370})
    kind = make.capacity_block([make.block_term(7, price)], booking_min=0, booking_max=3)

    def bookings(budgets: dict[int, int]) -> list[int]:
        rules = make.make_rules(budgets=budgets)
        built = _built([make.make_offer(kind)], rules=rules, market=make.make_market())
        return [key.booking for key in built.order_keys if key.period == 3]

    assert bookings({}) == [3]
    assert bookings({2027: 1, 2028: 1}) == [1, 3]
    assert bookings({2028: 1}) == [1, 3]
    assert bookings({2027: 1}) == [3]


def test_kept_bookings_hold_the_best_at_any_price() -> None:
    """For random bookings and prices of two budgets the cheapest of all is among those kept."""
    random = np.random.default_rng(1)
    for _ in range(200):
        given = [
            Booking(b, float(random.integers(1, 9)), float(random.integers(1, 9)), int(random.integers(-1, 2)))
            for b in range(6)
        ]
        kept = kept_bookings(given)
        for beta in random.exponential(1.0, (20, 2)):
            price = [*beta, 0.0]
            best = min(b.cost + price[b.limited_year] * b.fee for b in given)
            assert min(b.cost + price[b.limited_year] * b.fee for b in kept) == best
    assert len(kept) <= len(given)


def test_a_purchase_paid_by_instalments() -> None:
    """Instalments are discounted at the owner's cost of capital, the book value at the end as well.

    A tenth of the life lies within the horizon; a fifth of the price comes back at its end, with a haircut of half.
    """
    purchase = make.purchase(
        make.dollars(1000), life=20, residual=0.2, haircut=0.5, payments=((0, 0.5), (2, 0.3), (9, 0.2)), owner="buyer"
    )
    members = [make.make_member(), make.make_member("buyer", cost_of_capital="0.21")]
    built = _built([make.make_offer(purchase)], members=members)
    option = [key.period for key in built.order_keys].index(2)
    price, week = 102_000.0, 1.21 ** (-7 / 365)
    paid = price * (0.5 * week**2 + 0.3 * week**4 + 0.2 * week**11)
    assert built.arrays["option_cost"][option] == pytest.approx(paid - week**4 * price * (1 - 0.9 * 2 / 20))
    # Only what is paid within the horizon is cash, and counts against the capital ceiling.
    assert built.arrays["option_cash"][option] == pytest.approx([0.0, 0.5 * price])
    assert built.arrays["option_capital"][option] == pytest.approx([0.0, 0.5 * price])
    first = [key.period for key in built.order_keys].index(0)
    assert built.arrays["option_cash"][first] == pytest.approx([0.5 * price, 0.3 * price])
    assert built.arrays["committed_owner"].tolist() == [1]


def test_an_order_has_an_option_for_each_capital_grant() -> None:
    """One without a claim, and one for each grant open to the owner in the pool and in its window.

    A grant pays on the share of the life within the horizon: 3 and 2 periods of 100.
    """
    rates = {SizeClass.LARGE: 0.4}
    programmes = [
        make.make_programme("use"),
        make.make_capital_programme("open", rates=rates, from_date=make.day(1, TURN), until_date=make.day(3, TURN)),
        make.make_capital_programme("elsewhere", rates=rates, pool_ids=["other"]),
        make.make_capital_programme("flagged", rates=[SizeClassRate(SizeClass.LARGE, 0.9, "vc")]),
    ]
    purchase = make.purchase(make.yen(1000), owner="member")
    built = _built([make.make_offer(purchase)], programmes=programmes)
    keys = [(key.period, key.programme) for key in built.order_keys]
    assert keys == [(0, -1), (1, -1), (1, 1), (2, -1), (2, 1), (3, -1)]
    arrays = built.arrays
    assert arrays["option_programme"].tolist() == [-1, -1, 1, -1, 1, -1]
    assert arrays["option_claim_yen"].tolist() == [0, 0, 12, 0, 8, 0]
    assert arrays["option_claim_year"].tolist()[2::2] == [0, 1]
    nobody = _built([make.make_offer(make.purchase())], programmes=programmes)
    assert {key.programme for key in nobody.order_keys} == {-1}


@pytest.mark.parametrize("life", [1, 2, 3, 7, 100])
def test_no_order_earns_more_than_it_is_charged(life: int) -> None:
    """A grant of the whole price pays what the objective charges, however near the end of the horizon the order is."""
    programmes = [make.make_capital_programme(rates={SizeClass.LARGE: rate}) for rate in (0.5, 1.0)]
    programmes = [replace(programme, id=f"grant-{i}") for i, programme in enumerate(programmes)]
    purchase = make.purchase(make.yen(1_000_003), steps=((1, 1.0),), life=life, owner="member")
    arrays = _built([make.make_offer(purchase)], programmes=programmes, market=make.make_market()).arrays
    claims, cost = arrays["option_claim_yen"], arrays["option_cost"]
    assert len(claims) == 3 * 3
    assert cost == pytest.approx(np.repeat([1_000_003 * min(life, inside) / life for inside in (3, 2, 1)], 3))
    assert claims == pytest.approx(np.tile([0.0, 0.5, 1.0], 3) * cost)


def test_references_of_a_pool() -> None:
    """Grants count the cheapest offer, capped by the pool; bills the on-demand price or the dearest, or the pool's."""
    blocks = make.make_offer(make.reservation([make.term(1, make.yen(300))], from_date=make.day(2, TURN)), "blocks")
    hired = make.make_offer(make.on_demand(make.yen(500), until_date=make.day(3, TURN)), "hired")
    own = make.make_offer(make.existing(1, from_date=make.day(3, TURN)), "own")
    built = _built([blocks, hired, own])
    assert built.arrays["grant_reference"][0].tolist() == [500, 500, 300, 0]
    assert built.arrays["charge_reference"][0].tolist() == [500, 500, 500, 300]
    pool = make.make_pool(grant_reference=make.yen(400), charge_reference=make.dollars(7))
    capped = _built([blocks, hired, own], pool)
    assert capped.arrays["grant_reference"][0].tolist() == [400, 400, 300, 0]
    assert capped.arrays["charge_reference"][0].tolist() == [714] * 4


def test_a_pool_without_an_offer_has_no_reference() -> None:
    """The pool's own grant reference makes no eligible cost where nothing can serve."""
    pool = make.make_pool(grant_reference=make.yen(400))
    built = _built([make.make_offer(make.on_demand(until_date=make.day(1, TURN)))], pool)
    assert built.arrays["grant_reference"][0].tolist() == [400, 0, 0, 0]
