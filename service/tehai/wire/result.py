"""What a solve answers and reports, between message and domain."""

from __future__ import annotations

from typing import NamedTuple

from tehai.domain.limits import LIMITS
from tehai.domain.result import Progress, SolvePhase, SolveResult, SolveStatus, UnplaceableWorkload
from tehai.domain.violation import Violation
from tehai.v1 import plan_pb2, sourcing_service_pb2
from tehai.wire.breakdown import breakdown_from_proto, breakdown_to_proto
from tehai.wire.certificate import certificate_to_proto, read_certificate
from tehai.wire.market import optional_number_from_proto
from tehai.wire.plan import STOP_REASONS, plan_to_proto, read_plan
from tehai.wire.reading import Choices, Reader
from tehai.wire.unknown import report_unknown_fields

SOLVE_STATUSES = Choices(SolveStatus, plan_pb2.SolveStatus)
SOLVE_PHASES = Choices(SolvePhase, sourcing_service_pb2.SolvePhase)
UNCAPPED_MAX = 100_000


class DecodedResult(NamedTuple):
    """A result, or None and why not."""

    result: SolveResult | None
    violations: tuple[Violation, ...]


def progress_from_proto(message: sourcing_service_pb2.Progress) -> Progress:
    """Read where a solve stands; raises ValueError where the message is malformed."""
    reader = Reader()
    progress = Progress(
        phase=SOLVE_PHASES.from_wire(message.phase, reader, "", "phase"),
        elapsed_seconds=reader.number(message.elapsed_seconds, "", "elapsed_seconds"),
        objective_yen=message.objective_yen if message.HasField("objective_yen") else None,
        lower_bound_yen=message.lower_bound_yen if message.HasField("lower_bound_yen") else None,
        gap=optional_number_from_proto(message, reader, "", "gap"),
    )
    if reader.violations:
        raise ValueError("; ".join(f"{v.path}: {v.message}" for v in reader.violations))
    return progress


def progress_to_proto(progress: Progress) -> sourcing_service_pb2.Progress:
    """Write where a solve stands."""
    return sourcing_service_pb2.Progress(
        phase=SOLVE_PHASES.to_wire(progress.phase),
        elapsed_seconds=progress.elapsed_seconds,
        objective_yen=progress.objective_yen,
        lower_bound_yen=progress.lower_bound_yen,
        gap=progress.gap,
    )


def _read_result(message: plan_pb2.SolveResult, reader: Reader) -> SolveResult:
    if not message.HasField("plan"):
        reader.missing("", "plan")
    if not message.HasField("certificate"):
        reader.missing("", "certificate")
    breakdown = None
    if message.HasField("breakdown"):
        breakdown = breakdown_from_proto(message.breakdown, reader, "breakdown")
    unplaceable = reader.limited(message.unplaceable_workloads, LIMITS.workloads, "", "unplaceable_workloads")
    return SolveResult(
        status=SOLVE_STATUSES.from_wire(message.status, reader, "", "status"),
        plan=read_plan(message.plan, reader, "plan"),
        certificate=read_certificate(message.certificate, reader, "certificate"),
        objective_yen=message.objective_yen,
        plan_cost_yen=message.plan_cost_yen,
        lower_bound_yen=message.lower_bound_yen,
        objective_gap_yen=message.objective_gap_yen,
        gap=optional_number_from_proto(message, reader, "", "gap"),
        gap_on_bill=optional_number_from_proto(message, reader, "", "gap_on_bill"),
        verified=message.verified,
        solve_seconds=reader.number(message.solve_seconds, "", "solve_seconds"),
        peak_memory_mb=reader.number(message.peak_memory_mb, "", "peak_memory_mb"),
        workloads_placed=message.workloads_placed,
        workloads_not_run=message.workloads_not_run,
        stop_reason=STOP_REASONS.from_wire(message.stop_reason, reader, "", "stop_reason"),
        unplaceable_workloads=tuple(
            UnplaceableWorkload(workload_id=m.workload_id, reason=m.reason) for m in unplaceable
        ),
        uncapped=tuple(reader.limited(message.uncapped, UNCAPPED_MAX, "", "uncapped")),
        breakdown=breakdown,
    )


def result_from_proto(message: plan_pb2.SolveResult) -> DecodedResult:
    """Read what a solve answered; the violations are of form only."""
    reader = Reader()
    report_unknown_fields(message, reader)
    result = _read_result(message, reader)
    return DecodedResult(None if reader.violations else result, tuple(reader.violations))


def result_to_proto(result: SolveResult) -> plan_pb2.SolveResult:
    """Write what a solve answered."""
    return plan_pb2.SolveResult(
        status=SOLVE_STATUSES.to_wire(result.status),
        plan=plan_to_proto(result.plan),
        certificate=certificate_to_proto(result.certificate),
        objective_yen=result.objective_yen,
        plan_cost_yen=result.plan_cost_yen,
        lower_bound_yen=result.lower_bound_yen,
        objective_gap_yen=result.objective_gap_yen,
        gap=result.gap,
        gap_on_bill=result.gap_on_bill,
        verified=result.verified,
        solve_seconds=result.solve_seconds,
        peak_memory_mb=result.peak_memory_mb,
        workloads_placed=result.workloads_placed,
        workloads_not_run=result.workloads_not_run,
        stop_reason=STOP_REASONS.to_wire(result.stop_reason),
        unplaceable_workloads=[
            plan_pb2.UnplaceableWorkload(workload_id=u.workload_id, reason=u.reason)
            for u in result.unplaceable_workloads
        ],
        uncapped=result.uncapped,
        breakdown=None if result.breakdown is None else breakdown_to_proto(result.breakdown),
    )
