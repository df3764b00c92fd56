"""Prices by period as prefix sums, and their sums over the periods that columns without pauses touch.

Sums are differences of prefix sums, which are accumulated with their rounding errors carried along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tehai.verify.timeline import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Path:
    """A price for each period, also as windows: row F of a window array starts F periods later; ``size`` is its sum."""

    values: FloatArray
    prefix: FloatArray
    prefix_windows: FloatArray
    value_windows: FloatArray
    size: float


@dataclass(frozen=True, slots=True)
class Rows:
    """The columns of some workloads in one pool with one gang and as many pauses: everything is (workloads,).

    ``accelerators`` are those of the gang, ``occupied`` those of its nodes.
    """

    workloads: IntArray
    accelerators: int
    occupied: int
    full: IntArray
    rest: FloatArray
    length: IntArray

    def some(self, chosen: slice | IntArray | BoolArray) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.workloads[chosen],
            self.accelerators,
            self.occupied,
            self.full[chosen],
            self.rest[chosen],
            self.length[chosen],
        )


def make_path(values: FloatArray) -> Path:
    """Return a path (period_count,) with its windows and prefix sums, padded beyond the horizon."""
    count = len(values)
    total, carried = 0.0, 0.0
    prefix = np.zeros(2 * count + 2)
    for t, value in enumerate(values.tolist()):
        # error-free sum of two doubles (Knuth): carried keeps what rounding drops
        after = total + value
        back = after - total
        carried += (total - (after - back)) + (value - back)
        total = after
        prefix[t + 1] = total + carried
    prefix[count + 1 :] = prefix[count]
    padded = np.zeros(2 * count + 2)
    padded[:count] = values
    return Path(
        values=values,
        prefix=prefix[:count],
        prefix_windows=sliding_window_view(prefix, count),
        value_windows=sliding_window_view(padded, count),
        size=float(np.abs(values).sum()),
    )


def along(path: Path, rows: Rows, low: int, high: int, period_hours: int) -> FloatArray:
    """Return the sum of hours(t) times the path over each column, (workloads, starts low to high)."""
    total = path.prefix_windows[:, low:high][rows.full]
    total -= path.prefix[low:high]
    total *= rows.occupied * period_hours
    remaining = path.value_windows[:, low:high][rows.full]
    remaining *= (rows.occupied * rows.rest)[:, np.newaxis]
    total += remaining
    return total


def count_along(marked: BoolArray, length: IntArray, low: int, high: int) -> IntArray:
    """Return how many marked periods each column touches, (workloads, starts low to high)."""
    count = len(marked)
    prefix = np.zeros(2 * count + 1, dtype=np.int64)
    np.cumsum(marked, out=prefix[1 : count + 1])
    prefix[count + 1 :] = prefix[count]
    touched: IntArray = sliding_window_view(prefix, count)[:, low:high][length] - prefix[low:high]
    return touched
