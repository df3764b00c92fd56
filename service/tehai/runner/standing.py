"""Where a solve stands, as the store keeps it: a small SolveStanding, from progress and from a result."""

from __future__ import annotations

from tehai.domain.result import SolveResult
from tehai.v1 import solve_pb2, sourcing_service_pb2
from tehai.wire.plan import STOP_REASONS
from tehai.wire.result import SOLVE_STATUSES


def standing_of_progress(data: bytes) -> bytes:
    """Return the serialised standing of a serialised Progress."""
    progress = sourcing_service_pb2.Progress.FromString(data)
    standing = solve_pb2.SolveStanding(elapsed_seconds=progress.elapsed_seconds)
    if progress.HasField("objective_yen"):
        standing.objective_yen = progress.objective_yen
    if progress.HasField("lower_bound_yen"):
        standing.lower_bound_yen = progress.lower_bound_yen
    if progress.HasField("gap"):
        standing.gap = progress.gap
    return standing.SerializeToString()


def standing_of_result(result: SolveResult) -> solve_pb2.SolveStanding:
    """Return the last figures of a solve."""
    return solve_pb2.SolveStanding(
        elapsed_seconds=result.solve_seconds,
        objective_yen=result.objective_yen,
        lower_bound_yen=result.lower_bound_yen,
        gap=result.gap,
        status=SOLVE_STATUSES.to_wire(result.status),
        stop_reason=STOP_REASONS.to_wire(result.stop_reason),
        workloads_placed=result.workloads_placed,
        workloads_not_run=result.workloads_not_run,
    )


def gap_of_standing(data: bytes) -> float | None:
    """Return the gap in a serialised standing; None where there is none."""
    standing = solve_pb2.SolveStanding.FromString(data)
    return standing.gap if standing.HasField("gap") else None
