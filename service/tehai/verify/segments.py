"""Checks of the segments of placements: how many, where, how long, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from tehai.domain.violation import Violation
from tehai.verify.case import Case, Placed, run_hours_of, whole_periods
from tehai.verify.columns import periods_touched
from tehai.verify.faults import violation
from tehai.verify.timeline import first_day
from tehai.verify.tolerances import TOLERANCES


def nothing_is_left(case: Case, item: Placed) -> bool:
    """Return whether the whole periods before the last pause are all that the work touches."""
    before = [whole_periods(segment, case.reference.period_hours) for segment in item.placement.segments[:-1]]
    run = run_hours_of(case.reference, item.workload, item.pool, item.accelerators, item.pauses)
    if run is None:
        return False
    return sum(periods or 0 for periods in before) >= periods_touched(run, case.reference.period_hours)[0]


def check_v2105_segment_count(case: Case) -> Iterator[Violation]:
    """A placement has one segment, and one more for each pause that its workload may take."""
    for i, placement in enumerate(case.plan.placements):
        index, most = case.reference.workload_index.get(placement.workload_id), 1
        if index is not None:
            pausing = case.problem.workloads[index].pausing
            most += 0 if pausing is None else pausing.pauses_max
        if not 1 <= len(placement.segments) <= most:
            message = f'workload "{placement.workload_id}" expected 1 to {most}, found {len(placement.segments)}'
            yield violation("V2105", f"placements[{i}].segments", message)


def check_v2115_run_hours(case: Case) -> Iterator[Violation]:
    """The segments run for the work divided by the speed of the gang, and the overhead of each pause."""
    for item in case.placed:
        expected = run_hours_of(case.reference, item.workload, item.pool, item.accelerators, item.pauses)
        if expected is None:
            continue
        found = sum(segment.run_hours for segment in item.placement.segments)
        # written so that NaN fails
        if not abs(found - expected) <= TOLERANCES.run_relative.value * expected:
            message = f"expected {expected!r}, found {found!r} hours"
            yield violation("V2115", f"placements[{item.position}].segments[{item.pauses}].run_hours", message)


def check_v2116_start_date(case: Case) -> Iterator[Violation]:
    """The start date is the first day of the start period."""
    for item in case.placed:
        for k, segment in enumerate(item.placement.segments):
            if not 0 <= segment.start_period < case.reference.period_count:
                continue
            expected = first_day(case.problem, segment.start_period)
            if segment.start_date != expected:
                message = f"expected {expected}, found {segment.start_date}"
                yield violation("V2116", f"placements[{item.position}].segments[{k}].start_date", message)


def check_v2119_moved_by_pause(case: Case) -> Iterator[Violation]:
    """A workload goes on in the pool and with the gang that it had before its pause."""
    for item in case.placed:
        first, *others = item.placement.segments
        for k, segment in enumerate(others, 1):
            if (segment.pool_id, segment.accelerators) != (first.pool_id, first.accelerators):
                message = (
                    f'expected {first.accelerators} accelerators in "{first.pool_id}", found {segment.accelerators} in '
                    f'"{segment.pool_id}"'
                )
                yield violation("V2119", f"placements[{item.position}].segments[{k}]", message)


def check_v2120_segment_order(case: Case) -> Iterator[Violation]:
    """Segments are in order of time, with at least one period between two."""
    for item in case.placed:
        for k, (before, after) in enumerate(pairwise(item.placement.segments), 1):
            length = whole_periods(before, case.reference.period_hours) or 1
            earliest = before.start_period + length + 1
            if after.start_period < earliest:
                message = f"expected period {earliest} or later, found {after.start_period}"
                yield violation("V2120", f"placements[{item.position}].segments[{k}].start_period", message)


def check_v2121_part_of_a_period(case: Case) -> Iterator[Violation]:
    """A workload pauses only at the end of a period, with work left."""
    for item in case.placed:
        for k, segment in enumerate(item.placement.segments):
            path = f"placements[{item.position}].segments[{k}].run_hours"
            if k < item.pauses and whole_periods(segment, case.reference.period_hours) is None:
                message = f"expected a multiple of {case.reference.period_hours}, found {segment.run_hours!r} hours"
                yield violation("V2121", path, message)
            elif k == item.pauses > 0 and nothing_is_left(case, item):
                yield violation("V2121", path, f"expected work left after the pause, found {segment.run_hours!r} hours")


CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    check_v2105_segment_count,
    check_v2115_run_hours,
    check_v2116_start_date,
    check_v2119_moved_by_pause,
    check_v2120_segment_order,
    check_v2121_part_of_a_period,
)
