"""A plan as the oracle has found it."""

from __future__ import annotations

import math
from itertools import groupby

from tehai.domain.plan import Claim, Placement, Plan
from tehai.domain.problem import Problem
from tehai.explain.reading import work_of
from tests.explain.hand_made import block, bought, hand_plan, placement, reserved
from tests.oracle import OraclePlacement, OracleResult


def plan_of_oracle(problem: Problem, result: OracleResult) -> Plan:
    """Return the oracle's plan with claims rounded down; its orders may claim nothing."""
    placements = [_placement(problem, found) for found in result.placements]
    terms, blocks, units = [], [], []
    kinds = {offer.id: type(offer.kind).__name__ for offer in problem.offers}
    for (offer_id, index, period, booked, programme_id), count in result.orders.items():
        assert programme_id == ""
        if kinds[offer_id] == "Reservation":
            terms.append(reserved(problem, period, count, index, offer_id))
        elif kinds[offer_id] == "CapacityBlock":
            blocks.append(block(problem, period, booked, count, index, offer_id))
        else:
            units.append(bought(problem, period, count, offer_id=offer_id))
    return hand_plan(problem, placements, terms, blocks, units)


def _placement(problem: Problem, found: OraclePlacement) -> Placement:
    """Return a placement with the hours of each run: full periods, the rest in the last."""
    hours = problem.calendar.period_hours
    runs = [
        [period for _, period in run]
        for _, run in groupby(enumerate(found.touched), key=lambda item: item[1] - item[0])
    ]
    workload = next(item for item in problem.workloads if item.id == found.workload_id)
    pool = next(item for item in problem.pools if item.id == found.pool_id)
    accelerator = next(item for item in problem.accelerators if item.id == pool.accelerator_id)
    family = workload.software_family
    speed = next(item.normalised_throughput for item in accelerator.throughputs if item.software_family == family)
    gang = next(item for item in workload.gang_options if item.accelerators == found.accelerators)
    overhead = workload.pausing.resume_overhead_hours if workload.pausing else 0.0
    run_hours = work_of(problem, workload) / (gang.accelerators * speed * gang.scaling_efficiency_fraction)
    run_hours += (len(runs) - 1) * overhead
    before_last = sum(len(run) for run in runs[:-1]) * hours
    lengths = {run[0]: float(len(run) * hours) for run in runs[:-1]} | {runs[-1][0]: run_hours - before_last}
    claims = {key: math.floor(amount + 1e-6) for key, amount in found.claims_yen.items() if amount >= 1}
    made = placement(problem, found.workload_id, lengths, claims, found.pool_id, found.accelerators)
    assert all(isinstance(claim, Claim) for claim in made.claims)
    return made
