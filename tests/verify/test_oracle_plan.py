"""The optimum of the oracle as a plan: a third reading of the bill and of every rule of a plan."""

from __future__ import annotations

import math
from itertools import groupby

import pytest

from tehai.domain.offer import CapacityBlock, Purchase
from tehai.domain.plan import (
    CapacityBlockOrder,
    Claim,
    OfferUse,
    Placement,
    Plan,
    PurchaseOrder,
    ReservationOrder,
    SolveOptions,
    StopReason,
)
from tehai.domain.problem import Problem
from tehai.verify import check_plan
from tests.oracle import OraclePlacement, OracleResult, solve_oracle
from tests.random_problems import random_problem
from tests.verify.biller import billed
from tests.verify.greedy import segments_of
from tests.verify.naive_columns import NaiveColumn, NaiveColumns

# whole yen instead of fractions in every claim, and the solver's tolerance
YEN_PER_CLAIM = 1.0
SEEDS = [0, 1, 3, 4, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19]


def plan_of(problem: Problem, found: OracleResult) -> Plan:
    """Return the oracle's optimum as a plan without claims for units."""
    naive = NaiveColumns(problem)
    terms, blocks, units = [], [], []
    offers = {offer.id: offer for offer in problem.offers}
    for (offer_id, k, s, b, _), count in found.orders.items():
        if isinstance(offers[offer_id].kind, CapacityBlock):
            blocks.append(CapacityBlockOrder(offer_id, k, s, naive.day(s), b, naive.day(b), count))
        elif isinstance(offers[offer_id].kind, Purchase):
            units.append(PurchaseOrder(offer_id, s, naive.day(s), count))
        else:
            terms.append(ReservationOrder(offer_id, k, s, naive.day(s), count))
    plan = Plan(
        schema_version=1,
        problem_sha256="",
        tehai_version="test",
        options=SolveOptions(),
        stop_reason=StopReason.OPTIMAL,
        placements=tuple(_placement(naive, item) for item in found.placements),
        not_run_workload_ids=found.not_run,
        reservation_orders=tuple(terms),
        purchase_orders=tuple(units),
        offer_uses=tuple(OfferUse(offer_id, hours) for offer_id, hours in found.use_hours.items() if any(hours)),
        forward_usd_jpy=(),
        bill_lines=(),
        cash=(),
        obligation_after_horizon_yen=0,
        objective_yen=0,
        capacity_block_orders=tuple(blocks),
    )
    return billed(problem, plan)


def _placement(naive: NaiveColumns, item: OraclePlacement) -> Placement:
    workload = next(w for w in naive.problem.workloads if w.id == item.workload_id)
    pool = naive.pools[item.pool_id]
    gang = next(g for g in workload.gang_options if g.accelerators == item.accelerators)
    speeds = {f.software_family: f.normalised_throughput for f in naive.accelerator(pool).throughputs}
    speed = gang.accelerators * speeds[workload.software_family] * gang.scaling_efficiency_fraction
    pauses = len(list(groupby(enumerate(item.touched), lambda pair: pair[1] - pair[0]))) - 1
    overhead = workload.pausing.resume_overhead_hours if workload.pausing else 0.0
    column = NaiveColumn(
        workload, pool, gang, pauses, naive.work(workload) / speed + pauses * overhead, dict.fromkeys(item.touched, 0.0)
    )
    claims = tuple(
        Claim(programme_id, year, math.floor(amount + 1e-3))
        for (programme_id, year), amount in item.claims_yen.items()
        if amount >= 1.0
    )
    return Placement(item.workload_id, segments_of(naive, column), claims)


def test_optimum_is_a_valid_plan_of_the_same_cost() -> None:
    """The oracle's plans break no rule, and their bills are its optimum but for the claims in whole yen.

    Left out: problems without a plan, and plans with claims for units, whose amounts the oracle does not tell.
    """
    checked = 0
    for seed in SEEDS:
        problem = random_problem(seed)
        found = solve_oracle(problem)
        if found.optimum_yen is None or any(programme_id for *_, programme_id in found.orders):
            continue
        plan = plan_of(problem, found)
        verification = check_plan(problem, "", plan)
        assert verification.violations == (), seed
        claims = sum(len(placement.claims) for placement in plan.placements)
        slack = YEN_PER_CLAIM * claims + 1e-7 * found.optimum_yen
        assert verification.exact_objective == pytest.approx(found.optimum_yen, abs=slack), seed
        checked += 1
    assert checked >= len(SEEDS) // 2
