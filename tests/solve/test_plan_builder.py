"""From arrays to a plan: use by merit order, and what rounding leaves over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tehai.domain.offer import Offer
from tehai.engine.instance import EngineInstance, build_instance
from tehai.solve.plan_builder import dispatch, live_accelerators
from tests import builders as make

HOURS = float(make.PERIOD_HOURS)


def _instance(offers: Sequence[Offer]) -> EngineInstance:
    site = make.make_site(electricity_yen_per_kwh="30")
    return build_instance(make.make_problem(offers=offers, sites=[site]))


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
    from itertools import permutations

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
