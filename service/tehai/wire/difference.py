"""What is different between two plans, between message and domain."""

from __future__ import annotations

from collections.abc import Sequence

from tehai.domain.evaluation import NamedDifference, PlacementChange, PlacementDifference, PlanDifference
from tehai.domain.limits import LIMITS
from tehai.v1 import evaluation_pb2
from tehai.wire.plan import PLAN_LINES_MAX
from tehai.wire.reading import Choices, Reader

PLACEMENT_CHANGES = Choices(PlacementChange, evaluation_pb2.PlacementChange)

# "from" is a keyword of Python, so these fields are reached by name.
FROM = "from"


def plan_difference_from_proto(message: evaluation_pb2.PlanDifference) -> PlanDifference:
    """Read what is different between two plans; raises ValueError where the message is malformed."""
    reader = Reader()
    difference = PlanDifference(
        # A workload of either plan can be in it.
        placements=reader.each(_placement_from_proto, message.placements, 2 * LIMITS.workloads, "", "placements"),
        bill=_named_from_proto(message.bill, reader, "bill"),
        commitments=_named_from_proto(message.commitments, reader, "commitments"),
        objective_difference_yen=message.objective_difference_yen,
    )
    if reader.violations:
        raise ValueError("; ".join(f"{v.path}: {v.message}" for v in reader.violations))
    return difference


def _placement_from_proto(
    message: evaluation_pb2.PlacementDifference, reader: Reader, path: str
) -> PlacementDifference:
    return PlacementDifference(
        workload_id=message.workload_id,
        change=PLACEMENT_CHANGES.from_wire(message.change, reader, path, "change"),
        before=getattr(message, FROM),
        after=message.to,
    )


def _named_from_proto(
    messages: Sequence[evaluation_pb2.NamedDifference], reader: Reader, name: str
) -> tuple[NamedDifference, ...]:
    return tuple(
        NamedDifference(name=m.name, before=getattr(m, FROM), after=m.to)
        for m in reader.limited(messages, 2 * PLAN_LINES_MAX, "", name)
    )


def plan_difference_to_proto(difference: PlanDifference) -> evaluation_pb2.PlanDifference:
    """Write what is different between two plans."""
    return evaluation_pb2.PlanDifference(
        placements=[_placement_to_proto(item) for item in difference.placements],
        bill=[_named_to_proto(item) for item in difference.bill],
        commitments=[_named_to_proto(item) for item in difference.commitments],
        objective_difference_yen=difference.objective_difference_yen,
    )


def _placement_to_proto(item: PlacementDifference) -> evaluation_pb2.PlacementDifference:
    message = evaluation_pb2.PlacementDifference(
        workload_id=item.workload_id, change=PLACEMENT_CHANGES.to_wire(item.change), to=item.after
    )
    setattr(message, FROM, item.before)
    return message


def _named_to_proto(item: NamedDifference) -> evaluation_pb2.NamedDifference:
    message = evaluation_pb2.NamedDifference(name=item.name, to=item.after)
    setattr(message, FROM, item.before)
    return message
