"""What the checks of a plan share: the plan read against its problem, as far as it can be read.

Entries that cannot be understood (unknown ids, periods outside the horizon) have a fault of their own and are left out
of the derived quantities, so that one fault does not hide behind another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.offer import Offer, Purchase, Reservation, ReservationTerm
from tehai.domain.plan import Placement, Plan, PurchaseOrder, ReservationOrder, Segment
from tehai.domain.problem import Problem
from tehai.verify.columns import Column, column_hours, split_run
from tehai.verify.offers import FloatArray, largest_capacity, ramp
from tehai.verify.reference import Reference, build_reference, throughput_of

# accelerator-hours; beyond any capacity, so clipping hides no fault, and within the digits of the bill
HOURS_CLIP = 1e18


@dataclass(frozen=True, slots=True)
class PlacedSegment:
    """The sole segment of the placement at ``position``, with its workload and pool found."""

    position: int
    placement: Placement
    segment: Segment
    workload: int
    pool: int


@dataclass(frozen=True, slots=True)
class Case:
    """A plan with what follows from it.

    Arrays: ``placed_hours`` (pools, period_count) accelerator-hours; ``live`` (offers, period_count) accelerators;
    ``use`` (offers, period_count) accelerator-hours.
    """

    reference: Reference
    plan: Plan
    problem_sha256: str
    segments: tuple[PlacedSegment, ...]
    columns: tuple[Column, ...]
    placed_hours: FloatArray
    live: FloatArray
    use: FloatArray

    @property
    def problem(self) -> Problem:
        """Return the problem the plan is checked against."""
        return self.reference.problem


def build_case(problem: Problem, problem_sha256: str, plan: Plan) -> Case:
    """Read a plan against its problem; nothing in the plan makes this raise."""
    reference = build_reference(problem)
    segments = _placed_segments(reference, plan)
    columns = tuple(column for column in (_column(reference, item) for item in segments) if column is not None)
    placed_hours = np.zeros((len(problem.pools), reference.period_count))
    for column in columns:
        placed_hours[column.pool] += column_hours(reference, column)
    return Case(
        reference=reference,
        plan=plan,
        problem_sha256=problem_sha256,
        segments=segments,
        columns=columns,
        placed_hours=placed_hours,
        live=_live(reference, plan),
        use=_use(reference, plan),
    )


def efficiency_of(reference: Reference, workload: int, accelerators: int) -> float | None:
    """Return the scaling efficiency of a gang, None where it is not an option of the workload."""
    for gang in reference.problem.workloads[workload].gang_options:
        if gang.accelerators == accelerators:
            return gang.scaling_efficiency_fraction
    return None


def run_hours_of(reference: Reference, workload: int, pool: int, accelerators: int) -> float | None:
    """Return the hours a gang needs, None where gang or software family are not possible."""
    efficiency = efficiency_of(reference, workload, accelerators)
    family = reference.problem.workloads[workload].software_family
    throughput = throughput_of(reference.accelerator_of_pool[pool], family)
    if efficiency is None or throughput <= 0.0:
        return None
    return float(reference.work[workload]) / (accelerators * throughput * efficiency)


def find_offer(reference: Reference, offer_id: str) -> Offer | None:
    """Return the offer of this id, None where there is none."""
    index = reference.offer_index.get(offer_id)
    return None if index is None else reference.problem.offers[index]


def ordered_term(reference: Reference, order: ReservationOrder) -> tuple[Reservation, ReservationTerm] | None:
    """Return reservation and term of an order that can be billed: known, positive, in the horizon, booked in time."""
    offer = find_offer(reference, order.offer_id)
    if offer is None or not isinstance(offer.kind, Reservation):
        return None
    kind = offer.kind
    if not 0 <= order.term_index < len(kind.terms) or order.blocks <= 0:
        return None
    if not kind.lead_time_periods <= order.start_period < reference.period_count:
        return None
    return kind, kind.terms[order.term_index]


def ordered_purchase(reference: Reference, order: PurchaseOrder) -> Purchase | None:
    """Return the purchase of an order that can be billed: known, positive, with a delivery in the horizon."""
    offer = find_offer(reference, order.offer_id)
    if offer is None or not isinstance(offer.kind, Purchase) or order.units <= 0:
        return None
    first = offer.kind.delivery_steps[0].periods_after_order
    return offer.kind if 0 <= order.order_period < reference.period_count - first else None


def use_can_be_read(reference: Reference, hours: tuple[float, ...]) -> bool:
    """Return whether a use has one finite figure for each period."""
    return len(hours) == reference.period_count and bool(np.isfinite(hours).all())


def _placed_segments(reference: Reference, plan: Plan) -> tuple[PlacedSegment, ...]:
    """Return placements of one segment whose workload and pool are known."""
    found = []
    for position, placement in enumerate(plan.placements):
        workload = reference.workload_index.get(placement.workload_id)
        if workload is None or len(placement.segments) != 1:
            continue
        segment = placement.segments[0]
        pool = reference.pool_index.get(segment.pool_id)
        if pool is not None:
            found.append(PlacedSegment(position, placement, segment, workload, pool))
    return tuple(found)


def _column(reference: Reference, item: PlacedSegment) -> Column | None:
    """Return the column of a segment, from the work and not from the hours it claims to run."""
    segment = item.segment
    if not 0 <= segment.start_period < reference.period_count:
        return None
    run = run_hours_of(reference, item.workload, item.pool, segment.accelerators)
    if run is None:
        return None
    full, rest = split_run(np.array([run]), reference.period_hours)
    return Column(
        position=item.position,
        workload=item.workload,
        pool=item.pool,
        accelerators=segment.accelerators,
        start=segment.start_period,
        full_periods=int(full[0]),
        rest_hours=float(rest[0]),
    )


def _live(reference: Reference, plan: Plan) -> FloatArray:
    """Return K(o, t) under the plan's orders, shape (offers, period_count)."""
    problem = reference.problem
    live = np.zeros((len(problem.offers), reference.period_count))
    for o, offer in enumerate(problem.offers):
        if not isinstance(offer.kind, Reservation | Purchase):
            live[o] = largest_capacity(problem, offer)
    for order in plan.reservation_orders:
        found = ordered_term(reference, order)
        if found is not None:
            reservation, term = found
            until = order.start_period + term.term_periods
            live[reference.offer_index[order.offer_id], order.start_period : until] += (
                reservation.block_accelerators * order.blocks
            )
    for bought in plan.purchase_orders:
        purchase = ordered_purchase(reference, bought)
        if purchase is not None:
            part = ramp(purchase, reference.period_count - bought.order_period)
            row = live[reference.offer_index[bought.offer_id], bought.order_period :]
            row += purchase.unit_accelerators * bought.units * part
    return live


def _use(reference: Reference, plan: Plan) -> FloatArray:
    """Return use(o, t), the first readable use of each offer, shape (offers, period_count)."""
    use = np.zeros((len(reference.problem.offers), reference.period_count))
    seen: set[str] = set()
    for item in plan.offer_uses:
        index = reference.offer_index.get(item.offer_id)
        if index is not None and item.offer_id not in seen and use_can_be_read(reference, item.accelerator_hours):
            use[index] = np.clip(item.accelerator_hours, -HOURS_CLIP, HOURS_CLIP)
            seen.add(item.offer_id)
    return use
