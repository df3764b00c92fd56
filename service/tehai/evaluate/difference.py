"""What is different between two plans; they may belong to different problems and are compared by ids and dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from tehai.domain.evaluation import NamedDifference, PlacementChange, PlacementDifference, PlanDifference
from tehai.domain.plan import BillComponent, Plan


def diff_plans(before: Plan, after: Plan) -> PlanDifference:
    """Return what is different from plan ``before`` to plan ``after``; what is alike is left out.

    Placements by workload id, the bill in the order of its components, commitments by kind, offer and date.
    """
    return PlanDifference(
        placements=tuple(_placements(before, after)),
        bill=_named([component.value for component in BillComponent], _by_component(before), _by_component(after)),
        commitments=_commitments(before, after),
        objective_difference_yen=after.objective_yen - before.objective_yen,
    )


def _placements(before: Plan, after: Plan) -> Iterator[PlacementDifference]:
    """Yield the workloads that are not placed alike, by id."""
    old, new = _places(before), _places(after)
    for workload_id in sorted(old.keys() | new.keys()):
        was, now = old.get(workload_id, ""), new.get(workload_id, "")
        if was == now:
            continue
        change = PlacementChange.MOVED
        if not was:
            change = PlacementChange.STARTED
        elif not now:
            change = PlacementChange.DROPPED
        yield PlacementDifference(workload_id, change, was, now)


def _places(plan: Plan) -> dict[str, str]:
    """Return pool, gang and start of each placed workload: what docs/rules.md calls a change; pauses are none."""
    places = {}
    for placement in plan.placements:
        if placement.segments:
            first = placement.segments[0]
            places[placement.workload_id] = f"{first.pool_id}, {first.accelerators}, {first.start_date.isoformat()}"
    return places


def _by_component(plan: Plan) -> Counter[str]:
    """Return the bill by component, yen."""
    sums: Counter[str] = Counter()
    for line in plan.bill_lines:
        sums[line.component.value] += line.amount_yen
    return sums


def _commitments(before: Plan, after: Plan) -> tuple[NamedDifference, ...]:
    """Return the blocks and units that are not ordered alike; in one period of one offer they are counted together."""
    old, new = _ordered(before), _ordered(after)
    return _named(sorted(old.keys() | new.keys()), old, new)


def _ordered(plan: Plan) -> Counter[str]:
    """Return blocks and units by what is ordered; names sort by kind, offer, date and term."""
    counts: Counter[str] = Counter()
    for order in plan.reservation_orders:
        counts[f"reservation/{order.offer_id}/{order.start_date}/term {order.term_index}"] += order.blocks
    for block in plan.capacity_block_orders:
        name = f"capacity_block/{block.offer_id}/{block.start_date}/term {block.term_index}"
        counts[f"{name}/booked {block.booking_date}"] += block.blocks
    for bought in plan.purchase_orders:
        counts[f"purchase/{bought.offer_id}/{bought.order_date}"] += bought.units
    return counts


def _named(names: list[str], before: Mapping[str, int], after: Mapping[str, int]) -> tuple[NamedDifference, ...]:
    """Return the named figures that are not alike, in the order of ``names``."""
    rows = (NamedDifference(name, before.get(name, 0), after.get(name, 0)) for name in names)
    return tuple(row for row in rows if row.before != row.after)
