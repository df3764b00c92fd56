"""Plans written by hand: placements and orders are given, use and bill follow.

Use fills committed offers first, then allocations, then on demand, in the order of the problem. The bill is that of
the second opinion, so that a plan is valid exactly where its decisions are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tehai.domain.market import FiscalYearAmount
from tehai.domain.offer import Allocation, Offer, OnDemand
from tehai.domain.plan import (
    BillLine,
    CapacityBlockOrder,
    Claim,
    OfferUse,
    Placement,
    Plan,
    PurchaseOrder,
    ReservationOrder,
    Segment,
    SolveOptions,
    StopReason,
)
from tehai.domain.problem import SCHEMA_VERSION, Problem
from tehai.explain.live import hours_offered
from tehai.explain.reading import FloatArray, Reading
from tehai.verify.bill import compute_bill, round_yen
from tehai.verify.case import build_case

SHA256 = "0" * 64


def placement(
    problem: Problem,
    workload_id: str,
    runs: Mapping[int, float],
    claims: Mapping[tuple[str, int], int] | None = None,
    pool_id: str = "pool",
    accelerators: int = 8,
) -> Placement:
    """Return a placement: ``runs`` are hours by first period, ``claims`` yen by programme and fiscal year."""
    segments = tuple(
        Segment(pool_id, accelerators, start, problem.calendar.date_of(start), hours)
        for start, hours in sorted(runs.items())
    )
    found = tuple(Claim(name, year, amount) for (name, year), amount in sorted((claims or {}).items()))
    return Placement(workload_id, segments, found)


def reserved(
    problem: Problem, start: int, blocks: int = 1, term: int = 0, offer_id: str = "reserved"
) -> ReservationOrder:
    """Return blocks of a term of the offer "reserved"."""
    return ReservationOrder(offer_id, term, start, problem.calendar.date_of(start), blocks)


def block(
    problem: Problem, start: int, booking: int, blocks: int = 1, term: int = 0, offer_id: str = "block"
) -> CapacityBlockOrder:
    """Return capacity blocks of the offer "block"."""
    days = (problem.calendar.date_of(start), problem.calendar.date_of(booking))
    return CapacityBlockOrder(offer_id, term, start, days[0], booking, days[1], blocks)


def bought(
    problem: Problem, period: int, units: int = 1, claims: Sequence[Claim] = (), offer_id: str = "bought"
) -> PurchaseOrder:
    """Return units of the offer "bought"."""
    return PurchaseOrder(offer_id, period, problem.calendar.date_of(period), units, tuple(claims))


def hand_plan(
    problem: Problem,
    placements: Sequence[Placement],
    reservations: Sequence[ReservationOrder] = (),
    blocks: Sequence[CapacityBlockOrder] = (),
    purchases: Sequence[PurchaseOrder] = (),
) -> Plan:
    """Return a plan of these decisions; workloads that are not placed are not run."""
    names = {item.workload_id for item in placements}
    plan = Plan(
        schema_version=SCHEMA_VERSION,
        problem_sha256=SHA256,
        tehai_version="test",
        options=SolveOptions(),
        stop_reason=StopReason.OPTIMAL,
        placements=tuple(placements),
        not_run_workload_ids=tuple(item.id for item in problem.workloads if item.id not in names),
        reservation_orders=tuple(reservations),
        purchase_orders=tuple(purchases),
        offer_uses=(),
        forward_usd_jpy=(),
        bill_lines=(),
        cash=(),
        obligation_after_horizon_yen=0,
        objective_yen=0,
        capacity_block_orders=tuple(blocks),
    )
    return billed(problem, replace(plan, offer_uses=_uses(problem, plan)))


def billed(problem: Problem, plan: Plan) -> Plan:
    """Return the plan with the bill of its decisions."""
    case = build_case(problem, SHA256, plan)
    bill = compute_bill(case)
    lines = tuple(BillLine(*key, round_yen(amount)) for key, amount in bill.lines.items() if round_yen(amount))
    return replace(
        plan,
        forward_usd_jpy=tuple(case.reference.forward.tolist()),
        bill_lines=lines,
        cash=tuple(FiscalYearAmount(year, round_yen(amount)) for year, amount in bill.cash.items()),
        obligation_after_horizon_yen=round_yen(bill.obligation),
        claims_receivable_after_horizon_yen=round_yen(bill.receivable),
        objective_yen=sum(line.amount_yen for line in lines),
    )


def _uses(problem: Problem, plan: Plan) -> tuple[OfferUse, ...]:
    """Return a use of every offer that serves something."""
    needed = {pool.id: np.zeros(problem.calendar.period_count) for pool in problem.pools}
    for placed in Reading(problem, plan).placed:
        needed[placed.pool.id] += placed.hours
    uses = []
    for offer in sorted(problem.offers, key=_rank):
        taken = np.minimum(needed[offer.pool_id], hours_offered(offer, problem, plan))
        if isinstance(offer.kind, Allocation):
            taken = _within_quotas(problem, offer.kind, taken)
        needed[offer.pool_id] = needed[offer.pool_id] - taken
        if taken.any():
            uses.append(OfferUse(offer.id, tuple(taken.tolist())))
    return tuple(uses)


def _within_quotas(problem: Problem, kind: Allocation, hours: FloatArray) -> FloatArray:
    """Return what can be used of an allocation, the earliest hours of each fiscal year first."""
    left = {quota.fiscal_year: quota.accelerator_hours for quota in kind.quotas}
    taken = np.zeros_like(hours)
    for t, wanted in enumerate(hours.tolist()):
        year = problem.calendar.fiscal_year(t)
        taken[t] = min(wanted, left.get(year, 0.0))
        left[year] = left.get(year, 0.0) - taken[t]
    return taken


def _rank(offer: Offer) -> int:
    return 2 if isinstance(offer.kind, OnDemand) else 1 if isinstance(offer.kind, Allocation) else 0
