"""Which offer serves which hours: merit order, and an allocation's hours where they save most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import permutations

import numpy as np
import pytest

from tehai.domain.offer import Offer
from tehai.engine.instance import EngineInstance, build_instance
from tehai.engine.market_arrays import FloatArray
from tehai.master.linear_model import INFINITY, ModelArrays, SolveLimits, Solver, solve_model
from tehai.solve.dispatch import dispatch, live_accelerators, live_hours
from tests import builders as make

HOURS = float(make.PERIOD_HOURS)


def _instance(offers: Sequence[Offer], first_date: date = make.FIRST_DATE) -> EngineInstance:
    site = make.make_site(electricity_yen_per_kwh="30")
    calendar = make.make_calendar(first_date=first_date)
    return build_instance(make.make_problem(offers=offers, sites=[site], calendar=calendar))


def _offers() -> list[Offer]:
    """Dear and cheap hours on demand, metered machines of our own, and blocks that cost nothing to use."""
    return [
        make.make_offer(make.on_demand(make.yen(500), quota=8), "dear"),
        make.make_offer(make.on_demand(make.yen(100), quota=4), "cheap"),
        make.make_offer(make.existing(2, metered=True), "owned"),
        make.make_offer(make.reservation([make.term(2)], block=1), "blocks"),
    ]


def test_dispatch_serves_cheapest_first() -> None:
    """Blocks in hand, then electricity of 30 yen, then 100 yen, then 500 yen; a period without blocks skips them."""
    instance = _instance(_offers())
    units = np.zeros(len(instance.order_keys), dtype=np.int64)
    units[0] = 1
    hours = np.array([[1.0, 3.0, 5.0, 9.0]]) * HOURS
    use = dispatch(instance, units, hours) / HOURS
    assert use.tolist() == [[0, 0, 0, 3], [0, 0, 3, 4], [0, 2, 2, 2], [1, 1, 0, 0]]


@pytest.mark.parametrize("seed", range(20))
def test_dispatch_is_cheapest_of_all_orders(seed: int) -> None:
    """No other order of the offers serves the same hours for less, and all hours are served within every limit."""
    random = np.random.default_rng(seed)
    instance = _instance(_offers())
    arrays = instance.arrays
    units = np.zeros(len(instance.order_keys), dtype=np.int64)
    units[int(random.integers(len(units)))] = int(random.integers(1, 4))
    costs = np.vstack([arrays["hourly_unit_cost"], arrays["use_cost"]])
    limits = np.vstack([arrays["hourly_limit_hours"], live_accelerators(instance, units) * HOURS])
    hours = random.uniform(0.0, 1.0, (1, make.PERIOD_COUNT)) * limits.sum(axis=0)
    use = dispatch(instance, units, hours)
    assert use.sum(axis=0) == pytest.approx(hours[0])
    assert (use <= limits + 1e-9).all()
    for t in range(make.PERIOD_COUNT):
        for order in permutations(range(len(costs))):
            left, cost = hours[0, t], 0.0
            for offer in order:
                taken = min(left, limits[offer, t])
                cost += taken * costs[offer, t]
                left -= taken
            assert float(use[:, t] @ costs[:, t]) <= cost + 1e-6


def _with_allocation(random: np.random.Generator) -> EngineInstance:
    """Four periods over two fiscal years; an allocation with hours for a part of them, dearer and cheaper offers."""
    steps = {make.day(t, date(2028, 3, 20)): int(random.integers(50, 600)) for t in (1, 2, 3)}
    granted = make.allocation({2027: random.uniform(0, 1500), 2028: random.uniform(0, 1500)}, make.yen(100), 6)
    offers = [
        make.make_offer(granted, "granted"),
        make.make_offer(make.on_demand(make.yen(300, steps), quota=8), "dear"),
        make.make_offer(make.on_demand(make.yen(120), quota=2), "cheap"),
        make.make_offer(make.existing(1), "owned"),
    ]
    return _instance(offers, date(2028, 3, 20))


def _least_cost(instance: EngineInstance, hours: FloatArray) -> float:
    """Return the least cost of serving the hours, by linear programming."""
    arrays, model = instance.arrays, ModelArrays()
    offers, periods = arrays["hourly_limit_hours"].shape
    limits = arrays["hourly_limit_hours"].ravel()
    use = model.add_variables(arrays["hourly_unit_cost"].ravel(), limits, integer=False).reshape(offers, periods)
    rows = model.add_rows(periods, hours[0], INFINITY)
    model.add_entries(rows, use, np.ones(1))
    for year, quota in enumerate(arrays["hourly_quota_hours"][0]):
        row = model.add_rows(1, -INFINITY, quota)
        model.add_entries(row, use[0, arrays["year_of_period"] == year], np.ones(1))
    answer = solve_model(model.to_proto(), Solver.HIGHS, SolveLimits())
    assert answer is not None
    return answer.objective


@pytest.mark.parametrize("seed", range(30))
def test_an_allocation_serves_where_it_saves_most(seed: int) -> None:
    """No other use of its hours is cheaper, within its accelerators and its quota of each fiscal year."""
    random = np.random.default_rng(seed)
    instance = _with_allocation(random)
    # What the other offers can serve at all, so that the allocation is a choice.
    hours = random.uniform(0.0, 11.0, (1, 4)) * HOURS
    use = dispatch(instance, np.zeros(0, dtype=np.int64), hours)
    arrays = instance.arrays
    assert use.sum(axis=0) == pytest.approx(hours[0])
    assert (use <= arrays["hourly_limit_hours"] + 1e-9).all()
    by_year = [use[0, arrays["year_of_period"] == y].sum() for y in range(2)]
    assert (np.array(by_year) <= arrays["hourly_quota_hours"][0] + 1e-9).all()
    assert float((use * arrays["hourly_unit_cost"]).sum()) == pytest.approx(_least_cost(instance, hours))


def test_an_allocation_serves_first_what_nothing_else_can() -> None:
    """Hours beyond the other offers come before savings, however large those are elsewhere."""
    granted = make.make_offer(make.allocation({2027: 168.0}, accelerators=1), "granted")
    hired = make.make_offer(make.on_demand(make.yen(900, {1: 200}), quota=1), "hired")
    instance = _instance([granted, hired])
    use = dispatch(instance, np.zeros(0, dtype=np.int64), np.array([[1.0, 2.0, 0.0, 0.0]]) * HOURS)
    assert (use / HOURS).tolist() == [[0, 1, 0, 0], [1, 1, 0, 0]]


def test_what_rounding_leaves_over_stays_on_the_dearest_offer() -> None:
    """Hours a hair above what is live are not lost: verification allows the hair, and the bill counts it."""
    instance = _instance(_offers()[:2])
    hours = np.array([[12.0 * HOURS + 1e-7, 0.0, 0.0, 0.0]])
    use = dispatch(instance, np.zeros(0, dtype=np.int64), hours)
    assert use.sum() == hours.sum()
    assert use[1, 0] == 4 * HOURS
    assert use[0, 0] > 8 * HOURS


def test_live_accelerators_add_up() -> None:
    """Overlapping terms and partly delivered units are live together, from their first period to their last."""
    offers = [
        make.make_offer(make.reservation([make.term(2)], block=3), "blocks"),
        make.make_offer(make.purchase(unit=10, steps=((1, 0.5), (2, 1.0)), life=2), "units"),
    ]
    instance = _instance(offers)
    units = np.zeros(len(instance.order_keys), dtype=np.int64)
    for option, key in enumerate(instance.order_keys):
        units[option] = {(0, 0): 1, (0, 1): 2, (1, 0): 1}.get((key.offer_index, key.period), 0)
    assert live_accelerators(instance, units).tolist() == [[3, 9, 6, 0], [0, 5, 10, 0]]


def test_a_block_that_ends_within_a_period_has_fewer_hours() -> None:
    """Accelerators stay live to the end of the period, hours end with the days."""
    kind = make.capacity_block([make.block_term(10)], block=8, until_date=make.day(1))
    instance = _instance([make.make_offer(kind)])
    units = np.array([2])
    assert live_accelerators(instance, units).tolist() == [[16, 16, 0, 0]]
    assert live_hours(instance, units).tolist() == [[16 * 168, 16 * 72, 0, 0]]
