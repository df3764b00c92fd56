"""What the checks of a plan share: the plan read against its problem, as far as it can be read.

Entries that cannot be understood (unknown ids, periods outside the horizon) have a fault of their own and are left out
of the derived quantities, so that one fault does not hide behind another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tehai.domain.offer import CapacityBlock, Purchase, Reservation
from tehai.domain.plan import Placement, Plan, Segment
from tehai.domain.problem import Problem
from tehai.verify.columns import Column, column_hours, periods_touched
from tehai.verify.offers import block_hours, largest_capacity, ramp
from tehai.verify.orders import ordered_block, ordered_purchase, ordered_term
from tehai.verify.reference import Reference, build_reference, throughput_of
from tehai.verify.timeline import FloatArray
from tehai.verify.tolerances import TOLERANCES

# accelerator-hours; beyond any capacity, so clipping hides no fault, and within the digits of the bill
HOURS_CLIP = 1e18


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement at ``position`` with workload and pool found; pool, gang and start are those of its first segment.

    ``runs`` are (start, periods) of its segments from the work and not from the hours that the last one claims; None
    where they cannot be read.
    """

    position: int
    placement: Placement
    workload: int
    pool: int
    runs: tuple[tuple[int, int], ...] | None

    @property
    def accelerators(self) -> int:
        """The gang of the first segment."""
        return self.placement.segments[0].accelerators

    @property
    def start(self) -> int:
        """The first period of the first segment."""
        return self.placement.segments[0].start_period

    @property
    def pauses(self) -> int:
        """How often it pauses."""
        return len(self.placement.segments) - 1

    @property
    def end(self) -> int:
        """The period after the last one touched; after the last start where the runs cannot be read."""
        return sum(self.runs[-1]) if self.runs else self.placement.segments[-1].start_period + 1


@dataclass(frozen=True, slots=True)
class Case:
    """A plan with what follows from it.

    Arrays: ``placed_hours`` (pools, period_count) accelerator-hours; ``live`` (offers, period_count) accelerators;
    ``offered`` (offers, period_count) accelerator-hours, ``use`` (offers, period_count) accelerator-hours.
    """

    reference: Reference
    plan: Plan
    problem_sha256: str
    placed: tuple[Placed, ...]
    columns: tuple[Column, ...]
    placed_hours: FloatArray
    live: FloatArray
    offered: FloatArray
    use: FloatArray

    @property
    def problem(self) -> Problem:
        """Return the problem the plan is checked against."""
        return self.reference.problem


def build_case(problem: Problem, problem_sha256: str, plan: Plan) -> Case:
    """Read a plan against its problem; nothing in the plan makes this raise."""
    reference = build_reference(problem)
    placed = _placed(reference, plan)
    columns = tuple(column for column in (_column(reference, item) for item in placed) if column is not None)
    placed_hours = np.zeros((len(problem.pools), reference.period_count))
    for column in columns:
        placed_hours[column.pool] += column_hours(reference, column)
    live, offered = _live(reference, plan)
    return Case(
        reference=reference,
        plan=plan,
        problem_sha256=problem_sha256,
        placed=placed,
        columns=columns,
        placed_hours=placed_hours,
        live=live,
        offered=offered,
        use=_use(reference, plan),
    )


def efficiency_of(reference: Reference, workload: int, accelerators: int) -> float | None:
    """Return the scaling efficiency of a gang, None where it is not an option of the workload."""
    for gang in reference.problem.workloads[workload].gang_options:
        if gang.accelerators == accelerators:
            return gang.scaling_efficiency_fraction
    return None


def run_hours_of(reference: Reference, workload: int, pool: int, accelerators: int, pauses: int) -> float | None:
    """Return the hours a gang needs with its pauses, None where gang or software family are not possible."""
    item = reference.problem.workloads[workload]
    efficiency = efficiency_of(reference, workload, accelerators)
    throughput = throughput_of(reference.accelerator_of_pool[pool], item.software_family)
    if efficiency is None or throughput <= 0.0:
        return None
    overhead = 0.0 if item.pausing is None else item.pausing.resume_overhead_hours
    return float(reference.work[workload]) / (accelerators * throughput * efficiency) + pauses * overhead


def whole_periods(segment: Segment, period_hours: int) -> int | None:
    """Return how many whole periods a segment before a pause runs, None where its hours are not whole periods."""
    hours = segment.run_hours
    if not math.isfinite(hours) or abs(hours) > HOURS_CLIP:
        return None
    periods = round(hours / period_hours)
    if periods < 1 or abs(hours - periods * period_hours) > TOLERANCES.run_relative.value * periods * period_hours:
        return None
    return periods


def is_changed(case: Case, item: Placed) -> bool:
    """Return whether a placement differs from the current plan in pool, gang or start."""
    current = case.reference.current.get(item.workload)
    placed = (item.pool, item.accelerators, item.start)
    return current is not None and placed != (current.pool, current.accelerators, current.start)


def use_can_be_read(reference: Reference, hours: tuple[float, ...]) -> bool:
    """Return whether a use has one finite figure for each period."""
    return len(hours) == reference.period_count and bool(np.isfinite(hours).all())


def _placed(reference: Reference, plan: Plan) -> tuple[Placed, ...]:
    """Return placements with segments whose workload and first pool are known."""
    found = []
    for position, placement in enumerate(plan.placements):
        workload = reference.workload_index.get(placement.workload_id)
        if workload is None or not placement.segments:
            continue
        pool = reference.pool_index.get(placement.segments[0].pool_id)
        if pool is not None:
            runs = _runs(reference, placement, workload, pool)
            found.append(Placed(position, placement, workload, pool, runs))
    return tuple(found)


def _runs(reference: Reference, placement: Placement, workload: int, pool: int) -> tuple[tuple[int, int], ...] | None:
    """Return (start, periods) of each segment: whole periods before a pause, what is left of the work after it."""
    *before, last = placement.segments
    run = run_hours_of(reference, workload, pool, placement.segments[0].accelerators, len(before))
    if run is None:
        return None
    left, _ = periods_touched(run, reference.period_hours)
    runs = []
    for segment in before:
        periods = whole_periods(segment, reference.period_hours)
        if periods is None:
            return None
        runs.append((segment.start_period, periods))
        left -= periods
    runs.append((last.start_period, left))
    ordered = all(start + length < later for (start, length), (later, _) in pairwise(runs))
    return tuple(runs) if left >= 1 and ordered else None


def _column(reference: Reference, item: Placed) -> Column | None:
    """Return the column of a placement whose runs can be read and start in the horizon."""
    if item.runs is None or not all(0 <= start < reference.period_count for start, _ in item.runs):
        return None
    run = run_hours_of(reference, item.workload, item.pool, item.accelerators, item.pauses)
    if run is None:
        return None
    return Column(
        position=item.position,
        workload=item.workload,
        pool=item.pool,
        accelerators=item.accelerators,
        occupied=reference.occupied(item.pool, item.accelerators),
        runs=item.runs,
        rest_hours=periods_touched(run, reference.period_hours)[1],
    )


def _live(reference: Reference, plan: Plan) -> tuple[FloatArray, FloatArray]:
    """Return K(o, t) and U(o, t) under the plan's orders, shape (offers, period_count) each."""
    problem = reference.problem
    live = np.zeros((len(problem.offers), reference.period_count))
    for o, offer in enumerate(problem.offers):
        if not isinstance(offer.kind, Reservation | Purchase | CapacityBlock):
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
    offered = live * reference.period_hours
    for block in plan.capacity_block_orders:
        known = ordered_block(reference, block)
        if known is not None:
            kind, length = known
            hours = block_hours(problem, length)[: reference.period_count - block.start_period]
            o, periods = (
                reference.offer_index[block.offer_id],
                slice(block.start_period, block.start_period + len(hours)),
            )
            live[o, periods] += kind.block_accelerators * block.blocks
            offered[o, periods] += kind.block_accelerators * block.blocks * hours
    return live, offered


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
