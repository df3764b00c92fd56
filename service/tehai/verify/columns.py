"""One placement: how long it runs, which accelerator-hours it takes, where it is legal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tehai.verify.reference import Reference, accepts, moved_terabytes, route_to, throughput_of
from tehai.verify.timeline import BoolArray, FloatArray, IntArray
from tehai.verify.tolerances import TOLERANCES

# periods where a whole number is meant; the rules' 1e-9
WHOLE_PERIOD_TOLERANCE = 1e-9
_PERIODS_CLIP = 1e15


@dataclass(frozen=True, slots=True)
class Column:
    """A workload in a pool: ``runs`` are (start, periods) in order of time.

    All periods touched are full but for the last one, which has ``rest_hours`` where they are positive.
    ``accelerators`` are those of the gang, ``occupied`` those of its whole nodes.
    """

    position: int
    workload: int
    pool: int
    accelerators: int
    occupied: int
    runs: tuple[tuple[int, int], ...]
    rest_hours: float

    @property
    def start(self) -> int:
        """The first period touched."""
        return self.runs[0][0]

    @property
    def end(self) -> int:
        """The period after the last one touched."""
        return sum(self.runs[-1])


def split_run(run_hours: FloatArray, period_hours: int) -> tuple[IntArray, FloatArray]:
    """Return whole periods and remaining hours of each run, elementwise."""
    quotient = np.minimum(run_hours / period_hours, _PERIODS_CLIP)
    full = np.floor(quotient + WHOLE_PERIOD_TOLERANCE)
    over = quotient - full
    rest = np.where(over <= WHOLE_PERIOD_TOLERANCE, 0.0, over * period_hours)
    rest = np.where((full == 0.0) & (rest == 0.0), run_hours, rest)
    return full.astype(np.int64), rest


def periods_touched(run_hours: float, period_hours: int) -> tuple[int, float]:
    """Return how many periods a run touches, and the hours in the last one where they are less than a period."""
    full, rest = split_run(np.array([run_hours]), period_hours)
    return int(full[0]) + int(rest[0] > 0.0), float(rest[0])


def column_hours(reference: Reference, column: Column) -> FloatArray:
    """Return the accelerator-hours in each period of the horizon, shape (period_count,)."""
    hours = np.zeros(reference.period_count)
    for start, length in column.runs:
        hours[start : start + length] = column.occupied * reference.period_hours
    if column.rest_hours > 0.0 and column.end <= reference.period_count:
        hours[column.end - 1] = column.occupied * column.rest_hours
    return hours


def hours_by_year(reference: Reference, hours: FloatArray) -> dict[int, float]:
    """Return the sum of an array (period_count,) over the periods of each fiscal year of the horizon."""
    sums = np.bincount(reference.fiscal_year - reference.years[0], weights=hours, minlength=len(reference.years))
    return dict(zip(reference.years, sums.tolist(), strict=True))


def along(column: Column, values: FloatArray) -> FloatArray:
    """Return the values, by period of the horizon, of the periods that a column touches."""
    return np.concatenate([values[start : start + length] for start, length in column.runs])


def whole_hours(reference: Reference, column: Column) -> float:
    """Return the accelerator-hours of the whole column, beyond the horizon too."""
    length = sum(periods for _, periods in column.runs)
    last = column.rest_hours if column.rest_hours > 0.0 else float(reference.period_hours)
    return column.occupied * ((length - 1) * reference.period_hours + last)


def gang_is_too_large(accelerators: int, live: FloatArray) -> BoolArray:
    """Return where ``accelerators`` are more than those live, beyond rounding error."""
    return accelerators > live + TOLERANCES.accelerators_absolute.value


def route_is_missing(reference: Reference, workload: int, pool: int) -> bool:
    """Return whether a workload has data to move to a pool and no route for it."""
    return moved_terabytes(reference, workload, pool) > 0.0 and route_to(reference, workload, pool) is None


def has_legal_column(reference: Reference, workload: int) -> bool:
    """Return whether a workload can be placed anywhere, alone."""
    return any(
        _has_legal_start(reference, workload, pool, gang.accelerators, run_hours)
        for pool in range(len(reference.problem.pools))
        for gang in reference.problem.workloads[workload].gang_options
        for run_hours in _runs(reference, workload, pool, gang.accelerators, gang.scaling_efficiency_fraction)
    )


def _runs(
    reference: Reference, workload: int, pool: int, accelerators: int, efficiency: float
) -> Iterator[tuple[int, float]]:
    """Yield (pauses, run hours) of every number of pauses, none where pool and gang are not possible."""
    item, accelerator = reference.problem.workloads[workload], reference.accelerator_of_pool[pool]
    throughput = throughput_of(accelerator, item.software_family)
    if (
        throughput <= 0.0
        or accelerators > reference.problem.pools[pool].gang_accelerators_max
        or accelerators * accelerator.memory_gb < item.memory_gb
        or not accepts(item.sovereignty, reference.site(pool))
        or route_is_missing(reference, workload, pool)
    ):
        return
    run = float(reference.work[workload]) / (accelerators * throughput * efficiency)
    yield 0, run
    if item.pausing is not None:
        for pauses in range(1, item.pausing.pauses_max + 1):
            yield pauses, run + pauses * item.pausing.resume_overhead_hours


def _has_legal_start(reference: Reference, workload: int, pool: int, accelerators: int, run: tuple[int, float]) -> bool:
    """Return whether some choice of periods for this pool, gang and number of pauses is legal.

    Walks over the periods; for each number of pauses taken, bit m of ``running`` says that m periods can have been
    touched with this one the last, bit m of ``stopped`` that they can have been before the period before this one.
    """
    pauses, run_hours = run
    length, _ = periods_touched(run_hours, reference.period_hours)
    release, deadline = int(reference.release[workload]), int(reference.deadline[workload])
    blocked = gang_is_too_large(reference.occupied(pool, accelerators), reference.gang_max[pool])
    starts: range | tuple[int, ...] = range(release, max(release, deadline))
    current = reference.current.get(workload)
    if current is not None and current.locked:
        same = current.pool == pool and current.accelerators == accelerators
        starts = (current.start,) if same and current.start in starts else ()
    running, stopped = [0] * (pauses + 1), [0] * (pauses + 1)
    for t in range(release, deadline):
        now = [0] * (pauses + 1)
        if not blocked[t]:
            for k in range(pauses + 1):
                before = running[k] | (stopped[k - 1] if k > 0 else 0)
                now[k] = before << 1
            now[0] |= 2 if t in starts else 0
            if now[pauses] >> length & 1:
                return True
        stopped = [earlier | last for earlier, last in zip(stopped, running, strict=True)]
        running = now
    return False
