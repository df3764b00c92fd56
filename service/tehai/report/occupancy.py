"""What a plan has and uses in each pool and period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.offer import Allocation, OnDemand
from tehai.explain.live import hours_offered, live_accelerators
from tehai.explain.reading import FloatArray, Reading, occupied_accelerators

Hours = FloatArray


@dataclass(frozen=True)
class PoolOccupancy:
    """One pool over time; each array has shape (period_count,)."""

    pool_id: str
    # Accelerator-hours of the workloads placed here, idle accelerators of their nodes included.
    placed_hours: Hours
    # Accelerators of the nodes that run in a period.
    gang_accelerators: Hours
    # Accelerators that are there whether used or not, existing, reserved and bought, and the hours they offer.
    committed_accelerators: Hours
    committed_hours: Hours
    # Accelerator-hours taken from those, and of offers that are paid by use.
    committed_hours_used: Hours
    by_use_hours: Hours


def occupancies(reading: Reading) -> dict[str, PoolOccupancy]:
    """Return the occupancy of every pool, by id, in the order of the problem."""
    problem, plan, count = reading.problem, reading.plan, reading.period_count
    result = {pool.id: PoolOccupancy(pool.id, *(np.zeros(count) for _ in range(6))) for pool in problem.pools}
    for placed in reading.placed:
        pool = result[placed.pool.id]
        occupied = occupied_accelerators(placed.placement.segments[0].accelerators, placed.pool.node_accelerators)
        pool.placed_hours[:] += placed.hours
        pool.gang_accelerators[:] += np.where(placed.hours > 0, occupied, 0)
    uses = {use.offer_id: np.asarray(use.accelerator_hours) for use in plan.offer_uses}
    for offer in problem.offers:
        pool, used = result[offer.pool_id], uses.get(offer.id, np.zeros(count))
        if isinstance(offer.kind, OnDemand | Allocation):
            pool.by_use_hours[:] += used
        else:
            pool.committed_hours_used[:] += used
            pool.committed_accelerators[:] += live_accelerators(offer, problem, plan)
            pool.committed_hours[:] += hours_offered(offer, problem, plan)
    return result
