"""One placement: how long it runs, which accelerator-hours it takes, where it is legal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tehai.domain.workload import Workload
from tehai.verify.offers import BoolArray, FloatArray, IntArray
from tehai.verify.reference import Reference, accepts, throughput_of
from tehai.verify.tolerances import TOLERANCES

# periods where a whole number is meant; the rules' 1e-9
WHOLE_PERIOD_TOLERANCE = 1e-9
_PERIODS_CLIP = 1e15


@dataclass(frozen=True, slots=True)
class Column:
    """A workload in a pool: ``full_periods`` whole periods from ``start`` on, then ``rest_hours`` in one more."""

    position: int
    workload: int
    pool: int
    accelerators: int
    start: int
    full_periods: int
    rest_hours: float

    @property
    def end(self) -> int:
        """The period after the last one touched."""
        return self.start + self.full_periods + (self.rest_hours > 0.0)


def split_run(run_hours: FloatArray, period_hours: int) -> tuple[IntArray, FloatArray]:
    """Return whole periods and remaining hours of each run, elementwise."""
    quotient = np.minimum(run_hours / period_hours, _PERIODS_CLIP)
    full = np.floor(quotient + WHOLE_PERIOD_TOLERANCE)
    over = quotient - full
    rest = np.where(over <= WHOLE_PERIOD_TOLERANCE, 0.0, over * period_hours)
    rest = np.where((full == 0.0) & (rest == 0.0), run_hours, rest)
    return full.astype(np.int64), rest


def column_hours(reference: Reference, column: Column) -> FloatArray:
    """Return the accelerator-hours in each period of the horizon, shape (period_count,)."""
    hours = np.zeros(reference.period_count)
    last = column.start + column.full_periods
    hours[column.start : last] = column.accelerators * reference.period_hours
    if column.rest_hours > 0.0 and last < reference.period_count:
        hours[last] = column.accelerators * column.rest_hours
    return hours


def gang_is_too_large(accelerators: int, live: FloatArray) -> BoolArray:
    """Return where ``accelerators`` are more than those live, beyond rounding error."""
    return accelerators > live + TOLERANCES.accelerators_absolute.value


def has_legal_column(reference: Reference, workload_index: int) -> bool:
    """Return whether a workload can be placed anywhere, alone."""
    workload = reference.problem.workloads[workload_index]
    return any(
        _has_legal_start(reference, workload, workload_index, pool, gang.accelerators, gang.scaling_efficiency_fraction)
        for pool in range(len(reference.problem.pools))
        for gang in workload.gang_options
    )


def _has_legal_start(
    reference: Reference, workload: Workload, index: int, pool: int, accelerators: int, efficiency: float
) -> bool:
    """Return whether some start of this pool and gang is legal."""
    accelerator = reference.accelerator_of_pool[pool]
    throughput = throughput_of(accelerator, workload.software_family)
    if (
        throughput <= 0.0
        or accelerators > reference.problem.pools[pool].gang_accelerators_max
        or accelerators * accelerator.memory_gb < workload.memory_gb
        or not accepts(workload.sovereignty, reference.site(pool))
    ):
        return False
    run = np.array([reference.work[index] / (accelerators * throughput * efficiency)])
    full, rest = split_run(run, reference.period_hours)
    length = int(full[0]) + int(rest[0] > 0.0)
    blocked = gang_is_too_large(accelerators, reference.gang_max[pool])
    last_start = int(reference.deadline[index]) - length
    return any(not blocked[s : s + length].any() for s in range(int(reference.release[index]), last_start + 1))
