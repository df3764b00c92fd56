"""Pools after the roll: charge references stay what they were."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np

from tehai.domain.limits import LIMITS
from tehai.domain.market import JPY, PriceStep, UnitPrice
from tehai.domain.problem import Problem
from tehai.domain.supply import Pool
from tehai.explain.reading import FloatArray
from tehai.explain.references import references
from tehai.roll.moment import Moment

# Yen per accelerator-hour are written to this place.
PLACES = Decimal("0.000001")


def with_charge_references(moment: Moment, rolled: Problem) -> Problem:
    """Return a rolled problem in which list bills count what they counted before.

    What is booked has no price any more, and an offer of which nothing is left is gone; where that changes what an
    accelerator-hour of a pool is charged, the pool is given its former charge reference. Where that changes more often
    than a price may have steps, the mean of each fiscal year is taken.
    """
    now = references(rolled).charge
    pools = []
    for pool in rolled.pools:
        before = moment.references.charge[pool.id][moment.period :]
        same = np.allclose(before, now[pool.id], rtol=1e-9, atol=1e-6)
        pools.append(pool if same else _pinned(rolled, pool, before))
    return replace(rolled, pools=tuple(pools))


def _pinned(rolled: Problem, pool: Pool, yen_per_hour: FloatArray) -> Pool:
    """Return a pool with a charge reference for each period, shape (period_count,) of the rolled problem."""
    calendar = rolled.calendar
    values = [Decimal(value).quantize(PLACES) for value in yen_per_hour.tolist()]
    changes = sum(one != other for one, other in pairwise(values))
    if changes > LIMITS.steps_per_path:
        years = np.array([calendar.fiscal_year(t) for t in range(calendar.period_count)])
        means = {year: float(yen_per_hour[years == year].mean()) for year in set(years.tolist())}
        values = [Decimal(means[year]).quantize(PLACES) for year in years.tolist()]
    steps = tuple(
        PriceStep(calendar.date_of(t), values[t]) for t in range(1, len(values)) if values[t] != values[t - 1]
    )
    # Periods that begin on one day have one price: the last.
    by_day = {step.from_date: step for step in steps}
    return replace(pool, charge_reference=UnitPrice(values[0], JPY, tuple(by_day.values())))
