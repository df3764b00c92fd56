"""The plan in force, between message and domain."""

from __future__ import annotations

from tehai.domain.limits import LIMITS
from tehai.domain.problem import CurrentPlacement, CurrentPlan
from tehai.v1 import problem_pb2
from tehai.wire.reading import Reader


def current_placement_from_proto(message: problem_pb2.CurrentPlacement, reader: Reader, path: str) -> CurrentPlacement:
    """Read where a workload runs or was planned to; an unset charge is that of the current plan."""
    return CurrentPlacement(
        workload_id=message.workload_id,
        pool_id=message.pool_id,
        accelerators=message.accelerators,
        start_date=reader.date(message.start_date, path, "start_date"),
        locked=message.locked,
        change_yen=message.change_yen if message.HasField("change_yen") else None,
    )


def current_placement_to_proto(placement: CurrentPlacement) -> problem_pb2.CurrentPlacement:
    """Write where a workload runs or was planned to."""
    return problem_pb2.CurrentPlacement(
        workload_id=placement.workload_id,
        pool_id=placement.pool_id,
        accelerators=placement.accelerators,
        start_date=placement.start_date.isoformat(),
        locked=placement.locked,
        change_yen=placement.change_yen,
    )


def current_plan_from_proto(message: problem_pb2.CurrentPlan, reader: Reader, path: str) -> CurrentPlan:
    """Read the plan in force; an unset one has no placements."""
    placements = reader.each(current_placement_from_proto, message.placements, LIMITS.workloads, path, "placements")
    return CurrentPlan(change_yen=message.change_yen, placements=placements)


def current_plan_to_proto(plan: CurrentPlan) -> problem_pb2.CurrentPlan | None:
    """Write the plan in force; one that says nothing is left unset."""
    if plan == CurrentPlan():
        return None
    return problem_pb2.CurrentPlan(
        change_yen=plan.change_yen, placements=[current_placement_to_proto(p) for p in plan.placements]
    )
