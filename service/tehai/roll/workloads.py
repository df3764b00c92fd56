"""Workloads after the roll: running ones with the rest of their work, planned ones, those that are not run."""

from __future__ import annotations

from dataclasses import replace

from tehai.domain.plan import Segment
from tehai.domain.problem import CurrentPlacement, CurrentPlan
from tehai.domain.workload import Pausing, Workload
from tehai.explain.reading import Placed, segment_end
from tehai.roll.moment import Moment, Stage


def rolled_workloads(moment: Moment) -> tuple[Workload, ...]:
    """Return the workloads that stay, in order.

    Finished ones leave; so do those not run whose deadline has come, and those that can only run after one of them.
    """
    reading = moment.reading
    placed = {item.workload.id: item for item in reading.placed}
    stages = {name: moment.stage(item) for name, item in placed.items()}
    expired = _expired(moment, frozenset(placed))
    stay = {
        workload.id
        for workload in reading.problem.workloads
        if workload.id not in expired and stages.get(workload.id) is not Stage.FINISHED
    }
    rolled = []
    for workload in reading.problem.workloads:
        if workload.id not in stay:
            continue
        if stages.get(workload.id) is Stage.RUNNING:
            rolled.append(_running(moment, placed[workload.id]))
        else:
            after = tuple(name for name in workload.after_workload_ids if name in stay)
            rolled.append(replace(workload, after_workload_ids=after))
    return tuple(rolled)


def current_plan(moment: Moment, change_yen: int) -> CurrentPlan:
    """Return where running workloads are, locked, and where planned ones are to be.

    A charge or a lock that the plan in force gave a planned workload of its own stays.
    """
    given = {item.workload_id: item for item in moment.reading.problem.current_plan.placements}
    placements = []
    for placed in moment.reading.placed:
        stage = moment.stage(placed)
        if stage is Stage.FINISHED:
            continue
        before = given.get(placed.workload.id)
        placements.append(
            CurrentPlacement(
                workload_id=placed.workload.id,
                pool_id=placed.pool.id,
                accelerators=placed.placement.segments[0].accelerators,
                start_date=moment.reading.problem.calendar.date_of(_first_start(moment, placed)),
                locked=stage is Stage.RUNNING or (before is not None and before.locked),
                change_yen=None if before is None else before.change_yen,
            )
        )
    return CurrentPlan(change_yen, tuple(placements))


def remaining_segments(moment: Moment, placed: Placed) -> tuple[Segment, ...]:
    """Return what is left of the segments of a placement; periods and dates are those before the roll."""
    reading = moment.reading
    left = []
    for segment in placed.placement.segments:
        if segment_end(segment, reading.period_hours) <= moment.period:
            continue
        gone = max(0, moment.period - segment.start_period)
        left.append(
            replace(
                segment,
                start_period=segment.start_period + gone,
                start_date=reading.problem.calendar.date_of(segment.start_period + gone),
                run_hours=segment.run_hours - gone * reading.period_hours,
            )
        )
    return tuple(left)


def _first_start(moment: Moment, placed: Placed) -> int:
    return remaining_segments(moment, placed)[0].start_period


def _running(moment: Moment, placed: Placed) -> Workload:
    """Return a workload that runs, as what is left of it.

    The pause that precedes the first segment left is taken already, so its overhead is work like any other. Data and
    code are where it runs, it has waited, and what it had to wait for has ended.
    """
    workload, segments = placed.workload, remaining_segments(moment, placed)
    calendar = moment.reading.problem.calendar
    pauses_taken = len(placed.placement.segments) - len(segments)
    pauses_left = (workload.pausing.pauses_max if workload.pausing else 0) - pauses_taken
    overhead = workload.pausing.resume_overhead_hours if workload.pausing else 0.0
    run_hours = sum(segment.run_hours for segment in segments)
    if run_hours <= (len(segments) - 1) * overhead:
        # Nothing but overhead is left; it is the work then.
        overhead = 0.0
    work_hours = run_hours - (len(segments) - 1) * overhead
    return replace(
        workload,
        release_date=calendar.date_of(segments[0].start_period),
        normalised_accelerator_hours=work_hours * _speed(moment, placed),
        flops=None,
        late_start_yen_per_period=0,
        after_workload_ids=(),
        data_site_id=None,
        data_terabytes=0.0,
        porting=(),
        pausing=Pausing(pauses_left, overhead) if pauses_left > 0 else None,
    )


def _speed(moment: Moment, placed: Placed) -> float:
    """Return the normalised hours of work that the gang of a placement does in an hour."""
    accelerator = moment.reading.accelerators[placed.pool.accelerator_id]
    gang = placed.placement.segments[0].accelerators
    throughput = next(
        entry.normalised_throughput
        for entry in accelerator.throughputs
        if entry.software_family == placed.workload.software_family
    )
    option = next(item for item in placed.workload.gang_options if item.accelerators == gang)
    return gang * throughput * option.scaling_efficiency_fraction


def _expired(moment: Moment, placed: frozenset[str]) -> frozenset[str]:
    """Return the workloads not run that can no longer be."""
    waiting = [item for item in moment.reading.problem.workloads if item.id not in placed]
    expired = {item.id for item in waiting if item.deadline_date <= moment.day}
    while more := {item.id for item in waiting if not expired.isdisjoint(item.after_workload_ids)} - expired:
        expired |= more
    return frozenset(expired)
