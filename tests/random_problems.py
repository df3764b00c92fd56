"""Seeded random problems for the oracle: up to 12 workloads, 4 pools and 16 periods, every feature mixed in.

Figures are chosen so that features *bind*: ``feature_drops`` says what that means, ``test_random_problems`` counts.
Amounts are large (an optimum of 10^8 yen or more), so that rounding bill lines to the yen stays far below a millionth.
The parts are drawn in ``random_draw`` (switches, places), ``random_offers``, ``random_workloads``, ``random_grants``
and ``random_limits``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

from tehai.domain.market import Market
from tehai.domain.problem import Problem
from tests import builders as make
from tests.random_draw import PERIODS_MAX, POOLS_MAX, Draw
from tests.random_grants import programmes_of
from tests.random_limits import Limits
from tests.random_offers import offers_of
from tests.random_workloads import FLOPS_PER_SECOND, WORKLOADS_MAX, routes_of, workloads_of

__all__ = ["DEFAULT_SEEDS", "PERIODS_MAX", "POOLS_MAX", "SLOW_SEEDS", "WORKLOADS_MAX", "random_problem"]

DEFAULT_SEEDS = range(40)
SLOW_SEEDS = range(300)


def random_problem(seed: int) -> Problem:
    """Return the problem of a seed; the same seed gives the same problem."""
    draw = Draw(Random(f"tehai oracle {seed}"))
    draft = make.make_problem(
        display_name=f"random problem {seed}",
        calendar=draw.calendar,
        market=_market(draw),
        reference_sustained_flops=FLOPS_PER_SECOND,
        accelerators=draw.chips,
        sites=tuple({place.site.id: place.site for place in draw.places}.values()),
        pools=tuple(place.pool for place in draw.places),
        offers=tuple(offer for place in draw.places for offer in offers_of(draw, place)),
        members=draw.members,
        workloads=workloads_of(draw),
        routes=routes_of(draw),
    )
    limits = Limits(draw, draft)
    rules = limits.rules()
    return replace(
        draft,
        offers=limits.offers(rules),
        members=limits.members(),
        programmes=programmes_of(draw, draft),
        rules=rules,
        current_plan=limits.current_plan,
    )


def _market(draw: Draw) -> Market:
    return make.make_market(
        spot=str(draw.random.randint(135, 168)),
        spot_date=draw.calendar.first_date - timedelta(days=draw.random.randint(0, 60)),
        yen_rate=f"{draw.random.uniform(0.002, 0.02):.4f}",
        dollar_rate=f"{draw.random.uniform(0.03, 0.055):.4f}",
        discount_rate=f"{draw.random.uniform(0.01, 0.08):.4f}" if draw.on["discount"] else "0",
        spread=f"{draw.random.uniform(0.2, 2.0):.2f}" if draw.on["conversion spread"] else "0",
    )
